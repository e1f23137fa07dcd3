"""CP-SAT of OR-Tools, for programmes of bounded integers with integral data: the fastest on most small ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.sat.python import cp_model

from imle_core.errors import InvalidInstanceError, SolverError
from imle_core.integers import to_integers
from imle_core.parallel import interruptible

from ._base import Answer, Model, Outcome
from ._clean import clean
from ._integral import cost_bits, integral_rows, why_not_integral

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

_ENDS = {
    cp_model.OPTIMAL: Outcome.OPTIMAL,
    cp_model.FEASIBLE: Outcome.TIME_LIMIT,
    cp_model.UNKNOWN: Outcome.TIME_LIMIT,
    cp_model.INFEASIBLE: Outcome.INFEASIBLE,
}


class CpSat(Model):
    """Bounded integers only; costs become integers of 50 bits, so that the search compares them exactly."""

    def _taken(self, program: Program) -> Program:
        """Return the programme with its own coefficients: integers need no others, and decimals stay decimals."""
        return clean(program)

    def _load(self, program: Program) -> None:
        if reason := why_not_integral(program):
            raise InvalidInstanceError(
                f"backend 'cp_sat' cannot solve this instance: {reason}. Take backend='highs'."
            )
        values, low, high = integral_rows(program)
        self._bits = cost_bits(program)
        model = cp_model.CpModel()
        columns = [
            model.new_int_var(lower, upper, "")
            for lower, upper in zip(
                program.lower.astype(np.int64).tolist(), program.upper.astype(np.int64).tolist(), strict=True
            )
        ]
        for row, (start, stop) in enumerate(zip(program.starts, program.starts[1:], strict=False)):
            if low[row] > high[row]:  # no integer between the limits
                model.add_bool_or([])
                continue
            total = cp_model.LinearExpr.weighted_sum(
                [columns[column] for column in program.columns[start:stop]], values[start:stop].tolist()
            )
            model.add_linear_constraint(total, low[row], high[row])
        model.proto.objective.vars.extend(range(len(columns)))
        self._model = model

    def _run(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer:
        costs = to_integers(cost, self._bits)
        self._set(costs, start)
        solver = cp_model.CpSolver()
        _configure(solver.parameters, seconds)
        status = interruptible(lambda: solver.solve(self._model), solver.stop_search)
        end = _ENDS.get(status)
        if end is None:
            raise SolverError(
                f"CP-SAT refused the programme: {self._model.validate() or solver.status_name(status)}"
            )
        if status in (cp_model.UNKNOWN, cp_model.INFEASIBLE):
            return Answer(end, None)
        x = np.array(solver.response_proto.solution, np.float64)
        return Answer(end, x, self._bound(cost, costs, solver.best_objective_bound))

    def _set(self, costs: NDArray[np.int64], start: NDArray[np.float64] | None) -> None:
        proto = self._model.proto
        proto.objective.coeffs.clear()
        proto.objective.coeffs.extend(costs.tolist())
        proto.clear_solution_hint()
        if start is not None:
            proto.solution_hint.vars.extend(range(len(costs)))
            proto.solution_hint.values.extend(np.rint(start).astype(np.int64).tolist())

    def _bound(self, cost: NDArray[np.float64], costs: NDArray[np.int64], bound: float) -> float:
        """Return the bound in the unit of the costs, less what their rounding may hide."""
        reach = np.maximum(np.abs(self.program.lower), np.abs(self.program.upper)).sum()
        largest = int(np.abs(costs).argmax())
        unit = abs(cost[largest]) / max(abs(costs[largest]), 1)
        return bound * unit - 0.5 * unit * float(reach)


def _configure(parameters: Any, seconds: float | None) -> None:
    """Set one thread, no gap, and what is fastest on searches of milliseconds: presolve costs more than it saves."""
    parameters.num_workers = 1
    parameters.random_seed = 0
    parameters.relative_gap_limit = 0.0
    parameters.absolute_gap_limit = 0.0
    parameters.cp_model_presolve = False
    parameters.linearization_level = 1
    # CP-SAT would swallow the interrupt, and leave the process with another handler.
    parameters.catch_sigint_signal = False
    if seconds is not None:
        parameters.max_time_in_seconds = seconds
