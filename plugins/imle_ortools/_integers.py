"""Parameters as the integers that OR-Tools calculates with, and which rows lose too much by that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.integers import exact_integers, to_integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 24
"""Bits that each number of a row keeps, or the row is wide: those of single precision."""


def rounded(values: NDArray[Any], bits: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return rows as integers of so many bits, and which rows are wide: have numbers far below their largest.

    Rows in single precision that are not wide are exact; others are rounded to 2^-bits of their largest magnitude.

    Args:
        values: Shape ``(rows, entries)``.
        bits: See :func:`imle_core.integers.to_integers`.
    """
    size = np.abs(values).astype(np.float64)
    least = np.ldexp(size.max(1, initial=0.0), KEPT - bits)
    return _reduced(to_integers(values, bits)), ((size > 0) & (size < least[:, None])).any(1)


def _reduced(integers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return rows without the power of two in all their numbers: algorithms that scale costs need fewer rounds."""
    together = np.bitwise_or.reduce(integers, axis=1, keepdims=True)
    lowest = together & -together
    return integers >> np.maximum(np.frexp(lowest.astype(np.float64))[1] - 1, 0)


def exact(values: NDArray[Any]) -> NDArray[np.object_]:
    """Return a row as Python's integers, all multiplied by one power of two and none rounded."""
    return np.array(exact_integers(values.tolist()), object)
