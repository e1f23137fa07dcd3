"""``pulp.set_cover`` against brute force, and what it refuses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from imle_pulp.set_cover import set_cover

import imle_core as imle
from imle_core.errors import InfeasibleError, InvalidInstanceError, SolverParameterError

COSTS = np.array([[1.0, 5.0, 2.0, 2.0]])
SETS = [{"a", "b"}, {"b", "c"}, {"c"}, {"a"}]
FITS = {"cover": np.greater_equal, "packing": np.less_equal, "partition": np.equal}


@st.composite
def tables(draw):
    elements, sets = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    rows = st.lists(st.integers(0, 2), min_size=sets, max_size=sets)
    holds = np.array(draw(st.lists(rows, min_size=elements, max_size=elements)))
    needed = np.array(draw(st.lists(st.integers(0, 3), min_size=elements, max_size=elements)))
    costs = np.array(draw(st.lists(st.integers(-3, 20), min_size=sets, max_size=sets)), float)
    return holds, needed, costs


@pytest.mark.parametrize("kind", ["cover", "packing", "partition"])
@settings(max_examples=30, deadline=None)
@given(case=tables())
def test_the_best_choice_is_found(kind, case):
    holds, needed, costs = case
    every = np.array(list(itertools.product((0, 1), repeat=len(costs))))
    every = every[FITS[kind](every @ holds.T, needed).all(1)]
    assume(kind == "packing" or (holds.sum(1) >= needed).all())
    solver = set_cover(holds, requirement=needed, kind=kind, backend="highs", threads=1)
    assert solver.sense == ("max" if kind == "packing" else "min")
    if not len(every):
        with pytest.raises(InfeasibleError):
            solver.solve(costs[None])
        return
    (z,) = solver.solve(costs[None])
    best = (every @ costs).max() if kind == "packing" else (every @ costs).min()
    assert (every == z).all(1).any()
    assert costs @ z == pytest.approx(best)


def test_sets_and_their_table_are_the_same_problem():
    table = np.array([[1, 0, 0, 1], [1, 1, 0, 0], [0, 1, 1, 0]])
    theta = np.random.default_rng(1).random((8, 4))
    found = [
        set_cover(sets, backend="highs").solve(theta) for sets in (SETS, [tuple(s) for s in SETS], table)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_rows_may_need_an_element_more_often():
    solver = imle.solver("pulp.set_cover", sets=SETS, backend="highs")
    z = solver.solve(np.repeat(COSTS, 3, 0), instances=[{}, {"b": 2}, {"a": 0, "c": 0}])
    np.testing.assert_array_equal(z, [[1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]])


def test_requirements_may_be_given_by_element():
    solver = set_cover(SETS, requirement={"a": 2, "c": 0}, backend="highs")
    np.testing.assert_array_equal(solver.solve(COSTS), [[1, 0, 0, 1]])


def test_elements_of_several_kinds_have_an_order_that_hashes_do_not_change():
    solver = set_cover([{"a", 1}, {(2, 3), "a"}, {1, (2, 3)}], backend="highs")
    np.testing.assert_array_equal(solver.solve(np.array([[1.0, 2.0, 4.0]])), [[1, 1, 0]])
    problem = set_cover([["b", 1], ["a"]], backend="highs")
    assert list(problem._parameters.places)[:3] == [1, "a", "b"]


def test_an_unknown_element_of_a_row_is_named():
    solver = set_cover(SETS, backend="highs")
    with pytest.raises(InvalidInstanceError, match=r"row 1.*no parameter 'd'"):
        solver.solve(np.repeat(COSTS, 2, 0), instances=[{}, {"d": 1}])
    numbered = set_cover([{0, 1}, {1}], backend="highs")
    with pytest.raises(InvalidInstanceError, match="no parameter 7"):
        numbered.solve(np.ones((1, 2)), instances=[{7: 1}])


def test_a_row_that_needs_too_much_is_infeasible():
    solver = set_cover(SETS, backend="highs")
    with pytest.raises(InfeasibleError, match="row 1"):
        solver.solve(np.repeat(COSTS, 2, 0), instances=[{}, {"a": 3}])


@pytest.mark.parametrize(
    ("sets", "options", "message"),
    [
        ("abc", {}, "sets must be a sequence of collections"),
        (["ab", "c"], {}, "sets must be a sequence of collections"),
        ({"x": ["a"]}, {}, "sets must be a sequence of collections"),
        ([[["a"]]], {}, "hashable elements"),
        (3, {}, "sets must be a sequence"),
        ([], {}, "an element at least"),
        ([set(), set()], {}, "an element at least"),
        (np.ones(3), {}, r"sets, as an array, must have 2 axes; got shape \(3,\)"),
        (np.array([[1, -1]]), {}, r"at least 0; got -1 at \(0, 1\)"),
        (SETS, {"kind": "covering"}, "kind must be one of 'cover', 'packing', 'partition'; got 'covering'"),
        (SETS, {"requirement": {"d": 1}}, "requirement names the element 'd', which is in no set"),
        (SETS, {"requirement": [1, 1]}, "one for each of 3 elements; got 2"),
        (SETS, {"requirement": -1}, "requirement must be at least 0"),
        (
            SETS,
            {"requirement": {"c": 3}},
            r"element 'c' is required 3 times, but all sets together hold it 2 times",
        ),
    ],
)
def test_bad_sets_are_refused(sets, options, message):
    with pytest.raises(SolverParameterError, match=message):
        set_cover(sets, **options)
