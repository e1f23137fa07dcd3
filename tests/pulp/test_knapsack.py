"""``pulp.knapsack`` against brute force, and what it refuses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_pulp.knapsack import knapsack

import imle_core as imle
from imle_core.errors import InfeasibleError, SolverParameterError, UnboundedError

WHOLE = st.integers(0, 9)


@st.composite
def knapsacks(draw):
    items, constraints = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    weights = draw(
        st.lists(st.lists(WHOLE, min_size=items, max_size=items), min_size=constraints, max_size=constraints)
    )
    capacity = draw(st.lists(st.integers(0, 20), min_size=constraints, max_size=constraints))
    upper = draw(st.lists(st.integers(0, 3), min_size=items, max_size=items))
    values = draw(st.lists(st.integers(-5, 20), min_size=items, max_size=items))
    return np.array(weights), np.array(capacity), upper, np.array(values, float)


def packings(weights, capacity, upper):
    """List all packings, by the definition."""
    every = np.array(list(itertools.product(*(range(most + 1) for most in upper))))
    return every[(every @ weights.T <= capacity).all(1)]


@settings(max_examples=40, deadline=None)
@given(knapsacks())
def test_the_best_packing_is_found(case):
    weights, capacity, upper, values = case
    solver = knapsack(weights, capacity, upper=upper, backend="highs", threads=1)
    (z,) = solver.solve(values[None])
    every = packings(weights, capacity, upper)
    assert (every == z).all(1).any()
    assert values @ z == pytest.approx((every @ values).max())


def test_an_item_is_taken_once_unless_there_are_copies():
    theta = np.array([[5.0, 6.4, 3.0]])
    found = {
        upper: knapsack([3, 4, 2], 8, upper=upper, backend="highs").solve(theta)[0].tolist()
        for upper in (1, (0, 1, 9), None)
    }
    assert found == {1: [1, 1, 0], (0, 1, 9): [0, 1, 2], None: [2, 0, 1]}


def test_output_is_binary_without_copies():
    assert knapsack([1, 2], 2).output == "binary"
    assert knapsack([1, 2], 2, upper=2).output == "integer"


def test_rows_may_have_capacities_of_their_own():
    weights = np.array([[3, 4, 2], [1, 5, 4]])
    solver = imle.solver("pulp.knapsack", weights=weights, capacity=(6, 6), backend="highs")
    theta = np.tile([5.0, 6.0, 3.0], (3, 1))
    rows = [{"capacity": (7, 6)}, {}, {"capacity": 4}]
    for z, capacity in zip(solver.solve(theta, instances=rows), ([7, 6], [6, 6], [4, 4]), strict=True):
        every = packings(weights, capacity, [1, 1, 1])
        assert theta[0] @ z == (every @ theta[0]).max()
        assert (weights @ z <= capacity).all()


def test_one_constraint_needs_no_axis_of_its_own():
    theta = np.random.default_rng(0).random((4, 6))
    weights = np.arange(1, 7)
    flat, nested = (knapsack(w, c, backend="highs").solve(theta) for w, c in ((weights, 9), ([weights], [9])))
    np.testing.assert_array_equal(flat, nested)


def test_a_layer_over_it_has_a_gradient():
    import torch

    layer = imle.SolverLayer("pulp.knapsack", weights=[3, 4, 2, 5], capacity=8, backend="highs")
    theta = torch.rand(4, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    (layer(theta) @ torch.tensor([1.0, -1, 2, 0])).sum().backward()
    assert theta.grad.abs().sum() > 0


def test_an_item_without_weight_is_unbounded_only_where_it_has_a_value():
    solver = knapsack([[0, 2], [0, 1]], 4, upper=None, backend="highs")
    np.testing.assert_array_equal(solver.solve(np.array([[-1.0, 1.0]])), [[0, 2]])
    with pytest.raises(UnboundedError, match="row 1"):
        solver.solve(np.array([[-1.0, 1.0], [1.0, 1.0]]))


def test_a_negative_capacity_of_a_row_is_infeasible():
    solver = knapsack([1, 2], 4, backend="highs")
    with pytest.raises(InfeasibleError, match="row 1"):
        solver.solve(np.ones((2, 2)), instances=[{}, {"capacity": -1}])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weights": [1, -2, 3]}, r"weights must be at least 0; got -2 at 1"),
        (
            {"weights": [[1, 2], [1, np.nan]], "capacity": (1, 1)},
            r"weights must be finite; got nan at \(1, 1\)",
        ),
        ({"weights": [[1, 2], [1]]}, "weights must be numbers, in rows of one length"),
        ({"weights": 3}, "weights must have 1 or 2 axes"),
        ({"weights": []}, "an item and a constraint at least"),
        ({"capacity": -1}, "capacity must be at least 0; got -1"),
        ({"capacity": np.inf}, "capacity must be finite"),
        ({"capacity": (1, 2, 3)}, "one for each of 1 constraints; got 3"),
        ({"upper": 1.5}, r"upper must be whole numbers of copies; got 1\.5"),
        ({"upper": (1, 2)}, "upper must be one number, or one for each of 3 items; got 2"),
        ({"upper": -1}, "upper must be at least 0"),
    ],
)
def test_bad_numbers_are_refused(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        knapsack(**{"weights": [1, 2, 3], "capacity": 4, **parameters})
