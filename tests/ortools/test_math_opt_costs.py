"""ortools.math_opt: costs of all magnitudes, sums of large integers, and what libraries print or keep from Python."""

import ctypes
import itertools
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from imle_ortools import _linear_search
from imle_ortools._linear_objective import parts_of
from ortools.math_opt.python import mathopt

import imle_core as imle
from imle_core.errors import InvalidThetaError, SolverError, SolverParameterError

INTEGER = ("gscip", "highs", "cp_sat")


def math_opt(model, variables, **options):
    return imle.solver("ortools.math_opt", model=model, variables=variables, threads=1, **options)


def open_or_buy():
    model = mathopt.Model()
    x = [model.add_binary_variable(name="open"), model.add_integer_variable(lb=0, ub=1e7, name="buy")]
    model.add_linear_constraint(x[1] + 1e7 * x[0] >= 1e7, name="demand")
    return model, x


def many_and_one():
    model = mathopt.Model()
    x = [model.add_integer_variable(lb=0, ub=1e8, name="many"), model.add_binary_variable(name="one")]
    model.add_linear_constraint(x[0] + x[1] >= 2e7 + 1)
    return model, x


def covering(rng, entries=6):
    """Return an integer programme, and all its solutions."""
    model = mathopt.Model()
    high = rng.integers(1, 4, entries)
    x = [model.add_integer_variable(lb=0, ub=int(most)) for most in high]
    rows = rng.integers(0, 3, (2, entries))
    rows[:, 0] = 1
    for row in rows:
        model.add_linear_constraint(mathopt.fast_sum(int(a) * v for a, v in zip(row, x, strict=True)) >= 2)
    states = np.array(list(itertools.product(*(range(most + 1) for most in high))))
    return model, x, states[(states @ rows.T >= 2).all(1)].astype(float)


def exact_cost(theta, state):
    return sum(
        Fraction(cost) * int(value) for cost, value in zip(theta.tolist(), state.tolist(), strict=True)
    )


@pytest.mark.parametrize("solver_type", INTEGER)
def test_many_small_costs_outweigh_a_large_one(solver_type):
    model, x = open_or_buy()
    solver = math_opt(model, x, solver_type=solver_type)
    assert solver.solve(np.array([[4e6, 1.0], [2e7, 1.0]])).tolist() == [[1, 0], [0, 1e7]]


@pytest.mark.parametrize("solver_type", INTEGER)
def test_small_costs_take_no_unit_of_a_large_sum(solver_type):
    model, x = many_and_one()
    solver = math_opt(model, x, solver_type=solver_type)
    assert solver.solve(np.array([[1.0, 1e-7], [1e20, 1.0]])).tolist() == [[2e7, 1], [2e7, 1]]


@pytest.mark.parametrize("solver_type", INTEGER)
def test_costs_of_all_sizes_keep_a_unit_beside_smaller_ones(solver_type):
    model = mathopt.Model()
    x = [model.add_binary_variable() for _ in range(5)]
    model.add_linear_constraint(x[1] + x[2] >= 1)
    model.add_linear_constraint(x[3] + x[4] >= 1)
    solver = math_opt(model, x, solver_type=solver_type)
    assert solver.solve(np.array([[1e12, 1e8, 1e4, 1.0, 1e-9]])).tolist() == [[0, 0, 1, 0, 1]]


@pytest.mark.parametrize("solver_type", INTEGER)
def test_a_large_sum_never_becomes_worse_for_small_costs(solver_type, monkeypatch):
    model, x = many_and_one()
    monkeypatch.setattr(_linear_search, "_keep", lambda *_: None)  # as if a solver's tolerance had let it
    z = math_opt(model, x, solver_type=solver_type).solve(np.array([[1e20, 1.0]]))
    assert z[0, 0] == 2e7
    monkeypatch.setattr(_linear_search, "without_negligible", lambda *_: None)
    with pytest.raises(InvalidThetaError, match="lose the small ones"):
        math_opt(model, x, solver_type=solver_type).solve(np.array([[1e20, 1.0]]))


@pytest.mark.parametrize("solver_type", ["glop", "gscip", "highs"])
def test_linear_programmes_end_at_a_vertex_whatever_the_costs(solver_type):
    model = mathopt.Model()
    x = [model.add_variable(lb=0) for _ in range(2)]
    model.add_linear_constraint(1e6 * x[0] + x[1] >= 1e6)
    z = math_opt(model, x, solver_type=solver_type).solve(np.array([[1.0, 3e-7], [1.0, 3e-6]]))
    assert z == pytest.approx(np.array([[0, 1e6], [1, 0]]), abs=1e-9)


MAGNITUDES = {
    "wide": lambda rng: rng.standard_normal(6) * 2.0 ** rng.uniform(0, 28, 6),
    "forbidden": lambda rng: np.where(rng.random(6) < 0.5, 1e17, rng.standard_normal(6)),
    "levels": lambda rng: rng.integers(1, 4, 6) * 10.0 ** rng.choice([-9, 0, 9, 18], 6),
    "noise on the forbidden": lambda rng: np.where(rng.random(6) < 0.4, 1e15 + rng.random(6), rng.random(6)),
    "anything": lambda rng: rng.random(6) * 10.0 ** rng.integers(-8, 20, 6),
}


@pytest.mark.parametrize("solver_type", INTEGER)
@pytest.mark.parametrize("magnitudes", MAGNITUDES)
def test_answers_are_exact_or_nearly(solver_type, magnitudes):
    """Not exact, by 1e-9 of the largest cost, are only costs that a sum in floating point would lose as well."""
    rng = np.random.default_rng(2)
    inexact = 0
    for _ in range(15):
        model, x, states = covering(rng)
        theta = MAGNITUDES[magnitudes](rng)
        z = math_opt(model, x, solver_type=solver_type).solve(theta[None])[0]
        assert (states == z).all(1).any()
        above = exact_cost(theta, z) - min(exact_cost(theta, state) for state in states)
        assert above <= 1e-9 * np.abs(theta).max()
        inexact += above > 0
    assert inexact <= (6 if magnitudes in ("noise on the forbidden", "anything") else 0)


@pytest.mark.parametrize("solver_type", ["gscip", "highs", "glop"])
def test_a_forbidding_cost_on_continuous_variables_counts(solver_type):
    model = mathopt.Model()
    x = [model.add_variable(lb=0, ub=1) for _ in range(3)]
    model.add_linear_constraint(x[0] + x[1] + x[2] >= 1.5)
    solver = math_opt(model, x, solver_type=solver_type)
    assert solver.solve(np.array([[1e17, 1.0, 2.0]])) == pytest.approx(np.array([[0, 1, 0.5]]))
    assert solver.solve(np.array([[1e17, 1e17, 1.0]]))[0, :2].sum() == pytest.approx(0.5)


def test_lowered_costs_make_no_row_unbounded():
    model = mathopt.Model()
    x = [model.add_variable(lb=0) for _ in range(2)]
    model.add_linear_constraint(x[1] <= 1e10 * x[0])
    with pytest.raises(InvalidThetaError, match="spread so far"):
        math_opt(model, x, solver_type="glop").solve(np.array([[1e17, -1.0]]))


def test_costs_are_parted_only_where_larger_ones_come_first_for_certain():
    model, x = open_or_buy()
    lowered = math_opt(model, x)._own

    def columns(*costs):
        return [part.columns.tolist() for part in parts_of(lowered, np.array(costs))]

    assert columns(4e6, 1.0) == [[0, 1]]
    assert columns(1.9e7, 1.0) == [[0, 1]]
    assert columns(2.1e7, 1.0) == [[0], [1]]
    assert columns(1e-7, 1.0) == [[1], [0]]
    assert columns(0.0, 0.0) == [[]]


@pytest.mark.parametrize("solver_type", ["gscip", "highs", "cp_sat"])
def test_states_of_integers_are_judged_to_the_unit(solver_type):
    model, x = many_and_one()
    states = np.array([[2e7 - 10, 1], [2e7 - 1, 1], [2e7, 1], [2e7, 0], [1e8, 0], [1e8 + 1, 0]])
    feasible = math_opt(model, x, solver_type=solver_type).is_feasible(states)
    assert feasible.tolist() == [False, False, True, False, True, False]


def test_sums_that_floats_would_round_are_judged_exactly():
    model = mathopt.Model()
    x = [model.add_integer_variable(lb=0, ub=10) for _ in range(2)]
    model.add_linear_constraint(2.0**53 * x[0] + x[1] <= 2.0**53)
    assert math_opt(model, x).is_feasible(np.array([[1.0, 0.0], [1.0, 1.0]])).tolist() == [True, False]


def test_fractions_keep_the_tolerance_of_their_terms():
    model = mathopt.Model()
    x = [model.add_integer_variable(lb=0, ub=10) for _ in range(2)]
    model.add_linear_constraint(0.1 * x[0] + 0.2 * x[1] <= 0.3)  # 0.1 + 0.2 > 0.3 in floats
    assert math_opt(model, x).is_feasible(np.array([[1.0, 1.0], [2.0, 1.0]])).tolist() == [True, False]
    x = [model.add_integer_variable(lb=0, ub=1e12) for _ in range(2)]
    model.add_linear_constraint(1.1 * x[0] + 2.2 * x[1] <= 3.3e11)  # 6e-5 less than the floats' sum
    assert math_opt(model, x).is_feasible(np.array([[1e11, 1e11], [1.1e11, 1e11]])).tolist() == [True, False]


@pytest.mark.parametrize("solver_type", INTEGER)
def test_an_answer_that_breaks_a_constraint_is_an_error(solver_type, monkeypatch):
    model, x = open_or_buy()
    solver = math_opt(model, x, solver_type=solver_type)
    solve = _linear_search.Search._attempt

    def short_by_one(self, *given):
        result = solve(self, *given)
        result.solutions[0].primal_solution.variable_values.values[:] = [0.0, 9999999.0]
        return result

    monkeypatch.setattr(_linear_search.Search, "_attempt", short_by_one)
    with pytest.raises(SolverError, match=r"row 0: .*breaks the constraint 'demand'"):
        solver.solve(np.array([[2e7, 1.0]]))


def test_cp_sat_takes_no_continuous_variable_for_an_integer():
    model = mathopt.Model()
    x = [model.add_binary_variable(name="whole"), model.add_variable(lb=0, ub=1, name="part")]
    with pytest.raises(SolverParameterError, match=r"'part' is continuous; use 'gscip', 'highs'"):
        math_opt(model, x, solver_type="cp_sat")


def test_cp_sat_looks_as_far_as_the_bounds_say():
    model = mathopt.Model()
    x = [model.add_integer_variable(lb=0, ub=1e8) for _ in range(2)]
    model.add_linear_constraint(x[0] + 2 * x[1] <= 9e7)
    solver = math_opt(model, x, sense="max", solver_type="cp_sat")
    assert solver.solve(np.array([[2.0, 3.0]])).tolist() == [[9e7, 0]]


def test_cp_sats_own_bounds_are_not_taken_for_an_optimum():
    model = mathopt.Model()
    x = [model.add_integer_variable(lb=0, name=name) for name in "ab"]
    model.add_linear_constraint(x[0] + 2 * x[1] <= 9e7)
    model.add_linear_constraint(x[0] - x[1] <= 3)
    with pytest.raises(SolverError, match=r"'[ab]' came to this; give it bounds"):
        math_opt(model, x, sense="max", solver_type="cp_sat").solve(np.array([[2.0, 3.0]]))


@pytest.mark.parametrize("what", ["variable", "linear constraint"])
def test_limits_in_the_wrong_order_are_refused(what):
    model = mathopt.Model()
    x = [model.add_variable(lb=0, ub=1, name="x"), model.add_integer_variable(lb=0, ub=9, name="y")]
    row = model.add_linear_constraint(lb=0, ub=1, expr=x[0] + x[1], name="row")
    if what == "variable":
        x[1].lower_bound = 10
    else:
        row.lower_bound = 2
    with pytest.raises(SolverParameterError, match=rf"{what} '(y|row)' has a lower limit of (10|2), above"):
        math_opt(model, x)


def test_parameters_are_told_in_one_readable_line():
    model, x = open_or_buy()
    told = math_opt(model, x, solver_type="cp_sat", parameters={"random_seed": 7}).explain()
    assert told.endswith(
        "parameters: threads: 1, random_seed: 7, relative_gap_tolerance: 0, absolute_gap_tolerance: 0."
    )
    given = mathopt.SolveParameters()
    given.gscip.bool_params["lp/presolving"] = False
    told = math_opt(model, x, parameters=given).explain()
    assert 'gscip { bool_params { key: "lp/presolving" value: false } }' in told
    assert "highs" not in told


@pytest.mark.parametrize("solver_type", ["highs", "gscip"])
def test_nothing_is_printed(solver_type, capfd):
    model = mathopt.Model()
    x = [model.add_binary_variable() for _ in range(6)]
    model.add_linear_constraint(sum((i + 1) * v for i, v in enumerate(x)) <= 8)
    solver = math_opt(model, x, sense="max", solver_type=solver_type)
    solver.solve(np.random.default_rng(0).random((200, 6)))
    ctypes.CDLL(None).fflush(None)
    assert capfd.readouterr() == ("", "")


INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
from ortools.math_opt.python import mathopt
import imle_core as imle

rng = np.random.default_rng(0)
model = mathopt.Model()
x = [model.add_binary_variable() for _ in range(150)]
for row in rng.integers(100, 3000, (15, 150)):
    model.add_linear_constraint(mathopt.fast_sum(int(a) * v for a, v in zip(row, x)) <= int(row.sum()) // 2)
solver = imle.solver("ortools.math_opt", model=model, variables=x, sense="max", solver_type=sys.argv[1], time_limit=8)
theta = rng.integers(100, 3000, (1, 150)).astype(float)
threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    solver.solve(theta)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("solver_type", INTEGER)
def test_ctrl_c_is_heard_during_a_solve(solver_type):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, solver_type],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


@pytest.mark.parametrize("solver_type", ["gscip", "highs", "cp_sat"])
@pytest.mark.parametrize("tiny", [5e-17, 1e-12, -3e-15, 1e-10])
def test_what_is_left_of_a_cost_of_zero_is_no_error(tiny, solver_type):
    model = mathopt.Model()
    x = [model.add_binary_variable() for _ in range(3)]
    model.add_linear_constraint(sum(x) == 2)
    solver = imle.solver("ortools.math_opt", model=model, variables=x, solver_type=solver_type)
    assert solver.solve(np.array([[0.73, 0.41, tiny]])).tolist() == [[0, 1, 1]]
