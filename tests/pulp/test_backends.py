"""The backends of the integer programmes: every one against enumeration."""

from __future__ import annotations

import numpy as np
import pytest
from backend_cases import by_enumeration, by_linprog, dense, random_case
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_pulp._backends import Outcome, can_solve, make, relaxation
from imle_pulp._backends._clean import contradicts_itself

IN_PROCESS = ["highs", "scipy", "cp_sat"]

seeds = st.integers(0, 2**32 - 1)
many = settings(deadline=None, derandomize=True, database=None)


def assert_solved(backend, program, cost):
    status, value = by_enumeration(program, cost)
    answer = make(backend, program).solve(cost)
    assert answer.status is status
    if value is None:
        assert answer.x is None
        return
    assert answer.bound == pytest.approx(value, abs=1e-9)
    assert cost @ answer.x == pytest.approx(value, abs=1e-9)
    assert_feasible(program, answer.x)


def assert_feasible(program, x):
    whole = x[program.integer]
    np.testing.assert_array_equal(whole, np.rint(whole))
    assert ((x >= program.lower) & (x <= program.upper)).all()
    activity = dense(program) @ x
    assert (activity >= program.row_lower - 1e-6).all()
    assert (activity <= program.row_upper + 1e-6).all()


@settings(many, max_examples=1500)
@given(seeds)
def test_programmes_of_integers_are_solved_as_by_enumeration(seed):
    program, cost = random_case(np.random.default_rng(seed), mixed=False)
    for backend in ("highs", "cp_sat", *["scipy"] * (seed % 20 == 0)):  # SciPy's takes 30 ms
        assert_solved(backend, program, cost)


@settings(many, max_examples=500)
@given(seeds)
def test_mixed_programmes_are_solved_as_by_enumeration(seed):
    program, cost = random_case(np.random.default_rng(seed), mixed=True)
    for backend in ("highs", *["scipy"] * (seed % 20 == 0)):
        assert_solved(backend, program, cost)


@settings(many, max_examples=50)
@given(seeds, st.booleans())
def test_cbc_solves_as_enumeration(seed, mixed):
    assert_solved("cbc", *random_case(np.random.default_rng(seed), mixed=mixed))


@pytest.mark.parametrize(("backend", "library"), [("gurobi", "gurobipy"), ("scip", "pyscipopt")])
def test_libraries_that_may_be_installed_solve_as_enumeration(backend, library):
    pytest.importorskip(library)
    for seed in range(500):
        assert_solved(backend, *random_case(np.random.default_rng(seed), mixed=seed % 2 == 0))


@settings(many, max_examples=500)
@given(seeds)
def test_relaxations_are_solved_at_vertices(seed):
    program, cost = random_case(np.random.default_rng(seed), mixed=True)
    answer = relaxation(program).solve(cost)
    if contradicts_itself(program):
        assert answer.status is Outcome.INFEASIBLE
        return
    matrix, limits = dense(program), (program.row_lower, program.row_upper)
    lower = np.where(program.integer, np.ceil(program.lower), program.lower)
    upper = np.where(program.integer, np.floor(program.upper), program.upper)
    status, value = (
        by_linprog(cost, matrix, *limits, lower, upper) if (lower <= upper).all() else (None, None)
    )
    assert answer.status is (status or Outcome.INFEASIBLE)
    if value is not None:
        assert cost @ answer.x == pytest.approx(value, abs=1e-9)
        assert answer.bound == pytest.approx(value, abs=1e-9)
        assert_vertex(matrix, limits, (lower, upper), answer.x)


def assert_vertex(matrix, limits, bounds, x):
    """A point is a vertex if what is tight there leaves it no direction; a free column may rest at zero."""
    rows = np.vstack([matrix, np.eye(len(x))])
    low, high = (np.concatenate(pair) for pair in zip(limits, bounds, strict=True))
    tight = np.isclose(rows @ x, low, atol=1e-7) | np.isclose(rows @ x, high, atol=1e-7)
    tight[len(matrix) :] |= np.isinf(bounds[0]) & np.isinf(bounds[1]) & (x == 0)
    assert np.linalg.matrix_rank(rows[tight]) == len(x)


def test_relaxations_have_no_integers():
    program, _ = random_case(np.random.default_rng(2), mixed=False)
    width = program.width
    half = program.with_(lower=np.zeros(width), upper=np.ones(width), row_lower=program.row_lower - 9)
    half = half.with_(values=np.ones(len(half.values)), row_upper=np.full(program.height, 0.5))
    x = relaxation(half).solve(np.full(width, -0.5)).x
    assert x[half.columns].sum() == pytest.approx(0.5)


@pytest.mark.parametrize("backend", [*IN_PROCESS, "cbc"])
def test_another_instance_is_solved_as_by_a_new_model(backend):
    rng = np.random.default_rng(5)
    program, cost = next(
        case for case in (random_case(rng, mixed=False) for _ in range(99)) if case[0].height == 3
    )
    model = make(backend, program)
    for change in range(12 if backend != "cbc" else 4):
        other = program.with_(upper=program.upper + rng.integers(0, 3, program.width))
        if change % 2:
            other = other.with_(row_upper=program.row_upper + 1.0)
        if change % 3 == 0:
            other = other.with_(values=program.values * rng.integers(1, 3, len(program.values)))
        model.change(other)
        answer, expected = model.solve(cost), make(backend, other).solve(cost)
        assert answer.status is expected.status
        np.testing.assert_array_equal(answer.x, expected.x)
        assert by_enumeration(other, cost)[0] is answer.status


@pytest.mark.parametrize("backend", [*IN_PROCESS, "cbc"])
def test_contradictions_are_infeasible_and_go_with_another_instance(backend):
    program, cost = random_case(np.random.default_rng(3), mixed=False)
    model = make(backend, program)
    first = model.solve(cost)
    model.change(program.with_(upper=program.lower - 1))
    assert model.solve(cost).status is Outcome.INFEASIBLE
    model.change(program)
    np.testing.assert_array_equal(model.solve(cost).x, first.x)


def test_cp_sat_takes_no_instance_with_other_than_integers():
    program, _ = random_case(np.random.default_rng(5), mixed=False)
    model = make("cp_sat", program)
    wide = program.with_(upper=np.full(program.width, np.inf))
    assert "has no finite bounds" in can_solve("cp_sat", wide)
    with pytest.raises(ValueError, match=r"has no finite bounds.*backend='highs'"):
        model.change(wide)
