"""Continuous columns that an equality defines are taken out, and found again in the answer."""

from __future__ import annotations

import numpy as np
import pytest
from backend_cases import by_enumeration, make_program, random_case, scaled
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_pulp._backends import Outcome, can_solve, make, relaxation
from imle_pulp._backends._substitute import Substituted, reduce, reduced

INF = np.inf


def defining(low=-INF, high=INF, right=1.0):
    """Return three binaries of which at most two are chosen, and y with 2 y + 3 a - 4 b + c = right."""
    return make_program(
        [[1, 1, 1, 0], [3, -4, 1, 2]],
        [-INF, right],
        [2, right],
        [0, 0, 0, low],
        [1, 1, 1, high],
        [1, 1, 1, 0],
    )


def test_a_free_column_goes_with_its_row():
    left = reduced(defining())
    assert (left.width, left.height) == (3, 1)
    assert left.row_names == ("row 0",)
    assert left.integer.all()


def test_bounds_of_the_column_become_limits_of_its_row():
    left = reduced(defining(low=-1, high=INF, right=1.0))  # 3 a - 4 b + c = 1 - 2 y <= 3
    np.testing.assert_array_equal(left.row_upper, [2, 3])
    np.testing.assert_array_equal(left.row_lower, [-INF, -INF])


@pytest.mark.parametrize("bounds", [(-INF, INF), (-1, INF), (-INF, 1), (0, 1)])
@pytest.mark.parametrize("backend", ["highs", "cp_sat", "scipy"])
def test_the_answer_has_the_column_again(backend, bounds):
    program = defining(*bounds)
    assert can_solve(backend, program) is None
    for cost in ([0, 0, 0, 0.75], [0, 0, 0, -0.75], [0.5, -0.25, 0.125, 0.75], [0, 0, 0, 0]):
        status, value = by_enumeration(program, np.array(cost))
        answer = make(backend, program).solve(np.array(cost))
        assert answer.status is status is Outcome.OPTIMAL
        assert np.array(cost) @ answer.x == pytest.approx(value)
        assert answer.bound == pytest.approx(value)
        a, b, c, y = answer.x
        assert 2 * y + 3 * a - 4 * b + c == pytest.approx(1)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1))
def test_random_programmes_with_a_defined_column_are_solved_as_by_enumeration(seed):
    rng = np.random.default_rng(seed)
    program, _ = random_case(rng, mixed=False)
    weights, bound = rng.integers(-3, 4, program.width), rng.integers(0, 4)
    matrix = np.zeros((program.height + 1, program.width + 1))
    row_of = np.repeat(np.arange(program.height), np.diff(program.starts))
    matrix[row_of, program.columns] = program.values
    matrix[-1] = [*weights, rng.choice([-1, 2, 0.5])]
    whole = make_program(
        matrix, [*program.row_lower, 1], [*program.row_upper, 1],
        [*program.lower, rng.choice([-INF, -bound])], [*program.upper, rng.choice([INF, bound])],
        [*program.integer, False],
    )  # fmt: skip
    cost = scaled(rng.integers(-5, 6, whole.width).astype(float))
    reduction = reduce(whole)
    assert reduction is not None
    assert reduction.defined.tolist() == [program.width]
    status, value = by_enumeration(whole, cost)
    for backend in ("highs", "cp_sat"):
        answer = make(backend, whole).solve(cost)
        assert answer.status is status
        if value is not None:
            assert cost @ answer.x == pytest.approx(value, abs=1e-7)
            assert (answer.x >= whole.lower).all()
            assert (answer.x <= whole.upper).all()


@pytest.mark.parametrize(
    "program",
    [
        make_program([[1, 1]], [1], [2], [0, 0], [1, 1], [1, 0]),  # a range
        make_program([[1, 1]], [1], [1], [0, 0], [1, 1], [1, 1]),  # an integer
        make_program([[1, 1], [1, 1]], [1, 0], [1, 1], [0, 0], [1, 1], [1, 0]),  # used twice
        make_program([[1e4, 1]], [1], [1], [0, 0], [1, 1], [1, 0]),  # a small coefficient
    ],
)
def test_other_columns_stay(program):
    assert reduce(program) is None
    assert reduced(program) is program


def test_of_two_columns_in_one_row_one_is_taken_out():
    program = make_program([[1, 1, 1]], [1], [1], [0, 0, 0], [1, 1, 1], [1, 0, 0])
    assert reduce(program).defined.tolist() == [1]
    assert reduced(program).width == 2


@pytest.mark.parametrize("backend", ["highs", "cp_sat", "relaxation"])
def test_another_instance_is_solved_as_by_a_new_model(backend):
    def new(program):
        return relaxation(program) if backend == "relaxation" else make(backend, program)

    cost = np.array([0.25, 0.125, -0.25, 0.75])
    model = new(defining())
    for program in (defining(right=3.0), defining(low=-1, high=0.5), defining(), defining(low=0)):
        model.change(program)
        answer, expected = model.solve(cost), new(program).solve(cost)
        np.testing.assert_allclose(answer.x, expected.x)
        assert answer.bound == pytest.approx(expected.bound)


def test_a_start_is_given_on():
    program = defining()
    seen = []

    class Spy:
        def __init__(self, program):
            self.model = make("highs", program)

        def solve(self, cost, *, start, seconds):
            seen.append(start)
            return self.model.solve(cost, start=start, seconds=seconds)

    Substituted(Spy, program).solve(np.array([0, 0, 0, 0.5]), start=np.array([1.0, 0, 0, -1]))
    np.testing.assert_array_equal(seen, [[1, 0, 0]])


def test_a_model_is_made_anew_only_for_other_rows():
    made = []

    class Spy:
        def __init__(self, program):
            made.append((program.width, program.height))

        def change(self, program):
            assert (program.width, program.height) == made[-1]

    plain = make_program([[1, 1]], [1], [2], [0, 0], [1, 1], [1, 1])
    model = Substituted(Spy, defining())
    for program in (defining(right=3.0), defining(low=-1), defining(low=0, right=3.0), plain, plain.with_()):
        model.change(program)
    assert made == [(3, 1), (3, 2), (2, 1)]
