"""What the solvers over a user's model have in common: batches of rows, states, hints, outcomes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from imle_core import Solver
from imle_core.errors import InfeasibleError, InvalidInstanceError, InvalidSolutionError
from imle_core.parallel import Workers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from imle_core import Status
    from imle_ortools._limits import OnTimeout


class Found(NamedTuple):
    """What a search found.

    Attributes:
        values: Of every variable of the model.
        status: Whether it is proven optimal.
        gap: Relative gap between its cost and the proven bound.
    """

    values: NDArray[np.float64]
    status: Status
    gap: float


class Model(Protocol):
    """What is asked of a model that is kept."""

    columns: NDArray[np.int64]
    """The variables that theta stands for."""
    fixed: NDArray[np.float64]
    """Costs of the other variables of the objective; those of a model that maximises are negated."""
    offset: float
    """The constant of the objective, in the model's own sense."""

    @property
    def objective_columns(self) -> NDArray[np.int64]:
        """The variables of the objective: those of theta, then the others."""

    @property
    def limits(self) -> NDArray[np.float64]:
        """Least and largest value of each variable of theta, shape ``(2, entries)``."""

    @property
    def keys(self) -> list[str | int]:
        """What variables are called."""

    def fix(self, state: NDArray[np.float64]) -> Any | None:
        """Return the model with theta's variables at these values; None if they cannot have them."""


class Searcher(Protocol):
    """What solves one row."""

    def minimise(
        self, model: Any, costs: NDArray[np.float64], hint: NDArray[np.float64] | None, *, row: int | None
    ) -> Found:
        """Return the best values of a model's variables, for costs of ``model.objective_columns``."""

    def feasible(self, model: Any) -> bool:
        """Return whether a model has a solution."""


class Row(NamedTuple):
    """One row to solve."""

    number: int
    model: Any
    costs: NDArray[np.float64]
    hint: NDArray[np.float64] | None


class ModelSolver(Solver):
    """A solver whose problem is a model of a library, or one for each instance.

    A subclass sets ``sense``, ``event_shape`` and ``output``, and makes models and what searches them.

    Args:
        model: The problem of rows without an instance.
        time_limit: Seconds for a row; None for no limit.
        on_timeout: ``"use"`` or ``"error"``.
        threads: Threads at most.
    """

    def __init__(
        self, model: Any, *, time_limit: float | None, on_timeout: OnTimeout, threads: int | None
    ) -> None:
        self._own = model
        self.time_limit, self.on_timeout = time_limit, on_timeout
        self._workers: Workers[Searcher] = Workers(self._searcher, threads)

    @abstractmethod
    def _searcher(self) -> Searcher:
        """Return what searches the rows of one thread."""

    def solve(  # type: ignore[override]
        self,
        theta: NDArray[Any],
        *,
        instances: Sequence[Any] | None = None,
        hint: NDArray[Any] | None = None,
    ) -> NDArray[np.float64]:
        """Return the best structure for each row; see :meth:`imle_core.Solver.solve`."""
        sign = 1.0 if self.sense == "min" else -1.0
        flat = theta.reshape(len(theta), -1).astype(np.float64)
        models = [self._own] * len(theta) if instances is None else instances
        rows = [
            Row(number, model, np.concatenate([sign * costs, model.fixed]), _hint(model, hint, number))
            for number, (model, costs) in enumerate(zip(models, flat, strict=True))
        ]
        found = self._workers.map(_solve, rows)
        states = np.stack([each.values[row.model.columns] for each, row in zip(found, rows, strict=True)])
        objectives = [
            sign * float(each.values[row.model.objective_columns] @ row.costs) + row.model.offset
            for each, row in zip(found, rows, strict=True)
        ]
        self.note_outcomes(
            [each.status for each in found],
            objectives,
            [each.gap for each in found],
            on_timeout=self.on_timeout,
        )
        return states.reshape(theta.shape)

    def is_feasible(self, z: NDArray[Any], *, instances: Sequence[Any] | None = None) -> NDArray[np.bool_]:
        """Return for each state whether the model has a solution in which theta's variables have these values."""
        flat = np.asarray(z, np.float64).reshape(len(z), -1)
        models = [self._own] * len(z) if instances is None else instances
        return np.array(self._workers.map(_holds, list(zip(models, flat, strict=True))), np.bool_)

    def _model_of(self, instance: Any) -> Any:
        """Return the model of a raw instance, or that of rows without one."""
        return self._own if instance is None else self.prepare(instance)

    def _complete(self, model: Any, z: NDArray[Any]) -> NDArray[np.float64]:
        """Return all values of a model's best solution that has this state.

        Raises:
            InvalidSolutionError: there is none.
        """
        fixed = model.fix(np.asarray(z, np.float64).ravel())
        if fixed is not None:
            costs = np.concatenate([np.zeros(len(model.columns)), model.fixed])
            try:
                return self._searcher().minimise(fixed, costs, None, row=None).values
            except InfeasibleError:
                pass
        raise self._no_structure(
            "the model has no solution in which theta's variables have the values of this state"
        )

    def _look_up(self, structure: Mapping[str | int, float]) -> NDArray[np.float64]:
        """Return the state of a dictionary of values by name.

        Raises:
            InvalidSolutionError: the value of a variable of theta is missing.
        """
        keys = [self._own.keys[column] for column in self._own.columns.tolist()]
        for key in keys:
            if key not in structure:
                raise self._no_structure(f"the structure has no value of {key!r}")
        return np.array([structure[key] for key in keys], np.float64)

    def _no_structure(self, fault: str) -> InvalidSolutionError:
        error = InvalidSolutionError(f"{fault}.")
        error.solver = self.name
        return error

    def _require_output(self, binary: bool) -> None:
        """Raise InvalidInstanceError if the variables of an instance are not 0 and 1, but must be."""
        if self.output == "binary" and not binary:
            raise InvalidInstanceError(
                f"{self.name}: an instance makes a variable go beyond 0 and 1, but the solver's output is binary; make "
                "it with output='integer'."
            )


def _hint(model: Model, hint: NDArray[Any] | None, row: int) -> NDArray[np.float64] | None:
    """Return the hint of a row within the bounds of its variables; HiGHS fails on one beyond them."""
    if hint is None or np.isnan(hint[row]).any():
        return None
    return np.clip(hint[row].ravel().astype(np.float64), *model.limits)


def _solve(searcher: Searcher, row: Row) -> Found:
    return searcher.minimise(row.model, row.costs, row.hint, row=row.number)


def _holds(searcher: Searcher, pair: tuple[Model, NDArray[np.float64]]) -> bool:
    model, state = pair
    fixed = model.fix(state)
    return fixed is not None and searcher.feasible(fixed)
