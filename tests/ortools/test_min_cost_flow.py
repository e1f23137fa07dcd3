"""``ortools.min_cost_flow`` against all flows, in exact arithmetic."""

import itertools

import numpy as np
import pytest
from exact_values import assert_best, make_rows
from imle_ortools import _refine
from imle_ortools.min_cost_flow import MinCostFlow

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverError,
    SolverParameterError,
)


def all_flows(arcs, capacities, supplies, volume):
    """Try every combination; with volume 'most' keep those that ship the most, from senders to receivers alone."""
    found, shipped = [], []
    for flow in itertools.product(*(range(capacity + 1) for capacity in capacities)):
        balance = dict.fromkeys(supplies, 0)
        for (tail, head), amount in zip(arcs, flow, strict=True):
            balance[tail] += amount
            balance[head] -= amount
        within = all(min(supplies[v], 0) <= balance[v] <= max(supplies[v], 0) for v in supplies)
        if balance == supplies if volume == "all" else within:
            found.append(flow)
            shipped.append(sum(max(amount, 0) for amount in balance.values()))
    most = max(shipped, default=0)
    kept = [flow for flow, amount in zip(found, shipped, strict=True) if volume == "all" or amount == most]
    return np.array(kept, float).reshape(-1, len(arcs))


def make_case(rng, volume):
    nodes, count = rng.integers(2, 5), rng.integers(1, 6)
    arcs = [tuple(pair) for pair in rng.integers(0, nodes, (count, 2)).tolist()]
    capacities = rng.integers(0, 4, count).tolist()
    supplies = dict.fromkeys((node for arc in arcs for node in arc), 0)
    for (tail, head), capacity in zip(arcs, capacities, strict=True):
        amount = int(rng.integers(capacity + 1))
        supplies[tail] += amount
        supplies[head] -= amount
    if volume == "most" or rng.random() < 0.2:
        for node in supplies:
            supplies[node] += int(rng.integers(-2, 3))
    return arcs, capacities, supplies


@pytest.mark.parametrize("volume", ["all", "most"])
def test_1000_small_cases_of_every_scale_and_range_are_solved_to_the_last_bit_that_counts(volume):
    rng = np.random.default_rng(0)
    impossible = 0
    for _ in range(500):
        arcs, capacities, supplies = make_case(rng, volume)
        solver = MinCostFlow(arcs=arcs, capacities=capacities, supplies=supplies, volume=volume)
        theta = make_rows(rng, (2, len(arcs)))
        structures = all_flows(arcs, capacities, supplies, volume)
        if len(structures):
            assert_best(solver.solve(theta, validate="full"), theta, structures, "min")
            assert len(solver.enumerate_support()) == len(structures)
        else:
            impossible += 1
            with pytest.raises(InfeasibleError, match="row 0: supplies"):
                solver.solve(theta)
    assert (impossible > 0) == (volume == "all")


def make_network(rng, nodes, count):
    tail = rng.integers(0, nodes, count)
    head = (tail + rng.integers(1, nodes, count)) % nodes
    capacities = rng.integers(1, 9, count)
    flow = rng.integers(0, capacities + 1)
    supplies = np.zeros(nodes, int)
    np.add.at(supplies, tail, flow)
    np.subtract.at(supplies, head, flow)
    return np.stack([tail, head], 1), capacities, dict(enumerate(supplies.tolist()))


@pytest.mark.parametrize("wide", [False, True])
def test_larger_networks_agree_with_a_linear_programme(wide):
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(1)
    arcs, capacities, supplies = make_network(rng, 25, 120)
    solver = MinCostFlow(arcs=arcs, capacities=capacities, supplies=supplies)
    theta = rng.standard_normal((3, 120))
    if wide:
        theta = np.where(rng.random(theta.shape) < 0.1, 1e10, theta)
    z = solver.solve(theta, validate="full")
    incidence = np.zeros((25, 120))
    incidence[arcs[:, 0], np.arange(120)] += 1
    incidence[arcs[:, 1], np.arange(120)] -= 1
    for state, row in zip(z, theta, strict=True):
        programme = optimize.linprog(
            row,
            A_eq=incidence,
            b_eq=[supplies[v] for v in range(25)],
            bounds=np.stack([np.zeros(120), capacities], 1),
        )
        assert (state * row).sum() == pytest.approx(programme.fun, rel=1e-7 if wide else 1e-9)


def test_costs_that_forbid_do_not_hide_the_small_ones_of_the_rest():
    arcs = [("s", "a"), ("s", "b"), ("a", "t"), ("b", "t"), ("s", "t")]
    solver = MinCostFlow(arcs=arcs, capacities=[1] * 5, supplies={"s": 2, "t": -2})
    z = solver.solve(np.array([[1.0, 2.0, 1e-9, 1e-9, 1e17], [2.0, 1.0, 1e17, 1e17, 1e30]]))
    np.testing.assert_array_equal(z, [[1, 1, 1, 1, 0], [1, 1, 1, 1, 0]])
    z = solver.solve(np.array([[3.0, 2.0, 1e17, 1e17, 1e17], [2.0, 3.0, 1e17, 1e17, 1e17]]))
    np.testing.assert_array_equal(z, [[0, 1, 0, 1, 1], [1, 0, 1, 0, 1]])


def test_of_all_maximum_flows_the_cheapest_is_chosen_however_dear_it_is():
    arcs = [("s", "a"), ("a", "t"), ("s", "t"), ("s", "t")]
    solver = MinCostFlow(arcs=arcs, capacities=[5, 3, 1, 1], supplies={"s": 4, "t": -9}, volume="most")
    z = solver.solve(np.array([[1e6, 1e6, 1.0, 2.0], [-5.0, -5.0, 7.0, 6.0]]))
    np.testing.assert_array_equal(z, [[2, 2, 1, 1], [3, 3, 0, 1]])


def test_a_cycle_that_pays_and_an_arc_to_itself_are_filled():
    solver = MinCostFlow(arcs=[(0, 1), (1, 0), (1, 1)], capacities=[4, 3, 7], supplies={})
    z = solver.solve(np.array([[-2.0, 1.0, -1.0], [2.0, -1.0, 1.0], [-2.0, 1.0, -1e-30]]))
    np.testing.assert_array_equal(z, [[3, 3, 7], [0, 0, 0], [3, 3, 7]])


def test_a_flow_that_is_not_of_least_cost_is_never_refined():
    costs = np.array([2**80, 2**80 + 1], object)
    ends, capacity = np.array([[0, 0], [1, 1]], np.int32), np.array([1, 1])

    def solve(digits, flow, fixed):
        return np.array([1, 0])

    flow = _refine.refine(costs, ends, capacity, nodes=2, bits=20, solve=solve)
    np.testing.assert_array_equal(flow, [1, 0])
    with pytest.raises(SolverError, match="not of least cost"):
        _refine.refine(costs[::-1] * np.array([3, 1]), ends, capacity, nodes=2, bits=20, solve=solve)


def test_rows_may_have_different_supplies_and_capacities():
    solver = MinCostFlow(arcs=[("a", "b"), ("a", "b")], capacities=[2, 2])
    instances = [
        {"supplies": (("a", 3), ("b", -3))},
        {"supplies": {"a": 1, "b": -1}, "capacities": (0, 1)},
        {"supplies": ()},
    ]
    z = solver.solve(np.tile([1.0, 2.0], (3, 1)), instances=instances, validate="full")
    np.testing.assert_array_equal(z, [[2, 1], [0, 1], [0, 0]])
    flow = solver.decode(z[0], instance=instances[0])
    assert flow == [("a", "b", 2), ("a", "b", 1)]
    np.testing.assert_array_equal(solver.encode(flow, instance=instances[0]), z[0])


@pytest.mark.parametrize(
    ("supplies", "match"),
    [
        ({"a": 1}, r"row 0: supplies sum to 1, not to 0"),
        (
            {"b": 1, "a": -1},
            r"row 0: supplies cannot be met: that of the nodes 'b', 'c' is 1 in all.* carry 0",
        ),
        ({"a": 9, "c": -9}, r"that of the nodes 'a', 'b' is 9 in all, but arcs out of there carry 4 at most"),
    ],
)
def test_supplies_that_cannot_be_met_are_named_with_the_row(supplies, match):
    solver = MinCostFlow(arcs=[("a", "b"), ("b", "c")], capacities=[20, 4], supplies=supplies)
    with pytest.raises(InfeasibleError, match=match):
        solver.solve(np.ones((1, 2)))


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"arcs": []}, "at least one pair"),
        ({"arcs": [(1, 2), (3,)]}, r"number 1 of .* is none"),
        ({"arcs": [(1, [2])]}, "number 0"),
        ({"arcs": 5}, "arcs must be pairs"),
        ({"capacities": [1]}, r"capacities must be 2 integers; got shape \(1,\)"),
        ({"capacities": [1, -1]}, r"capacities must be integers from 0 to 2\^53; got .*-1.* at place 1"),
        ({"capacities": [0.5, 1]}, "common factor"),
        ({"capacities": [1, np.nan]}, "at place 1"),
        ({"capacities": ["x", 1]}, "capacities must be 2 integers"),
        ({"capacities": [2**54, 1]}, "at place 0"),
        ({"supplies": {"z": 1}}, r"the node 'z' is no node of the 2 arcs; their nodes are 'a', 'b', 'c'"),
        ({"supplies": {"a": 0.5}}, "the supply of 'a', without its sign, must be integers"),
        ({"supplies": {"a": "x"}}, "the supply of 'a' must be an integer"),
        ({"supplies": 5}, "supplies must be a mapping"),
        ({"volume": "some"}, "volume"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters, match):
    given = {"arcs": [("a", "b"), ("b", "c")], "capacities": [1, 1], "supplies": {"a": 1, "c": -1}}
    with pytest.raises(SolverParameterError, match=match):
        imle.solver("ortools.min_cost_flow", **{**given, **parameters})


def test_instances_and_theta_that_make_no_sense_are_refused():
    solver = MinCostFlow(arcs=[("a", "b")], capacities=[2**40])
    with pytest.raises(InvalidInstanceError, match="no supplies: give it to the constructor"):
        solver.solve(np.ones((1, 1)))
    with pytest.raises(InvalidInstanceError, match="row 0: an instance is a mapping"):
        solver.solve(np.ones((1, 1)), instances=["x"])
    with pytest.raises(InvalidInstanceError, match="row 0: capacities must be"):
        solver.solve(np.ones((1, 1)), instances=[{"supplies": {}, "capacities": (-1,)}])
    instances = [{"supplies": {"a": 2**30 + 1, "b": -(2**30) - 1}}]
    with pytest.raises(InvalidThetaError, match="beyond the integers that float32 holds"):
        solver.solve(np.ones((1, 1), np.float32), instances=instances)
    assert solver.solve(np.ones((1, 1)), instances=instances) == 2**30 + 1
    with pytest.raises(InvalidThetaError, match="non-finite"):
        solver.solve(np.full((1, 1), np.inf), instances=instances)


def test_structures_that_are_no_flows_are_refused():
    solver = MinCostFlow(arcs=[("a", "b"), ("b", "a")], capacities=[2, 1], supplies={"a": 1, "b": -1})
    for flow in ([], [("a", "b", 1)], [("b", "a", 0), ("a", "b", 1)], [("a", "b"), ("b", "a")]):
        with pytest.raises(InvalidSolutionError, match="in the order of"):
            solver.encode(flow)
    with pytest.raises(InvalidSolutionError, match="no flow within the capacities"):
        solver.encode([("a", "b", 3), ("b", "a", 2)])
    assert solver.is_feasible(np.array([[2, 1], [1, 0], [0.5, 0.5], [np.nan, 0]])).tolist() == [1, 1, 0, 0]


def test_a_long_list_is_not_made_and_explain_says_what_is_faster():
    arcs = [("a", "b")] * 20
    solver = MinCostFlow(arcs=arcs, capacities=[9] * 20, supplies={"a": 90, "b": -90})
    with pytest.raises(MissingCapabilityError, match="too many to be listed"):
        solver.enumerate_support()
    assert "networkx.min_cost_flow" in solver.explain()
