"""One row of costs, searched by a solver of MathOpt."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2, result_pb2
from ortools.math_opt.core.python import solver as core

from imle_core import Status
from imle_core.errors import InfeasibleError, SolverError, SolverTimeoutError, UnboundedError
from imle_ortools._linear_objective import Part, parts_of
from imle_ortools._linear_parameters import StatusNotOk
from imle_ortools._model_solver import Found

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_ortools._linear_model import LinearModel

_REASON = result_pb2.TerminationReasonProto
_SOLVED = (_REASON.TERMINATION_REASON_OPTIMAL, _REASON.TERMINATION_REASON_IMPRECISE)
_ENDED = (_REASON.TERMINATION_REASON_FEASIBLE, _REASON.TERMINATION_REASON_NO_SOLUTION_FOUND)
_EITHER = _REASON.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED

INTEGRAL = 1e-5
"""So far from an integer solvers may leave a variable that must be one."""

KEPT = 1e-7
"""By so much, relative to its value, a later part of the costs may worsen an earlier one: the solvers' tolerance."""


class Search:
    """Minimises costs over models with one solver; every search begins anew, and so depends on its row alone.

    Args:
        kind: MathOpt's number of the solver.
        parameters: Protocol buffer of the parameters, as bytes.
        time_limit: Seconds for a row, or None.
        hinted: Whether the solver can begin at a hint.
    """

    def __init__(self, kind: int, parameters: bytes, time_limit: float | None, *, hinted: bool) -> None:
        self._kind, self._limit, self._hinted = kind, time_limit, hinted
        self._parameters = parameters_pb2.SolveParametersProto.FromString(parameters)

    def minimise(
        self,
        model: LinearModel,
        costs: NDArray[np.float64],
        hint: NDArray[np.float64] | None,
        *,
        row: int | None,
    ) -> Found:
        """Return the best values of a model's variables.

        Args:
            model: The model.
            costs: Of ``model.objective_columns``.
            hint: Values of ``model.columns`` to begin at.
            row: The row that errors name.

        Raises:
            InfeasibleError, UnboundedError: the row has no solution, or no best one.
            SolverTimeoutError: none was found within the limit.
            InvalidThetaError: the magnitudes of the costs are too far spread.
            SolverError: the solver failed.
        """
        end = None if self._limit is None else time.monotonic() + self._limit
        proto = model.copy()
        parts = parts_of(costs)
        found: Found | None = None
        for part in parts or [Part(np.array([], np.intp), np.array([]), 0)]:
            ids = model.ids[model.objective_columns[part.which]]
            _set_objective(proto, ids, part.costs)
            result = self._run(proto, end, model.ids[model.columns], hint, row)
            reason = result.termination.reason
            if found is not None and not (reason in _SOLVED and result.solutions):
                return found._replace(status=Status.TIME_LIMIT if reason in _ENDED else Status.FEASIBLE)
            self._require(result, proto, row)
            values = _values(model, result, row)
            status, gap = _outcome(result)
            found = Found(values, status, gap)
            if status != Status.OPTIMAL:
                break
            best = float(values[model.objective_columns[part.which]] @ part.costs)
            _keep(proto, ids, part.costs, best + KEPT * (1 + abs(best)))
        assert found is not None  # there is always a part
        return found

    def feasible(self, model: LinearModel) -> bool:
        """Return whether a model has a solution.

        Raises:
            SolverError: the solver does not say.
        """
        decided = model.decided()
        return self._has_solution(model.proto) if decided is None else decided

    def _has_solution(self, proto: Any) -> bool:
        result = self._run(proto, None, None, None, None)
        if result.termination.reason in _SOLVED:
            return True
        if result.termination.reason == _REASON.TERMINATION_REASON_INFEASIBLE:
            return False
        raise _failure(result, None)

    def _run(
        self, proto: Any, end: float | None, ids: Any, hint: NDArray[np.float64] | None, row: int | None
    ) -> Any:
        parameters = self._parameters
        if end is not None:
            parameters = parameters_pb2.SolveParametersProto()
            parameters.CopyFrom(self._parameters)
            parameters.time_limit.FromNanoseconds(max(int((end - time.monotonic()) * 1e9), 1_000_000))
        more = model_parameters_pb2.ModelSolveParametersProto()
        if hint is not None and self._hinted:
            known = more.solution_hints.add().variable_values
            known.ids.extend(ids.tolist())
            known.values.extend(hint.tolist())
        nothing = callback_pb2.CallbackRegistrationProto()
        try:
            solver = core.new(self._kind, proto, parameters_pb2.SolverInitializerProto())
            return solver.solve(parameters, more, None, nothing, None, None)
        except (RuntimeError, StatusNotOk) as error:
            raise SolverError(f"MathOpt does not solve this model: {error}", row=row) from error

    def _require(self, result: Any, proto: Any, row: int | None) -> None:
        """Raise what a result without a solution means."""
        reason = result.termination.reason
        if reason == _EITHER:  # which of both shows without an objective
            proto.ClearField("objective")
            if not self._has_solution(proto):
                reason = _REASON.TERMINATION_REASON_INFEASIBLE
            else:
                reason = _REASON.TERMINATION_REASON_UNBOUNDED
        if reason == _REASON.TERMINATION_REASON_INFEASIBLE:
            raise InfeasibleError("no values of the variables satisfy the model's constraints.", row=row)
        if reason == _REASON.TERMINATION_REASON_UNBOUNDED:
            raise UnboundedError(
                "the objective has no limit: give the variables bounds, or theta the sign that keeps it finite.",
                row=row,
            )
        if reason == _REASON.TERMINATION_REASON_NO_SOLUTION_FOUND:
            limit = "the limit in parameters" if self._limit is None else f"time_limit={self._limit:g}"
            raise SolverTimeoutError(f"no solution was found within {limit}; raise it.", row=row)
        if reason not in (*_SOLVED, *_ENDED) or not result.solutions:
            raise _failure(result, row)


def _set_objective(proto: Any, ids: NDArray[np.int64], costs: NDArray[np.float64]) -> None:
    proto.ClearField("objective")
    order = np.argsort(ids)  # MathOpt wants them ascending
    proto.objective.linear_coefficients.ids.extend(ids[order].tolist())
    proto.objective.linear_coefficients.values.extend(costs[order].tolist())


def _keep(proto: Any, ids: NDArray[np.int64], costs: NDArray[np.float64], most: float) -> None:
    """Add the constraint that these costs stay at most so high."""
    rows = proto.linear_constraints
    number = rows.ids[-1] + 1 if rows.ids else 0
    rows.ids.append(number)
    rows.lower_bounds.append(-math.inf)
    rows.upper_bounds.append(most)
    order = np.argsort(ids)
    matrix = proto.linear_constraint_matrix
    matrix.row_ids.extend([number] * len(ids))
    matrix.column_ids.extend(ids[order].tolist())
    matrix.coefficients.extend(costs[order].tolist())


def _values(model: LinearModel, result: Any, row: int | None) -> NDArray[np.float64]:
    """Return the values of all variables, within their bounds, and integers where they must be."""
    given = result.solutions[0].primal_solution.variable_values
    values = np.zeros(len(model.ids))
    values[np.searchsorted(model.ids, np.array(given.ids, np.int64))] = given.values
    whole = np.rint(values)
    off = np.abs(values - whole)[model.integer].max(initial=0.0)
    if not off <= INTEGRAL:
        raise SolverError(f"the solver left an integer variable {off:.3g} from an integer.", row=row)
    return np.clip(np.where(model.integer, whole, values), *model.bounds)


def _outcome(result: Any) -> tuple[Status, float]:
    """Return the status of a result, and its relative gap."""
    reason = result.termination.reason
    if reason == _REASON.TERMINATION_REASON_OPTIMAL:
        return Status.OPTIMAL, 0.0
    bounds = result.termination.objective_bounds
    distance = abs(bounds.primal_bound - bounds.dual_bound)
    gap = (
        distance / max(abs(bounds.primal_bound), distance) if 0 < distance < math.inf else float(distance > 0)
    )
    return (Status.TIME_LIMIT if reason in _ENDED else Status.FEASIBLE), gap


def _failure(result: Any, row: int | None) -> SolverError:
    reason = _REASON.Name(result.termination.reason).removeprefix("TERMINATION_REASON_")
    return SolverError(
        f"the solver ended with {reason}: {result.termination.detail or 'no detail'}.", row=row
    )
