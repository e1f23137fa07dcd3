"""The assignment of least cost, by OR-Tools' LinearSumAssignment."""

from __future__ import annotations

import itertools
import math
import operator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from imle_core.errors import InfeasibleError, MissingCapabilityError, SolverParameterError
from imle_ortools._integers import rounded
from imle_ortools._keyed import KeyedSolver, by_task
from imle_ortools._perfect_matching import Pairing, read_pairs
from imle_ortools._reading import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

Sense = Literal["min", "max"]

MOST_LISTED = 1_000_000
"""Assignments at most that are listed."""


class LinearAssignment(KeyedSolver[Pairing]):
    r"""The pairs of least cost that give each member of the smaller side a different member of the other.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad Z = \Big\{z \in \{0, 1\}^{n \times m} :
       \sum_j z_{ij} \le 1, \ \sum_i z_{ij} \le 1, \ \sum_{ij} z_{ij} = \min(n, m), \ z_{ij} = 0
       \text{ where forbidden}\Big\}

    Costs have shape ``(N, n, m)`` and any sign; those of forbidden pairs do not matter. The algorithm is OR-Tools'
    cost-scaling push-relabel method, in integers. Theta in single precision is solved exactly. In double precision
    costs are rounded to 2^-b of their row's largest magnitude, where b is 51 for 20 x 20 and 41 for 1,000 x 1,000, but
    a row any of whose costs is so small that it would keep fewer than 24 bits is solved digit by digit, and exactly.
    Ties are broken as OR-Tools does, always in the same way.

    Args:
        shape: Rows n and columns m of the matrix.
        forbidden: Pairs that are not allowed: ``(row, column)`` each, or a matrix of booleans of this shape.
        sense: ``"min"`` for costs, ``"max"`` for scores.

    Rows may have different forbidden pairs: an instance is a mapping ``{"forbidden": ((0, 1), (2, 2))}``, which takes
    the place of the constructor's. ``decode`` returns the pairs ``(row, column)``, by row, and ``encode`` takes them.

    Raises:
        SolverParameterError: a parameter is not valid.
        InvalidInstanceError: an instance is not valid.
        InfeasibleError: forbidden pairs leave no assignment, with the row and the members who have too few partners.

    References:
        Goldberg and Kennedy (1995), An efficient cost scaling algorithm for the assignment problem.

    Example:
        >>> import numpy as np
        >>> solver = LinearAssignment(shape=(2, 3), forbidden=[(0, 0)])
        >>> z = solver.solve(np.array([[[0.0, 2.0, 6.0], [4.0, 1.0, 9.0]]]))
        >>> z
        array([[[0., 1., 0.],
                [1., 0., 0.]]])
        >>> solver.decode(z[0])
        [(0, 1), (1, 0)]
    """

    output = "binary"
    keys: ClassVar[tuple[str, ...]] = ("forbidden",)

    def __init__(self, *, shape: Sequence[int], forbidden: Any = (), sense: Sense = "min") -> None:
        one_of("sense", sense, get_args(Sense))
        self.sense = sense
        try:
            sizes = tuple(map(operator.index, shape))
        except TypeError:
            sizes = ()
        if len(sizes) != 2 or min(sizes) < 1:
            raise SolverParameterError(
                f"shape must be two integers of at least 1, rows and columns; got {shape!r}."
            )
        self.shape: tuple[int, int] = sizes
        self.event_shape = sizes
        self._begin(forbidden=forbidden)

    def _task(self, given: Mapping[str, Any]) -> Pairing:
        return read_pairs(~_read_forbidden(given["forbidden"], self.shape))

    def solve(self, theta: NDArray[Any], *, instances: Sequence[Pairing] | None = None) -> NDArray[Any]:  # type: ignore[override]
        """Return the best assignment of each row of theta, shape ``(N, n, m)``."""
        tasks = self._tasks(instances, len(theta))
        for row, task in enumerate(tasks):
            if task.fault:
                raise InfeasibleError(task.fault, row=row)
        costs = theta.reshape(len(theta), -1) * (1 if self.sense == "min" else -1)
        z = np.zeros_like(theta)
        upright = z if self.shape[0] <= self.shape[1] else z.transpose(0, 2, 1)
        members = np.arange(min(self.shape))
        for task, rows in by_task(tasks):
            values = costs[np.ix_(rows, task.places)]
            integers, wide = rounded(values, task.bits)
            for row, value, integer, is_wide in zip(rows, values, integers, wide, strict=True):
                mates = task.best_exactly(value) if is_wide else task.best(integer)
                upright[row, members, mates[: len(members)]] = 1
        return z

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> list[tuple[int, int]]:  # type: ignore[override]
        """Return the pairs ``(row, column)`` of a state, by row."""
        self._require(z, instance, f"assignment of a matrix of shape {self.shape}, or has a forbidden pair")
        return [(int(row), int(column)) for row, column in np.argwhere(z)]

    def encode(self, structure: Iterable[Sequence[int]], *, instance: Any = None) -> NDArray[np.float64]:
        """Return the state of pairs ``(row, column)``.

        Raises:
            InvalidSolutionError: they are no assignment.
        """
        z = np.zeros(self.shape)
        try:
            for row, column in structure:
                place = operator.index(row), operator.index(column)
                z[place] += 1 if min(place) >= 0 else np.nan
        except (TypeError, ValueError, IndexError):
            raise self._no_structure(
                f"an assignment is pairs (row, column) of a matrix of shape {self.shape}; got {structure!r}"
            ) from None
        self._require(z, instance, f"assignment: {structure!r}")
        return z

    def is_feasible(
        self, z: NDArray[Any], *, instances: Sequence[Pairing] | None = None
    ) -> NDArray[np.bool_]:
        """Return for each row whether it is an assignment without a forbidden pair."""
        z = self._states(np.asarray(z))
        allowed = np.stack([task.allowed for task in self._tasks(instances, len(z))]).reshape(z.shape)
        binary = ((z == 0) | ((z == 1) & allowed)).all((1, 2))
        once = (z.sum(1) <= 1).all(1) & (z.sum(2) <= 1).all(1)
        return binary & once & (z.sum((1, 2)) == min(self.shape))

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return every assignment without a forbidden pair, shape ``(K, n, m)``.

        Raises:
            MissingCapabilityError: there are more than a million, counting those with forbidden pairs.
        """
        small, large = sorted(self.shape)
        if (count := math.perm(large, small)) > MOST_LISTED:
            raise MissingCapabilityError(
                f"{self.name}: {count:,} assignments are too many to be listed (at most {MOST_LISTED:,})."
            )
        partners = np.array(list(itertools.permutations(range(large), small)))
        z = np.zeros((len(partners), small, large))
        np.put_along_axis(z, partners[:, :, None], 1, axis=2)
        if self.shape != (small, large):
            z = np.ascontiguousarray(z.transpose(0, 2, 1))
        task = self._task_of(instance)
        return z[self.is_feasible(z, instances=[task] * len(z))]

    def explain(self) -> str:
        """Return which algorithm runs, how exactly, and what is faster."""
        task = self._own
        bits = f"costs rounded to {task.bits} bits" if task is not None else "costs rounded"
        return (
            f"{self.name}: OR-Tools' SimpleLinearSumAssignment (cost-scaling push-relabel), row by row in one "
            f"thread, as it holds the GIL; {bits}, rows of wider range in several digits. networkx.assignment solves "
            "the same problem, compiled, several times faster."
        )


def _read_forbidden(forbidden: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pairs are forbidden, from a matrix of booleans or from pairs."""
    try:
        given = np.asarray(forbidden)
    except ValueError:
        given = np.empty(0, object)
    if given.dtype == np.bool_ and given.shape == shape:
        return given.copy()
    mask = np.zeros(shape, np.bool_)
    if given.size == 0 and given.dtype != object:
        return mask
    if given.dtype.kind not in "iu" or given.ndim != 2 or given.shape[1] != 2:
        raise SolverParameterError(
            f"forbidden must be pairs (row, column) of integers, or booleans of shape {shape}; got {forbidden!r}."
        )
    outside = ((given < 0) | (given >= shape)).any(1)
    if outside.any():
        raise SolverParameterError(
            f"forbidden has the pair {tuple(given[outside][0].tolist())}, which is not in a matrix of shape {shape}."
        )
    mask[given[:, 0], given[:, 1]] = True
    return mask
