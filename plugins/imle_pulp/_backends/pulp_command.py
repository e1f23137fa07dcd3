"""Any solver that PuLP starts as a command, by PuLP's own names; the slow and independent reference."""

from __future__ import annotations

import contextlib
import inspect
import io
import math
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pulp

from imle_core.errors import SolverError

from ._base import Answer, Model, Outcome
from .scipy import Scipy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from imle_pulp._program import Program

FACTOR = 2.0**16
"""What costs are multiplied by: CBC by default looks for solutions that are better by 1e-5 only."""

TRUSTED_LIMITS = ("PULP_CBC_CMD", "COIN_CMD", "CPLEX_CMD", "HiGHS_CMD")
"""Whose solutions PuLP reports as such when time ran out; the others' it calls optimal."""

_OPTIONS = {
    "COIN_CMD": ["increment 1e-9", "randomSeed 1", "randomCbcSeed 1"],
    "PULP_CBC_CMD": ["increment 1e-9", "randomSeed 1", "randomCbcSeed 1"],
}

_ENDS = {
    pulp.constants.LpSolutionOptimal: Outcome.OPTIMAL,
    pulp.constants.LpSolutionIntegerFeasible: Outcome.TIME_LIMIT,
    pulp.constants.LpSolutionInfeasible: Outcome.INFEASIBLE,
    pulp.constants.LpSolutionUnbounded: Outcome.UNBOUNDED,
}


class PulpCommand(Model):
    """A command, started by PuLP on a problem of its own with generated names, in a private folder.

    Args:
        program: What to solve.
        command: PuLP's name of the solver.
    """

    def __init__(self, program: Program, command: str = "PULP_CBC_CMD") -> None:
        self._command = command
        super().__init__(program)

    def _same(self, program: Program) -> PulpCommand:
        return PulpCommand(program, self._command)

    def _load(self, program: Program) -> None:
        self._problem = pulp.LpProblem("imle", pulp.LpMinimize)
        # Before PuLP 3.3 variables were made without a problem.
        add = getattr(self._problem, "add_variable", pulp.LpVariable)
        self._variables = [
            add(f"x{column}", *_finite(lower, upper), pulp.LpInteger if whole else pulp.LpContinuous)
            for column, (lower, upper, whole) in enumerate(
                zip(program.lower.tolist(), program.upper.tolist(), program.integer.tolist(), strict=True)
            )
        ]
        for row, (start, stop) in enumerate(zip(program.starts, program.starts[1:], strict=False)):
            entries = zip(
                program.columns[start:stop].tolist(), program.values[start:stop].tolist(), strict=True
            )
            total = pulp.LpAffineExpression([(self._variables[column], value) for column, value in entries])
            if total:
                low, high = float(program.row_lower[row]), float(program.row_upper[row])
                for number, constraint in enumerate(_constraints(total, low, high)):
                    self._problem += constraint, f"r{row}n{number}"

    def _run(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer:
        costs = zip(self._variables, (cost * FACTOR).tolist(), strict=True)
        self._problem.setObjective(pulp.LpAffineExpression(costs))
        began = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="imle-") as folder, _nothing_left():
                self._problem.solve(_solver(self._command, folder, seconds))
        except (pulp.PulpError, OSError, subprocess.SubprocessError) as error:
            raise SolverError(
                f"{self._command} failed or was killed ({error}); run its command by hand on a small problem."
            ) from error
        late = seconds is not None and time.monotonic() - began >= 0.9 * seconds
        answer = self._read(late)
        if answer.status is Outcome.TIME_LIMIT and seconds is None:
            raise SolverError(
                f"{self._command} ended before it had proved its solution to be the best: it was interrupted."
            )
        return answer if answer.x is None else answer._replace(x=self._precise(answer.x, cost))

    def _read(self, late: bool) -> Answer:
        """Return what the problem now holds; its ``status`` alone calls solutions at the time limit optimal."""
        end = _ENDS.get(self._problem.sol_status)
        if self._problem.status == pulp.LpStatusInfeasible or end in (Outcome.INFEASIBLE, Outcome.UNBOUNDED):
            # Several solvers say infeasible where they mean either, and infeasible problems have values all the same.
            return Answer(Outcome.UNBOUNDED, None)
        if end is None:
            if late:
                return Answer(Outcome.TIME_LIMIT, None)
            raise SolverError(
                f"{self._command} gave no solution and no reason (PuLP's status: "
                f"{pulp.LpStatus[self._problem.status]}): it was killed, or it cannot say that a problem is infeasible."
            )
        if late and self._command not in TRUSTED_LIMITS:
            end = Outcome.TIME_LIMIT
        values = [variable.varValue for variable in self._variables]
        return Answer(end, np.array([0.0 if value is None else value for value in values], np.float64))

    def _precise(self, x: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the continuous columns again beside the integers: CBC writes eight digits of them."""
        whole = self.program.integer
        if whole.all():
            return x
        held = np.rint(x)
        lower, upper = np.where(whole, held, self.program.lower), np.where(whole, held, self.program.upper)
        rest = self.program.with_(lower=lower, upper=upper, integer=np.zeros(len(x), np.bool_))
        precise = Scipy(rest).solve(cost).x
        return x if precise is None else precise


def find(command: str) -> str | None:
    """Return None if PuLP finds the command, else what it looked for."""
    kind = getattr(pulp, command, None)
    if kind is None:  # PuLP 4 has no PULP_CBC_CMD
        return command
    solver = kind(**_accepted(kind, {"_skip_v4_deprecation": True}))
    return None if solver.available() else solver.path


def _accepted(kind: type[pulp.LpSolver], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what the solver's constructor knows of the keywords, and that it is to be silent."""
    known = inspect.signature(kind.__init__).parameters
    return {"msg": False, **{name: value for name, value in wanted.items() if name in known}}


def _finite(lower: float, upper: float) -> tuple[float | None, float | None]:
    return (lower if math.isfinite(lower) else None), (upper if math.isfinite(upper) else None)


def _constraints(total: pulp.LpAffineExpression, low: float, high: float) -> list[pulp.LpConstraint]:
    """Return a row's constraints: PuLP has none with two limits."""
    if low == high:
        return [total == low]
    at_least = [total >= low] if math.isfinite(low) else []
    return [*at_least, total <= high] if math.isfinite(high) else at_least


def _solver(command: str, folder: str, seconds: float | None) -> pulp.LpSolver:
    """Return PuLP's solver: silent, one thread, no gap, all its files in the folder."""
    kind = getattr(pulp, command)
    wanted: dict[str, Any] = {"gapRel": 0.0, "gapAbs": 0.0, "threads": 1, "_skip_v4_deprecation": True}
    if command in ("CPLEX_CMD", "GUROBI_CMD"):  # which would write their logs to the working folder
        wanted["logPath"] = f"{folder}/log"
    if seconds is not None:
        wanted["timeLimit"] = math.ceil(seconds) if command == "GLPK_CMD" else seconds
    solver = kind(options=_OPTIONS.get(command, []), **_accepted(kind, wanted))
    solver.tmpDir = folder
    return solver


@contextlib.contextmanager
def _nothing_left() -> Iterator[None]:
    """Kill the process and close the files that PuLP leaves when an error or an interrupt meets it in its wait."""
    try:
        yield
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None:
            for value in list(trace.tb_frame.f_locals.values()):
                if isinstance(value, subprocess.Popen) and value.poll() is None:
                    value.kill()
                    value.wait()
                elif isinstance(value, io.IOBase) and "pulp" in trace.tb_frame.f_code.co_filename:
                    value.close()
            trace = trace.tb_next
        raise
