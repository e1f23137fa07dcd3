"""States and points: a state has the variables that theta stands for, a point has all of them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import InfeasibleError
from imle_pulp._backends import FEASIBILITY
from imle_pulp._search import feasible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from imle_pulp._program import Program

    Finish = Callable[[Program], NDArray[np.float64]]

KEPT = 4096  # points that are remembered for states that do not determine all variables
OUTSIDE = "the state violates a constraint, a bound or integrality."


class States:
    """The states of a solver, and what is known of the points that go with them.

    Args:
        columns: The columns that theta stands for.
        width: Number of all columns.
        finish: Returns the best point of a programme whose columns of theta are held, or raises InfeasibleError.
    """

    def __init__(self, columns: NDArray[np.int64], width: int, finish: Finish) -> None:
        self._columns, self._width, self._finish = columns, width, finish
        self._whole = len(columns) == width  # whether a state determines all variables
        self._points: OrderedDict[bytes, NDArray[np.float64]] = OrderedDict()

    def starts(
        self, programs: Sequence[Program], hint: NDArray[Any] | None
    ) -> list[NDArray[np.float64] | None]:
        """Return the point that each row's hint stands for, shape ``(N, entries)``, where it is known and feasible."""
        starts: list[NDArray[np.float64] | None] = [None] * len(programs)
        if hint is None:
            return starts
        known = {row: self._point(hint[row]) for row in np.flatnonzero(~np.isnan(hint).any(1)).tolist()}
        for rows in _by_program((row for row, x in known.items() if x is not None), programs):
            good = feasible(programs[rows[0]], np.array([known[row] for row in rows]))
            for row, kept in zip(rows, good, strict=True):
                starts[row] = known[row] if kept else None
        return starts

    def remember(self, points: NDArray[np.float64]) -> None:
        """Keep points, shape ``(N, columns)``, of states that alone do not determine them."""
        if self._whole:
            return
        for key, x in zip(map(_key, points[:, self._columns]), points, strict=True):
            self._points[key] = x
            self._points.move_to_end(key)
        while len(self._points) > KEPT:
            self._points.popitem(last=False)

    def are_feasible(self, rows: NDArray[np.float64], programs: Sequence[Program]) -> NDArray[np.bool_]:
        """Return which states, shape ``(N, entries)``, belong to a point of their programme."""
        if not self._whole:
            return np.array(
                [self._can_be_completed(*each) for each in zip(rows, programs, strict=True)], bool
            )
        points = np.empty((len(rows), self._width))
        points[:, self._columns] = rows
        good = np.empty(len(rows), bool)
        for some in _by_program(range(len(rows)), programs):
            good[some] = feasible(programs[some[0]], points[some])
        return good

    def complete(self, z: NDArray[Any], program: Program) -> NDArray[np.float64]:
        """Return the best point that goes with a state.

        Raises:
            InfeasibleError: there is none.
        """
        z, columns = np.asarray(z, float).ravel(), self._columns
        if self._whole:
            x = np.empty(self._width)
            x[columns] = z
            if not feasible(program, x[None])[0]:
                raise InfeasibleError(OUTSIDE)
            return x
        slack = FEASIBILITY * np.maximum(1.0, np.abs(z))
        lower, upper = program.lower[columns], program.upper[columns]
        if not ((z >= lower - slack) & (z <= upper + slack)).all():
            raise InfeasibleError(OUTSIDE)
        whole, nearest = program.integer[columns], np.rint(z)
        z = np.where(whole & (np.abs(nearest - z) <= FEASIBILITY), nearest, z)
        # What single precision has rounded may miss an equality by more than the libraries allow.
        for room in (0.0, np.where(whole, 0.0, slack)) if not whole.all() else (0.0,):
            held = {"lower": program.lower.copy(), "upper": program.upper.copy()}
            held["lower"][columns], held["upper"][columns] = (
                np.maximum(lower, z - room),
                np.minimum(upper, z + room),
            )
            try:
                x = self._finish(program.with_(**held)).copy()
            except InfeasibleError:
                continue
            x[columns] = z
            return x
        raise InfeasibleError(OUTSIDE)

    def _point(self, z: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return the point of a state, if it determines it or it was found before."""
        if not self._whole:
            return self._points.get(_key(z))
        x = np.empty(self._width)
        x[self._columns] = z
        return x

    def _can_be_completed(self, z: NDArray[np.float64], program: Program) -> bool:
        try:
            self.complete(z, program)
        except InfeasibleError:
            return False
        return True


def _by_program(rows: Iterable[int], programs: Sequence[Program]) -> Iterable[list[int]]:
    """Return rows that share a programme together."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        found[id(programs[row])].append(row)
    return found.values()


def _key(z: NDArray[Any]) -> bytes:
    """Return what equal states share, in single precision as in double; they need not differ where states do."""
    return (np.asarray(z, np.float32).ravel() + 0.0).tobytes()
