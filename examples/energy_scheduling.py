"""Energy scheduling: prices of electricity predicted for the schedule that follows from them, not for their own sake.

Tasks run on machines at some time of the day. A network predicts the price of each slot from what is known the day
before, an integer programme schedules the tasks by these prices, and the prices that come true say what the schedule
costs. Regret is what it costs more than the best schedule. Two-stage training fits the prices by least squares;
decision-focused training lets the cost of the schedule, or a bound of its regret, teach the same network.

Real prices and the tasks of the ICON challenge: --data FOLDER. The networks learn through the linear relaxation, which
is fast; whole tasks are scheduled to judge them.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import imle_core as imle
from imle_core.demos.data import energy, files

METHODS = ("two-stage", "I-MLE", "SPO+")
RATES = (0.003, 0.01)


class Result(NamedTuple):
    """The network of the epoch with the least regret on the days to choose by, and that regret after each epoch."""

    network: torch.nn.Module
    regret: float
    curve: list[float]


class Study:
    """One split of the days."""

    def __init__(self, data: energy.Prices, instance: object, seed: int) -> None:
        self.seed, (self.learn, self.choose, self.test) = seed, data.split(seed)
        self.price = torch.from_numpy(data.prices)
        x = torch.from_numpy(data.features)
        self.x = (x - x[self.learn].mean((0, 1))) / (x[self.learn].std((0, 1)) + 1e-6)
        self.level, self.spread = self.price[self.learn].mean(), self.price[self.learn].std()
        self.relaxed = imle.solver("pulp.scheduling", instance=instance, relax=True)
        self.exact = imle.solver("pulp.scheduling", instance=instance)
        self.best = torch.from_numpy(self.relaxed.solve(data.prices))
        self.unit = (self.price[self.learn] * self.best[self.learn]).sum(1).mean()

    def network(self) -> torch.nn.Module:
        """Return a network that looks at each slot by itself: 8 features, a number."""
        torch.manual_seed(self.seed)
        return torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))

    def predict(self, network: torch.nn.Module, days: np.ndarray) -> torch.Tensor:
        """Return prices, shape (days, slots)."""
        return self.level + self.spread * network(self.x[days])[..., 0]

    @torch.no_grad()
    def regret(self, network: torch.nn.Module, days: np.ndarray) -> float:
        """Return what relaxed schedules by predicted prices cost more than the best ones, as a share of these."""
        return imle.losses.normalized_regret(
            self.predict(network, days), self.price[days], self.relaxed, target=self.best[days]
        ).item()

    @torch.no_grad()
    def judge(self, network: torch.nn.Module) -> float:
        """Return the regret of whole tasks on the days to test on."""
        return imle.losses.normalized_regret(
            self.predict(network, self.test), self.price[self.test], self.exact
        ).item()

    def loss(self, method: str) -> Callable[[torch.Tensor, np.ndarray], torch.Tensor]:
        """Return the loss of predicted prices of some days."""
        if method == "two-stage":
            return lambda found, days: ((found - self.price[days]) / self.spread).square().mean()
        if method == "SPO+":
            spo = imle.losses.SPOPlus(self.relaxed)
            return lambda found, days: spo(found, self.price[days], self.best[days]) / self.unit
        noise = torch.Generator().manual_seed(self.seed)
        layer = imle.SolverLayer(self.relaxed, imle.IMLE(samples=1, tau=5.0), generator=noise)  # 5 euros
        return lambda found, days: (layer(found) * self.price[days]).sum(1).mean() / self.unit

    def train(self, method: str, rate: float, epochs: int) -> Result:
        """Train a network, and return that of its best epoch."""
        network, loss, order = self.network(), self.loss(method), np.random.default_rng(self.seed)
        optimiser = torch.optim.Adam(network.parameters(), lr=rate)
        best, curve = copy.deepcopy(network), [self.regret(network, self.choose)]
        for _ in range(epochs):
            days = order.permutation(self.learn)
            for some in np.array_split(days, max(1, len(days) // 16)):
                optimiser.zero_grad()
                loss(self.predict(network, some), some).backward()
                optimiser.step()
            curve.append(self.regret(network, self.choose))
            if curve[-1] == min(curve):
                best = copy.deepcopy(network)
        return Result(best, min(curve), curve)

    def compare(self, epochs: int) -> dict[str, Result]:
        """Return the result of each method, of the learning rate with the least regret on the days to choose by."""
        return {
            method: min(
                (self.train(method, rate, epochs) for rate in RATES), key=lambda result: result.regret
            )
            for method in METHODS
        }


def draw(study: Study, results: dict[str, Result], regrets: dict[str, list[float]], path: Path) -> None:
    """Draw regrets of all splits, how they fell on one, and the day on which the schedules differ most in cost."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4), dpi=72, layout="constrained")
    bars, curves, day = figure.subplots(1, 3, width_ratios=(1, 1.2, 2))
    colours = dict(zip(METHODS, ("grey", "tab:blue", "tab:orange"), strict=True))
    for method, colour in colours.items():
        values = 100 * np.array(regrets[method])
        bars.bar(method, values.mean(), color=colour, alpha=0.6)
        bars.plot([method] * len(values), values, ".", color="black")
        curve = 100 * np.array(results[method].curve[1:])
        curves.plot(np.arange(1, len(curve) + 1), curve, color=colour, label=method)
    bars.set(title="regret on test days, %")
    curves.set(title="regret on days to choose by, %", xlabel="epoch")
    curves.legend()
    with torch.no_grad():
        found = {name: study.predict(results[name].network, study.test) for name in ("two-stage", "I-MLE")}
    true = study.price[study.test]
    plans = {name: torch.from_numpy(study.exact.solve(prices.numpy())) for name, prices in found.items()}
    cost = {name: (plan * true).sum(1) for name, plan in plans.items()}
    row = int((cost["two-stage"] - cost["I-MLE"]).argmax())
    used = day.twinx()
    slots = np.arange(true.shape[1])
    for name, prices in found.items():
        day.plot(slots, prices[row], color=colours[name], label=name)
        used.stairs(
            plans[name][row], np.arange(len(slots) + 1) - 0.5, color=colours[name], fill=True, alpha=0.25
        )
    day.plot(slots, true[row], color="black", label="came true")
    saved = 1 - cost["I-MLE"][row] / cost["two-stage"][row]
    day.set(
        title=f"the test day of the largest difference: I-MLE {saved:.1%} cheaper",
        xlabel="slot",
        ylabel="price, euro/MWh",
    )
    used.set(ylabel="kWh a slot", ylim=(0, 3 * float(max(plan[row].max() for plan in plans.values()))))
    day.set_ylim(None, 1.3 * day.get_ylim()[1])
    day.legend(loc="upper left", ncols=3)
    figure.savefig(path)


def main(argv: list[str] | None = None) -> dict[str, list[float]]:
    """Return the regrets of each method on the test days of each split."""
    options = files.arguments(__doc__, "energy_icon", argv=argv)
    if options.folder is None:
        print("No data (--data, $IMLE_DATA): a made-up market and day.")
        data, instance = energy.generate_prices(), energy.generate_day()
    else:
        data = energy.read_prices(options.folder / energy.FILE)
        instance = str(options.folder / "SchedulingInstances" / "load1" / "day01.txt")
    regrets: dict[str, list[float]] = {method: [] for method in METHODS}
    print(f"{'split':<9}" + "".join(f"{method:>12}" for method in METHODS) + "   regret on test days")
    first = None
    for seed in range(3 if options.full else 1):
        study = Study(data, instance, seed)
        results = study.compare(epochs=8 if options.full else 4)
        first = first or (study, results)
        for method, result in results.items():
            regrets[method].append(study.judge(result.network))
        print(f"{seed:<9}" + "".join(f"{values[-1]:>12.2%}" for values in regrets.values()))
    means = {method: float(np.mean(values)) for method, values in regrets.items()}
    print(f"{'mean':<9}" + "".join(f"{mean:>12.2%}" for mean in means.values()))
    if options.out:
        draw(*first, regrets, options.out / "energy_scheduling.png")
    assert min(means["I-MLE"], means["SPO+"]) < means["two-stage"]
    return regrets


if __name__ == "__main__":
    main()
