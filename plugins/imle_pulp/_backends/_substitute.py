"""Continuous columns that an equality defines, taken out before a programme is given to a library.

Models name quantities, such as ``energy == 3 a + 5 b``, so that theta can price them. The name costs a library a column
and a row, and keeps those away that take integers alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imle_pulp._program import Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from ._base import Answer, Model


class Reduction(NamedTuple):
    r"""A programme without the columns that equalities define.

    .. math:: a_j x_j + \sum_{k \ne j} a_k x_k = b \quad\Rightarrow\quad
       x_j = \frac{b - \sum_{k \ne j} a_k x_k}{a_j}, \qquad
       c_j x_j = \frac{c_j b}{a_j} - \sum_{k \ne j} \frac{c_j a_k}{a_j} x_k

    A row whose column has bounds stays, with the limits that these leave; that of a free column goes.

    Args:
        program: What is left.
        columns: The columns that are left.
        rows: The rows that are left.
        defined: The columns that were taken out.
        offset: b / a of each.
        factors: a_k / a_j of all columns, sparse, ``(defined, columns)``, none for the columns taken out.
        lower: Lower bounds of the columns taken out.
        upper: Their upper bounds.
    """

    program: Program
    columns: NDArray[np.int64]
    rows: NDArray[np.int64]
    defined: NDArray[np.int64]
    offset: NDArray[np.float64]
    factors: csr_array
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    def cost(self, cost: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the costs of the columns that are left."""
        priced: NDArray[np.float64] = cost - cost[self.defined] @ self.factors
        return priced[self.columns]

    def point(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return all columns of a point of the programme that is left."""
        whole = np.zeros(self.factors.shape[1])
        whole[self.columns] = x
        # Within the bounds: rounding, and the tolerance of the library, may lead just beyond.
        whole[self.defined] = (self.offset - self.factors @ whole).clip(self.lower, self.upper) + 0.0
        return whole

    def same_shape(self, other: Reduction) -> bool:
        """Return whether another instance of the programme was reduced by the same columns and rows."""
        return np.array_equal(self.columns, other.columns) and np.array_equal(self.rows, other.rows)


def reduce(program: Program) -> Reduction | None:
    """Take out each continuous column that stands in a single row, an equality; one a row. None: there is none."""
    row_of = program.row_of
    uses = np.bincount(program.columns, minlength=program.width)
    equal = (program.row_lower == program.row_upper) & np.isfinite(program.row_lower)
    candidate = (uses[program.columns] == 1) & ~program.integer[program.columns] & equal[row_of]
    # A small coefficient would blow the others up.
    largest = np.zeros(program.height)
    np.maximum.at(largest, row_of, np.abs(program.values))
    entries = np.flatnonzero(
        candidate & (program.values != 0) & (1e3 * np.abs(program.values) >= largest[row_of])
    )
    _, first = np.unique(row_of[entries], return_index=True)
    entries = entries[first]
    if not len(entries):
        return None
    rows, defined = row_of[entries], program.columns[entries].astype(np.int64)
    scale, right = program.values[entries], program.row_lower[rows]
    place = np.full(program.height, -1)
    place[rows] = np.arange(len(rows))
    inside = (place[row_of] >= 0) & ~np.isin(np.arange(len(row_of)), entries)
    at = place[row_of[inside]]
    from scipy.sparse import csr_array  # here, so that names are known before any library is there

    factors = csr_array(
        (program.values[inside] / scale[at], (at, program.columns[inside])), (len(rows), program.width)
    )
    ends = np.stack([scale * program.lower[defined], scale * program.upper[defined]])
    low, high = program.row_lower.copy(), program.row_upper.copy()
    low[rows], high[rows] = right - ends.max(0), right - ends.min(0)
    kept = np.isfinite(low) | np.isfinite(high)
    kept |= ~np.isin(np.arange(program.height), rows)
    left = np.setdiff1d(np.arange(program.width), defined)
    number = np.full(program.width, -1)
    number[left] = np.arange(len(left))
    stay = kept[row_of] & (number[program.columns] >= 0)
    counts = np.bincount(row_of[stay], minlength=program.height)[kept]
    return Reduction(
        program=Program(
            cost=program.cost[left],
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            columns=number[program.columns[stay]].astype(np.int32),
            values=program.values[stay],
            row_lower=low[kept],
            row_upper=high[kept],
            lower=program.lower[left],
            upper=program.upper[left],
            integer=program.integer[left],
            names=tuple(program.names[j] for j in left),
            row_names=tuple(name for name, stays in zip(program.row_names, kept, strict=True) if stays),
        ),
        columns=left,
        rows=np.flatnonzero(kept),
        defined=defined,
        offset=right / scale,
        factors=factors,
        lower=program.lower[defined],
        upper=program.upper[defined],
    )


def reduced(program: Program) -> Program:
    """Return the programme that a library is given."""
    reduction = reduce(program)
    return program if reduction is None else reduction.program


class Substituted:
    """A :class:`Model` that gives its library the programme without the columns that equalities define.

    Args:
        load: Makes the model of what is left.
        program: The whole programme.
    """

    def __init__(self, load: Callable[[Program], Model], program: Program) -> None:
        self._load = load
        self._take(program)

    def _take(self, program: Program) -> None:
        reduction = reduce(program)
        self._model = self._load(program if reduction is None else reduction.program)
        self._whole, self._reduction = program, reduction

    def change(self, program: Program) -> None:
        """Take another instance of the programme."""
        if program is self._whole:
            return
        before, after = self._reduction, reduce(program)
        if before is None and after is None:
            self._model.change(program)
            self._whole = program
        elif before is not None and after is not None and before.same_shape(after):
            self._model.change(after.program)
            self._whole, self._reduction = program, after
        else:
            self._take(program)

    def solve(
        self,
        cost: NDArray[np.float64],
        *,
        start: NDArray[np.float64] | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Minimise, as :meth:`Model.solve` does."""
        reduction = self._reduction
        if reduction is None:
            return self._model.solve(cost, start=start, seconds=seconds)
        priced = reduction.cost(cost)
        _, exponent = np.frexp(np.abs(priced).max(initial=0.0))
        begin = None if start is None else start[reduction.columns]
        answer = self._model.solve(np.ldexp(priced, -exponent), start=begin, seconds=seconds)
        if answer.x is None:
            return answer
        x = reduction.point(answer.x)
        bound = np.ldexp(answer.bound, exponent) + cost[reduction.defined] @ reduction.offset
        return answer._replace(x=x, bound=float(min(bound, cost @ x)))
