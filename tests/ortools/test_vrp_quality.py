"""Vehicle routing on published problems, against their best known plans."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import imle_core as imle
from imle_core.demos.data.vrplib import read_plan, read_solomon, read_vrp

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("IMLE_DATA", ROOT.parent / "shared" / "data")) / "cvrplib"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no {DATA}; set IMLE_DATA")


@pytest.mark.parametrize("name", ["A-n32-k5", "B-n31-k5", "E-n13-k4", "P-n16-k8"])
def test_problems_of_up_to_40_customers_are_within_6_percent_of_the_best_known_plan(name):
    problem, best = read_vrp(DATA / f"{name}.vrp"), read_plan(DATA / f"{name}.sol")
    solver = imle.solver("ortools.vrp", problem=problem.options())
    known = solver.encode([[0, *route, 0] for route in best.routes])
    assert (known * problem.distances).sum() == best.cost
    solver.solve(problem.distances[None])  # compiles
    begin = time.perf_counter()
    z = solver.solve(problem.distances[None], validate="full")
    seconds = time.perf_counter() - begin
    assert (z[0] * problem.distances).sum() <= 1.02 * best.cost
    assert seconds < 2


@pytest.mark.parametrize(("name", "gap"), [("A-n32-k5", 1.04), ("B-n31-k5", 1.001)])
def test_the_order_of_customers_does_not_decide_how_good_a_plan_is(name, gap):
    problem, best = read_vrp(DATA / f"{name}.vrp"), read_plan(DATA / f"{name}.sol")
    n, rng, costs = len(problem.demands), np.random.default_rng(0), []
    for _ in range(10):
        order = np.r_[0, 1 + rng.permutation(n - 1)]
        theta = problem.distances[np.ix_(order, order)]
        options = {**problem.options(), "demands": problem.demands[order].tolist()}
        costs.append((imle.solver("ortools.vrp", problem=options).solve(theta[None])[0] * theta).sum())
    assert max(costs) <= gap * best.cost
    assert np.median(costs) == best.cost


def test_few_customers_are_proven_to_have_the_best_known_plan():
    problem, best = read_vrp(DATA / "E-n13-k4.vrp"), read_plan(DATA / "E-n13-k4.sol")
    solver = imle.solver("ortools.vrp", problem=problem.options(), method="exact")
    z = solver.solve(problem.distances[None])
    assert (z[0] * problem.distances).sum() == best.cost == 247


@pytest.mark.parametrize("method", ["auto", "routing"])
def test_all_windows_of_the_first_25_customers_of_c101_are_respected(method):
    problem = read_solomon(DATA / "C101.txt").customers(25)
    solver = imle.solver("ortools.vrp", problem=problem.options(), method=method)
    z = solver.solve(problem.distances[None], validate="full")
    for route in solver.decode(z)[0]:
        clock = load = 0.0
        for here, there in pairwise(route):
            way = problem.service[here] + problem.distances[here, there]
            clock = max(clock + way, problem.windows[there, 0])
            load += problem.demands[there]
            assert clock <= problem.windows[there, 1] + 1e-9
        assert load <= problem.capacity
    assert z[0].any(0)[1:].all()
    # 191.81 is the least length, with distances that are not rounded.
    assert (z[0] * problem.distances).sum() < (191.82 if method == "auto" else 1.3 * 191.82)


def test_the_library_ends_with_no_more_vehicles_than_the_first_25_customers_of_c101_need():
    problem = read_solomon(DATA / "C101.txt").customers(25)
    options = {**problem.options(), "vehicles": 3}
    begin = time.perf_counter()
    z = imle.solver("ortools.vrp", problem=options, method="routing").solve(problem.distances[None])
    assert time.perf_counter() - begin < 10
    assert (z[0] * problem.distances).sum() < 191.82


def test_a_published_plan_is_feasible_here_too():
    problem, best = read_solomon(DATA / "C101.txt"), read_plan(DATA / "C101.sol")
    solver = imle.solver("ortools.vrp", problem=problem.options())
    z = solver.encode([[0, *route, 0] for route in best.routes])
    np.testing.assert_allclose((z * problem.distances).sum(), 828.94, atol=0.01)
