"""SCIP in this process, through pyscipopt, where it is installed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyscipopt

from imle_core.errors import SolverError

from ._base import Answer, Model, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

FACTOR = 2.0**13
"""What costs are multiplied by: SCIP takes costs for equal that differ by an absolute 1e-9."""

LEAN: dict[str, Any] = {
    "limits/gap": 0.0,
    "limits/absgap": 0.0,
    "presolving/maxrounds": 0,
    "misc/usesymmetry": 0,
    "misc/catchctrlc": False,  # it would swallow the interrupt
    "numerics/feastol": 1e-9,
    "numerics/dualfeastol": 1e-9,
}

_ENDS = {
    "optimal": Outcome.OPTIMAL,
    "infeasible": Outcome.INFEASIBLE,
    "unbounded": Outcome.UNBOUNDED,
    "inforunbd": Outcome.UNBOUNDED,
    "timelimit": Outcome.TIME_LIMIT,
}


class Scip(Model):
    """A new model for each solve: one that is solved again begins with the solutions of the last one."""

    def _load(self, program: Program) -> None:
        pass

    def _run(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer:
        model, columns = self._build(cost)
        if start is not None:
            solution = model.createSol()
            for column, value in zip(columns, start.tolist(), strict=True):
                model.setSolVal(solution, column, value)
            model.addSol(solution)
        if seconds is not None:
            model.setParam("limits/time", seconds)
        model.optimize()
        end = _ENDS.get(model.getStatus())
        if end is None:
            raise SolverError(f"SCIP ended with the status {model.getStatus()!r}, without an answer.")
        if end in (Outcome.INFEASIBLE, Outcome.UNBOUNDED) or not model.getNSols():
            return Answer(end, None)
        best = model.getBestSol()
        bound = model.getDualbound()
        proven = bound / FACTOR if abs(bound) < model.infinity() else -np.inf
        return Answer(end, np.array([model.getSolVal(best, column) for column in columns]), proven)

    def _build(self, cost: NDArray[np.float64]) -> tuple[pyscipopt.Model, list[pyscipopt.Variable]]:
        program = self.program
        model = pyscipopt.Model()
        model.hideOutput()
        model.setParams(LEAN)
        model.setHeuristics(pyscipopt.SCIP_PARAMSETTING.OFF)
        columns = [
            model.addVar(lb=_finite(lower), ub=_finite(upper), vtype="I" if whole else "C", obj=value)
            for lower, upper, whole, value in zip(
                program.lower, program.upper, program.integer, (cost * FACTOR).tolist(), strict=True
            )
        ]
        for start, stop, low, high in zip(
            program.starts, program.starts[1:], program.row_lower, program.row_upper, strict=False
        ):
            if stop > start and (math.isfinite(low) or math.isfinite(high)):
                entries = zip(program.columns[start:stop], program.values[start:stop].tolist(), strict=True)
                total = pyscipopt.quicksum(value * columns[column] for column, value in entries)
                model.addCons(pyscipopt.scip.ExprCons(total, lhs=_finite(low), rhs=_finite(high)))
        return model, columns


def _finite(limit: float) -> float | None:
    return float(limit) if math.isfinite(limit) else None
