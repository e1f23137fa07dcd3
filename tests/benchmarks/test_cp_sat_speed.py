"""Models of CP-SAT and MathOpt kept, against models made anew for each row with costs as floats, within one run."""

import numpy as np
import pytest
from ortools.math_opt.python import mathopt
from ortools.sat.python import cp_model
from timing import fastest

import imle_core as imle

ROWS = 16


def assignment_data():
    """Sizes of 8 jobs on 5 machines, and what each machine holds: a generalised assignment."""
    size = np.random.default_rng(1).integers(5, 25, (5, 8))
    return size.tolist(), (size.sum(1) * 3 // 10 + 10).tolist()


def in_cp_sat():
    size, room = assignment_data()
    model = cp_model.CpModel()
    x = [[model.new_bool_var("") for _ in range(8)] for _ in range(5)]
    for job in range(8):
        model.add_exactly_one(x[machine][job] for machine in range(5))
    for machine in range(5):
        model.add(sum(a * v for a, v in zip(size[machine], x[machine], strict=True)) <= room[machine])
    return model, x


def in_math_opt():
    size, room = assignment_data()
    model = mathopt.Model()
    x = [[model.add_binary_variable() for _ in range(8)] for _ in range(5)]
    for job in range(8):
        model.add_linear_constraint(sum(x[machine][job] for machine in range(5)) == 1)
    for machine in range(5):
        model.add_linear_constraint(
            sum(a * v for a, v in zip(size[machine], x[machine], strict=True)) <= room[machine]
        )
    return model, x


def anew_by_cp_sat(costs):
    model, x = in_cp_sat()
    flat = [variable for row in x for variable in row]
    model.minimize(sum(float(c) * v for c, v in zip(costs.ravel(), flat, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    assert solver.solve(model) == cp_model.OPTIMAL
    return [solver.value(v) for v in flat]


def anew_by_math_opt(costs):
    model, x = in_math_opt()
    flat = [variable for row in x for variable in row]
    model.minimize(sum(float(c) * v for c, v in zip(costs.ravel(), flat, strict=True)))
    result = mathopt.solve(model, mathopt.SolverType.GSCIP, params=mathopt.SolveParameters(threads=1))
    return np.round(result.variable_values(flat)).tolist()


@pytest.mark.benchmark
@pytest.mark.parametrize(
    ("name", "make", "anew", "times"),
    [("cp_sat", in_cp_sat, anew_by_cp_sat, 1.5), ("math_opt", in_math_opt, anew_by_math_opt, 0.9)],
)
def test_a_model_that_is_kept_is_faster(name, make, anew, times, report):
    model, x = make()
    solver = imle.solver(f"ortools.{name}", model=model, variables=x, sense="min", threads=1)
    theta = np.random.default_rng(0).random((ROWS, 5, 8))
    by_hand = np.array([anew(costs) for costs in theta])
    assert (solver.solve(theta) * theta).sum((1, 2)) == pytest.approx(
        (by_hand * theta.reshape(ROWS, -1)).sum(1), rel=1e-6
    )
    found = fastest(
        {"kept": lambda: solver.solve(theta), "anew": lambda: [anew(costs) for costs in theta]}, rounds=5
    )
    kept, fresh = (found[way] / ROWS * 1e3 for way in ("kept", "anew"))
    report(f"{name}: {kept:.2f} ms a row, a model made anew {fresh:.2f} ms, {fresh / kept:.1f} times faster")
    assert fresh > times * kept
