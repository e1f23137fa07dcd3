"""The routing library behind ortools.tsp and ortools.vrp: its parameters, models and failures."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from imle_ortools._routing import Model, Search

from imle_core import Status
from imle_core.errors import SolverError, SolverParameterError, SolverTimeoutError


def costs(nodes, seed=0):
    """Integers as large as their sums allow."""
    return np.random.default_rng(seed).integers(0, 2**55, (nodes, nodes))


def value(matrix, route):
    return int(matrix[route[:-1], route[1:]].sum())


@pytest.mark.parametrize("seed", range(5))
def test_a_model_finds_tours_of_large_integer_costs(seed):
    matrix = costs(12, seed)
    model = Model(12, [0])
    model.set_costs(matrix)
    found = model.search(Search())
    (route,) = found.nodes
    assert sorted(route) == [0, 0, *range(1, 12)]
    assert found.cost == value(matrix, route)
    assert found.status == Status.FEASIBLE


def test_vehicles_have_starts_ends_and_costs_of_their_own():
    model = Model(5, [0, 1], [2, 1])
    model.set_costs(np.full((5, 5), 7), 0)
    model.set_costs(np.full((5, 5), 5), 1)
    found = model.search(Search())
    assert (found.nodes[0][0], found.nodes[0][-1]) == (0, 2)
    assert (found.nodes[1][0], found.nodes[1][-1]) == (1, 1)
    assert sorted(found.nodes[0][1:-1] + found.nodes[1][1:-1]) == [3, 4]
    used = [len(route) - 1 if len(route) > 2 else 0 for route in found.nodes]  # an empty route costs nothing
    assert found.cost == 7 * used[0] + 5 * used[1]


def test_a_search_that_begins_with_a_hint_is_never_worse_than_it():
    matrix = costs(40)
    hint = np.random.default_rng(0).permutation(np.arange(1, 40)).tolist()
    model = Model(40, [0])
    model.set_costs(matrix)
    found = model.search(Search(), hint=[hint])
    assert found.cost < value(matrix, [0, *hint, 0])
    again = Model(40, [0])
    again.set_costs(matrix)
    assert again.search(Search(), hint=[found.nodes[0][1:-1]]).cost <= found.cost


def test_a_hint_that_the_library_refuses_is_not_used():
    matrix = costs(6)
    model, other = Model(6, [0]), Model(6, [0])
    for each in (model, other):
        each.set_costs(matrix)
    assert model.search(Search(), hint=[[1, 2]]).nodes == other.search(Search()).nodes


@pytest.mark.parametrize("metaheuristic", ["SIMULATED_ANNEALING", "TABU_SEARCH"])
def test_a_limit_of_solutions_ends_every_search_at_the_same_place(metaheuristic):
    search = Search(local_search_metaheuristic=metaheuristic, solution_limit=50)
    found = []
    for _ in range(2):
        model = Model(20, [0])
        model.set_costs(costs(20))
        found.append(model.search(search))
    assert found[0] == found[1]
    assert found[0].status == Status.FEASIBLE


def test_time_that_is_over_is_told():
    def search(limit):
        model = Model(150, [0])
        model.set_costs(costs(150))
        return model.search(Search(time_limit=limit))

    assert search(0.1).status == Status.TIME_LIMIT
    with pytest.raises(SolverTimeoutError, match="no solution was found in 1e-06 s; increase time_limit"):
        search(1e-6)


def test_what_is_infeasible_or_not_found_is_an_error():
    model = Model(3, [0])
    model.set_costs(np.ones((3, 3), int))
    model.routing.solver().Add(model.routing.NextVar(1) == model.routing.NextVar(2))
    with pytest.raises(SolverError, match="no solution"):
        model.search(Search())


def test_a_search_is_a_value_that_can_be_sent_and_compared():
    search = Search(time_limit=2.0, seed=3)
    assert search._parameters.time_limit.seconds == 2
    assert pickle.loads(pickle.dumps(search)) == search
    assert search == Search(time_limit=2.0, seed=3)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"first_solution_strategy": "SAVING"}, "Did you mean 'SAVINGS'"),
        ({"first_solution_strategy": "SWEEP"}, "first_solution_strategy must be one of"),
        ({"local_search_metaheuristic": "TABU_SERCH"}, "Did you mean 'TABU_SEARCH'"),
        (
            {"local_search_metaheuristic": "GUIDED_LOCAL_SEARCH"},
            "searches until a limit; give it a time_limit",
        ),
        (
            {"time_limit": 0},
            "time_limit must be above 0 and at most 100,000,000 .* or None for no limit; got 0",
        ),
        ({"time_limit": float("inf")}, "time_limit must be above 0 and at most .* got inf"),
        ({"seed": 2**31}, "seed must be from 0 to 2,147,483,647; got 2147483648"),
        ({"solution_limit": -1}, "solution_limit must be above 0"),
    ],
)
def test_parameters_that_are_not_valid(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        Search(**parameters)
