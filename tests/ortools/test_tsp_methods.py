"""ortools.tsp: what ends a search, what begins it, and how good tours are on the instances of TSPLIB."""

from __future__ import annotations

import time

import numpy as np
import pytest
from imle_ortools import _circuit
from imle_ortools._kernels.local_search import is_symmetric, nearest_neighbour, search
from imle_ortools._kernels.tours import to_integers
from imle_ortools.tsp import TSP
from tours import DATA, along, best_known, euclidean, read_tsplib

import imle_core as imle
from imle_core import Status
from imle_core.errors import SolverError, SolverTimeoutError

FOLDER = DATA / "tsplib"
UP_TO_60 = [
    "att48",
    "bayg29",
    "bays29",
    "berlin52",
    "brazil58",
    "burma14",
    "dantzig42",
    "eil51",
    "fri26",
    "gr17",
    "gr21",
    "gr24",
    "gr48",
    "hk48",
    "swiss42",
    "ulysses16",
    "ulysses22",
]
needs_tsplib = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no tsplib in {DATA}; set IMLE_DATA")


def hinted(solver, costs, tours):
    """Solve with a hint, as a layer does."""
    return type(solver).solve.__wrapped__(solver, costs, hint=tours)


# Limits


def test_the_local_search_ends_at_its_time_limit_and_says_so(caplog):
    costs = euclidean(np.random.default_rng(0), 2, 60)
    solver = TSP(60, kicks=10**6, time_limit=0.05)
    TSP(60, kicks=0).solve(costs)  # compile
    start = time.perf_counter()
    with imle.Outcomes() as outcomes:
        z = solver.solve(costs, validate="full")
    assert time.perf_counter() - start < 5
    assert outcomes.statuses.tolist() == [Status.TIME_LIMIT] * 2
    assert np.isnan(outcomes.gaps).all()
    assert ((z * costs).sum((1, 2)) <= (TSP(60, kicks=0).solve(costs) * costs).sum((1, 2))).all()
    solver.solve(costs)
    assert "ended at its time limit for 2 rows" in caplog.text
    with pytest.raises(SolverTimeoutError, match="row 0"):
        TSP(60, kicks=10**6, time_limit=0.05, on_timeout="error").solve(costs)


def test_a_time_limit_that_is_not_met_changes_nothing():
    costs = euclidean(np.random.default_rng(1), 3, 20)
    for method in ("auto", "exact", "routing"):
        with imle.Outcomes() as outcomes:
            limited = TSP(20, method=method, time_limit=60).solve(costs)
        np.testing.assert_array_equal(limited, TSP(20, method=method).solve(costs))
        assert (outcomes.statuses == (Status.OPTIMAL if method == "exact" else Status.FEASIBLE)).all()


def test_circuits_end_at_their_time_limit_with_a_bound():
    costs = euclidean(np.random.default_rng(2), 1, 80)
    with imle.Outcomes() as outcomes:
        z = TSP(80, method="exact", time_limit=0.1).solve(costs, validate="full")
    assert outcomes.statuses.tolist() == [Status.TIME_LIMIT]
    assert 0 < outcomes.gaps[0] < 0.6
    assert outcomes.objectives == pytest.approx([(z * costs).sum()])


def test_routing_searches_until_its_limit():
    costs = euclidean(np.random.default_rng(3), 1, 12)
    z = TSP(12).solve(costs)
    guided = TSP(
        12, method="routing", local_search_metaheuristic="GUIDED_LOCAL_SEARCH", time_limit=0.2
    ).solve(costs)
    assert (guided * costs).sum() == pytest.approx((z * costs).sum())


def test_routing_without_a_tour_at_its_time_limit_is_an_error():
    costs = np.random.default_rng(4).random((2, 150, 150))
    with pytest.raises(SolverTimeoutError, match=r"row 0: no solution was found in 1e-06 s"):
        TSP(150, method="routing", time_limit=1e-6).solve(costs)
    with imle.Outcomes() as outcomes:
        TSP(150, method="routing", time_limit=0.1).solve(costs[:1], validate="full")
    assert outcomes.statuses.tolist() == [Status.TIME_LIMIT]


def test_a_fault_of_cp_sat_names_its_row(monkeypatch):
    costs = euclidean(np.random.default_rng(5), 3, 16)
    costs[2] *= 3
    right = _circuit.to_integers

    def overflow(values, bits):
        whole = right(values, bits)
        return np.where(whole < 0, whole, 2**62) if values.max() > 1.5 else whole

    monkeypatch.setattr(_circuit, "to_integers", overflow)
    with pytest.raises(SolverError, match="row 2: CP-SAT ended with"):
        type(solver := TSP(16, method="exact")).solve.__wrapped__(solver, costs)


# Hints


@pytest.mark.parametrize("undirected", [False, True])
def test_searches_begin_with_a_hint_and_are_never_worse(undirected):
    rng = np.random.default_rng(6)
    costs = euclidean(rng, 4, 40) + 0.05 * rng.random((4, 40, 40))
    good = TSP(40, kicks=100, undirected=undirected).solve(costs)
    hint = good.copy()
    hint[2] = np.nan
    least = (good * costs).sum((1, 2))
    for options in ({"kicks": 0}, {"method": "routing"}):
        solver = TSP(40, undirected=undirected, **options)
        with_hint = (hinted(solver, costs, hint) * costs).sum((1, 2))
        alone = (hinted(solver, costs, None) * costs).sum((1, 2))
        assert (with_hint[[0, 1, 3]] <= least[[0, 1, 3]] + 1e-9).all()
        assert with_hint[2] == alone[2] >= least[2]


def test_exact_methods_find_the_best_tour_whatever_the_hint():
    rng = np.random.default_rng(7)
    for nodes in (8, 17):
        costs = rng.random((2, nodes, nodes))
        hint = np.stack([TSP(nodes).encode(rng.permutation(nodes)) for _ in costs])
        solver = TSP(nodes, method="exact")
        best = (solver.solve(costs) * costs).sum((1, 2))
        np.testing.assert_allclose((hinted(solver, costs, hint) * costs).sum((1, 2)), best, rtol=1e-12)


def test_a_hint_that_is_no_tour_is_not_used():
    costs = euclidean(np.random.default_rng(8), 1, 20)
    solver = TSP(20)
    np.testing.assert_array_equal(hinted(solver, costs, np.ones((1, 20, 20))), hinted(solver, costs, None))


# The local search


@pytest.mark.parametrize("kind", ["random", "points", "noise", "ties"])
@pytest.mark.parametrize("nodes", [3, 4, 5, 6, 9, 30, 120])
def test_a_descent_keeps_a_tour_and_never_costs_more(kind, nodes):
    rng = np.random.default_rng(nodes)
    costs = {
        "random": rng.random((nodes, nodes)),
        "points": euclidean(rng, 1, nodes)[0],
        "noise": euclidean(rng, 1, nodes)[0] + 0.1 * rng.random((nodes, nodes)),
        "ties": rng.integers(0, 3, (nodes, nodes)).astype(float),
    }[kind]
    np.fill_diagonal(costs, 0)
    whole, tour = to_integers(costs), np.empty(nodes, np.int64)
    nearest_neighbour(whole, tour)
    state, stop = np.ones(1, np.uint64), np.zeros(1, np.int64)
    lengths = [along(whole, tour.tolist()).sum()]
    for kicks in (0, 0, nodes, nodes):
        search(whole, tour, state, kicks, stop)
        assert sorted(tour) == list(range(nodes))
        lengths.append(along(whole, tour.tolist()).sum())
    assert lengths == sorted(lengths, reverse=True)
    assert is_symmetric(whole) == (kind == "points")


def test_kicks_improve_tours():
    costs = np.concatenate(
        [euclidean(np.random.default_rng(9), 5, 60), np.random.default_rng(9).random((5, 60, 60))]
    )
    value = [(TSP(60, kicks=kicks).solve(costs) * costs).sum((1, 2)) for kicks in (0, 1, 20)]
    assert (value[1] <= value[0]).all()
    assert (value[2] < value[0]).all()
    assert (value[2] <= value[1]).all()


def test_another_seed_is_another_search():
    costs = np.random.default_rng(10).random((5, 60, 60))
    assert (TSP(60, seed=1).solve(costs) != TSP(60).solve(costs)).any()


def test_integers_keep_every_bit_that_sums_allow():
    costs = np.array([[0.0, 3.0, -7.0], [1.0, 0.0, 2.0], [5.0, 4.0, 0.0]])
    whole = to_integers(costs * 2.0**-900)
    assert np.abs(whole).sum() < 2**61
    assert np.abs(whole).max() >= 2**58
    np.testing.assert_array_equal(whole / whole[1, 0], costs)
    assert (to_integers(np.zeros((3, 3))) == 0).all()


# TSPLIB


@needs_tsplib
@pytest.mark.parametrize("name", UP_TO_60)
def test_tours_of_tsplib_are_within_1_percent_of_the_best_known(name):
    costs = read_tsplib(FOLDER / f"{name}.tsp")[None]
    TSP().solve(costs[:, :14, :14])  # compile
    start = time.perf_counter()
    z = TSP().solve(costs, validate="full")
    took = time.perf_counter() - start
    assert 1 <= (z * costs).sum() / best_known(FOLDER)[name] <= 1.01
    assert took < 1


@needs_tsplib
def test_the_test_of_tsplib_has_all_instances_of_up_to_60_cities():
    found = {path.stem: len(read_tsplib(path)) for path in FOLDER.glob("*[0-9].tsp") if small(path)}
    assert {name for name, size in found.items() if size <= 60} == set(UP_TO_60)


def small(path):
    line = next(line for line in path.read_text().splitlines() if line.startswith("DIMENSION"))
    return int(line.split(":")[1]) <= 60


@needs_tsplib
def test_circuits_prove_the_best_known_tours_of_tsplib():
    for name in ("burma14", "ulysses16", "gr17", "gr21", "bays29"):
        costs = read_tsplib(FOLDER / f"{name}.tsp")[None]
        z = TSP(method="exact").solve(costs, validate="full")
        assert (z * costs).sum() == best_known(FOLDER)[name]


@pytest.mark.slow
@needs_tsplib
def test_circuits_prove_the_best_known_tours_of_up_to_60_cities():
    for name in UP_TO_60:
        costs = read_tsplib(FOLDER / f"{name}.tsp")[None]
        z = TSP(method="exact", undirected=True).solve(costs, validate="full")
        assert (z * costs).sum() / 2 == best_known(FOLDER)[name]
