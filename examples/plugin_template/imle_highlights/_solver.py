"""Disjoint windows of a series with the largest total score."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

import imle_core as imle
from imle_core.errors import InvalidSolutionError, SolverParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


class Highlights(imle.Solver):
    r"""The ``count`` disjoint windows of ``width`` consecutive steps with the largest total score.

    .. math:: \arg\max_z \langle z, \theta \rangle, \qquad
       z_t = \sum_{j=1}^{k} [a_j \le t < a_j + w], \quad a_{j+1} \ge a_j + w

    By dynamic programming over all rows and steps at once, O(count * length) a row after the sums of the windows. Of
    several best answers the one whose last window begins first is returned, and so on to the first window.

    Args:
        length: Steps n of the series.
        count: How many windows k to choose.
        width: Steps w of a window.

    Raises:
        SolverParameterError: the windows do not fit into the series.

    Example:
        >>> solver = Highlights(length=6, count=2, width=2)
        >>> z = solver.solve(np.array([[1.0, 2.0, -9.0, 0.0, 3.0, 4.0]]))
        >>> z
        array([[1., 1., 0., 0., 1., 1.]])
        >>> solver.decode(z)
        [[0, 4]]
    """

    sense = "max"
    output = "binary"
    scale_invariant = True

    def __init__(self, *, length: int, count: int = 1, width: int = 1) -> None:
        if count * width > length:
            raise SolverParameterError(f"{count} windows of {width} steps do not fit into {length} steps.")
        self.length, self.count, self.width = length, count, width
        self.event_shape = (length,)

    def solve(self, theta: NDArray[Any]) -> NDArray[Any]:  # type: ignore[override]
        """Return the indicators of the chosen steps, shape ``(N, length)``."""
        rows = len(theta)
        sums = np.lib.stride_tricks.sliding_window_view(theta, self.width, axis=1).sum(2, dtype=np.float64)
        starts = np.arange(sums.shape[1])
        nothing = np.full((rows, self.width), -np.inf)
        # best[:, t]: total of the windows so far, within the first t steps
        best = np.zeros((rows, self.length + 1))
        # choices[j][:, a]: where window j begins, if it begins at a or before
        choices = []
        for _ in range(self.count):
            total = best[:, : len(starts)] + sums
            running = np.maximum.accumulate(total, axis=1)
            better = total > np.hstack([nothing[:, :1], running[:, :-1]])
            choices.append(np.maximum.accumulate(np.where(better, starts, 0), axis=1))
            best = np.hstack([nothing, running])
        z = np.zeros_like(theta)
        each, latest = np.arange(rows), np.full(rows, starts[-1])
        for choice in reversed(choices):
            first = choice[each, latest]
            z[each[:, None], first[:, None] + np.arange(self.width)] = 1
            latest = first - self.width
        return z

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> list[int]:  # type: ignore[override]
        """Return the first steps of the windows, ascending."""
        if not self.is_feasible(z[None])[0]:
            raise InvalidSolutionError(f"the state is no {self.count} windows of {self.width} steps: {z}.")
        starts: list[int] = np.flatnonzero(z)[:: self.width].tolist()
        return starts

    def encode(self, structure: Iterable[int]) -> NDArray[np.float64]:
        """Return the state, shape ``(length,)``, of windows that begin at these steps."""
        starts = np.sort(np.fromiter(structure, int))
        steps = (starts[:, None] + np.arange(self.width)).ravel()
        z = np.zeros(self.length)
        z[steps[(steps >= 0) & (steps < self.length)]] = 1
        if len(starts) != self.count or z.sum() != self.count * self.width:
            raise InvalidSolutionError(
                f"{starts.tolist()} are not {self.count} disjoint windows of {self.width} in {self.length} steps."
            )
        return z

    def is_feasible(self, z: NDArray[Any], *, instances: Any = None) -> NDArray[np.bool_]:
        """Return for each row, shape ``(N, length)``, whether it consists of such windows."""
        feasible = np.isin(z, (0, 1)).all(1) & (z.sum(1) == self.count * self.width)
        steps = np.nonzero(z[feasible])[1].reshape(-1, self.count, self.width)
        feasible[feasible] = (steps == steps[:, :, :1] + np.arange(self.width)).all((1, 2))
        return feasible

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return all states, shape ``(K, length)``."""
        # Take all but the first step of each window out of the series: what is left to choose are single steps.
        singles = itertools.combinations(range(self.length - self.count * (self.width - 1)), self.count)
        shift = np.arange(self.count) * (self.width - 1)
        return np.array([self.encode(np.array(single) + shift) for single in singles])
