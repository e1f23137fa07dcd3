"""Planning maps: what it costs to enter a cell, learnt from demonstrated ways alone.

A convolutional network looks at the picture of a map, clean or with noise, and gives each cell a cost; the shortest
path from start to goal by these costs is the plan. What a wall is, nobody says: there are only ways that were taken,
from starts and to goals of their own. The paths of the layer are compared with them, and I-MLE gives the layer its
gradient.

The Motion Planning Dataset of Yonetani et al. (2021): --data FOLDER, with --download to fetch it (MIT licence).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import logsigmoid

import imle_core as imle
from imle_core.demos.data import files, planning

SIZE = 32
SOLVER = imle.solver(
    "networkx.shortest_path",
    graph=nx.strong_product(nx.path_graph(SIZE), nx.path_graph(SIZE)),  # each cell and its eight neighbours
    weight="node",
    shape=(SIZE, SIZE),
)


class Ways(NamedTuple):
    """Maps, 1 where free; ends of a way in each; the cells of the way taken."""

    maps: Tensor
    ends: list[dict[str, Any]]
    taken: Tensor


def ways(problems: planning.Problems, seed: int, repeat: int = 1) -> Ways:
    problems = problems.rows(np.tile(np.arange(len(problems.free)), repeat))
    ends, taken = planning.demonstrate(problems, np.random.default_rng(seed))
    return Ways(torch.from_numpy(problems.free).float(), ends, torch.from_numpy(taken))


def network(noise: float) -> torch.nn.Sequential:
    """Pictures (B, K, K) -> one number for each cell, (B, K, K); with a wider view where there is noise."""
    layers, width = [torch.nn.Unflatten(1, (1, SIZE))], 1
    for size in (5, 5, 3) if noise else (3, 3):
        layers += [torch.nn.Conv2d(width, 24, size, padding=size // 2), torch.nn.ReLU()]
        width = 24
    return torch.nn.Sequential(*layers, torch.nn.Conv2d(24, 1, 1), torch.nn.Flatten(0, 1))


def costs(numbers: Tensor) -> Tensor:
    """Return positive costs, of geometric mean 1: paths depend on ratios alone, and so the scale would drift."""
    return (numbers - numbers.mean((1, 2), keepdim=True)).exp()


def quality(cell_costs: Tensor, test: Ways) -> tuple[float, float]:
    """Return the share of plans that are as short as can be without a collision, and of those without one."""
    plans = SOLVER.solve(cell_costs, instances=test.ends)
    clear = (plans * (1 - test.maps)).sum((1, 2)) == 0
    best = clear & (plans.sum((1, 2)) == test.taken.sum((1, 2)))
    return best.float().mean().item(), clear.float().mean().item()


def study(train: Ways, test: Ways, noise: float) -> tuple[dict[str, float], Tensor, Tensor]:
    """Train costs in three ways; return the shares of best plans, the pictures, and the costs learnt by paths."""
    layer = imle.SolverLayer(SOLVER, imle.IMLE(samples=2, tau=0.3, noise=imle.SumOfGamma(k=SIZE)))
    ends = layer.prepare(train.ends)
    pictures = test.maps + noise * torch.randn(test.maps.shape, generator=torch.Generator().manual_seed(1))

    def by_paths(numbers: Tensor, rows: Tensor) -> Tensor:
        paths, taken = layer(costs(numbers), instances=ends[rows]), train.taken[rows]
        return (paths * (1 - taken) + (1 - paths) * taken).sum((1, 2)).mean()  # cells, Hamming distance

    def trained(loss: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Return the numbers for the test pictures, after one pass over the training rows."""
        torch.manual_seed(0)
        model, batches = network(noise), torch.randperm(len(train.maps)).split(32)
        optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=len(batches))
        for rows in batches:
            optimiser.zero_grad()
            maps = train.maps[rows]
            loss(model(maps + noise * torch.randn_like(maps)), rows).backward()
            optimiser.step()
            schedule.step()
        with torch.no_grad():
            return model(pictures)

    learnt = costs(trained(by_paths))
    cells = trained(lambda numbers, rows: cross_entropy(numbers, train.taken[rows]))
    walls = trained(lambda numbers, rows: cross_entropy(numbers, 1 - train.maps[rows])).sigmoid()
    found = {
        "all cells cost the same": quality(torch.ones_like(test.maps), test),
        "-log p(cell is on the way), without a solver": quality(-logsigmoid(cells), test),
        "learnt through the solver, I-MLE": quality(learnt, test),
        # It is told what the others are not, and given the factor that is best on the test.
        "1 + c p(wall), told the walls": max(quality(1 + c * walls, test) for c in (3, 10, 30, 100)),
    }
    print(
        f"{len(test.maps)} maps not seen in training, noise {noise}: shortest plans, and plans without collision"
    )
    for label, (best, clear) in found.items():
        print(f"  {label:<46}{best:>7.1%}{clear:>9.1%}")
    nothing, without, through, _ = (best for best, _ in found.values())
    assert through > max(nothing, without) + 0.1
    return {label: best for label, (best, _) in found.items()}, pictures, learnt


def draw(test: Ways, pictures: Tensor, learnt: Tensor, path: Path) -> None:
    """Draw pictures of test maps, the learnt costs, and the ways taken and planned."""
    from matplotlib.figure import Figure

    chosen = [len(test.maps) * part // 5 + 1 for part in range(5)]  # not by how well it went
    plans = SOLVER.solve(learnt[chosen], instances=[test.ends[i] for i in chosen])
    figure = Figure(figsize=(10, 6.3), dpi=80, layout="constrained")
    for column, i, plan in zip(figure.subplots(3, 5).T, chosen, plans, strict=True):
        column[0].imshow(pictures[i].numpy(), cmap="gray", vmin=-0.5, vmax=1.5)
        column[1].imshow(learnt[i].log().numpy(), cmap="magma")
        column[2].imshow(test.maps[i].numpy(), cmap="gray", vmin=-0.5, vmax=1.5)
        for cells, colour, width in ((test.taken[i], "#2a6fdb", 5), (plan, "#ff2d78", 2)):
            nodes = np.array(SOLVER.decode(cells, instance=test.ends[i]))
            column[2].plot(nodes[:, 1], nodes[:, 0], color=colour, linewidth=width)
        for axis, title in zip(
            column, ("picture", "learnt costs, log", "way taken, way planned"), strict=True
        ):
            axis.set(xticks=[], yticks=[])
            axis.set_title(title, fontsize=10)
    figure.savefig(path)


def main(argv: list[str] | None = None) -> dict[float, dict[str, float]]:
    """Return for each noise the share of shortest plans on test maps, by where the costs are from."""
    options = files.arguments(__doc__, "planning_mpd", planning.REMOTE, argv)
    if options.folder is None:
        print("No data (--data, $IMLE_DATA): generated maps of walls with gaps.")
        splits = [planning.generate_planning(count, seed=seed) for seed, count in enumerate((800, 200))]
    else:
        names = planning.ENVIRONMENTS if options.full else planning.ENVIRONMENTS[:1]
        read = [planning.read_planning(options.folder, name) for name in names]
        splits = [
            planning.joined([environment[split] for environment in read]) for split in ("train", "test")
        ]
    train, test = ways(splits[0], seed=0, repeat=4), ways(planning.unseen(splits[1], splits[0]), seed=1)
    shares = {}
    for noise in (0.0, 0.3) if options.full else (0.0,):
        shares[noise], pictures, learnt = study(train, test, noise)
    if options.out:
        draw(test, pictures, learnt, options.out / "planning_maps.png")
    return shares


if __name__ == "__main__":
    main()
