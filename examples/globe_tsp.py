"""Globe: where capitals are, learnt from flags and from the shortest tours through a few of the countries.

A network looks at the flags of ten countries, and places each on the globe; the distances between the places are the
costs of a tour, and the solver finds the shortest. All that is known for training is which tour is the shortest in
truth: no place, and no distance. After Vlastelica et al. (2020), Differentiation of blackbox combinatorial solvers.

Real flags and capitals: --data FOLDER.
"""

import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import imle_core as imle
from imle_core.demos.data import files

RADIUS = 6371  # of the Earth, in km


class Globe(NamedTuple):
    """Countries, and groups of them with their shortest tours; tours are symmetric matrices of 0 and 1."""

    names: list[str]
    flags: torch.Tensor  # (countries, 3, height, width), from 0 to 1
    places: torch.Tensor  # (countries, 3), true, on the unit sphere: they only judge
    groups: torch.Tensor  # (groups, n), numbers of countries
    tours: torch.Tensor  # (groups, n, n)
    held_out: int  # how many of the groups, at the end, are not for training


def read(folder: Path) -> Globe:
    """Read the flags and capitals of 100 countries, and 1,000 + 200 tours through ten of them."""
    with np.load(folder / "globe_tsp_10_of_100.npz") as file:
        data = dict(file)
    groups, tours = (
        np.concatenate([data[f"{part}_{name}"] for part in ("train", "test")])
        for name in ("indices", "tsp_tours")
    )
    latitude, longitude = np.deg2rad(data["gps"]).T
    places = np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )
    flags = torch.from_numpy(data["flags"]).permute(0, 3, 1, 2).float() / 255
    return Globe(
        data["capitals"].tolist(),
        flags,
        torch.from_numpy(places).float(),
        torch.from_numpy(groups),
        torch.from_numpy(tours).float(),
        len(data["test_indices"]),
    )


def generate(countries: int = 30, size: int = 9, groups: int = 900) -> Globe:
    """Make up a globe: random places, flags of three random stripes, and the tours that are the shortest."""
    generator = torch.Generator().manual_seed(0)
    places = torch.nn.functional.normalize(torch.randn(countries, 3, generator=generator), dim=1)
    flags = (
        torch.rand(countries, 3, 1, 3, generator=generator).repeat_interleave(10, 3).expand(-1, -1, 20, -1)
    )
    some = torch.rand(groups, countries, generator=generator).argsort(1)[:, :size]
    tours = torch.from_numpy(solver(size).solve(distances(places[some]).numpy()))
    return Globe([f"capital {i}" for i in range(countries)], flags, places, some, tours, groups // 6)


def solver(nodes: int) -> imle.Solver:
    """Return the solver of undirected tours: up to 13 nodes they are the shortest."""
    return imle.solver("ortools.tsp", nodes=nodes, undirected=True, threads=1)


def distances(places: torch.Tensor) -> torch.Tensor:
    """Return the distances over the globe between places (..., n, 3), shape (..., n, n); its radius is 1."""
    chord = (places[..., :, None, :] - places[..., None, :, :]).square().sum(-1)
    return 2 * torch.asin((chord.clamp(1e-9, 3.999) / 4).sqrt())


class Places(torch.nn.Module):
    """From flags to places on the globe."""

    def __init__(self, flags: torch.Tensor) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 5, stride=4, padding=2), torch.nn.ReLU(), torch.nn.Flatten()
        )
        width = self.net(flags[:1]).shape[1]
        self.net.extend([torch.nn.Linear(width, 256), torch.nn.ReLU(), torch.nn.Linear(256, 3)])

    def forward(self, flags: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(self.net((flags - 0.5) / 0.3), dim=1)


def train(globe: Globe, steps: int, log: bool = True) -> torch.Tensor:
    """Train the network on tours alone, and return where it places the countries."""
    torch.manual_seed(0)
    model, known = Places(globe.flags), len(globe.groups) - globe.held_out
    layer = imle.SolverLayer(
        solver(globe.groups.shape[1]),
        imle.IMLE(samples=4, tau=0.02),
        generator=torch.Generator().manual_seed(0),
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        rows = torch.randint(known, (64,))
        optimiser.zero_grad()
        tours = layer(distances(model(globe.flags)[globe.groups[rows]]))
        wanted = globe.tours[rows]
        loss = (tours * (1 - wanted) + (1 - tours) * wanted).sum((1, 2)).mean() / 2  # edges, Hamming distance
        loss.backward()
        optimiser.step()
        schedule.step()
        if log and (step + 1) % (steps // 5) == 0:
            best = [f"{share:.1%}" for share in optimal(globe, model(globe.flags).detach())]
            print(
                f"  {step + 1:>6} steps: {best[0]} of the tours known are optimal, {best[1]} of those held out"
            )
    return model(globe.flags).detach()


def optimal(globe: Globe, places: torch.Tensor) -> tuple[float, float]:
    """Return which share of the tours by these places is the shortest in truth: of those known, of those held out."""
    found = solver(globe.groups.shape[1]).solve(distances(places[globe.groups]))
    right = (found == globe.tours).all(2).all(1).float()
    return right[: -globe.held_out].mean().item(), right[-globe.held_out :].mean().item()


def aligned(globe: Globe, places: torch.Tensor) -> torch.Tensor:
    """Return places rotated, and mirrored if need be, as near to the true ones as can be: tours do not tell these."""
    u, _, v = torch.linalg.svd(places.T @ globe.places)
    return places @ (u @ v)


def draw(globe: Globe, places: torch.Tensor, path: Path) -> None:
    """Draw a map of where the capitals are and where they were placed, and a held-out tour by both."""
    from matplotlib.figure import Figure

    def on_map(points: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        x, y, z = points.double().numpy().T
        return np.rad2deg(np.arctan2(y, x)), np.rad2deg(np.arcsin(z.clip(-1, 1)))

    figure = Figure(figsize=(11, 5.6), dpi=80, layout="constrained")
    axes = figure.subplots()
    truth, learnt = on_map(globe.places), on_map(places)
    for x, y, u, v in zip(*truth, *learnt, strict=True):
        near = u + 360 * np.round((x - u) / 360)  # over the edge of the map, if that is the shorter way
        axes.plot([x, near], [y, v], color="0.75", linewidth=0.8, zorder=1)
    axes.scatter(*truth, s=18, color="black", zorder=3, label="capital")
    axes.scatter(*learnt, s=18, color="tab:red", zorder=3, label="placed by its flag")
    group = globe.groups[-1]
    for points, colour in ((globe.places, "black"), (places, "tab:red")):
        nodes = solver(len(group))
        order = nodes.decode(nodes.solve(distances(points[group])[None]))[0]
        stops = points[group[[*order, order[0]]]]
        for a, b in itertools.pairwise(stops):  # along great circles
            way = torch.stack([a * (1 - t) + b * t for t in torch.linspace(0, 1, 40)])
            lon, lat = on_map(torch.nn.functional.normalize(way, dim=1))
            lon[1:][np.abs(np.diff(lon)) > 180] = np.nan
            axes.plot(lon, lat, color=colour, linewidth=1.2, alpha=0.7)
    for country in group.tolist():
        axes.annotate(
            globe.names[country],
            (truth[0][country], truth[1][country]),
            (4, 4),
            textcoords="offset points",
            fontsize=9,
        )
    axes.set(xlim=(-180, 180), ylim=(-65, 80), xlabel="longitude", ylabel="latitude", aspect=1)
    axes.set_title("Where capitals are, and where the network places their flags; a tour that it never saw")
    axes.legend(loc="lower left")
    figure.savefig(path)


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Return the shares of optimal tours, of those known and of those held out, and the median error in km."""
    options = files.arguments(__doc__, "globe_tsp", argv=argv)
    if options.folder is None:
        print("No data (--data, $IMLE_DATA): a made-up globe.")
        globe = generate()
    else:
        globe = read(options.folder)
    known = len(globe.groups) - globe.held_out
    size = globe.groups.shape[1]
    print(f"{len(globe.names)} countries, {known} tours through {size} of them, {globe.held_out} held out")
    torch.manual_seed(0)
    before = optimal(globe, Places(globe.flags)(globe.flags).detach())
    print(f"  before training: {before[0]:.1%}, {before[1]:.1%} of the tours are optimal")
    places = aligned(globe, train(globe, steps=6000 if options.full else 600))
    after = optimal(globe, places)
    off = RADIUS * 2 * torch.asin(((places - globe.places).norm(dim=1) / 2).clamp(max=1))
    print(f"  capitals are {off.median():,.0f} km off, by the median, after a rotation of the whole globe")
    assert after[1] > before[1] + 0.3
    if options.out:
        draw(globe, places, options.out / "globe_tsp.png")
    return {"known": after[0], "held out": after[1], "km": off.median().item()}


if __name__ == "__main__":
    main()
