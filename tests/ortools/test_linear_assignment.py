"""``ortools.linear_assignment`` against all assignments, in exact arithmetic."""

import itertools

import numpy as np
import pytest
from exact_values import assert_best, make_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_ortools.linear_assignment import LinearAssignment

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
)


def all_assignments(allowed):
    n, m = allowed.shape
    found = []
    if n <= m:
        chosen = ([(i, j) for i, j in enumerate(way)] for way in itertools.permutations(range(m), n))
    else:
        chosen = ([(i, j) for j, i in enumerate(way)] for way in itertools.permutations(range(n), m))
    for pairs in chosen:
        z = np.zeros((n, m))
        z[tuple(np.array(pairs).T)] = 1
        if not (z[~allowed]).any():
            found.append(z)
    return np.array(found).reshape(-1, n, m)


def make_case(rng, trial):
    n, m = rng.integers(1, 5, 2) if trial % 3 else (rng.integers(1, 3), rng.integers(4, 7))
    shape = (int(n), int(m)) if trial % 2 else (int(m), int(n))
    forbidden = rng.random(shape) < rng.choice([0, 0.2, 0.4])
    return shape, forbidden, str(rng.choice(["min", "max"]))


def test_1000_small_cases_of_every_scale_and_range_are_solved_to_the_last_bit_that_counts():
    rng = np.random.default_rng(0)
    impossible = 0
    for trial in range(1000):
        shape, forbidden, sense = make_case(rng, trial)
        solver = LinearAssignment(shape=shape, forbidden=forbidden, sense=sense)
        theta = make_rows(rng, (2, *shape))
        structures = all_assignments(~forbidden)
        if len(structures):
            assert_best(solver.solve(theta, validate="full"), theta, structures, sense)
        else:
            impossible += 1
            with pytest.raises(InfeasibleError, match=r"row 0: there is no assignment"):
                solver.solve(theta)
    assert 20 < impossible < 300


def test_what_ortools_takes_for_infeasible_is_solved():
    # SimpleLinearSumAssignment of OR-Tools 9.15 says INFEASIBLE to these, bare.
    rng = np.random.default_rng(1)
    for forbidden in ([], [(1, 0)], [(0, 1)]):
        solver = LinearAssignment(shape=(2, 2), forbidden=forbidden)
        theta = rng.standard_normal((2000, 2, 2))
        structures = all_assignments(solver.prepare({}).allowed)
        assert_best(solver.solve(theta)[:20], theta[:20], structures, "min")


def test_pairs_that_huge_costs_forbid_do_not_hide_the_small_ones():
    costs = np.full((1, 3, 3), 1e17)
    costs[0, 0] = [1.0, 2.0, 1e17]
    costs[0, 1] = [3.0, 1.0, 1e17]  # row 2 has no way but a forbidden one
    z = LinearAssignment(shape=(3, 3)).solve(costs)
    np.testing.assert_array_equal(z[0], np.eye(3))
    costs[0, 0, 0] = 5.0
    z = LinearAssignment(shape=(3, 3)).solve(costs)
    np.testing.assert_array_equal(z[0].argmax(1), [1, 0, 2])


@pytest.mark.parametrize("shape", [(30, 30), (12, 40), (60, 15)])
def test_larger_matrices_agree_with_scipy(shape):
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(2)
    theta = rng.standard_normal((4, *shape))
    theta[1] = np.where(rng.random(shape) < 0.2, 1e12, theta[1])
    z = LinearAssignment(shape=shape).solve(theta, validate="full")
    for state, row in zip(z, theta, strict=True):
        found = row[optimize.linear_sum_assignment(row)].sum()
        assert (state * row).sum() == pytest.approx(found, rel=1e-12)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_constant_in_a_row_of_the_smaller_side_changes_nothing(n, m, seed):
    rng = np.random.default_rng(seed)
    theta = rng.integers(-64, 64, (1, n, m)) + rng.random((1, n, m))
    axis = 0 if n <= m else 1
    moved = theta + np.expand_dims(rng.integers(-64, 64, (1, (n, m)[axis])).astype(float), 2 - axis)
    solver = LinearAssignment(shape=(n, m))
    np.testing.assert_array_equal(solver.solve(theta), solver.solve(moved))


def test_rows_may_forbid_different_pairs():
    solver = LinearAssignment(shape=(2, 2), forbidden=[(0, 1)])
    theta = np.tile([[1.0, 0.0], [0.0, 1.0]], (3, 1, 1))
    mask = np.array([[True, False], [False, False]])
    instances = [{}, {"forbidden": ()}, {"forbidden": mask}]
    z = solver.solve(theta, instances=instances, validate="full")
    assert z[:, 0, 1].tolist() == [0, 1, 1]
    assert solver.decode(z, instances=instances) == [[(0, 0), (1, 1)], [(0, 1), (1, 0)], [(0, 1), (1, 0)]]


def test_who_has_too_few_partners_is_named_with_the_row():
    solver = LinearAssignment(shape=(3, 3))
    instances = [{}, {"forbidden": ((0, 0), (0, 1), (2, 0), (2, 1))}]
    with pytest.raises(InfeasibleError, match=r"row 1: .*rows 0, 2 may be paired with columns 2 only"):
        solver.solve(np.zeros((2, 3, 3)), instances=instances)
    tall = LinearAssignment(shape=(3, 1), forbidden=np.ones((3, 1), bool))
    with pytest.raises(InfeasibleError, match=r"columns 0 may be paired with none of the rows"):
        tall.solve(np.zeros((1, 3, 1)))


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"shape": (2, 0)}, r"shape must be two integers of at least 1"),
        ({"shape": (2, 2, 2)}, r"shape must be two integers"),
        ({"shape": 3}, r"'shape' must be Sequence"),
        ({"shape": (2, 2), "sense": "mim"}, r"'sense'"),
        ({"shape": (2, 2), "forbidden": [(0, 2)]}, r"pair \(0, 2\), which is not in a matrix"),
        ({"shape": (2, 2), "forbidden": [(0, -1)]}, r"pair \(0, -1\), which is not in a matrix"),
        ({"shape": (2, 2), "forbidden": [0.5]}, r"forbidden must be pairs"),
        ({"shape": (2, 2), "forbidden": [(0, 1), (1,)]}, r"forbidden must be pairs"),
        ({"shape": (2, 3), "forbidden": np.zeros((3, 2), bool)}, r"booleans of shape \(2, 3\)"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters, match):
    with pytest.raises(SolverParameterError, match=match):
        imle.solver("ortools.linear_assignment", **parameters)


def test_instances_and_theta_that_make_no_sense_are_refused():
    solver = LinearAssignment(shape=(2, 2))
    with pytest.raises(
        InvalidInstanceError, match=r"row 0: unknown key 'forbiden'.*Did you mean 'forbidden'"
    ):
        solver.solve(np.zeros((1, 2, 2)), instances=[{"forbiden": ()}])
    with pytest.raises(InvalidInstanceError, match=r"pair \(5, 5\)"):
        solver.solve(np.zeros((1, 2, 2)), instances=[{"forbidden": ((5, 5),)}])
    with pytest.raises(InvalidThetaError, match="non-finite"):
        solver.solve(np.full((1, 2, 2), np.nan))
    one = LinearAssignment(shape=(1, 1))
    np.testing.assert_array_equal(one.solve(np.full((1, 1, 1), 1e300)), [[[1.0]]])


def test_structures_that_are_no_assignments_are_refused():
    solver = LinearAssignment(shape=(2, 3), forbidden=[(0, 0)])
    for pairs in (
        [(0, 1)],
        [(0, 1), (1, 1)],
        [(0, 0), (1, 1)],
        [(0, 1), (5, 2)],
        [(0, -1), (1, 0)],
        "ab",
        [(0, 1), (0, 1), (1, 2)],
    ):
        with pytest.raises(InvalidSolutionError, match="assignment"):
            solver.encode(pairs)
    with pytest.raises(InvalidSolutionError, match="no assignment"):
        solver.decode(np.ones((2, 3)))
    assert solver.decode(solver.encode([(1, 0), (0, 2)])) == [(0, 2), (1, 0)]


def test_a_long_list_is_not_made_and_explain_says_what_is_faster():
    solver = LinearAssignment(shape=(12, 12))
    with pytest.raises(MissingCapabilityError, match=r"479,001,600 assignments are too many"):
        solver.enumerate_support()
    assert "networkx.assignment" in solver.explain()
