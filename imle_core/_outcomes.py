"""How searches ended: proven optimal, merely found, or stopped by their time limit."""

from __future__ import annotations

import contextvars
import logging
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from imle_core.errors import SolverTimeoutError

if TYPE_CHECKING:
    from contextvars import Token

    from numpy.typing import NDArray

__all__ = ["Outcomes", "Status"]

_logger = logging.getLogger("imle_core.solver")


class Status(IntEnum):
    """What is known about the structure that was found for a row. A row without any structure is an error."""

    OPTIMAL = 0
    """It is proven to be a best one."""
    FEASIBLE = 1
    """It belongs to the set; whether it is a best one is not known (a heuristic, a pool of solutions)."""
    TIME_LIMIT = 2
    """It is the best that was found when the time of its row ran out."""


class Rows(NamedTuple):
    """The outcomes of one batch, one for each row."""

    statuses: NDArray[np.int8]
    objectives: NDArray[np.float64]
    gaps: NDArray[np.float64]


class Outcomes:
    """Collects how the searches ended within its ``with`` block, of solvers that tell.

    For direct calls of ``solver.solve``; a layer has it in its ``last_report``.

    Attributes:
        statuses: :class:`Status` of each row in the order of the calls, int8, shape ``(N,)``.
        objectives: Objective value of each row, in the solver's own sense; nan where it was not told.
        gaps: Proven relative gap of each row to the optimum, at least 0; nan where it was not told.
        timeouts: Number of rows whose search ended at its time limit.

    Example:
        >>> import imle_core as imle, numpy as np
        >>> with Outcomes() as outcomes:
        ...     z = imle.solver("torch.k_subset", k=1).solve(np.array([[0.1, 0.9]]))
        >>> outcomes.timeouts, len(outcomes.statuses)  # a solver that has nothing to tell
        (0, 0)
    """

    def __init__(self) -> None:
        self._rows: list[Rows] = []
        self._timeouts = 0
        self._tokens: list[Token[Outcomes | None]] = []

    @property
    def statuses(self) -> NDArray[np.int8]:
        """Status of each row."""
        return np.concatenate([np.empty(0, np.int8), *(rows.statuses for rows in self._rows)])

    @property
    def objectives(self) -> NDArray[np.float64]:
        """Objective value of each row."""
        return np.concatenate([np.empty(0), *(rows.objectives for rows in self._rows)])

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Relative gap of each row."""
        return np.concatenate([np.empty(0), *(rows.gaps for rows in self._rows)])

    @property
    def timeouts(self) -> int:
        """Number of rows that timed out."""
        return self._timeouts + int((self.statuses == Status.TIME_LIMIT).sum())

    def of_points(self, points: int) -> Rows | None:
        """Return the outcomes of the last batch, of so many points for each row: columns ``(points, rows)``."""
        if not self._rows:
            return None
        statuses, objectives, gaps = self._rows[-1]
        return Rows(statuses.reshape(points, -1), objectives.reshape(points, -1), gaps.reshape(points, -1))

    def __enter__(self) -> Outcomes:
        """Begin to collect."""
        self._tokens.append(_collector.set(self))
        return self

    def __exit__(self, *error: object) -> None:
        """Stop collecting."""
        _collector.reset(self._tokens.pop())

    def rescale(self, factor: NDArray[Any]) -> None:
        """Give the last batch's objectives in the units of a theta that was multiplied by a factor for its solver."""
        if self._rows:
            last = self._rows[-1]
            with np.errstate(over="ignore"):  # costs near the largest number have sums beyond it: infinite
                self._rows[-1] = last._replace(objectives=last.objectives / factor)

    def spread(self, rows: int, places: NDArray[np.int64]) -> None:
        """Make the last batch one of more rows, the others of which nobody searched for: they are merely feasible."""
        if self._rows:
            last, unknown = self._rows[-1], np.full(rows, np.nan)
            whole = Rows(np.full(rows, Status.FEASIBLE, np.int8), unknown, unknown.copy())
            whole.statuses[places] = last.statuses
            whole.objectives[places] = last.objectives
            whole.gaps[places] = last.gaps
            self._rows[-1] = whole


_collector: contextvars.ContextVar[Outcomes | None] = contextvars.ContextVar("imle_outcomes", default=None)


def collector() -> Outcomes | None:
    """Return what collects outcomes here, if anything does."""
    return _collector.get()


def note_timeouts(solver: str, rows: int) -> None:
    """Count rows whose search ended at a time limit; warn where nothing collects them."""
    outcomes = _collector.get()
    if outcomes is not None:
        outcomes._timeouts += rows
    elif rows:
        _logger.warning("%s: the search ended at its time limit for %d rows.", solver, rows)


def note_outcomes(
    solver: str, statuses: Any, objectives: Any, gaps: Any, on_timeout: Literal["use", "error"]
) -> None:
    """Keep the outcomes of a batch; see :meth:`imle_core.Solver.note_outcomes`."""
    statuses = np.asarray(statuses, np.int8)
    late = np.flatnonzero(statuses == Status.TIME_LIMIT)
    if len(late) and on_timeout == "error":
        raise SolverTimeoutError(
            "the search ended at its time limit, and the best structure found is not proven optimal; raise "
            "time_limit, or accept it by on_timeout='use'.",
            row=int(late[0]),
        )
    outcomes = _collector.get()
    if outcomes is None:
        note_timeouts(solver, len(late))
        return
    unknown = np.full(statuses.shape, np.nan)
    rows = Rows(
        statuses.copy(),
        unknown if objectives is None else np.array(objectives, float),
        unknown if gaps is None else np.array(gaps, float),
    )
    if any(column.shape != (len(statuses),) for column in rows):
        raise ValueError(
            f"note_outcomes takes one number for each row: statuses {statuses.shape}, objectives "
            f"{rows.objectives.shape}, gaps {rows.gaps.shape}."
        )
    outcomes._rows.append(rows)
