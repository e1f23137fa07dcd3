"""Training through an integer programme: what a layer's pool of solutions saves from the first epoch to the second.

Item values are predicted from features, as in the studies of SPO+ and of solution caching (Elmachtoub and Grigas
2022; Mulamba et al. 2021). A pool gives the search its start, and where the start costs what the relaxation's bound
says, there is no search. Neither changes an answer.
"""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path

import ilp_cases
import numpy as np
import pytest
import torch
from imle_pulp.ilp import ILP
from timing import cpu_seconds

import imle_core as imle
from imle_core.demos.data import energy

pytestmark = pytest.mark.benchmark

DATA = Path(os.environ.get("IMLE_DATA", Path(__file__).parents[3] / "shared" / "data"))
EXAMPLES, BATCH, FEATURES = 64, 16, 5
HEADER = ["programme and backend", "first epoch, s", "second, s", "third, s"]
HEADER += ["first without a pool, s", "second, s"]


def data(width, degree=4, noise=0.5, seed=0):
    """Return features and costs that are a polynomial of them, with multiplicative noise, as PyEPO generates them."""
    rng = np.random.default_rng(seed)
    mixing, x = rng.binomial(1, 0.5, (width, FEATURES)), rng.normal(size=(EXAMPLES, FEATURES))
    costs = ((x @ mixing.T / np.sqrt(FEATURES) + 3) ** degree + 1) * 5 / 3.5**degree
    costs *= rng.uniform(1 - noise, 1 + noise, costs.shape)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(costs, dtype=torch.float32)


def train(solver, x, costs, pool, epochs=3):
    """Train a linear model by I-MLE; return the seconds of each epoch and every state that the layer gave."""
    best = torch.tensor(solver.solve(costs.numpy()), dtype=torch.float32)
    torch.manual_seed(0)
    net = torch.nn.Linear(FEATURES, costs.shape[1])
    with torch.no_grad():
        net.weight *= 0.1
        net.bias += costs.mean(0)
    layer = imle.SolverLayer(
        solver, imle.IMLE(tau=0.1), pool=pool, generator=torch.Generator().manual_seed(0)
    )
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    seconds, states = [], []
    for _ in range(epochs):
        start = cpu_seconds()
        for some in torch.arange(EXAMPLES).split(BATCH):
            z = layer(net(x[some]))
            optimiser.zero_grad()
            (z - best[some]).abs().sum().backward()
            optimiser.step()
            states.append(z.detach())
        seconds.append(cpu_seconds() - start)
    return seconds, torch.cat(states)


CASES = {
    "knapsack, 24 items, 2 limits": ilp_cases.knapsack,
    "knapsack, 48 items, 3 limits": functools.partial(ilp_cases.knapsack, 48, 3),
    "generalised assignment, 40 variables": ilp_cases.generalised_assignment,
    "generalised assignment, 100 variables": functools.partial(ilp_cases.generalised_assignment, 5, 20),
    "set cover, 60 elements, 40 sets": ilp_cases.set_cover,
}


@pytest.mark.parametrize("backend", ["auto", "cp_sat"])
@pytest.mark.parametrize("case", CASES)
def test_a_pool_makes_the_second_epoch_faster_with_the_same_answers(case, backend, report, renew):
    problem, variables = CASES[case]()
    x, costs = data(len(variables))
    solver = ILP(problem, variables, backend=backend, threads=1)
    solver.solve(costs[:4].numpy())  # compile, load
    without, states = train(solver, x, costs, None)
    seconds, same = train(solver, x, costs, imle.SolutionPool(2000))
    line = [f"{case}, {backend}", *(f"{one:.2f}" for one in (*seconds, without[0], without[1]))]
    report("{:46s} epochs {:>6s}, {:>6s}, {:>6s} s; without a pool {:>6s}, {:>6s} s".format(*line))
    renew("ilp_pool.csv", HEADER, line)
    assert torch.equal(states, same)
    assert seconds[1] < 1.25 * without[1]  # some epochs are of hundredths of a second


@pytest.mark.skipif(not (DATA / "energy_icon").is_dir(), reason=f"no energy_icon in {DATA}; set IMLE_DATA")
def test_schedules_are_certified_in_the_second_epoch():
    """Real prices and tasks: nearly all schedules cost what the relaxation's bound says, and so the pool answers."""
    market = energy.read_prices(DATA / "energy_icon" / energy.FILE)
    x = torch.from_numpy(market.features[:64]).float()
    x = (x - x.mean((0, 1))) / x.std((0, 1))
    prices = torch.from_numpy(market.prices[:64]).float()
    tasks = DATA / "energy_icon" / "SchedulingInstances" / "load1" / "day01.txt"
    solver = imle.solver("pulp.scheduling", instance=tasks, backend="cp_sat", threads=1)
    solver.solve(market.prices[:2])  # compile, load
    network = torch.nn.Linear(8, 1)
    with torch.no_grad():  # begun at least squares, as decision-focused training mostly is
        inputs = torch.cat([x, torch.ones(*x.shape[:2], 1)], 2).flatten(0, 1)
        fitted = torch.linalg.lstsq(inputs, prices.reshape(-1, 1)).solution
        network.weight.copy_(fitted[:8].T), network.bias.copy_(fitted[8])
    layer = imle.SolverLayer(solver, imle.BlackBox())
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    seconds = []
    for _ in range(2):
        begun = time.process_time()
        for rows in torch.arange(64).split(16):
            loss = (layer(network(x[rows])[..., 0]) * prices[rows]).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        seconds.append(time.process_time() - begun)
    with torch.no_grad():
        theta = network(x)[..., 0]
        hinted, alone = layer(theta), solver.solve(theta)
    torch.testing.assert_close((hinted * theta).sum(1), (alone * theta).sum(1))
    assert 2 * seconds[1] <= seconds[0]
