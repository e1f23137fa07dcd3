"""An integer linear programme as arrays: what every model, of PuLP or in a file, is lowered to once."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


MANY = 8
"""Points from which on a sparse matrix is worth making."""


@dataclass(frozen=True, eq=False)
class Program:
    r"""Variables, constraints and fixed costs of a programme; only the costs that theta stands for are left open.

    .. math:: \min_x \; c^\top x \quad \text{s.t.} \quad l_r \le A x \le u_r, \; l \le x \le u, \;
       x_j \in \mathbb{Z} \text{ for } j \in I

    Always minimised: the costs of a programme that maximises are negated when it is lowered.

    Args:
        cost: Costs of the columns that theta does not stand for, 0 for the others, shape ``(columns,)``.
        starts: Where each row of A begins in ``columns`` and ``values`` (compressed sparse rows), ``(rows + 1,)``.
        columns: Column of each entry of A, shape ``(entries,)``, int32, each column at most once a row.
        values: The entries of A, shape ``(entries,)``, finite.
        row_lower: Lower limits of the rows, -inf where there is none.
        row_upper: Upper limits of the rows, inf where there is none.
        lower: Lower bounds of the columns, -inf where there is none.
        upper: Upper bounds of the columns, inf where there is none.
        integer: Which columns are integers, bool.
        names: The user's names of the columns, any strings.
        row_names: The user's names of the rows.
    """

    cost: NDArray[np.float64]
    starts: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: NDArray[np.float64]
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    integer: NDArray[np.bool_]
    names: tuple[str, ...]
    row_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Let nobody write to the arrays: copies of a programme with other limits share them."""
        for value in self.__dict__.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.lower)

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.row_lower)

    def with_(self, **arrays: Any) -> Program:
        """Return the programme with other limits, bounds or entries; sizes and sparsity stay."""
        return replace(self, **arrays)

    def activity(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A x, shape ``(N, rows)``, for points of shape ``(N, columns)``."""
        return self._times(self.values, x)

    def sizes(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how large the terms of each row are together, shape ``(N, rows)``: the sum of ``abs(a * x)``."""
        return self._times(np.abs(self.values), np.abs(x))

    def _times(self, values: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        if len(x) >= MANY:
            from scipy.sparse import csr_array  # here, so that names are known before any library is there

            matrix = csr_array((values, self.columns, self.starts), (self.height, self.width))
            return np.asarray((matrix @ x.T).T)
        total = np.zeros((len(x), self.height))
        filled = np.flatnonzero(np.diff(self.starts))
        if len(filled):
            total[:, filled] = np.add.reduceat(x[:, self.columns] * values, self.starts[filled], axis=1)
        return total

    @functools.cached_property
    def row_of(self) -> NDArray[np.int64]:
        """Row of each entry of A."""
        return np.repeat(np.arange(self.height), np.diff(self.starts))

    @functools.cached_property
    def whole_rows(self) -> NDArray[np.bool_]:
        """Which rows have integer columns and whole coefficients alone."""
        whole = np.ones(self.height, np.bool_)
        good = self.integer[self.columns] & (self.values == np.rint(self.values))
        np.logical_and.at(whole, self.row_of, good)
        return whole
