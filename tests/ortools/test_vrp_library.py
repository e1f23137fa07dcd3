"""Vehicle routes by OR-Tools' routing library: vehicles that are not used, and searches that end."""

from __future__ import annotations

import time

import numpy as np
import pytest

import imle_core as imle
from imle_core.errors import InfeasibleError, SolverError


def objective(problem, method):
    solver = imle.solver("ortools.vrp", problem=problem, method=method)
    theta = np.ones((1, *solver.event_shape))
    z = solver.solve(theta, validate="full")
    return (z * theta).sum() + solver.fixed_terms(z)[0]


@pytest.mark.parametrize(
    ("problem", "cost"),
    [
        (
            {  # the way from the depot to itself takes 2, but the only vehicle stays there
                "nodes": 3,
                "vehicles": 1,
                "penalties": 1.0,
                "pickups": [(1, 2)],
                "travel_times": [[2, 2, 3], [np.inf, 0, np.inf], [0, np.inf, 0]],
                "windows": [(3, 3), None, (5, 8)],
            },
            2,
        ),
        ({"vehicles": 2, "lengths": [[100, 1], [1, 100]], "max_length": 10}, 2),
        (
            {"vehicles": 2, "windows": [(0, 3)] * 3, "travel_times": np.ones((3, 3)) + 9 * np.eye(3)},
            3,
        ),
        ({"nodes": 2, "windows": [(0, 8), None], "service_times": (9, 0), "penalties": 1.0}, 1),
        (
            {  # the vehicle from 1 would come to 0 too late
                "starts": (0, 1),
                "ends": (1, 0),
                "windows": [(0, 3), (5, 9), None, None],
                "travel_times": np.ones((4, 4)),
            },
            3,
        ),
        (
            {  # and may not be used, although it is cheaper and has no way to go
                "vehicle_costs": (5.0, 0.0),
                "starts": (0, 1),
                "ends": (1, 0),
                "windows": [(0, 3), (5, 9), (4, 9), (4, 9)],
                "travel_times": np.zeros((4, 4)),
            },
            8,
        ),
    ],
)
def test_a_vehicle_that_is_not_used_goes_nowhere_and_breaks_no_limit(problem, cost):
    for method in ("exact", "local_search", "routing"):
        assert objective(problem, method) == cost, method


def tight(seed):
    """Return 25 customers for four vehicles that have no room to spare."""
    rng = np.random.default_rng(seed)
    places = rng.random((26, 2))
    demands = rng.integers(1, 10, 25)
    problem = {"demands": (0, *demands.tolist()), "capacities": float(-(-demands.sum() // 4)), "vehicles": 4}
    return problem, np.linalg.norm(places[:, None] - places, axis=2)


def test_a_search_without_a_limit_ends_where_vehicles_are_just_enough():
    problem, theta = tight(1)
    begin = time.perf_counter()
    z = imle.solver("ortools.vrp", problem=problem, method="routing").solve(theta[None], validate="full")
    assert time.perf_counter() - begin < 10
    assert z[0, 0].sum() == 4
    assert imle.solver("ortools.vrp", problem=problem, first_solution_strategy="SAVINGS").method == "routing"


def test_a_search_that_finds_nothing_claims_no_proof():
    problem = {"demands": (0, 4, 4, 4), "capacities": 6, "vehicles": 2}
    solver = imle.solver("ortools.vrp", problem=problem, method="routing")
    with pytest.raises(
        SolverError, match=r"search found no solution from .*'PATH_CHEAPEST_ARC', with a time"
    ) as found:
        solver.solve(np.ones((1, 4, 4)))
    assert not isinstance(found.value, InfeasibleError)
