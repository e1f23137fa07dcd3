"""The plugins of PuLP and OR-Tools in one process: several copies of HiGHS must not get in each other's way."""

import subprocess
import sys

import pytest

SOLVE = """
import numpy as np
import imle_core as imle
import pulp
from ortools.math_opt.python import mathopt
from ortools.sat.python import cp_model

theta = np.array([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 1.0]])
best = [[0, 1, 0], [1, 0, 0], [0, 0, 1]]

def by_pulp(backend):
    problem = pulp.LpProblem("one", pulp.LpMinimize)
    x = [pulp.LpVariable(f"x{i}", cat="Binary") for i in range(3)]
    problem += pulp.lpSum(x) == 1
    return imle.solver("pulp.ilp", problem=problem, theta=x, backend=backend)

def by_cp_sat(_):
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in range(3)]
    model.add_exactly_one(x)
    return imle.solver("ortools.cp_sat", model=model, variables=x)

def by_math_opt(solver_type):
    model = mathopt.Model()
    x = [model.add_binary_variable() for _ in range(3)]
    model.add_linear_constraint(sum(x) == 1)
    return imle.solver("ortools.math_opt", model=model, variables=x, solver_type=solver_type)

def by_pulps_own(name):
    problem = pulp.LpProblem("one", pulp.LpMinimize)
    x = [pulp.LpVariable(f"x{i}", cat="Binary") for i in range(3)]
    problem += x[0] + 2 * x[1] + 3 * x[2]
    problem += pulp.lpSum(x) == 1
    problem.solve(pulp.getSolver(name, msg=False))
    assert [v.value() for v in x] == [1, 0, 0], name

WAYS = [(by_pulp, "highs"), (by_pulp, "cbc"), (by_cp_sat, None), (by_math_opt, "highs"), (by_math_opt, "gscip")]
solvers = [make(name) for make, name in WAYS[::STEP]]
for _ in range(2):  # alternating, because state of a library may be changed by another
    for solver in solvers:
        assert solver.solve(theta).tolist() == best, solver.name
    by_pulps_own("HiGHS")
from scipy.optimize import Bounds, LinearConstraint, milp
found = milp(theta[0], constraints=LinearConstraint(np.ones((1, 3)), 1, 1), bounds=Bounds(0, 1), integrality=1)
assert found.x.round().tolist() == best[0]
for solver in solvers:
    assert solver.solve(theta).tolist() == best, solver.name
"""

LIBRARIES = (
    "highspy",
    "pulp",
    "scipy.optimize",
    "ortools.sat.python.cp_model",
    "ortools.math_opt.python.mathopt",
    "imle_pulp.ilp",
    "imle_ortools.cp_sat",
    "imle_ortools.math_opt",
)


@pytest.mark.parametrize(
    ("order", "step"),
    [
        (1, 1),
        (-1, -1),
        pytest.param(1, -1, marks=pytest.mark.slow),
        pytest.param(-1, 1, marks=pytest.mark.slow),
    ],
    ids=["pulp, pulp", "ortools, ortools", "pulp, ortools", "ortools, pulp"],  # imported first, used first
)
def test_both_plugins_solve_in_one_process(order, step):
    imports = "".join(f"import {library}\n" for library in LIBRARIES[::order])
    script = imports + SOLVE.replace("STEP", str(step))
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, f"exit status {ended.returncode}\n{ended.stderr[-2000:]}"
    assert not ended.stdout
