"""``ortools.knapsack`` against all choices of items, in exact arithmetic."""

import itertools
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from exact_values import assert_best, make_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_ortools.knapsack import Knapsack

import imle_core as imle
from imle_core import Status
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
    SolverTimeoutError,
)

ONE = ("auto", "64_items", "dynamic_programming", "divide_and_conquer", "branch_and_bound")
SEVERAL = ("auto", "branch_and_bound", "cp_sat")


def all_choices(weights, capacities):
    """Try every choice; real numbers are the decimals that they are written as."""
    rows = [[Fraction(str(weight)) for weight in row] for row in np.atleast_2d(weights).tolist()]
    limits = [Fraction(str(limit)) for limit in np.ravel(capacities).tolist()]
    found = [
        choice
        for choice in itertools.product((0, 1), repeat=len(rows[0]))
        if all(sum(itertools.compress(row, choice)) <= limit for row, limit in zip(rows, limits, strict=True))
    ]
    return np.array(found, float)


def make_case(rng, trial):
    items, dimensions = int(rng.integers(1, 9)), int(rng.integers(1, 4))
    weights = rng.integers(0, 9, (dimensions, items))
    if trial % 2:
        weights = np.round(rng.random((dimensions, items)) * 10, int(rng.integers(1, 4)))
    capacities = np.round(weights.sum(1) * rng.uniform(0, 0.9, dimensions), 1)
    return weights, capacities, str(rng.choice(ONE if dimensions == 1 else SEVERAL))


def test_1000_small_cases_of_every_scale_and_range_are_solved_to_the_last_bit_that_counts():
    rng = np.random.default_rng(0)
    for trial in range(1000):
        weights, capacities, method = make_case(rng, trial)
        solver = Knapsack(weights=weights, capacities=capacities, method=method, threads=1)
        theta = make_rows(rng, (2, weights.shape[1]))
        z = solver.solve(theta, validate="full")
        choices = all_choices(weights, capacities)
        assert_best(z, theta, choices, "max")
        assert not (z[theta <= 0]).any()
        if trial % 10 == 0:
            np.testing.assert_array_equal(np.unique(solver.enumerate_support(), axis=0), choices)


@pytest.mark.parametrize("method", ["64_items", "divide_and_conquer", "branch_and_bound", "cp_sat"])
def test_the_methods_agree_on_larger_knapsacks(method):
    rng = np.random.default_rng(1)
    weights = rng.integers(1, 60, 40)
    theta = rng.random((6, 40)).astype(np.float32)
    reference = Knapsack(weights=weights, capacities=300, method="dynamic_programming").solve(theta)
    z = Knapsack(weights=weights, capacities=300, method=method).solve(theta, validate="full")
    np.testing.assert_array_equal(z, reference)


@pytest.mark.parametrize("method", ["auto", "branch_and_bound", "cp_sat"])
def test_values_far_apart_all_count(method):
    solver = Knapsack(weights=[[2, 2, 2, 1, 1]] * 2, capacities=[4, 4], method=method)
    values = np.array(
        [
            [1e17, 1.0, 2.0, 3.0, 4.0],
            [1e30, 1e17, 9e16, 1.0, 2.0],
            [3e-30, 1e-30, 2e-30, 0.0, 0.0],
            [1e300, 1.1, 2.1, 3.1, 4.1],
        ]
    )
    best = [[1, 0, 0, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, 0, 1, 1]]
    np.testing.assert_array_equal(solver.solve(values), best)


def test_a_huge_value_that_cannot_be_had_is_of_no_consequence():
    solver = Knapsack(weights=[9, 2, 2, 2], capacities=4)
    np.testing.assert_array_equal(solver.solve(np.array([[1e30, 1.0, 2.0, 3.0]])), [[0, 0, 1, 1]])


def test_real_weights_are_the_decimals_that_they_are_written_as():
    assert 0.1 + 0.1 + 0.1 > 0.3
    theta = np.ones((1, 3))
    for weights in ([0.1] * 3, np.full(3, 0.1, np.float32), [Decimal("0.1")] * 3, [Fraction(1, 10)] * 3):
        solver = Knapsack(weights=weights, capacities=0.3)
        np.testing.assert_array_equal(solver.solve(theta, validate="full"), [[1, 1, 1]])
    thirds = Knapsack(weights=[Fraction(1, 3)] * 3, capacities=[Fraction(2, 3)])
    assert thirds.solve(theta).sum() == 2
    assert Knapsack(weights=[1e-300, 2e-300, 2e-300], capacities=3e-300).solve(theta).sum() == 2
    assert Knapsack(weights=[1e300, 2.0, 3.0], capacities=float("inf")).solve(theta).sum() == 3


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_more_room_is_never_worse_and_items_of_no_value_change_nothing(seed):
    rng = np.random.default_rng(seed)
    weights, theta = rng.integers(1, 20, (2, 10)), rng.random((1, 10))
    small, large = (Knapsack(weights=weights, capacities=[room, 40]) for room in (30, 45))
    assert (large.solve(theta) * theta).sum() >= (small.solve(theta) * theta).sum()
    more = Knapsack(weights=np.pad(weights, ((0, 0), (0, 2)), constant_values=1), capacities=[30, 40])
    z = more.solve(np.pad(theta, ((0, 0), (0, 2)), constant_values=-1.0))
    np.testing.assert_array_equal(z, np.pad(small.solve(theta), ((0, 0), (0, 2))))


def test_rows_may_have_different_capacities_and_weights():
    solver = Knapsack(items=3, capacities=[4])
    instances = [
        {"weights": (1, 2, 3)},
        {"weights": (1, 2, 3), "capacities": (0,)},
        {"weights": ((1, 2, 3), (5, 5, 5)), "capacities": (6, 10)},
    ]
    z = solver.solve(np.tile([1.0, 2.0, 2.5], (3, 1)), instances=instances, validate="full")
    np.testing.assert_array_equal(z, [[1, 0, 1], [0, 0, 0], [0, 1, 1]])
    assert solver.decode(z, instances=instances) == [[0, 2], [], [1, 2]]
    np.testing.assert_array_equal(solver.encode([2, 0], instance=instances[0]), z[0])


def hard_case():
    """Weights and values that are strongly correlated: branch and bound takes for ever."""
    rng = np.random.default_rng(2)
    weights = rng.integers(1, 1001, (2, 60))
    return weights, (weights.sum(0)[None] / 1000 + 0.1 + 1e-3 * rng.random((2, 60)))


@pytest.mark.parametrize("method", ["branch_and_bound", "cp_sat"])
def test_a_time_limit_ends_the_search_with_what_was_found(method):
    weights, theta = hard_case()
    given = {"weights": weights, "capacities": weights.sum(1) // 2, "method": method, "time_limit": 0.05}
    solver = Knapsack(**given)
    with imle.Outcomes() as outcomes:
        z = solver.solve(theta, validate="full")
    assert outcomes.statuses.tolist() == [Status.TIME_LIMIT] * 2
    assert outcomes.objectives == pytest.approx((z * theta).sum(1))
    assert (z.sum(1) > 10).all()
    with pytest.raises(SolverTimeoutError, match="row 0: the search ended at its time limit"):
        Knapsack(**given, on_timeout="error").solve(theta)


def test_what_is_proven_in_time_is_told_to_be_optimal():
    solver = Knapsack(weights=[1, 2], capacities=2, time_limit=10.0)
    with imle.Outcomes() as outcomes:
        solver.solve(np.array([[1.0, 3.0], [0.0, -1.0]]))
    assert outcomes.statuses.tolist() == [Status.OPTIMAL] * 2
    assert outcomes.objectives.tolist() == [3.0, 0.0]
    assert outcomes.gaps.tolist() == [0.0, 0.0]


def test_cp_sat_without_time_for_anything_packs_the_items_of_most_value_for_their_weight():
    solver = Knapsack(weights=[[5, 4, 3, 1]] * 2, capacities=[8, 8], method="cp_sat", time_limit=1e-9)
    with imle.Outcomes() as outcomes:
        z = solver.solve(np.array([[10.0, 9.0, 3.0, 2.0]]), validate="full")
    np.testing.assert_array_equal(z, [[0, 1, 1, 1]])
    assert outcomes.statuses.tolist() == [Status.TIME_LIMIT]


def test_a_hint_changes_no_optimum():
    rng = np.random.default_rng(3)
    weights, theta = rng.integers(1, 20, (3, 30)), rng.random((3, 30))
    solver = Knapsack(weights=weights, capacities=weights.sum(1) // 2, threads=2)
    best = solver.solve(theta)
    raw = type(solver).solve.__wrapped__
    for hint in (best, best[::-1].copy(), np.full_like(best, np.nan)):
        np.testing.assert_array_equal(raw(solver, theta, hint=hint), best)


def test_auto_takes_the_method_that_was_measured_to_be_best():
    rng = np.random.default_rng(4)
    methods = {
        "64_items": Knapsack(weights=rng.integers(1, 1000, 64), capacities=10_000),
        "divide_and_conquer": Knapsack(weights=rng.integers(1, 1000, 65), capacities=10_000),
        "branch_and_bound": Knapsack(weights=rng.integers(1, 9, (2, 15)), capacities=[20, 20]),
        "CP-SAT": Knapsack(weights=rng.integers(1, 9, (2, 16)), capacities=[20, 20]),
    }
    for name, solver in methods.items():
        assert name in solver.explain()
        assert name in pickle.loads(pickle.dumps(solver)).explain()
    assert "CP-SAT" in Knapsack(weights=rng.integers(1, 10**7, 80), capacities=10**8).explain()
    assert "each row brings" in Knapsack(weights=[1, 2]).explain()


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"capacities": -1}, "the capacity of dimension 0 is -1; it must be a finite number of at least 0"),
        ({"capacities": float("nan")}, "the capacity of dimension 0 is nan"),
        ({"capacities": [1, 2]}, r"got shapes \(1, 3\) and \(2,\)"),
        ({"weights": [1, -2, 3]}, "the weight of item 1 of dimension 0 is"),
        ({"weights": [1, float("inf"), 3]}, "the weight of item 1"),
        ({"weights": ["a", "b", "c"]}, "weights must be an array of numbers"),
        ({"weights": [[1, 2], [3]]}, "weights must be an array of numbers"),
        ({"weights": [1, 2, 3], "items": 4}, "items must be the number of items"),
        ({"weights": None}, "items must be the number of items"),
        ({"weights": [0.1, 1 / 3, 2e-19], "capacities": 1.0}, "too many digits"),
        (
            {"weights": [[1, 2, 3], [1, 1, 1]], "capacities": [3, 2], "method": "64_items"},
            "is for one dimension",
        ),
        (
            {"weights": [1, 2.5e9, 3e9], "capacities": 4e9, "method": "dynamic_programming"},
            "as long as the capacity",
        ),
        ({"weights": [1] * 65, "capacities": 9, "method": "64_items"}, "for up to 64 items; got 65"),
        ({"method": "magic"}, "method"),
        ({"time_limit": 0.0}, "time_limit"),
        ({"threads": 0}, "threads"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters, match):
    with pytest.raises(SolverParameterError, match=match):
        imle.solver("ortools.knapsack", **{"weights": [1, 2, 3], "capacities": 4, **parameters})


def test_instances_and_theta_that_make_no_sense_are_refused():
    solver = Knapsack(weights=[1, 2, 3])
    with pytest.raises(InvalidInstanceError, match="no capacities: give it to the constructor"):
        solver.solve(np.ones((1, 3)))
    with pytest.raises(InvalidInstanceError, match="row 1: the capacity of dimension 0 is -1"):
        solver.solve(np.ones((2, 3)), instances=[{"capacities": 1}, {"capacities": -1}])
    with pytest.raises(InvalidInstanceError, match="row 0: weights are of 2 items; the solver has 3"):
        solver.solve(np.ones((1, 3)), instances=[{"capacities": 1, "weights": (1, 2)}])
    one = Knapsack(weights=[1], capacities=1)
    np.testing.assert_array_equal(one.solve(np.array([[1e300], [-1e300]])), [[1], [0]])
    with pytest.raises(InvalidThetaError, match="non-finite"):
        one.solve(np.array([[np.nan]]))


def test_structures_that_do_not_fit_are_refused():
    solver = Knapsack(weights=[1, 2, 3], capacities=4)
    for items in ([3], [-1], "ab", [0.5]):
        with pytest.raises(InvalidSolutionError):
            solver.encode(items)
    for items in ([1, 2], [0, 0]):
        with pytest.raises(InvalidSolutionError, match="no choice of items that fit"):
            solver.encode(items)
    with pytest.raises(InvalidSolutionError, match="no choice of items that fit"):
        solver.decode(np.array([0.0, 1.0, 1.0]))


def test_a_long_list_is_not_made():
    with pytest.raises(MissingCapabilityError, match="too many to be listed"):
        Knapsack(weights=[1] * 30, capacities=15).enumerate_support()
