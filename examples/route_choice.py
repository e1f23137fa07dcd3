"""Route choice: the travel times of a congested road network, learnt from the routes that drivers take.

Known are the roads, and how long each takes when it is empty. Drivers take the quickest way in the real traffic, and
we see some of their routes. Travel times are fitted so that the quickest paths are those routes: with a delay for each
link alone, or one that a network computes from features of the link. Then they predict the routes of other journeys.
True travel times only judge; no model sees one.

Real networks, Sioux Falls and Anaheim (for academic research only): --data FOLDER, with --download to fetch them.
"""

import tempfile
from pathlib import Path

import networkx as nx
import numpy as np
import torch

import imle_core as imle
from imle_core.demos.data import files, roads


class Times(torch.nn.Module):
    """Travel times of all links: those of empty roads, and a delay by features of the link or for each link alone."""

    def __init__(self, empty: torch.Tensor, features: torch.Tensor | None) -> None:
        super().__init__()
        self.empty, self.features = empty, features
        if features is None:
            self.raw = torch.nn.Parameter(torch.zeros_like(empty))
        else:
            width = features.shape[1]
            self.net = torch.nn.Sequential(
                torch.nn.Linear(width, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1)
            )

    def forward(self) -> torch.Tensor:
        raw = self.raw if self.features is None else self.net(self.features)[:, 0]
        return self.empty * (1 + torch.nn.functional.softplus(raw - 2))


class Study:
    """One network: half of the journeys are held out, and the routes of some of the others are seen."""

    def __init__(self, network: roads.Roads) -> None:
        self.network, self.unit = network, network.attribute("free_flow_time").mean()
        self.empty = torch.tensor(network.attribute("free_flow_time") / self.unit, dtype=torch.float32)
        self.true = torch.tensor(network.attribute("time") / self.unit, dtype=torch.float32)
        solver = imle.solver("networkx.shortest_path", graph=network.graph, weight="edge")
        noise = torch.Generator().manual_seed(0)
        self.layer = imle.SolverLayer(solver, imle.IMLE(samples=2, tau=0.05), generator=noise)
        order = np.random.default_rng(0).permutation(len(network.journeys))
        self.ends = self.layer.prepare([network.journeys[i] for i in order])
        self.driven = self.routes(self.true, slice(None))
        self.test = slice(len(order) // 2, None)

    def features(self) -> torch.Tensor:
        """Return what is known of each link without traffic, standardised."""
        between = nx.edge_betweenness_centrality(self.network.graph, weight="free_flow_time")
        sizes = [self.network.attribute(name) for name in ("capacity", "length", "free_flow_time")]
        sizes.append(np.array([between[link] for link in self.network.graph.edges]) + 1e-4)
        others = [self.network.attribute(name) for name in ("speed", "toll", "link_type")]
        x = torch.tensor(np.stack([*np.log(sizes), *others], axis=1), dtype=torch.float32)
        return (x - x.mean(0)) / (x.std(0) + 1e-6)

    @torch.no_grad()
    def routes(self, times: torch.Tensor, rows: slice) -> torch.Tensor:
        """Return the quickest routes of journeys, shape (journeys, links)."""
        ends = self.ends[rows]
        return self.layer.eval()(times.expand(len(ends), -1), instances=ends)

    def train(self, features: torch.Tensor | None, seen: int, steps: int) -> torch.Tensor:
        """Fit a model to the routes of the first journeys, and return its travel times."""
        torch.manual_seed(0)
        model = Times(self.empty, features)
        optimiser = torch.optim.Adam(model.parameters(), lr=0.05 if features is None else 0.02)
        for _ in range(steps):
            rows = torch.randperm(seen)[:256]
            optimiser.zero_grad()
            times, driven = model(), self.driven[rows]
            found = self.layer.train()(times.expand(len(rows), -1), instances=self.ends[rows])
            loss = (found * (1 - driven) + (1 - found) * driven).sum(1).mean()  # links, Hamming distance
            loss = loss + 1e-3 * (times - self.empty).sum()  # of all explanations, that with the least delay
            loss.backward()
            optimiser.step()
        return model().detach()

    def judge(self, label: str, times: torch.Tensor) -> float:
        """Print how good the routes of held-out journeys are, and return the share of those that are quickest."""
        found, driven = self.routes(times, self.test), self.driven[self.test]
        took, least = found @ self.true, driven @ self.true
        # In equilibrium several routes may be the quickest: all that take as long are right.
        best = (took <= 1.001 * least).float().mean().item()
        same, lost = (found == driven).all(1).float().mean(), took.sum() / least.sum() - 1
        print(f"  {label:<44}{best:>9.1%}{same:>12.1%}{lost:>12.2%}")
        return best


def draw(studies: list[tuple[Study, torch.Tensor]], path: Path) -> None:
    """Draw true and learnt slowdowns on the map, and learnt against true travel times."""
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8 * len(studies)), dpi=72, layout="constrained")
    for axes, (study, learnt) in zip(figure.subplots(len(studies), 3, squeeze=False), studies, strict=True):
        graph, name = study.network.graph, study.network.name
        ends = np.array([[graph.nodes[node]["pos"] for node in link] for link in graph.edges])
        ahead = (ends[:, 1] - ends[:, 0]) / (
            np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1, keepdims=True) + 1e-9
        )
        aside = 0.006 * np.ptp(ends[..., 0]) * ahead[:, ::-1] * (1, -1)  # keep right
        slowdowns = {"true": study.true / study.empty, "learnt": learnt / study.empty}
        for axis, (kind, slowdown) in zip(axes, slowdowns.items(), strict=False):
            lines = LineCollection(
                ends + aside[:, None], cmap="plasma_r", linewidths=2, array=slowdown.numpy()
            )
            lines.set_clim(1, float(slowdowns["true"].quantile(0.99)))
            axis.add_collection(lines)
            axis.autoscale()
            axis.set(xticks=[], yticks=[], aspect=1 / np.cos(np.deg2rad(ends[..., 1].mean())))
            axis.set_title(f"{name}, {kind}", fontsize=11)
        figure.colorbar(lines, ax=axes[:2].tolist(), shrink=0.8, label="time / time when empty")
        true, found = (slowdown.numpy() for slowdown in slowdowns.values())
        axes[2].plot([1, true.max()], [1, true.max()], color="grey", linewidth=1)
        axes[2].plot(true, found, ".", alpha=0.5)
        axes[2].set(xlabel="true time / time when empty, of each link", ylabel="learnt")
    figure.savefig(path)


def main(argv: list[str] | None = None) -> dict[str, tuple[float, float]]:
    """Return for each network the share of quickest routes: by times of empty roads, and by those learnt."""
    options = files.arguments(__doc__, "transport_networks", roads.REMOTE, argv)
    if options.folder is None:
        print("No data (--data, $IMLE_DATA): a made-up city, in files of the same format.")
        with tempfile.TemporaryDirectory() as folder:
            networks = [roads.read_roads(Path(folder), roads.generate_roads(Path(folder)))]
    else:
        names = ("SiouxFalls", "Anaheim") if options.full else ("SiouxFalls",)
        networks = [roads.read_roads(options.folder / name, name) for name in names]
    shares, learnt = {}, []
    for study in map(Study, networks):
        print(
            f"{study.network.name}: {len(study.true)} links, {len(study.driven[study.test])} journeys held out"
        )
        print(f"  {'travel times':<44}{'quickest':>9}{'as driven':>12}{'time lost':>12}")
        study.judge("every link takes as long", torch.ones_like(study.empty))
        baseline = study.judge("as when empty", study.empty)
        for seen in (len(study.driven) // 10, study.test.start):
            for label, features in (("by features", study.features()), ("a link", None)):
                times = study.train(features, seen, steps=300 if options.full else 150)
                share = study.judge(f"learnt delays {label}, {seen} routes seen", times)
        slowdowns = torch.stack([times / study.empty, study.true / study.empty]).log()
        print(f"  correlation of learnt and true slowdowns (log): {torch.corrcoef(slowdowns)[0, 1]:.2f}")
        assert share > baseline + 0.05
        shares[study.network.name] = (baseline, share)
        learnt.append((study, times))
    if options.out:
        draw(learnt, options.out / "route_choice.png")
    return shares


if __name__ == "__main__":
    main()
