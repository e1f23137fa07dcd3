"""Integer programmes: the backends against PuLP's own way, and against a bare loop over HiGHS, within one run."""

from __future__ import annotations

import functools

import highspy
import ilp_cases
import numpy as np
import pytest
from imle_pulp._backends.highs import FACTOR, LEAN
from imle_pulp._lower import lower
from imle_pulp.ilp import ILP
from timing import cpu_seconds, fastest

pytestmark = pytest.mark.benchmark

BATCH, FEW = 320, 40
HEADER = ["programme, batch of 320, one thread", "PuLP and CBC, ms a row", "auto, ms", "times faster"]
HEADER += ["highs, ms", "cp_sat, ms", "bare HiGHS, ms"]

CASES = {
    "set cover, 60 elements, 40 sets": (ilp_cases.set_cover, 6),
    "generalised assignment, 40 variables": (ilp_cases.generalised_assignment, 4),
    "generalised assignment, 100 variables": (
        functools.partial(ilp_cases.generalised_assignment, 5, 20),
        1,
    ),
    "knapsack, 24 items, 2 limits": (ilp_cases.knapsack, 4),
    "knapsack, 48 items, 3 limits": (functools.partial(ilp_cases.knapsack, 48, 3), 1),
}


class BareHighs:
    """A programme in highspy with the settings of our backend, and nothing around it."""

    def __init__(self, problem, variables):
        model = lower(problem, variables)
        program, self.sign = model.program, -1.0 if model.maximise else 1.0
        self.order = np.array([program.names.index(variable.name) for variable in variables])
        self.highs, self.columns = highspy._core._Highs(), np.arange(program.width, dtype=np.int32)
        for name, value in LEAN.items():
            self.highs.setOptionValue(name, value)
        self.highs.passModel(
            program.width,
            program.height,
            len(program.values),
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            np.zeros(program.width),
            program.lower,
            program.upper,
            program.row_lower,
            program.row_upper,
            program.starts,
            program.columns,
            program.values,
            program.integer.astype(np.int32),
        )

    def __call__(self, rows):
        highs, states = self.highs, np.empty_like(rows)
        costs = np.empty_like(rows)
        costs[:, self.order] = self.sign * FACTOR * rows
        for state, cost in zip(states, costs, strict=True):
            highs.clearSolver()
            highs.changeColsCost(len(cost), self.columns, cost)
            highs.run()
            state[:] = highs.getSolution().col_value
        return states[:, self.order]


@pytest.mark.parametrize("case", CASES)
def test_auto_is_faster_than_pulp_and_highs_near_its_bare_loop(case, report, renew):
    build, wanted = CASES[case]
    problem, variables = build()
    theta = ilp_cases.costs(BATCH, len(variables))
    few = theta[:FEW]
    solvers = {name: ILP(problem, variables, backend=name, threads=1) for name in ("auto", "highs", "cp_sat")}
    bare = BareHighs(problem, variables)

    values = ilp_cases.by_pulp(problem, variables, few)
    for solve in (*(solver.solve for solver in solvers.values()), bare):
        np.testing.assert_allclose((solve(few) * few).sum(1), values, rtol=1e-7)

    calls = {"PuLP": lambda: ilp_cases.by_pulp(problem, variables, few), "bare": lambda: bare(few)}
    calls |= {name: functools.partial(solver.solve, few) for name, solver in solvers.items()}
    each = {name: 1e3 * seconds / FEW for name, seconds in fastest(calls, 3, cpu_seconds).items()}
    whole = 1e3 * fastest({"auto": lambda: solvers["auto"].solve(theta)}, 1, cpu_seconds)["auto"] / BATCH
    ratio = each["PuLP"] / each["auto"]
    report(
        f"{case:40s}CBC {each['PuLP']:7.2f}  auto {each['auto']:6.3f} ({whole:.2f} over all)"
        f"  {ratio:5.1f} times  highs {each['highs']:6.2f}"
        f"  cp_sat {each['cp_sat']:6.2f}  bare {each['bare']:6.2f} ms a row"
    )
    numbers = [f"{each[name]:.2f}" for name in ("highs", "cp_sat", "bare")]
    fields = [case, f"{each['PuLP']:.1f}", f"{each['auto']:.3f}", f"{ratio:.1f}", *numbers]
    renew("ilp_speed.csv", HEADER, fields)
    assert each["highs"] <= 1.25 * each["bare"]
    assert ratio >= wanted
