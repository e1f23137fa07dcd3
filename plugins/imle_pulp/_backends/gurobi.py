"""Gurobi in this process, through gurobipy, where it is installed: its licence is the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gurobipy
import numpy as np
from gurobipy import GRB
from scipy.sparse import csr_array

from imle_core.errors import MissingDependencyError, SolverError

from ._base import Answer, Model, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

FACTOR = 2.0**13
"""What costs are multiplied by: Gurobi compares them within an absolute 1e-9."""

LEAN: dict[str, Any] = {
    "OutputFlag": 0,  # before the environment starts, or it prints the licence
    "Threads": 1,
    "Seed": 0,
    "MIPGap": 0.0,
    "MIPGapAbs": 0.0,
    "OptimalityTol": 1e-9,
    "FeasibilityTol": 1e-9,
    "IntFeasTol": 1e-9,
    "Presolve": 0,
    "Heuristics": 0.0,
}

_ENDS = {
    GRB.OPTIMAL: Outcome.OPTIMAL,
    GRB.INFEASIBLE: Outcome.INFEASIBLE,
    GRB.INF_OR_UNBD: Outcome.UNBOUNDED,
    GRB.UNBOUNDED: Outcome.UNBOUNDED,
    GRB.TIME_LIMIT: Outcome.TIME_LIMIT,
}


class Gurobi(Model):
    """One persistent model in an environment of its own: threads must not share one."""

    def _load(self, program: Program) -> None:
        try:
            self._environment = gurobipy.Env(params=LEAN)
        except gurobipy.GurobiError as error:
            raise MissingDependencyError(
                f"Gurobi does not start ({error}); see its licence, or take another backend."
            ) from error
        self._model = gurobipy.Model(env=self._environment)
        kinds = np.where(program.integer, GRB.INTEGER, GRB.CONTINUOUS)
        self._x = self._model.addMVar(program.width, lb=program.lower, ub=program.upper, vtype=kinds)
        matrix = csr_array(
            (program.values, program.columns, program.starts), shape=(program.height, program.width)
        )
        equal = program.row_lower == program.row_upper
        for rows, sense, limits in (
            (equal, GRB.EQUAL, program.row_lower),
            (~equal & np.isfinite(program.row_lower), GRB.GREATER_EQUAL, program.row_lower),
            (~equal & np.isfinite(program.row_upper), GRB.LESS_EQUAL, program.row_upper),
        ):
            if rows.any():
                self._model.addMConstr(matrix[rows], self._x, sense, limits[rows])
        self._model.update()

    def _run(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer:
        model = self._model
        model.reset(1)  # with the start of an earlier solve
        self._x.Obj = cost * FACTOR
        if start is not None:
            self._x.Start = start
        model.Params.TimeLimit = GRB.INFINITY if seconds is None else seconds
        try:
            model.optimize()
        except gurobipy.GurobiError as error:
            raise SolverError(f"Gurobi failed: {error}") from error
        if model.Status == GRB.INTERRUPTED:
            raise KeyboardInterrupt
        end = _ENDS.get(model.Status)
        if end is None:
            raise SolverError(f"Gurobi ended with status {model.Status}, without an answer.")
        if end in (Outcome.INFEASIBLE, Outcome.UNBOUNDED) or not model.SolCount:
            return Answer(end, None)
        bound = model.ObjBound if model.IsMIP else -np.inf
        return Answer(end, np.array(self._x.X), float(bound) / FACTOR)
