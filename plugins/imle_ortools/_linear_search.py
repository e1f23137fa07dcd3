"""One row of costs, searched by a solver of MathOpt."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ortools.math_opt import callback_pb2, model_parameters_pb2, parameters_pb2, result_pb2
from ortools.math_opt.core.python import solver as core
from ortools.math_opt.python import mathopt
from ortools.util.python.solve_interrupter import SolveInterrupter

from imle_core import Status
from imle_core.errors import (
    InfeasibleError,
    InvalidThetaError,
    SolverError,
    SolverTimeoutError,
    UnboundedError,
)
from imle_core.parallel import interruptible
from imle_core.quiet import quiet
from imle_ortools._linear_objective import LARGEST, Part, parts_of, too_far, without_negligible
from imle_ortools._linear_parameters import StatusNotOk
from imle_ortools._model_solver import Found

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_ortools._linear_model import LinearModel

_REASON = result_pb2.TerminationReasonProto
_SOLVED = (_REASON.TERMINATION_REASON_OPTIMAL, _REASON.TERMINATION_REASON_IMPRECISE)
_ENDED = (_REASON.TERMINATION_REASON_FEASIBLE, _REASON.TERMINATION_REASON_NO_SOLUTION_FOUND)
_EITHER = _REASON.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED
_WITHOUT_LIMIT = (_REASON.TERMINATION_REASON_UNBOUNDED, _EITHER)

INTEGRAL = 1e-5
"""So far from an integer solvers may leave a variable that must be one."""

_GSCIP = int(mathopt.SolverType.GSCIP.value)
_HIGHS = int(mathopt.SolverType.HIGHS.value)
_CP_SAT = int(mathopt.SolverType.CP_SAT.value)

_PRINTING: dict[int, Literal["stdout", "stderr"]] = {
    _HIGHS: "stdout",  # a line of its MIP solver ignores that output is off
    _GSCIP: "stderr",  # an error that is none, whenever it can be interrupted
}
"""Where solvers print what nobody asked for."""


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
        self._strict = _strict(kind, parameters)

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
        try:
            return self._minimise(model, costs, hint, row)
        except InvalidThetaError:
            rest = without_negligible(model, costs)
            if rest is None:
                raise
            return self._minimise(model, rest, hint, row)

    def _minimise(
        self,
        model: LinearModel,
        costs: NDArray[np.float64],
        hint: NDArray[np.float64] | None,
        row: int | None,
    ) -> Found:
        end = None if self._limit is None else time.monotonic() + self._limit
        proto = model.copy()
        before: list[tuple[Part, int]] = []
        found: Found | None = None
        for part in parts_of(model, costs):
            _set_objective(proto, model.ids[part.columns], part.costs)
            result = self._run(model, proto, end, hint, row)
            reason = result.termination.reason
            if found is not None and reason in _ENDED:
                return found._replace(status=Status.TIME_LIMIT)
            if found is not None and reason not in _SOLVED:
                raise too_far()  # though there is a solution, and costs have limits
            if part.lowered.any() and reason in _WITHOUT_LIMIT:  # by the lowered costs, that is
                raise too_far()
            self._require(result, model, proto, row)
            values = _values(model, result, row)
            _require_kept(model, values, row)
            if self._kind == _CP_SAT:
                self._require_within(model, values, row)
            if any(earlier.total(values) != best for earlier, best in before):
                raise too_far()
            status, gap = _outcome(result)
            found = Found(values, status, gap)
            if status != Status.OPTIMAL:
                break
            part.require_proof(model, values)
            if part.whole:
                before.append((part, part.total(values)))
                _keep(proto, model, part, values)
        assert found is not None  # there is always a part
        return found

    def feasible(self, model: LinearModel) -> bool:
        """Return whether a model has a solution.

        Raises:
            SolverError: the solver does not say.
        """
        decided = model.decided()
        return self._has_solution(model, model.proto) if decided is None else decided

    def _has_solution(self, model: LinearModel, proto: Any) -> bool:
        result = self._run(model, proto, None, None, None)
        if result.termination.reason in _SOLVED:
            if result.solutions:
                _require_kept(model, _values(model, result, None), None)
            return True
        if result.termination.reason == _REASON.TERMINATION_REASON_INFEASIBLE:
            return False
        raise _failure(result, None)

    def _run(
        self,
        model: LinearModel,
        proto: Any,
        end: float | None,
        hint: NDArray[np.float64] | None,
        row: int | None,
    ) -> Any:
        """Return how the solver ends, with its least tolerances where it breaks constraints by its own."""
        result = self._attempt(self._parameters, model, proto, end, hint, row)
        if self._strict is None or not result.solutions:
            return result
        broken = _broken(model, _values(model, result, row)).any()
        return self._attempt(self._strict, model, proto, end, hint, row) if broken else result

    def _attempt(
        self,
        given: Any,
        model: LinearModel,
        proto: Any,
        end: float | None,
        hint: NDArray[np.float64] | None,
        row: int | None,
    ) -> Any:
        parameters = parameters_pb2.SolveParametersProto()
        parameters.CopyFrom(given)
        if end is not None:
            parameters.time_limit.FromNanoseconds(max(int((end - time.monotonic()) * 1e9), 1_000_000))
        if self._kind == _CP_SAT:
            parameters.cp_sat.mip_max_bound = self._reach(model)
        more = model_parameters_pb2.ModelSolveParametersProto()
        if hint is not None and self._hinted:
            known = more.solution_hints.add().variable_values
            known.ids.extend(model.ids[model.columns].tolist())
            known.values.extend(hint.tolist())
        try:
            return self._solve(proto, parameters, more)
        except (RuntimeError, StatusNotOk) as error:
            raise SolverError(f"MathOpt does not solve this model: {error}", row=row) from error

    def _solve(self, proto: Any, parameters: Any, more: Any) -> Any:
        """Return what the solver finds, and leave Ctrl-C to Python.

        MathOpt converts results in code that drops what Python raises meanwhile. Python handles signals in its main
        thread alone, which therefore waits while another solves.
        """

        def solve(interrupter: Any = None) -> Any:
            nothing = callback_pb2.CallbackRegistrationProto()
            printing = _PRINTING.get(self._kind)
            with quiet(printing) if printing else contextlib.nullcontext():
                solver = core.new(self._kind, proto, parameters_pb2.SolverInitializerProto())
                return solver.solve(parameters, more, None, nothing, None, interrupter)

        if threading.current_thread() is not threading.main_thread():
            return solve()
        interrupter = SolveInterrupter()
        return interruptible(lambda: solve(interrupter.pybind_interrupter), interrupter.interrupt)

    def _reach(self, model: LinearModel) -> float:
        """Return how far values must reach: CP-SAT would narrow bounds beyond 1e7, and find less or nothing."""
        given = self._parameters.cp_sat
        if given.HasField("mip_max_bound"):
            return float(given.mip_max_bound)
        size = np.abs(model.bounds)
        return float(size.max(initial=1e7, where=np.isfinite(size)))

    def _require_within(self, model: LinearModel, values: NDArray[np.float64], row: int | None) -> None:
        """Raise SolverError where CP-SAT may have stopped a variable at bounds that are not the model's."""
        reach = self._reach(model)
        for column in np.flatnonzero((np.abs(model.bounds) > reach).any(0) & (np.abs(values) >= reach)):
            raise SolverError(
                f"CP-SAT looks no further than {reach:g}, and {model.keys[column]!r} came to this; give it bounds.",
                row=row,
            )

    def _require(self, result: Any, model: LinearModel, proto: Any, row: int | None) -> None:
        """Raise what a result without a solution means."""
        reason = result.termination.reason
        if reason == _EITHER:  # which of both shows without an objective
            proto.ClearField("objective")
            if not self._has_solution(model, proto):
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


def _strict(kind: int, parameters: bytes) -> Any | None:
    """Return parameters with the least tolerances for constraints; None for a solver that has none."""
    strict = parameters_pb2.SolveParametersProto.FromString(parameters)
    if kind == _GSCIP:
        strict.gscip.real_params["numerics/feastol"] = 1e-9
    elif kind == _HIGHS:
        strict.highs.double_options["mip_feasibility_tolerance"] = 1e-9
    else:
        return None
    return strict


def _set_objective(proto: Any, ids: NDArray[np.int64], costs: NDArray[np.float64]) -> None:
    proto.ClearField("objective")
    order = np.argsort(ids)  # MathOpt wants them ascending
    proto.objective.linear_coefficients.ids.extend(ids[order].tolist())
    proto.objective.linear_coefficients.values.extend(costs[order].tolist())


def _keep(proto: Any, model: LinearModel, part: Part, values: NDArray[np.float64]) -> None:
    """Let no later part of the costs worsen this one, of integers alone, by a whole step."""
    for column in part.columns[part.lowered].tolist():  # which are at their better bounds
        proto.variables.lower_bounds[column] = proto.variables.upper_bounds[column] = values[column]
    rest = [
        (int(model.ids[column]), cost, int(values[column]))
        for column, cost, lowered in zip(
            part.columns.tolist(), part.whole, part.lowered.tolist(), strict=True
        )
        if not lowered
    ]
    scale = 2 ** max(0, max(abs(cost) for _, cost, _ in rest).bit_length() - LARGEST)
    best = sum(cost * value for _, cost, value in rest)
    _add_row(proto, {number: cost / scale for number, cost, _ in rest}, (2 * best + 1) / (2 * scale))


def _add_row(proto: Any, coefficients: dict[int, float], most: float) -> None:
    rows, matrix = proto.linear_constraints, proto.linear_constraint_matrix
    number = rows.ids[-1] + 1 if rows.ids else 0
    rows.ids.append(number)
    rows.lower_bounds.append(-math.inf)
    rows.upper_bounds.append(most)
    for variable in sorted(coefficients):
        matrix.row_ids.append(number)
        matrix.column_ids.append(variable)
        matrix.coefficients.append(coefficients[variable])


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


def _broken(model: LinearModel, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which constraints break once the integers in them are whole."""
    return model.broken(values) & model.rounded_rows


def _require_kept(model: LinearModel, values: NDArray[np.float64], row: int | None) -> None:
    """Raise SolverError where a solver's tolerances let it break a constraint."""
    for number in np.flatnonzero(_broken(model, values)):
        name = model.row_names[number] or model.proto.linear_constraints.ids[number]
        raise SolverError(
            f"the solver's answer breaks the constraint {name!r} once its integers are whole: its numbers are too "
            "large for the solver's tolerances; scale them, give smaller bounds, or take another solver_type.",
            row=row,
        )


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
