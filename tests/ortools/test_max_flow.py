"""``ortools.max_flow`` against all cuts, in exact arithmetic."""

import itertools

import numpy as np
import pytest
import torch
from exact_values import assert_best, exact_value, make_rows
from imle_ortools._exact_cut import near_side
from imle_ortools.max_flow import MaxFlow

import imle_core as imle
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
)

DIAMOND = [("s", "a"), ("s", "b"), ("a", "t"), ("b", "t")]


def all_cuts(arcs, source, sink):
    """Return every cut, with the nodes on the source's side."""
    nodes = sorted({node for arc in arcs for node in arc} - {source, sink})
    sides = [
        {source, *some} for count in range(len(nodes) + 1) for some in itertools.combinations(nodes, count)
    ]
    cuts = [[tail in side and head not in side for tail, head in arcs] for side in sides]
    return np.array(cuts, float), sides


def make_case(rng):
    while True:
        nodes, count = rng.integers(2, 6), rng.integers(1, 11)
        arcs = [tuple(pair) for pair in rng.integers(0, nodes, (count, 2)).tolist()]
        names = sorted({node for arc in arcs for node in arc})
        if len(names) > 1:
            source, sink = rng.permutation(names)[:2].tolist()
            return arcs, source, sink


def test_1000_small_cases_of_every_scale_and_range_are_solved_to_the_last_bit_that_counts():
    rng = np.random.default_rng(0)
    for _ in range(1000):
        arcs, source, sink = make_case(rng)
        solver = MaxFlow(arcs=arcs, source=source, sink=sink)
        theta = make_rows(rng, (2, len(arcs)), signed=False)
        cuts, sides = all_cuts(arcs, source, sink)
        z = solver.solve(theta, validate="full")
        assert_best(z, theta, cuts, "min")
        weights = [exact_value(cut, theta[0]) for cut in cuts]
        least = [side for side, weight in zip(sides, weights, strict=True) if weight == min(weights)]
        if exact_value(z[0], theta[0]) == min(weights):
            assert solver.decode(z[0])[0] == set.intersection(*least)  # the one with the fewest nodes


def test_the_support_are_all_cuts():
    rng = np.random.default_rng(1)
    for _ in range(50):
        arcs, source, sink = make_case(rng)
        solver = MaxFlow(arcs=arcs, source=source, sink=sink)
        expected = np.unique(all_cuts(arcs, source, sink)[0], axis=0)
        np.testing.assert_array_equal(solver.enumerate_support(), expected)
        assert solver.is_feasible(expected).all()
        others = np.array(list(itertools.product((0.0, 1.0), repeat=len(arcs))))[:64]
        member = (others[:, None] == expected).all(2).any(1)
        np.testing.assert_array_equal(solver.is_feasible(others), member)


@pytest.mark.parametrize("wide", [False, True])
def test_larger_networks_have_the_volume_of_the_largest_flow(wide):
    nx = pytest.importorskip("networkx")
    rng = np.random.default_rng(2)
    arcs = [(int(u), int(v)) for u, v in {tuple(pair) for pair in rng.integers(0, 40, (300, 2)).tolist()}]
    theta = rng.integers(1, 1000, (2, len(arcs))).astype(float)
    if wide:
        theta[:, ::5] = 2.0**80
    solver = MaxFlow(arcs=arcs, source=arcs[0][0], sink=arcs[1][1])
    z = solver.solve(theta, validate="full")
    for state, row in zip(z, theta, strict=True):
        graph = nx.DiGraph()
        graph.add_edges_from((u, v, {"capacity": int(c)}) for (u, v), c in zip(arcs, row, strict=True))
        assert exact_value(state, row) == nx.maximum_flow_value(graph, arcs[0][0], arcs[1][1])


def test_the_weight_of_the_cut_is_the_volume_and_the_cut_its_gradient():
    capacities = torch.tensor([[1.0, 5.0, 2.0, 3.0]], dtype=torch.float64)
    solver = imle.solver("ortools.max_flow", arcs=DIAMOND, source="s", sink="t")
    z = solver.solve(capacities)
    assert (z * capacities).sum() == 4
    step = 2.0**-10
    for arc in range(4):
        moved = capacities.clone()
        moved[0, arc] += step
        assert (solver.solve(moved) * moved).sum() == 4 + step * z[0, arc]


def test_capacities_that_stand_for_infinity_do_not_hide_the_others():
    arcs = [("s", "a"), ("a", "b"), ("b", "t"), ("a", "b")]
    solver = MaxFlow(arcs=arcs, source="s", sink="t")
    z = solver.solve(np.array([[1e30, 1e-3, 3e-3, 1e-3], [1e30, 2e-3, 3e-3, 2e-3], [1e17, 1e17, 1e17, 3.0]]))
    np.testing.assert_array_equal(z, [[0, 1, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]])


def test_cuts_that_only_their_last_digits_tell_apart_are_told_apart():
    rng = np.random.default_rng(3)
    for _ in range(300):
        ends = rng.integers(0, 6, (2, 14)).astype(np.int32)
        ends[0, 0], ends[1, 1] = 0, 5
        arcs = [tuple(pair) for pair in ends.T.tolist()]
        leading = [int(digit) << 150 for digit in rng.integers(0, 4, 14)]
        weights = [
            big + (int(m) << int(k)) for big, m, k in zip(leading, *rng.integers(0, 61, (2, 14)), strict=True)
        ]
        near = near_side(np.array(weights, object), ends, 6, 0, 5)
        sides = [{0, *some} for count in range(5) for some in itertools.combinations((1, 2, 3, 4), count)]
        totals = [
            sum(w for w, (u, v) in zip(weights, arcs, strict=True) if u in side and v not in side)
            for side in sides
        ]
        least = [side for side, total in zip(sides, totals, strict=True) if total == min(totals)]
        assert set(np.flatnonzero(near).tolist()) == set.intersection(*least)


def test_what_many_arcs_have_left_of_a_digit_fits_through_one():
    ends = np.array([[0, 1, 1, 1, 1], [1, 2, 2, 2, 2]], np.int32)
    weights = np.array([2**200, *[2**150 - 1] * 4], object)
    np.testing.assert_array_equal(near_side(weights, ends, 3, 0, 2), [True, True, False])


def test_where_no_way_leads_to_the_sink_no_arc_is_cut():
    solver = MaxFlow(arcs=[("t", "a"), ("a", "s"), ("s", "b")], source="s", sink="t")
    np.testing.assert_array_equal(solver.solve(np.ones((1, 3))), [[0, 0, 0]])
    assert solver.decode(np.zeros(3)) == ({"s", "b"}, {"a", "t"})


def test_rows_may_have_different_ends():
    solver = MaxFlow(arcs=DIAMOND, sink="t")
    instances = [{"source": "s"}, {"source": "a"}, {"source": "s", "sink": "b"}]
    z = solver.solve(np.tile([1.0, 5.0, 2.0, 3.0], (3, 1)), instances=instances, validate="full")
    np.testing.assert_array_equal(z, [[1, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]])
    near, far = solver.decode(z[1], instance=instances[1])
    assert near == {"a"}
    np.testing.assert_array_equal(solver.encode((near, far), instance=instances[1]), z[1])
    np.testing.assert_array_equal(solver.encode(near, instance=instances[1]), z[1])


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"source": "x"}, r"source 'x' is no node of the 4 arcs; their nodes are 's', 'a', 'b', 't'"),
        ({"sink": "s"}, "the same node 's'"),
        ({"sink": ["s"]}, "sink"),
        ({"arcs": [("s", "t", 3)]}, "number 0"),
        ({"negative": "allow"}, "negative"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters, match):
    with pytest.raises(SolverParameterError, match=match):
        imle.solver("ortools.max_flow", **{"arcs": DIAMOND, "source": "s", "sink": "t", **parameters})


def test_instances_and_theta_that_make_no_sense_are_refused():
    solver = MaxFlow(arcs=DIAMOND, sink="t")
    with pytest.raises(InvalidInstanceError, match="no source: give it to the constructor"):
        solver.solve(np.ones((1, 4)))
    with pytest.raises(InvalidInstanceError, match="row 1: source 'q' is no node"):
        solver.solve(np.ones((2, 4)), instances=[{"source": "s"}, {"source": "q"}])
    ends = MaxFlow(arcs=DIAMOND, source="s", sink="t")
    with pytest.raises(InvalidThetaError, match="1 negative costs, first at row 0, index \\(2,\\)"):
        ends.solve(np.array([[1.0, 1.0, -1.0, 1.0]]))
    with pytest.raises(InvalidThetaError, match="non-finite"):
        ends.solve(np.full((1, 4), np.nan))
    np.testing.assert_array_equal(ends.solve(np.array([[1e300, 1.0, 1.0, 1e300]])), [[0, 1, 1, 0]])


def test_structures_that_are_no_cuts_are_refused():
    solver = MaxFlow(arcs=DIAMOND, source="s", sink="t")
    for sides in (({"s"}, {"t"}), 5, ({"s", "a"}, {"a", "b", "t"}), ("s", "a", "t")):
        with pytest.raises(InvalidSolutionError, match="sets"):
            solver.encode(sides)
    with pytest.raises(InvalidSolutionError, match="first set must have the source"):
        solver.encode({"a", "t"})
    with pytest.raises(InvalidSolutionError, match="no cut between"):
        solver.decode(np.array([1.0, 0, 0, 0]))


def test_a_long_list_is_not_made_and_explain_says_what_is_faster():
    solver = MaxFlow(arcs=[(i, i + 1) for i in range(30)], source=0, sink=30)
    with pytest.raises(MissingCapabilityError, match="cuts of 31 nodes are too many"):
        solver.enumerate_support()
    assert "networkx.minimum_cut" in solver.explain()
