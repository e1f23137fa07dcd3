"""One row of costs, searched by CP-SAT."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.sat.python import cp_model_helper

from imle_core import Status
from imle_core.errors import InfeasibleError, SolverError, SolverTimeoutError
from imle_core.parallel import interruptible
from imle_ortools._model_solver import Found
from imle_ortools._sat_model import validate_model
from imle_ortools._sat_objective import Layer, layers_of
from imle_ortools._sat_parameters import SatParameters, ends_early

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imle_ortools._sat_model import SatModel

_STATUS = cp_model_helper.CpSolverStatus


class Search:
    """Minimises costs over models, with the same parameters each time.

    Args:
        parameters: Of CP-SAT, as text.
        time_limit: Seconds for a row, or None.
    """

    def __init__(self, parameters: str, time_limit: float | None) -> None:
        self._parameters, self._limit = SatParameters(), time_limit
        self._parameters.merge_text_format(parameters)
        self._limited = time_limit is not None or ends_early(self._parameters)

    def minimise(
        self,
        model: SatModel,
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
            InfeasibleError: the model has no solution.
            SolverTimeoutError: none was found within the limit.
            SolverError: CP-SAT does not take the model, or gave up.
        """
        end = None if self._limit is None else time.monotonic() + self._limit
        proto = model.copy()
        known = model.hints
        if hint is not None:
            known = known | dict(zip(model.columns.tolist(), np.rint(hint).astype(int).tolist(), strict=True))
        columns = model.objective_columns.tolist()
        found: Found | None = None
        excess: int | None = None  # the variable that holds the excess of the layer before
        layers = layers_of(costs, model.reach, model.span)
        for layer in layers:
            terms = _terms(columns, layer, excess)
            _set_objective(proto, terms)
            _set_hint(proto, known)
            response = self._run(proto, end)
            if response.status not in (_STATUS.OPTIMAL, _STATUS.FEASIBLE):
                if found is not None and response.status == _STATUS.UNKNOWN:
                    return found._replace(status=self._unproven)
                raise self._failure(response, proto, row)
            solution = list(response.solution)
            least = sum(weight * solution[column] for column, weight in terms.items())
            missing = least - response.inner_objective_lower_bound
            values = np.array(solution[: len(model.proto.variables)], np.float64)
            cost = abs(float(values[model.objective_columns] @ costs))
            distance = float(np.ldexp(float(missing + layer.slack), -layer.shift))
            gap = distance / max(cost, distance) if distance else 0.0
            found = Found(values, self._unproven if missing else Status.OPTIMAL, gap)
            if missing:
                break
            if layer is not layers[-1]:
                excess = _keep(proto, terms, layer.slack, least)
                known = dict(enumerate(solution))
        assert found is not None  # there is always a layer
        return found

    def feasible(self, model: SatModel) -> bool:
        """Return whether a model has a solution.

        Raises:
            SolverError: CP-SAT does not say.
        """
        response = self._run(model.proto, None)
        if response.status not in (_STATUS.OPTIMAL, _STATUS.FEASIBLE, _STATUS.INFEASIBLE):
            raise self._failure(response, model.proto, None)
        return bool(response.status != _STATUS.INFEASIBLE)

    def every(self, model: SatModel, most: int) -> list[list[int]] | None:
        """Return all solutions of a model; None if there are more than ``most``."""
        parameters = SatParameters()
        parameters.num_workers = 1
        parameters.catch_sigint_signal = False
        parameters.enumerate_all_solutions = True
        gathered = _Gather(most)
        wrapper = cp_model_helper.SolveWrapper()
        wrapper.set_parameters(parameters)
        wrapper.add_solution_callback(gathered)
        response = _call(wrapper, model.proto)
        wrapper.clear_solution_callback(gathered)
        if response.status not in (_STATUS.OPTIMAL, _STATUS.FEASIBLE, _STATUS.INFEASIBLE):
            raise self._failure(response, model.proto, None)
        return gathered.solutions if len(gathered.solutions) <= most else None

    @property
    def _unproven(self) -> Status:
        return Status.TIME_LIMIT if self._limited else Status.FEASIBLE

    def _run(self, proto: Any, end: float | None) -> Any:
        parameters = self._parameters
        if end is not None:
            parameters = SatParameters()
            parameters.copy_from(self._parameters)
            parameters.max_time_in_seconds = max(end - time.monotonic(), 1e-3)
        wrapper = cp_model_helper.SolveWrapper()
        wrapper.set_parameters(parameters)
        return _call(wrapper, proto)

    def _failure(self, response: Any, proto: Any, row: int | None) -> SolverError:
        if response.status == _STATUS.INFEASIBLE:
            return InfeasibleError("no values of the variables satisfy the model's constraints.", row=row)
        if response.status == _STATUS.UNKNOWN and self._limited:
            limit = "the limit in parameters" if self._limit is None else f"time_limit={self._limit:g}"
            return SolverTimeoutError(f"CP-SAT found no solution within {limit}; raise it.", row=row)
        fault = validate_model(proto)
        return SolverError(
            f"CP-SAT ended with status {response.status.name}: {fault or 'no reason given'}.", row=row
        )


def _call(wrapper: Any, proto: Any) -> Any:
    """Run a search, whose methods have no types; Ctrl-C ends it."""
    return interruptible(lambda: wrapper.solve(proto), wrapper.stop_search)


class _Gather(cp_model_helper.SolutionCallback):
    """Keeps the solutions that a search finds, and stops it at too many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.solutions: list[list[int]] = []

    def OnSolutionCallback(self) -> None:  # noqa: N802 - CP-SAT's name
        """Keep a solution."""
        response: Any = self.Response()  # type: ignore[no-untyped-call]
        self.solutions.append(list(response.solution))
        if len(self.solutions) > self.most:
            self.StopSearch()


def _terms(columns: list[int], layer: Layer, excess: int | None) -> dict[int, int]:
    terms = {column: weight for column, weight in zip(columns, layer.weights.tolist(), strict=True) if weight}
    if excess is not None and layer.carry:
        terms[excess] = layer.carry
    return terms


def _set_objective(proto: Any, terms: Mapping[int, int]) -> None:
    proto.clear_objective()
    proto.objective.vars.extend(
        list(terms)
    )  # also without terms: a model without an objective is another search
    proto.objective.coeffs.extend(list(terms.values()))


def _keep(proto: Any, terms: Mapping[int, int], slack: int, least: int) -> int:
    """Let the next layers exceed the least value of this one by ``slack`` at most; return the excess's variable."""
    excess = len(proto.variables)
    variable = proto.variables.add()
    variable.domain.extend([0, slack])
    linear = proto.constraints.add().linear
    linear.vars.extend([*terms, excess])
    linear.coeffs.extend([*terms.values(), -1])
    linear.domain.extend([least, least])
    return excess


def _set_hint(proto: Any, hint: Mapping[int, int]) -> None:
    proto.clear_solution_hint()
    if hint:
        proto.solution_hint.vars.extend(list(hint))
        proto.solution_hint.values.extend(list(hint.values()))
