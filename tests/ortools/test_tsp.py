"""ortools.tsp: the cheapest tour, compared with all tours, of each method."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_ortools._kernels.tours import solve_rows
from imle_ortools.tsp import TSP
from tours import all_tours, along, best_value, euclidean, exact_value, least_value, symmetric

import imle_core as imle
from imle_core import Status
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
)

EXACT = ["auto", "exact"]
METHODS = [*EXACT, "local_search", "routing"]
RARELY = settings(max_examples=100, deadline=None, derandomize=True, database=None)
OFTEN = settings(max_examples=1000, deadline=None, derandomize=True, database=None)


def random_costs(rng, nodes):
    """Costs with ties, or without; symmetric, or not; of any sign."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.integers(0, 3, (nodes, nodes)).astype(float)
    costs = rng.normal(size=(nodes, nodes)) if kind == 1 else rng.random((nodes, nodes))
    return symmetric(costs) if kind == 3 else costs


def loops(costs):
    """The same costs with anything on the diagonal."""
    return costs + np.diag(np.linspace(-5, 5, len(costs)))


# Answers


@OFTEN
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_dynamic_programme_finds_the_least_cost_at_any_scale(seed, undirected):
    rng = np.random.default_rng(seed)
    costs = random_costs(rng, int(rng.integers(1, 7)))
    costs *= 10.0 ** rng.integers(-9, 10)
    z = TSP(undirected=undirected, threads=1).solve(loops(costs)[None], validate="full")
    tour = TSP(undirected=undirected).decode(z)[0]
    if undirected:
        costs = costs + costs.T
    assert along(costs, tour).sum() == pytest.approx(least_value(costs), abs=1e-14 * np.abs(costs).max())


@RARELY
@given(st.integers(0, 2**32 - 1), st.sampled_from(["local_search", "routing"]), st.booleans())
def test_heuristics_find_feasible_tours_and_mostly_the_best_of_few_nodes(seed, method, undirected):
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(1, 9))
    costs = np.stack([random_costs(rng, nodes) for _ in range(3)])
    found = TSP(nodes, method=method, undirected=undirected).solve(costs, validate="full")
    best = TSP(nodes, undirected=undirected, method="exact").solve(costs)
    value, least = (found * costs).sum((1, 2)), (best * costs).sum((1, 2))
    assert (value >= least - 1e-12).all()
    if method == "local_search":
        np.testing.assert_allclose(value, least, atol=1e-12)


@pytest.mark.parametrize("make", ["random", "points", "noise"])
def test_circuits_are_as_good_as_the_dynamic_programme(make):
    rng = np.random.default_rng(3)
    costs = rng.normal(size=(6, 12, 12)) if make == "random" else euclidean(rng, 6, 12)
    costs[:, np.arange(12), np.arange(12)] = 0
    if make == "noise":
        costs += 0.1 * rng.gumbel(size=costs.shape)
    circuit = TSP(12, method="exact")
    circuit._solver._compiled = TSP(12, method="local_search", kicks=0)._solver
    z, best = circuit.solve(costs, validate="full"), TSP(12).solve(costs)
    np.testing.assert_allclose((z * costs).sum((1, 2)), (best * costs).sum((1, 2)), rtol=1e-12)


def test_exact_tours_of_more_nodes_cost_no_more_than_those_of_the_heuristics():
    rng = np.random.default_rng(0)
    costs = np.concatenate([euclidean(rng, 2, 18), rng.random((2, 18, 18))])
    best = TSP(18, method="exact").solve(costs, validate="full")
    least = (best * costs).sum((1, 2))
    for method in ("local_search", "routing"):
        assert ((TSP(18, method=method).solve(costs) * costs).sum((1, 2)) >= least - 1e-12).all()


@pytest.mark.parametrize("method", METHODS)
def test_one_two_and_three_nodes(method):
    assert (TSP(1, method=method).solve(np.ones((2, 1, 1))) == 0).all()
    two = TSP(2, method=method).solve(np.array([[[9.0, 1], [-7, 9]]]), validate="full")
    np.testing.assert_array_equal(two[0], [[0, 1], [1, 0]])
    costs = np.array([[[0, 5.0, 1], [1, 0, 5], [5, 1, 0]]])
    assert TSP(3, method=method).decode(TSP(3, method=method).solve(costs)) == [[0, 2, 1]]
    np.testing.assert_array_equal(TSP(3, undirected=True, method=method).solve(costs)[0], 1 - np.eye(3))


# Numbers


@RARELY
@given(st.integers(0, 2**32 - 1), st.sampled_from(METHODS))
def test_costs_far_out_of_range_do_not_hide_the_others(seed, method):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 7))
    costs = symmetric(rng.random((n, n))) if rng.random() < 0.5 else rng.random((n, n))
    far = rng.random((n, n)) < rng.choice([0.1, 0.4])
    costs = np.where(far, rng.choice([-1, 1]) * 10.0 ** rng.integers(3, 30), costs)
    solver = TSP(n, method=method)
    value = exact_value(costs, solver.decode(solver.solve(costs[None]))[0])
    best = best_value(costs)
    if method == "routing":  # its local search may miss it
        assert value >= best
    elif abs(best) < 2**52:
        assert value == best
    else:  # what the sum of a tour is rounded to in double precision
        assert float(value - best) <= n * 2.0**-52 * abs(float(best))


@pytest.mark.parametrize("method", METHODS)
def test_forbidden_arcs_do_not_hide_the_others_in_many_nodes(method):
    rng = np.random.default_rng(1)
    costs = euclidean(rng, 2, 16)
    forbidden = np.where(rng.random((16, 16)) < 0.3, 1e17, costs)
    z = TSP(16, method=method).solve(forbidden, validate="full")
    value = (z * forbidden).sum((1, 2))
    assert (value < 1e16).all()
    if method == "routing":
        return  # begins again with the tour that it found first, which is another local optimum
    merely = np.where(forbidden > 1e16, 50.0, costs)  # more than any tour, but not out of range
    assert value == pytest.approx((TSP(16, method=method).solve(merely) * merely).sum((1, 2)), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
@pytest.mark.parametrize("method", METHODS)
def test_costs_of_any_size_are_solved(method, scale):
    costs = np.random.default_rng(2).random((3, 6, 6))
    solver = TSP(6, method=method)
    np.testing.assert_array_equal(solver.solve(costs * scale), solver.solve(costs))


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_for_all_arcs_changes_nothing(method):
    costs = np.random.default_rng(4).integers(0, 1000, (4, 7, 7)).astype(float)
    solver = TSP(7, method=method)
    np.testing.assert_array_equal(solver.solve(costs - 5000), solver.solve(costs))


@pytest.mark.parametrize("nodes", [6, 20])
@pytest.mark.parametrize("method", METHODS)
def test_a_tour_that_costs_the_same_both_ways_goes_on_to_the_smaller_side(method, nodes):
    costs = np.round(100 * euclidean(np.random.default_rng(5), 4, nodes))
    solver = TSP(nodes, method=method)
    for tour in solver.decode(solver.solve(costs)):
        assert tour[0] == 0
        assert tour[1] < tour[-1]


def test_equal_costs_are_one_tour_in_order():
    assert TSP().decode(TSP().solve(np.zeros((2, 5, 5)))) == [[0, 1, 2, 3, 4]] * 2


def test_the_direction_is_that_of_the_lower_cost():
    costs = euclidean(np.random.default_rng(6), 1, 15)
    for method in ("local_search", "exact", "routing"):
        solver = TSP(15, method=method)
        tour = solver.decode(solver.solve(costs))[0]
        slope = np.zeros((15, 15))
        for u, v in zip(tour, tour[1:] + tour[:1], strict=True):
            slope[u, v] = 1e-6
        reverse = solver.decode(solver.solve(costs + slope))[0]
        assert reverse == [0, *tour[:0:-1]]


def test_undirected_tours_do_not_depend_on_how_costs_are_split_between_directions():
    rng = np.random.default_rng(7)
    costs = euclidean(rng, 3, 15)
    skew = np.triu(rng.normal(size=(3, 15, 15)), 1)
    for method in METHODS:
        solver = TSP(15, method=method, undirected=True)
        z = solver.solve(costs)
        np.testing.assert_array_equal(z, z.swapaxes(1, 2))
        shifted = solver.solve(costs + skew - skew.swapaxes(1, 2))
        np.testing.assert_allclose((shifted * costs).sum((1, 2)), (z * costs).sum((1, 2)), rtol=1e-9)


# One row at a time


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("nodes", [7, 17])
def test_rows_are_solved_as_if_alone_by_any_number_of_threads_and_a_copy(method, nodes):
    costs = np.random.default_rng(8).random((5, nodes, nodes))
    solver = TSP(nodes, method=method)
    z = solver.solve(costs)
    np.testing.assert_array_equal(np.concatenate([solver.solve(row[None]) for row in costs]), z)
    np.testing.assert_array_equal(solver.solve(costs[::-1])[::-1], z)
    np.testing.assert_array_equal(TSP(nodes, method=method, threads=1).solve(costs), z)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(solver)).solve(costs), z)
    np.testing.assert_array_equal(solver.clone().solve(costs), z)


@pytest.mark.parametrize("method", METHODS)
def test_the_dearer_an_arc_the_less_it_is_used(method):
    costs = np.random.default_rng(9).random((1, 7, 7))
    z = TSP(7, method=method).solve(costs)
    dearer = TSP(7, method=method).solve(costs + 10 * z)
    assert (dearer * z).sum() < z.sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_states_have_the_dtype_of_theta(dtype):
    assert TSP().solve(np.ones((1, 4, 4), dtype)).dtype == dtype


def test_the_kernel_leaves_its_input_alone():
    costs = np.random.default_rng(0).random((1, 5, 5))
    costs[0, 0, 1] = 1e20  # brought nearer, in a copy
    before = costs.copy()
    ints = np.arange(5)[None], np.array([5]), 13, 1, 0, np.zeros(1, np.int64), np.full((1, 5), -1)
    solve_rows(costs, *ints, np.zeros((1, 5), np.int64))
    np.testing.assert_array_equal(costs, before)


# Instances


def test_rows_visit_some_nodes():
    rng = np.random.default_rng(10)
    costs = rng.random((4, 6, 6))
    instances = [{"visit": (5, 1, 3)}, {"visit": (4,)}, {}, {"visit": (2, 0, 1, 5)}]
    for method in METHODS:
        solver = TSP(6, method=method)
        z = solver.solve(costs, instances=instances, validate="full")
        tours = solver.decode(z, instances=instances)
        for row, visited in enumerate([(1, 3, 5), (4,), range(6), (0, 1, 2, 5)]):
            assert sorted(tours[row]) == list(visited)
            assert exact_value(costs[row], tours[row]) == best_value(costs[row], visited)


def test_rows_have_different_sizes():
    rng = np.random.default_rng(11)
    sizes = [3, 6, 1, 5]
    rows = [torch.from_numpy(rng.random((n, n))) for n in sizes]
    instances = [{"size": n} for n in sizes]
    layer = imle.SolverLayer(TSP(), imle.IMLE()).eval()
    found = layer(rows, instances=instances)
    for costs, z in zip(rows, found, strict=True):
        np.testing.assert_array_equal(z, TSP().solve(costs[None])[0])
    theta, mask = imle.pad(rows)
    padded = layer(theta, instances=instances, mask=mask)
    assert [len(tour) for tour in TSP().decode(padded, instances=instances)] == sizes


def test_fixed_costs_are_added_in_the_units_of_theta():
    rng = np.random.default_rng(12)
    costs, offset, other = rng.random((3, 5, 5))
    instances = [{}, {"offset": tuple(map(tuple, other))}]
    theta = np.stack([costs, costs])
    z = TSP(5, offset=offset).solve(theta, instances=instances)
    np.testing.assert_array_equal(z, TSP(5).solve(np.stack([costs + offset, costs + other])))
    np.testing.assert_array_equal(
        TSP(offset=offset).solve(1e-9 * theta[:1]), TSP(5).solve(1e-9 * theta[:1] + offset)
    )
    np.testing.assert_array_equal(TSP(5, offset=0.0).solve(theta), TSP(5).solve(theta))


def test_objectives_include_fixed_costs_and_statuses_are_told():
    costs, offset = np.random.default_rng(13).random((2, 5, 5))
    with imle.Outcomes() as outcomes:
        z = TSP(5, offset=offset).solve(costs[None])
    assert outcomes.objectives == pytest.approx([(z[0] * (costs + offset)).sum()])
    assert outcomes.statuses.tolist() == [Status.OPTIMAL]
    assert outcomes.gaps.tolist() == [0]


# States


@pytest.mark.parametrize("undirected", [False, True])
def test_decode_and_encode_are_inverse_and_the_set_is_listed(undirected):
    solver = TSP(5, undirected=undirected)
    states = solver.enumerate_support()
    assert len(states) == (12 if undirected else 24)
    assert solver.is_feasible(states).all()
    tours = solver.decode(states)
    assert len({tuple(tour) for tour in tours}) == len(states)
    for tour, state in zip(tours, states, strict=True):
        assert tour[0] == 0
        np.testing.assert_array_equal(solver.encode(tour), state)
        np.testing.assert_array_equal(solver.encode(tour[2:] + tour[:2]), state)


def test_states_of_instances_are_listed_and_encoded():
    solver, instance = TSP(5), {"visit": (4, 1, 2)}
    states = solver.enumerate_support(instance=instance)
    assert [solver.decode(z, instance=instance) for z in states] == [[1, 2, 4], [1, 4, 2]]
    np.testing.assert_array_equal(solver.encode([4, 2, 1], instance=instance), states[1])
    assert TSP().enumerate_support(instance={"size": 4}).shape == (6, 4, 4)


def test_what_is_no_tour_is_not_feasible():
    tours = {
        "two cycles": [(0, 1), (1, 0), (2, 3), (3, 2)],
        "a node left out": [(0, 1), (1, 2), (2, 0)],
        "a loop": [(0, 1), (1, 2), (2, 0), (3, 3)],
        "an arc too many": [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)],
        "two ways in": [(0, 1), (1, 2), (2, 1), (3, 0)],
    }
    for arcs in tours.values():
        z = np.zeros((1, 4, 4))
        z[(0, *np.array(arcs).T)] = 1
        assert not TSP(4).is_feasible(z)[0], arcs
        assert not TSP(4, undirected=True).is_feasible(np.maximum(z, z.swapaxes(1, 2)))[0], arcs
    assert TSP(4).is_feasible(TSP(4).encode([0, 2, 1, 3])[None])[0]
    assert not TSP(4).is_feasible(TSP(4).encode([0, 2, 1, 3])[None] / 2)[0]
    assert not TSP(4, undirected=True).is_feasible(TSP(4).encode([0, 2, 1, 3])[None])[0]
    assert not TSP(4).is_feasible(TSP(4, undirected=True).encode([0, 2, 1, 3])[None])[0]


# Errors


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"nodes": 0}, "nodes must be a whole number, at least 1; got 0"),
        ({"nodes": 2.5}, "nodes must be a whole number"),
        ({"method": "exakt"}, "Did you mean 'exact'"),
        ({"on_timeout": "raise"}, "'use', 'error'; got 'raise'"),
        ({"kicks": -1}, "kicks must be at least 0; got -1"),
        ({"time_limit": 0}, "time_limit must be above 0"),
        ({"time_limit": float("inf")}, "time_limit must be above 0 and at most .* got inf"),
        ({"seed": 2**31}, "seed must be from 0 to 2,147,483,647; got 2147483648"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"nodes": 3, "offset": [[1.0, 2]]}, r"shape \(3, 3\)"),
        ({"offset": float("nan")}, "offset must be finite"),
        ({"solution_limit": 5}, "solution_limit is of the routing library: take method='routing'"),
    ],
)
def test_parameters_that_are_not_valid(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        TSP(**parameters)


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        (5, "an instance is a mapping"),
        ({"visits": (1,)}, "Did you mean 'visit'"),
        ({"visit": ()}, "must have a node at least"),
        ({"visit": (0, 4)}, "node 4, but nodes are 0 to 3"),
        ({"visit": (-1,)}, "node -1"),
        ({"visit": (1, 2, 1)}, "node 1 twice"),
        ({"visit": 3}, "a collection of numbers"),
        ({"visit": ("a",)}, "a collection of numbers"),
        ({"size": 3}, "'size' is for solvers made without nodes="),
        ({"offset": 1.0}, "'offset' is for solvers made with offset="),
    ],
)
def test_instances_that_are_not_valid(instance, message):
    with pytest.raises(InvalidInstanceError, match=rf"row 1: .*{message}"):
        TSP(4).solve(np.ones((2, 4, 4)), instances=[{}, instance])


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({}, "needs a 'size'"),
        ({"size": 0}, "'size' must be a whole number"),
        ({"size": 5, "offset": 1.0}, "made"),
    ],
)
def test_instances_of_any_size_that_are_not_valid(instance, message):
    with pytest.raises(InvalidInstanceError, match=message):
        TSP().prepare(instance)


def test_offsets_of_instances_that_are_not_valid():
    for offset in (((1.0, 2.0),), "text", ((1.0, float("inf")), (0.0, 0.0))):
        with pytest.raises(InvalidInstanceError, match=r"for each pair of 2 nodes, shape \(2, 2\)"):
            TSP(2, offset=0.0).prepare({"offset": offset})


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        (np.ones((1, 3, 4)), r"shape \(3, 4\); they must be square"),
        (np.ones((1, 0, 0)), "must be square"),
        (np.full((1, 3, 3), np.nan), "non-finite"),
        (np.full((1, 3, 3), np.inf), "non-finite"),
        (np.ones((3, 3)), "batch axes"),
    ],
)
def test_theta_that_is_not_valid(theta, message):
    with pytest.raises(InvalidThetaError, match=message):
        TSP().solve(theta)


def test_theta_and_offset_that_are_too_large_together():
    with pytest.raises(InvalidThetaError, match="row 1: theta and offset are not finite together"):
        TSP(3, offset=np.full((3, 3), 1e308)).solve(np.stack([np.ones((3, 3)), np.full((3, 3), 1.7e308)]))


def test_structures_that_are_not_valid():
    for tour in ([0, 1, 2], [0, 1, 2, 2], [0, 1, 2, 4], ["a"], 7):
        with pytest.raises(InvalidSolutionError):
            TSP(4).encode(tour)
    with pytest.raises(InvalidSolutionError, match="no tour through the 4 nodes"):
        TSP(4).decode(np.eye(4))


def test_sets_that_are_not_listed():
    with pytest.raises(MissingCapabilityError, match="9 nodes at most; there are 10"):
        TSP(10).enumerate_support()
    with pytest.raises(MissingCapabilityError, match="knows the nodes"):
        TSP().enumerate_support()


def test_the_empty_batch():
    assert TSP(4).solve(np.ones((0, 4, 4))).shape == (0, 4, 4)


def test_explain_says_which_method_runs():
    assert "13 nodes: by the dynamic programme of Held and Karp, exactly." in TSP(13).explain()
    assert "14 nodes: by compiled local search" in TSP(14).explain()
    assert "15 nodes: by the dynamic programme" in TSP(15, method="exact").explain()
    assert "16 nodes: by CP-SAT" in TSP(16, method="exact").explain()
    assert "exactly unless 3 s are over" in TSP(16, method="exact", time_limit=3).explain()
    assert "up to 13 nodes by the dynamic programme" in TSP().explain()
    routing = TSP(5, undirected=True, method="routing")
    assert "undirected tours through 5 nodes: by OR-Tools' routing" in routing.explain()


def test_gradients_move_tours_to_those_that_are_wanted():
    rng = np.random.default_rng(14)
    wanted = torch.from_numpy(TSP(6, undirected=True).encode(rng.permutation(6)))
    layer = imle.SolverLayer(
        "ortools.tsp",
        imle.IMLE(samples=4, tau=0.1),
        nodes=6,
        undirected=True,
        generator=torch.Generator().manual_seed(0),
    )
    costs = torch.ones(1, 6, 6, dtype=torch.float64, requires_grad=True)
    for _ in range(60):
        (grad,) = torch.autograd.grad((layer(costs) - wanted).square().sum(), costs)
        torch.testing.assert_close(grad, grad.mT)
        costs = (costs - 0.05 * grad).detach().requires_grad_()
    assert torch.equal(layer.eval()(costs)[0], wanted)


def test_all_tours_are_what_the_brute_force_compares():
    assert len(all_tours(range(5))) == 24
    assert along(np.arange(9.0).reshape(3, 3), [0, 2, 1]).tolist() == [2, 7, 3]
