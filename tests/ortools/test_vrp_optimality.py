"""Vehicle routing against brute force, on small problems with every kind of constraint."""

from __future__ import annotations

import math

import numpy as np
import pytest
from vrp_cases import brute_force, random_problem

import imle_core as imle
from imle_core.errors import InfeasibleError, SolverError, SolverParameterError


def plan(options, theta, **parameters):
    """Return a solver, a state and the objective that was told; None if there is no plan."""
    try:
        solver = imle.solver("ortools.vrp", problem=options, **parameters)
    except SolverParameterError:
        return None
    with imle.Outcomes() as outcomes:
        z = solver.solve(theta[None], validate="full")
    value = (z[0] * theta).sum() + solver.fixed_terms(z)[0]
    np.testing.assert_allclose(outcomes.objectives[0], value, atol=1e-9)
    return value


@pytest.mark.parametrize("part", range(6))
def test_the_dynamic_programme_finds_what_brute_force_finds(part):
    rng = np.random.default_rng(part)
    solved = 0
    for _ in range(30):
        options = random_problem(rng)
        theta = rng.normal(0.5, 1.0, (options["nodes"],) * 2)
        best = brute_force(options, theta)
        try:
            value = plan(options, theta, method="exact")
        except InfeasibleError:
            value = None
        assert math.isinf(best) if value is None else abs(value - best) < 1e-9, options
        solved += value is not None
    assert solved > 10


@pytest.mark.parametrize("part", range(2))
def test_cp_sat_finds_what_brute_force_finds(part, monkeypatch):
    for name in ("MOST_EXACT", "MOST_TIMED"):
        monkeypatch.setattr(f"imle_ortools.vrp.{name}", -1)
    rng = np.random.default_rng(200 + part)
    solved = 0
    for _ in range(40):
        options = random_problem(rng)
        theta = rng.normal(0.5, 1.0, (options["nodes"],) * 2)
        best = brute_force(options, theta)
        try:
            value = plan(options, theta, method="exact")
        except InfeasibleError:
            value = None
        assert math.isinf(best) if value is None else abs(value - best) < 1e-9, options
        solved += value is not None
    assert solved > 15


@pytest.mark.parametrize("kind", ["demands", "lengths", "travel_times"])
def test_the_search_returns_no_route_that_is_not_feasible_once_a_customer_has_left_it(kind):
    rng = np.random.default_rng(7)
    solved = 0
    for _ in range(60):
        if kind == "demands":  # some set down what others take up
            options = {"demands": [0, -1, -2, 3, 4, 0], "capacities": [7, 4, 4]}
        else:  # the way past a node may be longer than through it, or there is none
            lengths = rng.integers(0, 6, (6, 6)).astype(float)
            lengths[rng.random((6, 6)) < 0.1] = np.inf
            limit = {"max_length": 9} if kind == "lengths" else {"windows": [(0, 9)] * 6}
            options = {kind: lengths, "vehicles": 3, **limit}
        try:
            solver = imle.solver("ortools.vrp", problem=options, method="local_search")
            z = solver.solve(rng.normal(0.0, 5.0, (1, 6, 6)))
        except (SolverParameterError, SolverError):  # none was found
            continue
        assert solver.is_feasible(z).all(), solver.problem
        solved += 1
    assert solved > 30


@pytest.mark.parametrize("method", ["local_search", "routing"])
def test_the_searches_find_feasible_plans_that_are_rarely_worse(method):
    rng = np.random.default_rng(100)
    gaps, missed = [], 0
    for _ in range(80):
        options = random_problem(rng)
        theta = rng.normal(0.5, 1.0, (options["nodes"],) * 2)
        best = brute_force(options, theta)
        try:
            value = plan(options, theta, method=method)
        except SolverError:
            missed += math.isfinite(best)
            continue
        if value is None:
            continue
        assert math.isfinite(best), options
        assert value > best - 1e-9, options
        gaps.append(value - best)
    assert len(gaps) > 30
    assert missed <= 4
    assert np.mean(np.array(gaps) < 1e-9) > (0.95 if method == "local_search" else 0.6)


@pytest.mark.parametrize("method", ["exact", "local_search", "routing"])
@pytest.mark.parametrize("exponent", [-9, -3, 3, 9])
def test_a_factor_of_theta_changes_nothing(method, exponent):
    rng = np.random.default_rng(3)
    solver = imle.solver(
        "ortools.vrp", problem={"demands": [0, 2, 1, 2, 3, 1], "capacities": 4}, method=method
    )
    theta = rng.random((8, 6, 6))
    # In double precision a power of ten is rounded, and the answers are those of other theta, by 1e-16.
    np.testing.assert_array_equal(solver.solve(theta), solver.solve(theta * 2.0 ** (3 * exponent)))
    np.testing.assert_array_equal(solver.solve(theta), solver.solve(theta * 10.0**exponent))


@pytest.mark.parametrize("method", ["exact", "local_search", "routing"])
@pytest.mark.parametrize("forbidden", [1e6, 1e17, 1e200])
def test_enormous_costs_of_some_arcs_do_not_drown_the_others(method, forbidden):
    rng = np.random.default_rng(4)
    options = {"demands": [0, 1, 1, 1, 1, 1], "capacities": 3}
    solver = imle.solver("ortools.vrp", problem=options, method=method)
    for _ in range(10):
        theta = rng.random((6, 6))
        closed = rng.random((6, 6)) < 0.2
        closed[0, :] = closed[:, 0] = False
        theta[closed] = forbidden
        value = (solver.solve(theta[None])[0] * theta).sum()
        best = brute_force(options, theta)
        assert best < 20
        assert best - 1e-9 < value < (best + 1e-9 if method != "routing" else 1.5 * best)


def test_costs_below_zero_are_compared_as_they_are_by_all_methods():
    # Few long routes and many short ones differ in their number of arcs: a constant for each arc would prefer some.
    theta = np.array([[0.0, -1.0, -1.0], [-1.0, 0.0, -1.5], [-1.0, -1.5, 0.0]])
    for method in ("exact", "local_search", "routing"):
        solver = imle.solver("ortools.vrp", problem={"nodes": 3}, method=method)
        assert solver.decode(solver.solve(theta[None]))[0] == [[0, 1, 0], [0, 2, 0]], method
        assert len(solver.decode(solver.solve(theta[None] + 1.0))[0]) == 1


@pytest.mark.parametrize("limit", ["windows", "max_length"])
@pytest.mark.parametrize(("a", "b"), [(1, 2), (2, 1)])
def test_a_dearer_way_is_kept_where_it_leaves_more_time(limit, a, b):
    # 0, a, b, 3 is the cheap and slow way, 0, b, a, 3 the dear and quick one; only after that 4 is reached in time.
    theta, times = np.ones((5, 5)), np.ones((5, 5))
    theta[0, b], times[a, b] = 3, 5
    theta[4, 1:] = theta[0, 3:] = theta[3, 1:3] = 100
    problem = {"vehicles": 1, "windows": [None, None, None, None, (0, 5)], "travel_times": times.tolist()}
    if limit == "max_length":
        problem = {"vehicles": 1, "lengths": times.tolist(), "max_length": 6}
    solver = imle.solver("ortools.vrp", problem=problem, method="exact")
    z = solver.solve(theta[None])
    assert solver.decode(z)[0] == [[0, b, a, 3, 4, 0]]
    assert (z[0] * theta).sum() == brute_force(problem, theta)


@pytest.mark.parametrize("method", ["exact", "local_search", "routing"])
@pytest.mark.parametrize(
    ("limits", "visited"),
    [
        ({"demands": (0, 5, -4), "capacities": (5, 4)}, 0),  # 1 in the end, but 5 on the way
        ({"demands": (0, 2, 2), "capacities": (4, 3)}, 1),
        ({"lengths": [[1] * 3] * 3, "max_length": (3, 2)}, 1),
        ({"nodes": 4, "starts": (0, 0), "ends": (0, 3), "travel_times": [[1] * 3 + [np.inf]] * 4}, 0),
    ],
)
def test_a_cheap_vehicle_does_no_more_than_it_can(limits, visited, method):
    # All vehicles start at one depot, and the first one is too dear.
    problem = {**limits, "vehicle_costs": (10.0, 0.0), "penalties": 3.5}
    solver = imle.solver("ortools.vrp", problem=problem, method=method)
    z = solver.solve(np.ones((1, *solver.event_shape)), validate="full")
    assert z[0, :, 1:3].sum() == visited


def test_a_plan_is_not_lost_where_raised_costs_are_zero():
    # The arc from the nearer start is the least one, and costs nothing once costs below zero are raised.
    theta = np.array([[0.0, 0.0, 1.2], [0.0, 0.0, -0.5], [0.0, 0.0, 0.0]])
    solver = imle.solver(
        "ortools.vrp", problem={"nodes": 3, "starts": (0, 1), "ends": None}, method="routing"
    )
    assert solver.decode(solver.solve(theta[None]))[0] == [[], [1, 2]]


@pytest.mark.parametrize("method", ["exact", "local_search", "routing"])
def test_costs_below_zero_are_compared_with_penalties_too(method):
    # The visit of 1 earns 2 and costs 3 on the way back; to leave it out costs 0.5, or 2.
    theta = np.array([[0.0, -2.0], [3.0, 0.0]])
    for penalty, arcs in ((0.5, 0), (2.0, 2)):
        solver = imle.solver("ortools.vrp", problem={"nodes": 2, "penalties": penalty}, method=method)
        assert solver.solve(theta[None]).sum() == arcs


@pytest.mark.parametrize("method", ["exact", "local_search", "routing"])
def test_a_pickup_comes_before_its_delivery_where_the_other_order_is_cheaper(method):
    theta = np.full((4, 4), 1.0)
    theta[[0, 2, 3, 1], [2, 3, 1, 0]] = 0.1  # 0, 2, 3, 1, 0
    problem = {"nodes": 4, "vehicles": 1, "pickups": ((1, 2),)}
    solver = imle.solver("ortools.vrp", problem=problem, method=method)
    (route,) = solver.decode(solver.solve(theta[None]))[0]
    assert route.index(1) < route.index(2)
    free = imle.solver("ortools.vrp", problem={"nodes": 4, "vehicles": 1}, method=method)
    assert free.decode(free.solve(theta[None]))[0] == [[0, 2, 3, 1, 0]]


def test_clipped_costs_are_solved_as_zero():
    theta = np.random.default_rng(5).normal(size=(6, 5, 5))
    clip, allow = (imle.solver("ortools.vrp", problem={"nodes": 5}, negative=n) for n in ("clip", "allow"))
    np.testing.assert_array_equal(clip.solve(theta), allow.solve(np.maximum(theta, 0)))


def test_the_list_of_all_plans_has_the_best_one_and_only_feasible_ones():
    rng = np.random.default_rng(6)
    listed = 0
    for _ in range(40):
        options = random_problem(rng)
        try:
            solver = imle.solver("ortools.vrp", problem=options)
        except SolverParameterError:
            continue
        plans = solver.enumerate_support()
        theta = rng.normal(size=(options["nodes"],) * 2)
        best = brute_force(options, theta)
        assert (len(plans) == 0) == math.isinf(best)
        if len(plans):
            values = (plans * theta).sum((1, 2)) + solver.fixed_terms(plans)
            assert abs(values.min() - best) < 1e-9
            assert solver.is_feasible(plans).all()
            assert len(np.unique(plans, axis=0)) == len(plans)
            listed += 1
    assert listed > 15
