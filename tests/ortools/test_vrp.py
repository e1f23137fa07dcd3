"""Vehicle routing as a solver: problems and what is wrong with them, answers, instances, limits and outcomes."""

from __future__ import annotations

import copy
import pickle
import time

import numpy as np
import pytest
import torch
from imle_ortools.routing_problem import RoutingProblem

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    SolverError,
    SolverParameterError,
    SolverTimeoutError,
)

PACKED = {"demands": (0, 2, 1, 2, 1), "capacities": 3}
METHODS = ("exact", "local_search", "routing")


def solver(problem=None, **parameters):
    return imle.solver("ortools.vrp", problem=problem, **parameters)


def large(customers=25, seed=0):
    rng = np.random.default_rng(seed)
    places = rng.random((customers + 1, 2))
    demands = (0, *rng.integers(1, 10, customers).tolist())
    return {"demands": demands, "capacities": 30}, np.linalg.norm(places[:, None] - places, axis=2)


# Problems, and what is wrong with them.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "say how many nodes there are"),
        ({"nodes": 0}, "there are no nodes"),
        ({"nodes": 3, "demands": (0, 1)}, "different numbers of nodes: nodes: 3, demands: 2"),
        ({"nodes": 3, "vehicles": 0}, "at least one vehicle; got 0"),
        (
            {"nodes": 3, "vehicles": 2, "capacities": (1, 2, 3)},
            "numbers of vehicles: vehicles: 2, capacities: 3",
        ),
        ({"nodes": 3, "starts": 3}, "starts has the node 3; there are nodes 0 to 2"),
        ({"nodes": 3, "ends": (-1, 0)}, "ends has the node -1"),
        ({"nodes": 3, "ends": "strat"}, "ends must be nodes, 'start' or None; got 'strat'"),
        ({"nodes": 2.5}, "nodes must be whole numbers; got 2.5"),
        ({"nodes": 4, "pickups": ((1, 4),)}, "pickups has the node 4"),
        ({"nodes": 4, "pickups": ((0, 1),)}, "pickups has the node 0, which is a depot"),
        ({"nodes": 4, "pickups": ((1, 2), (2, 3))}, "pickups has the node 2, which is there twice"),
        ({"nodes": 4, "pickups": (1, 2)}, "pickups must be pairs of nodes; got 1"),
        ({"nodes": 4, "pickups": None}, "pickups must be pairs of nodes; got None"),
        ({"nodes": 4, "windows": 3}, "windows must be a pair or None for each node; got 3"),
        (
            {"nodes": 3, "demands": 2, "capacities": 3},
            "demands must be a number for each node; got 2 for all",
        ),
        ({"nodes": 3, "starts": None}, "starts must be nodes; a vehicle starts somewhere"),
        ({"travel_times": ((0, float("nan")), (1, 0))}, "travel_times must be finite; got nan"),
        ({"nodes": 2, "offsets": 3}, "offsets must be a square matrix; got int"),
        ({"demands": (1, 2)}, "the depot 0 has the demand 1"),
        ({"demands": (0, float("nan"))}, "demands must be finite; got nan"),
        ({"demands": (0, "two")}, "demands must be numbers; got 'two'"),
        (
            {"demands": (0, 4, 5), "capacities": (2, 4)},
            "node 2 has the demand 5, above the capacity of every vehicle, 4",
        ),
        (
            {"demands": (0, 3, 3), "capacities": 5, "vehicles": 1},
            "together 6, above the 5 that 1 vehicles can carry",
        ),
        ({"nodes": 2, "capacities": -1}, "capacities must not be below zero; got -1"),
        ({"nodes": 2, "penalties": -1.0}, "penalties must not be below zero"),
        (
            {"nodes": 2, "travel_times": ((0, 1), (-2, 0))},
            "travel_times must not be below zero; got -2 from node 1 to node 0",
        ),
        ({"nodes": 2, "travel_times": ((0, 1),)}, "travel_times must be a square matrix; got 1 rows of"),
        (
            {"nodes": 2, "windows": (None, (3, 2))},
            r"window of node 1 must be 0 <= earliest <= latest; got \(3, 2\)",
        ),
        ({"nodes": 2, "windows": (None, 3)}, "window of node 1 must be a pair or None; got 3"),
        (
            {"travel_times": ((0, 5), (5, 0)), "windows": (None, (1, 4))},
            "the window of node 1 ends at 4, before it can be reached",
        ),
        (
            {"travel_times": ((0, float("inf")), (1, 0))},
            "node 1 cannot be reached from any start: there is no way",
        ),
        ({"travel_times": ((0, 1), (float("inf"), 0))}, "from node 1 no end can be reached"),
        ({"nodes": 2, "max_length": 3}, "max_length is a limit for lengths, which are missing"),
        (
            {"nodes": 3, "pickups": ((1, 2),), "penalties": (None, 1.0, None)},
            "pickup 1 and delivery 2 are left out together",
        ),
        ({"nodes": 3, "demand": (0, 1, 2)}, "a problem has no option 'demand'. Did you mean 'demands'?"),
    ],
)
def test_what_is_wrong_with_a_problem_is_said(options, message):
    with pytest.raises(SolverParameterError, match=message):
        solver(options)
    with pytest.raises(InvalidInstanceError, match=f"row 1: .*{message}"):
        solver().solve(np.ones((2, 3, 3)), instances=[{"nodes": 3}, options])


def test_a_problem_is_hashable_and_takes_arrays():
    problem = RoutingProblem(
        demands=np.array([0, 1, 2]), travel_times=np.ones((3, 3)), capacities=np.float32(4)
    )
    assert hash(problem) == hash(RoutingProblem(demands=[0, 1, 2], travel_times=[[1] * 3] * 3, capacities=4))
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert problem.fleet == ((0, 0), (0, 0))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "fast"}, "'method' must be"),
        ({"iterations": 0}, "'iterations' must be >= 1"),
        ({"method": "exact", "solution_limit": 3}, "solution_limit: only for method='routing'"),
        ({"first_solution_strategy": "CHEAP"}, "first_solution_strategy must be one of"),
        ({"time_limit": -1.0}, "time_limit"),
        ({"time_limit": float("inf")}, "'time_limit' must be > 0, <= 1e"),
        ({"seed": 2**31}, "'seed' must be >= 0, <= 2.14748e"),
    ],
)
def test_what_is_wrong_with_a_parameter_is_said(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        solver(PACKED, **parameters)


@pytest.mark.parametrize("problem", [{"nodes": 18}, {"nodes": 16, "windows": [(0, 99)] * 16}])
def test_many_customers_are_exact_by_cp_sat(problem):
    few = solver(
        {name: value - 1 if name == "nodes" else value[1:] for name, value in problem.items()}, method="exact"
    )
    assert "dynamic programme" in few.explain()
    assert "CP-SAT" in solver(problem, method="exact").explain()
    assert "dynamic programme" not in solver(problem, method="exact").explain()


def test_cp_sat_says_how_far_its_plan_is_from_a_proof():
    problem, theta = large(30)
    found = solver(problem, method="local_search").solve(theta[None])
    solver(problem, method="local_search", time_limit=600.0).solve(theta[None])  # compiles
    limited = solver(problem, method="exact", time_limit=0.5)
    with imle.Outcomes() as outcomes:
        z = limited.solve(theta[None], validate="full")
    assert outcomes.statuses.tolist() == [imle.Status.TIME_LIMIT]
    assert 0 < outcomes.gaps[0] <= 1
    assert (z[0] * theta).sum() <= (found[0] * theta).sum() + 1e-6


# Answers.


@pytest.mark.parametrize("method", METHODS)
def test_a_plan_of_no_customers_has_no_arcs(method):
    one = solver({"nodes": 1}, method=method)
    z = one.solve(np.ones((2, 1, 1)))
    np.testing.assert_array_equal(z, 0)
    assert one.decode(z) == [[], []]


@pytest.mark.parametrize("method", METHODS)
def test_one_customer_is_visited_and_left(method):
    two = solver({"nodes": 2}, method=method)
    np.testing.assert_array_equal(two.solve(np.ones((1, 2, 2))), [[[0, 1], [1, 0]]])
    open_ = solver({"nodes": 2, "ends": None}, method=method)
    np.testing.assert_array_equal(open_.solve(np.ones((1, 2, 2))), [[[0, 1], [0, 0]]])


@pytest.mark.parametrize("method", METHODS)
def test_decode_and_encode_are_inverse(method):
    problem = {
        "nodes": 7,
        "starts": (0, 1, 1),
        "ends": (0, None, 0),
        "demands": (0, 0, 1, 2, 1, 1, 2),
        "capacities": (3, 2, 3),
    }
    several = solver(problem, method=method)
    z = several.solve(np.random.default_rng(0).random((5, 7, 7)), validate="full")
    for state, plan in zip(z, several.decode(z), strict=True):
        np.testing.assert_array_equal(several.encode(plan), state)
        assert all(not route or route[0] == start for route, start in zip(plan, (0, 1, 1), strict=False))


@pytest.mark.parametrize(
    "plan",
    [
        [[0, 1, 0], [0, 2, 0], [0, 3, 0]],  # 4 is missing
        [[0, 1, 3, 0], [0, 2, 4, 0]],  # too heavy
        [[0, 1, 2, 0], [0, 3, 4]],  # does not return
        [[0, 1, 2, 0], [0, 1, 4, 0], [0, 3, 0]],  # 1 twice
        [[0, 1, 2, 0], [3, 4, 3]],  # a circle
        [[0, 1, 2, 0], [0, 3, 5, 0]],
        [[0, 1, 2, 0], [0, 3, 4.0, 0]],
    ],
)
def test_what_is_no_plan_is_not_encoded(plan):
    with pytest.raises(InvalidSolutionError, match=r"ortools.vrp: .*plan|nodes are 0 to 4"):
        solver(PACKED).encode(plan)


def test_a_state_that_is_no_plan_is_neither_feasible_nor_decoded():
    packed = solver(PACKED)
    z = packed.solve(np.random.default_rng(1).random((1, 5, 5)))
    for i, j in np.ndindex(5, 5):
        other = z.copy()
        other[0, i, j] = 1 - other[0, i, j]
        assert not packed.is_feasible(other)[0]
        if other[0].sum() > z[0].sum():
            with pytest.raises(InvalidSolutionError, match="no plan of feasible routes"):
                packed.decode(other)


def test_vehicles_are_found_for_routes_the_cheap_ones_first():
    # The heavy route needs the dear vehicle; the light one takes the cheapest of the others.
    problem = {"demands": (0, 5, 1), "capacities": (1, 5, 2), "vehicle_costs": (3.0, 7.0, 2.0)}
    mixed = solver(problem)
    far = np.array([[[0.0, 1, 1], [1, 0, 100], [1, 100, 0]]])
    z = mixed.solve(far)
    assert mixed.decode(z)[0] == [[], [0, 1, 0], [0, 2, 0]]
    np.testing.assert_allclose(mixed.fixed_terms(z), 9.0)


def test_customers_are_left_out_where_that_is_cheaper():
    problem = {"nodes": 4, "penalties": (None, 5.0, None, 1.0)}
    z = solver(problem).solve(np.full((1, 4, 4), 2.0))
    assert [sorted(route) for route in solver(problem).decode(z)[0]] == [[0, 0, 1, 2]]
    np.testing.assert_allclose(solver(problem).fixed_terms(z), 1.0)


# Batches and rows.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_is_solved_as_its_rows_are_on_any_number_of_threads(method, dtype):
    theta = np.random.default_rng(2).random((9, 5, 5)).astype(dtype)
    z = solver(PACKED, method=method, threads=1).solve(theta)
    np.testing.assert_array_equal(z, solver(PACKED, method=method, threads=4).solve(theta))
    for row in range(9):
        np.testing.assert_array_equal(z[row], solver(PACKED, method=method).solve(theta[row : row + 1])[0])
    assert z.dtype == dtype


def test_the_search_of_a_row_depends_on_the_row_and_the_seed_alone():
    problem, theta = large()
    rows = np.stack([theta, np.random.default_rng(9).random(theta.shape), theta])
    z = solver(problem).solve(rows)
    np.testing.assert_array_equal(z[0], z[2])
    np.testing.assert_array_equal(z[:1], solver(problem).solve(theta[None]))
    assert (z[0] != solver(problem, seed=1, iterations=3).solve(theta[None])[0]).any()


def test_more_iterations_find_better_plans():
    problem, theta = large(40)
    lengths = [(solver(problem, iterations=n).solve(theta[None])[0] * theta).sum() for n in (1, 100, 3000)]
    assert lengths[0] > lengths[1] > lengths[2]


def test_rows_have_problems_and_sizes_of_their_own():
    instances = [PACKED, {"nodes": 3, "ends": None}, large(12)[0]]
    theta = np.random.default_rng(3).random((3, 13, 13))
    free = solver()
    z = free.solve(theta, instances=instances, validate="full")
    for row, (instance, n) in enumerate(zip(instances, (5, 3, 13), strict=True)):
        alone = solver(instance)
        np.testing.assert_array_equal(z[row, :n, :n], alone.solve(theta[row : row + 1, :n, :n])[0])
        np.testing.assert_array_equal(z[row].sum(), z[row, :n, :n].sum())
        assert free.decode(z[row], instance=instance) == alone.decode(z[row, :n, :n])


def test_an_instance_takes_the_place_of_options_of_the_constructor():
    theta = np.random.default_rng(4).random((2, 5, 5))
    z = solver(PACKED).solve(theta, instances=[{"capacities": 6}, {"demands": (0, 3, 3, 3, 3)}])
    np.testing.assert_array_equal(z[0], solver({**PACKED, "capacities": 6}).solve(theta[:1])[0])
    assert z[1, 0].sum() == 4


def test_a_layer_takes_problems_made_of_arrays():
    days = np.array([[0, 1, 1, 1, 1], [0, 3, 3, 1, 2]])
    layer = imle.SolverLayer("ortools.vrp", problem=PACKED).eval()
    theta = torch.rand(2, 5, 5, generator=torch.Generator().manual_seed(0))
    z = layer(theta, instances=[RoutingProblem(demands=day, capacities=3) for day in days])
    as_tuples = layer(theta, instances=[{"demands": tuple(day)} for day in days.tolist()])
    torch.testing.assert_close(z, as_tuples)


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({"offsets": np.ones((5, 5)).tolist()}, "give that some as well, such as vehicle_costs=0.0"),
        (RoutingProblem(nodes=4), "an instance has 4 nodes, the constructor's problem 5"),
        (7, "a RoutingProblem, or a mapping of its options, is needed; got int"),
    ],
)
def test_an_instance_that_does_not_suit_is_refused(instance, message):
    with pytest.raises(InvalidInstanceError, match=message):
        solver(PACKED).solve(np.ones((1, 5, 5)), instances=[instance])


def test_offsets_are_added_to_the_costs():
    rng = np.random.default_rng(5)
    theta, offsets = rng.random((2, 5, 5)), rng.random((2, 5, 5))
    with_zero = solver({**PACKED, "vehicle_costs": 0.0})
    z = with_zero.solve(theta, instances=[{"offsets": each.tolist()} for each in offsets])
    np.testing.assert_array_equal(z, solver(PACKED).solve(theta + offsets))


def test_without_any_problem_there_is_nothing_to_solve():
    with pytest.raises(InvalidInstanceError, match="no problem: give it to the constructor, or to each row"):
        solver().solve(np.ones((1, 3, 3)))


def test_copies_give_the_same_answers():
    theta = np.random.default_rng(6).random((4, 5, 5))
    for method in METHODS:
        one = solver(PACKED, method=method)
        z = one.solve(theta)
        for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one)), one.clone()):
            np.testing.assert_array_equal(other.solve(theta), z)


# Hints, limits and outcomes.


@pytest.mark.parametrize("method", ["local_search", "routing"])
def test_a_search_begins_at_the_hint(method):
    problem, theta = large(20)
    known = solver(problem, iterations=5000).solve(theta[None])
    searcher = solver(problem, method=method, **({"iterations": 1} if method == "local_search" else {}))
    raw = type(searcher).solve.__wrapped__
    cold = (raw(searcher, theta[None])[0] * theta).sum()
    warm = (raw(searcher, theta[None], hint=known)[0] * theta).sum()
    assert warm <= (known[0] * theta).sum() + 1e-9 < cold
    unknown = np.full_like(known, np.nan)
    np.testing.assert_array_equal(raw(searcher, theta[None], hint=unknown), raw(searcher, theta[None]))


def test_a_hint_that_is_not_feasible_is_not_followed():
    problem, theta = large(20)
    loop = np.roll(np.eye(21), 1, axis=1)[None]
    searcher = solver(problem, method="local_search")
    z = type(searcher).solve.__wrapped__(searcher, theta[None], hint=loop)
    assert searcher.is_feasible(z).all()


def test_outcomes_say_what_is_proven():
    theta = np.random.default_rng(7).random((3, 5, 5))
    for method, status in zip(
        METHODS, (imle.Status.OPTIMAL, imle.Status.FEASIBLE, imle.Status.FEASIBLE), strict=True
    ):
        with imle.Outcomes() as outcomes:
            z = solver({**PACKED, "vehicle_costs": 0.25}, method=method).solve(theta)
        assert (outcomes.statuses == status).all()
        np.testing.assert_allclose(outcomes.objectives, (z * theta).sum((1, 2)) + 0.25 * z[:, 0].sum(1))
        assert (outcomes.gaps == 0).all() if method == "exact" else np.isnan(outcomes.gaps).all()


@pytest.mark.parametrize("method", ["local_search", "routing"])
def test_a_search_ends_at_its_time_limit(method):
    problem, theta = large(60)
    endless = (
        {"iterations": 10**9}
        if method == "local_search"
        else {"local_search_metaheuristic": "GUIDED_LOCAL_SEARCH"}
    )
    limited = solver(problem, method=method, time_limit=0.2, **endless)
    limited.solve(theta[None])  # compiles
    begin = time.perf_counter()
    with imle.Outcomes() as outcomes:
        z = limited.solve(theta[None], validate="full")
    assert 0.15 < time.perf_counter() - begin < 2
    assert z.sum() > 60
    if method == "local_search":  # the library says no more than that it was found
        assert outcomes.statuses.tolist() == [imle.Status.TIME_LIMIT]
        with pytest.raises(SolverTimeoutError, match="row 0"):
            solver(problem, time_limit=0.05, on_timeout="error", **endless).solve(theta[None])


def test_a_search_that_needs_no_more_time_is_the_same_with_a_limit():
    problem, theta = large(15)
    np.testing.assert_array_equal(
        solver(problem).solve(theta[None]), solver(problem, time_limit=600.0).solve(theta[None])
    )


def test_a_row_without_any_plan_is_named():
    # 3 + 3 do not fit with 2 + 2 + 2 into two vehicles of 6, but 2 vehicles of 7 could not carry 13 either way.
    problem = {"demands": (0, 4, 4, 4), "capacities": 6, "vehicles": 2}
    theta = np.ones((2, 4, 4))
    instances = [{"vehicles": 3}, {}]
    with pytest.raises(InfeasibleError, match="row 1: no plan for 2 vehicles visits every customer"):
        solver(problem).solve(theta, instances=instances)
    with pytest.raises(
        SolverError, match=r"row 1: the search found no plan that visits the nodes \[\d\] too"
    ):
        solver(problem, method="local_search").solve(theta, instances=instances)
    with pytest.raises(SolverError, match="row 1"):
        solver(problem, method="routing").solve(theta, instances=instances)


def test_theta_that_are_no_costs_are_refused():
    for bad in (np.nan, np.inf):
        with pytest.raises(InvalidThetaError, match="non-finite"):
            solver(PACKED).solve(np.full((1, 5, 5), bad))
    with pytest.raises(InvalidThetaError, match="shape"):
        solver(PACKED).solve(np.ones((1, 4, 4)))
    with pytest.raises(InvalidThetaError, match="theta exceeds 1e"):
        solver({**PACKED, "penalties": 1.0}).solve(np.full((1, 5, 5), 1e305))
    assert solver(PACKED).solve(np.full((1, 5, 5), 1e305)).sum() > 4


def test_explain_says_the_method_and_why():
    assert "dynamic programme" in solver(PACKED).explain()
    assert "(method='auto', 25 customers)" in solver(large()[0]).explain()
    assert "removes and inserts" in solver(large()[0]).explain()
    assert "routing library" in solver(PACKED, first_solution_strategy="SAVINGS").explain()
    assert "for up to 10 customers" in solver().explain()


def test_a_layer_learns_costs_from_plans():
    rng = np.random.default_rng(8)
    target = torch.tensor(solver(PACKED).solve(rng.random((1, 5, 5))), dtype=torch.float32)
    theta = torch.tensor(rng.random((1, 5, 5)), dtype=torch.float32, requires_grad=True)
    layer = imle.SolverLayer(solver(PACKED), imle.IMLE(samples=4), generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam([theta], lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        ((layer(theta) - target) ** 2).sum().backward()
        optimiser.step()
    torch.testing.assert_close(layer.eval()(theta), target)
