"""Costs as integers, whose sums and comparisons are exact, so that no search for an improvement stalls on rounding."""

from __future__ import annotations

import math
from typing import Any

from imle_core.kernels import compiled


def width(terms: int) -> int:
    """Return how many bits numbers may have so that any sum of so many of them stays below 2^62."""
    return 62 - max(1, terms).bit_length()


@compiled
def to_integers(costs: Any, bits: int, limit: float, out: Any) -> None:
    """Multiply one row of costs by a power of two and round, so that the largest number has so many bits.

    Costs that differ in magnitude by less than 2^(bits - 53), or 2^(bits - 24) in single precision, are exact.

    Args:
        costs: Shape ``(entries,)``.
        bits: See :func:`width`.
        limit: Larger costs are lowered to it; infinity for none.
        out: Filled with the integers; may be longer than ``costs``.
    """
    largest = 0.0
    for cost in costs:
        largest = max(largest, abs(cost))
    power = bits - math.frexp(min(largest, limit))[1]
    # Two factors, because 2^1024 is infinite: where the limit is far below the largest cost, both are needed.
    factor, rest = math.ldexp(1.0, power // 2), math.ldexp(1.0, power - power // 2)
    for i in range(len(costs)):
        out[i] = round(min(costs[i], limit) * factor * rest)
