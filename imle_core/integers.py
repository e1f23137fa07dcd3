"""Parameters as integers, for solvers whose arithmetic is in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["exact_integers", "to_integers"]


def to_integers(values: NDArray[Any], bits: int) -> NDArray[np.int64]:
    r"""Multiply each row by a power of two and round, so that its largest magnitude has ``bits`` bits.

    .. math:: k_i = \operatorname{round}(2^{b - e} v_i), \qquad 2^{e-1} \le \max_j |v_j| < 2^e

    A power of two, because that leaves every bit of the mantissas: values within a factor of 2^(bits - 53) of the
    largest in double precision, and of 2^(bits - 24) in single precision, are exact.

    Args:
        values: Finite, shape ``(*rows, entries)``.
        bits: From 1 to 62. The sum of m numbers below 2^b stays below 2^62 with ``bits = 62 - m.bit_length()``.

    Returns:
        Integers of magnitude at most 2^bits, of the same shape; a row of zeros stays zero.

    Example:
        >>> to_integers(np.array([[0.5, -0.25], [3.0, 1.0]]), 4)
        array([[ 8, -4],
               [12,  4]])
    """
    values = np.asarray(values, np.float64)
    _, exponent = np.frexp(np.abs(values).max(-1, keepdims=True, initial=0.0))
    return np.rint(np.ldexp(values, bits - exponent)).astype(np.int64)


def exact_integers(values: Sequence[float]) -> list[int]:
    """Return one row as Python's integers, all multiplied by one power of two and none rounded.

    For algorithms that are exact for integers alone: rounding of floats can make a simplex method stop early, or never.

    Example:
        >>> exact_integers([0.5, 1e17, -0.125])
        [4, 800000000000000000, -1]
    """
    ratios = [value.as_integer_ratio() for value in values]
    largest = max((denominator for _, denominator in ratios), default=1)
    return [numerator * (largest // denominator) for numerator, denominator in ratios]
