"""Vehicle routes: travel times that depend on the hour and on rain, learnt from the routes that dispatchers chose.

Known are the roads, how long each takes when it is empty, and of every day the customers, the hour of departure and the
rain. Dispatchers know the traffic, and send vehicles out by the best plan; nobody wrote down how long roads took. A
network computes the time of each road from the hour and the rain, quickest ways between customers follow, and a
vehicle-routing layer turns those into a plan. It is fitted so that its plans are those that were driven, and judged by
the time that its plans take on later days, in the true traffic. True travel times only judge; no model sees one.

Real network, Sioux Falls (for academic research only): --data FOLDER, with --download to fetch it. The data have its
traffic in equilibrium; how that swells and ebbs over the day is made up.
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import imle_core as imle
from imle_core.demos.data import files, roads

CUSTOMERS, CAPACITY = 9, 12


class Days(NamedTuple):
    """Days of work: context (N, 7), nodes to visit, the depot first (N, 10), problems, true times (N, links)."""

    context: torch.Tensor
    stops: torch.Tensor
    problems: list
    times: torch.Tensor


class Traffic:
    """A road network with traffic that moves into the town in the morning and out of it in the evening.

    Args:
        network: Roads with the travel times of empty roads and of traffic in equilibrium.
        factor: Delays at the peaks are multiplied by it.
    """

    def __init__(self, network: roads.Roads, factor: float = 1.0) -> None:
        self.network, self.nodes = network, list(network.graph)
        number = {node: i for i, node in enumerate(self.nodes)}
        self.links = torch.tensor([[number[end] for end in link] for link in network.graph.edges])
        empty, busy = network.attribute("free_flow_time"), network.attribute("time")
        self.empty = torch.tensor(empty / empty.mean(), dtype=torch.float32)
        self.delay = factor * (busy - empty) / empty.mean()
        places = np.array([network.graph.nodes[node]["pos"] for node in self.nodes])
        self.places = places
        self.depot = int(np.linalg.norm(places - places.mean(0), axis=1).argmin())
        ends = places[self.links.numpy()]
        inward = np.linalg.norm(ends - places[self.depot], axis=2) @ [1, -1]
        self.inward = inward / np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        self.exposed = np.random.default_rng(7).uniform(0, 0.5, len(empty))

    def days(self, count: int, seed: int) -> Days:
        """Draw days of work."""
        rng = np.random.default_rng(seed)
        hour, rain = rng.uniform(6, 20, count), rng.random(count) < 0.3
        morning, evening = (np.exp(-(((hour - peak) / 2) ** 2))[:, None] for peak in (8, 17))
        level = 0.5 + 0.6 * (morning + evening) + 0.3 * self.inward * (morning - evening)
        times = self.empty.numpy() * (1 + self.exposed * rain[:, None]) + self.delay * level**4
        turn = 2 * np.pi * (hour[:, None] - 6) / 14 * np.arange(1, 4)
        context = np.concatenate([np.sin(turn), np.cos(turn), rain[:, None]], axis=1)
        others = np.delete(np.arange(len(self.nodes)), self.depot)
        stops = np.array([[self.depot, *rng.choice(others, CUSTOMERS, replace=False)] for _ in range(count)])
        demands = rng.integers(1, 5, (count, CUSTOMERS))
        problems = [{"demands": (0, *row), "capacities": CAPACITY} for row in demands.tolist()]
        return Days(
            torch.tensor(context, dtype=torch.float32),
            torch.tensor(stops),
            problems,
            torch.tensor(times, dtype=torch.float32),
        )

    def quickest(self, times: torch.Tensor, stops: torch.Tensor) -> torch.Tensor:
        """Return the times of the quickest ways between stops, (N, 10, 10), by Floyd and Warshall's algorithm.

        The gradient of the least of several sums goes to that sum: to the links of the quickest way.
        """
        n = len(self.nodes)
        ways = times.new_full((len(times), n, n), 1e3)
        ways[:, range(n), range(n)] = 0.0
        ways[:, self.links[:, 0], self.links[:, 1]] = times
        for via in range(n):
            ways = torch.minimum(ways, ways[:, :, via, None] + ways[:, None, via])
        rows = torch.arange(len(times))[:, None, None]
        return ways[rows, stops[:, :, None], stops[:, None, :]]


class Times(torch.nn.Module):
    """Travel times of all links by context: those of empty roads, and a delay."""

    def __init__(self, empty: torch.Tensor, context: int) -> None:
        super().__init__()
        self.empty = empty
        self.net = torch.nn.Sequential(
            torch.nn.Linear(context, 64), torch.nn.ReLU(), torch.nn.Linear(64, len(empty))
        )

    def forward(self, context: torch.Tensor) -> torch.Tensor:
        return self.empty * (1 + torch.nn.functional.softplus(self.net(context) - 2))


class Study:
    """Days of one network: those whose plans are seen, and later ones."""

    def __init__(self, traffic: Traffic, seen: int, later: int) -> None:
        self.traffic, self.layer = traffic, imle.SolverLayer("ortools.vrp")
        self.train, self.test = traffic.days(seen, seed=1), traffic.days(later, seed=2)
        self.loss = imle.losses.FenchelYoung(
            self.layer.solver, samples=4, sigma=0.3, generator=torch.Generator().manual_seed(0)
        )
        self.driven, self.best = (
            self.plans(self.train.times, self.train),
            self.plans(self.test.times, self.test),
        )

    @torch.no_grad()
    def plans(self, times: torch.Tensor, days: Days) -> torch.Tensor:
        """Return the best plans by these times, (N, 10, 10)."""
        return self.layer.eval()(self.traffic.quickest(times, days.stops), instances=days.problems)

    def fit(self, steps: int, *, context: bool) -> torch.Tensor:
        """Fit a model to the plans that were driven, and return its travel times of later days."""
        torch.manual_seed(0)
        seen, later = (days.context * context for days in (self.train, self.test))
        model = Times(self.traffic.empty, seen.shape[1])
        optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(steps):
            rows = torch.randperm(len(seen))[:32]
            optimiser.zero_grad()
            costs = self.traffic.quickest(model(seen[rows]), self.train.stops[rows])
            problems = [self.train.problems[row] for row in rows.tolist()]
            self.loss(costs, self.driven[rows], instances=problems).backward()
            optimiser.step()
        return model(later).detach()

    def judge(self, label: str, times: torch.Tensor) -> float:
        """Print how good plans by these times are on later days, and return the share of time that they lose."""
        true = self.traffic.quickest(self.test.times, self.test.stops)
        took, least = ((plans * true).sum((1, 2)) for plans in (self.plans(times, self.test), self.best))
        lost = (took.sum() / least.sum() - 1).item()
        print(f"  {label:<44}{(took < 1.001 * least).float().mean():>9.1%}{lost:>12.2%}")
        return lost

    def draw(self, learnt: torch.Tensor, path: Path) -> None:
        """Draw the plans of one day, by empty roads and by learnt times, and learnt against true times."""
        from matplotlib.figure import Figure

        traffic, test = self.traffic, self.test
        true = traffic.quickest(test.times, test.stops)
        by_empty = self.plans(traffic.empty.expand_as(learnt), test)
        day = int(((by_empty - self.plans(learnt, test)) * true).sum((1, 2)).argmax())
        figure = Figure(figsize=(12, 3.8), dpi=72, layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        chosen = (("times when empty", left, by_empty), ("learnt times", middle, self.plans(learnt, test)))
        for label, axis, plans in chosen:
            places = traffic.places[test.stops[day].numpy()]
            ends = traffic.places[traffic.links.numpy()]
            axis.plot(*ends.transpose(2, 1, 0), color="lightgrey", linewidth=1)
            for number, route in enumerate(self.layer.solver.decode(plans[day], instance=test.problems[day])):
                at, ahead = places[route[:-1]].T, np.diff(places[route], axis=0).T
                axis.quiver(
                    *at, *ahead, angles="xy", scale_units="xy", scale=1, color=f"C{number}", width=0.008
                )
            axis.plot(*places[1:].T, "o", color="black", markersize=4)
            axis.plot(*places[0], "s", color="black", markersize=9)
            axis.set(xticks=[], yticks=[], title=f"{label}: {(plans[day] * true[day]).sum():.1f}")
        right.plot([0, test.times.max()], [0, test.times.max()], color="grey", linewidth=1)
        right.plot(test.times[::4].ravel(), learnt[::4].ravel(), ".", alpha=0.1)
        right.set(
            xlabel="true time of each road on each day", ylabel="learnt", title="mean time when empty = 1"
        )
        figure.savefig(path)


def main(argv: list[str] | None = None) -> tuple[float, float]:
    """Return the share of time that plans lose: by times of empty roads, and by those learnt."""
    options = files.arguments(__doc__, "transport_networks", roads.REMOTE, argv)
    generated = options.folder is None
    if generated:
        print("No data (--data, $IMLE_DATA): a made-up city, in files of the same format.")
        with tempfile.TemporaryDirectory() as folder:
            network = roads.read_roads(Path(folder), roads.generate_roads(Path(folder), side=5))
    else:
        network = roads.read_roads(options.folder / "SiouxFalls", "SiouxFalls")
    # The made-up city is less congested than Sioux Falls.
    study = Study(Traffic(network, 4.0 if generated else 1.0), *((800, 400) if options.full else (200, 100)))
    print(
        f"{network.name}: {len(study.train.stops)} days of {CUSTOMERS} customers seen, {len(study.best)} later ones"
    )
    print(f"  {'travel times':<44}{'best plan':>9}{'time lost':>12}")
    baseline = study.judge("as when empty", study.traffic.empty.expand_as(study.test.times))
    steps = 600 if options.full else 80
    without = study.judge("learnt, without hour and rain", study.fit(steps, context=False))
    learnt = study.fit(steps, context=True)
    lost = study.judge("learnt, by hour and rain", learnt)
    assert lost < min(baseline, without)
    if options.out:
        study.draw(learnt, options.out / "vehicle_routes.png")
    return baseline, lost


if __name__ == "__main__":
    main()
