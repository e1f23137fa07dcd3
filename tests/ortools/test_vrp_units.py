"""Constraints of ortools.vrp in integers: decimals, dates and numbers that mean no limit, beside small ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from vrp_cases import brute_force, random_problem

import imle_core as imle
from imle_core.errors import InfeasibleError, InvalidInstanceError, SolverParameterError

WAYS = [[0, 3, 3], [3, 0, 3], [3, 3, 0]]
METHODS = ("exact", "local_search", "routing")


def plans(problem, method="exact"):
    solver = imle.solver("ortools.vrp", problem=problem, method=method)
    z = solver.solve(np.ones((1, *solver.event_shape)), validate="full")
    return solver.decode(z)[0]


@pytest.mark.parametrize("no_limit", [9.0, 1e9 + 1 / 3, 1e15, 1e300, math.inf])
def test_a_window_that_never_closes_leaves_the_others_as_they_are(no_limit):
    narrow = {"vehicles": 1, "travel_times": WAYS, "windows": [(0, no_limit), (0, 4), (0, 4)]}
    with pytest.raises(InfeasibleError):
        plans(narrow)
    both = imle.solver("ortools.vrp", problem={**narrow, "vehicles": 2}, method="exact")
    together = np.array([[[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]])
    assert not both.is_feasible(together)[0]
    assert plans({**narrow, "windows": [(0, no_limit), (0, 6), (0, 6)]}) == [[0, 2, 1, 0]]


@pytest.mark.parametrize("large", [1e9 + 1 / 3, 1e15, 1e300])
def test_a_number_for_no_way_leaves_the_others_as_they_are(large):
    ways = [[0, 0.3, 0.3], [large, 0, 0.3], [0.3, large, 0]]
    assert plans({"vehicles": 1, "travel_times": ways, "windows": [(0, 0.9)] * 3}) == [[0, 1, 2, 0]]
    assert plans({"vehicles": 1, "lengths": ways, "max_length": 0.9}) == [[0, 1, 2, 0]]
    with pytest.raises(InfeasibleError):
        plans({"vehicles": 1, "lengths": ways, "max_length": 0.899999})


def test_a_load_or_a_vehicle_of_enormous_size_leaves_the_others_as_they_are():
    problem = {"demands": (0, 1e15, 0.3, 0.3), "capacities": (0.5, 0.5), "penalties": 9.0}
    assert plans(problem) == [[0, 2, 0], [0, 3, 0]]
    assert plans({**problem, "capacities": (0.5, 1e18)}) == [[], [0, 3, 2, 1, 0]]


@pytest.mark.parametrize("method", METHODS)
def test_large_numbers_are_compared_with_their_decimals(method):
    loads = {"demands": (0, 1e9 + 0.4, 1e9 + 0.4), "vehicles": 2}
    assert len(plans({**loads, "capacities": 2e9 + 0.5}, method)) == 2
    assert len(plans({**loads, "capacities": 2e9 + 0.8}, method)) == 1
    now = 1_700_000_000.0  # seconds since 1970
    ways = [[0, 0.7, 0.7], [0.7, 0, 0.000_001], [0.7, 0.000_001, 0]]
    for last, routes in ((0.7, 2), (0.700_001, 1)):
        windows = [(now, now + 9), (now, now + last), (now, now + last)]
        assert len(plans({"vehicles": 2, "travel_times": ways, "windows": windows}, method)) == routes


def test_sums_of_decimals_are_exact():
    problem = {"vehicles": 1, "lengths": [[0.1] * 3] * 3, "max_length": 0.3}
    assert 0.1 + 0.1 + 0.1 > 0.3
    assert len(plans(problem)[0]) == 4
    assert len(plans({**problem, "lengths": [[0.3 / 3] * 3] * 3, "max_length": 0.1 + 0.1 + 0.1})[0]) == 4
    with pytest.raises(InfeasibleError):
        plans({**problem, "max_length": 0.299999})


def test_dates_may_have_many_digits_between_them():
    now, third = 1_700_000_000.0, 1 / 3
    ways = [[0, third, third], [third, 0, third], [third, third, 0]]
    for last, routes in ((0.66, 2), (0.67, 1)):
        windows = [(now, now + 9), (now, now + last), (now, now + last)]
        assert len(plans({"vehicles": 2, "travel_times": ways, "windows": windows})) == routes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {
                "travel_times": [[0, 1 / 3, 1e16], [3, 0, 3], [3, 3, 0]],
                "windows": [(0, 1e15), (0, 4), (0, 4)],
            },
            r"travel_times has 0.333333 beside 1e\+15, and would be rounded too coarsely",
        ),
        (
            {"lengths": [[0, 1e-9, 1e9], [3, 0, 3], [3, 3, 0]], "max_length": 1e9 + 1},
            r"lengths has 1e-09 beside 1e\+09",
        ),
        ({"demands": (0, 1e15, -1 / 3), "capacities": 1e14}, r"demands has -0.333333 beside 1e\+15"),
        (
            {"demands": (0, 1e10, 0.5 + 1e-7), "capacities": (1e10, 1e-5)},
            r"capacities has 1e-05 beside 1e\+10",
        ),
    ],
)
def test_numbers_that_would_be_lost_beside_others_are_refused(options, message):
    with pytest.raises(SolverParameterError, match=message):
        imle.solver("ortools.vrp", problem=options)
    with pytest.raises(InvalidInstanceError, match=message):
        imle.solver("ortools.vrp").solve(np.ones((1, 3, 3)), instances=[options])


@pytest.mark.parametrize("part", range(3))
def test_dates_and_numbers_for_no_limit_change_no_optimum(part):
    rng = np.random.default_rng(300 + part)
    solved = 0
    for _ in range(30):
        options = random_problem(rng)
        theta = rng.normal(0.5, 1.0, (options["nodes"],) * 2)
        best = brute_force(options, theta)
        for name, large in (("capacities", 1e17), ("max_length", 1e15)):
            if name in options and rng.random() < 0.5:
                each = np.broadcast_to(options[name], options["vehicles"]).astype(float)
                best_without = {**options, name: np.where(rng.random(len(each)) < 0.5, large, each).tolist()}
                options, best = best_without, brute_force(best_without, theta)
        if "windows" in options:
            day = 1.7e9
            options["windows"] = [
                (day, 1e15) if window is None else (window[0] + day, window[1] + day)
                for window in options["windows"]
            ]
        try:
            solver = imle.solver("ortools.vrp", problem=options, method="exact")
            z = solver.solve(theta[None], validate="full")
            found = (z[0] * theta).sum() + solver.fixed_terms(z)[0]
        except (InfeasibleError, SolverParameterError):
            found = math.inf
        assert found == best or abs(found - best) < 1e-9, options
        solved += math.isfinite(found)
    assert solved > 10
