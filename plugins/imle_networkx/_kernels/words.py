"""Sets of small numbers as the bits of 64-bit words: number v is bit ``v % 64`` of word ``v // 64``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from imle_core.kernels import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_ONE = np.uint64(1)
_ALL = ~np.uint64(0)
_NOT_ZERO = ir.Constant(ir.IntType(1), 1)


def _zeros(instruction: str) -> Callable[..., Any]:
    def zeros(_: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
        """Return how many bits below the lowest, or above the highest, one of a word other than 0 are not set."""
        return types.int64(types.uint64), lambda _c, builder, _s, words: getattr(builder, instruction)(
            words[0], _NOT_ZERO
        )

    return intrinsic(zeros)


trailing_zeros = _zeros("cttz")
leading_zeros = _zeros("ctlz")


@compiled
def lowest(members: Any) -> int:
    """Return the least number of a set, -1 if it is empty."""
    return following(members, -1)


@compiled
def following(members: Any, number: int) -> int:
    """Return the least number of a set above another, -1 if there is none."""
    first = (number + 1) >> 6
    for k in range(first, len(members)):
        word = members[k]
        if k == first:
            word &= _ALL << np.uint64((number + 1) & 63)
        if word:
            return 64 * k + trailing_zeros(word)
    return -1


@compiled
def highest(members: Any) -> int:
    """Return the greatest number of a set, -1 if it is empty."""
    for k in range(len(members) - 1, -1, -1):
        if members[k]:
            return 64 * k + 63 - leading_zeros(members[k])
    return -1


@compiled
def contains(members: Any, number: int) -> bool:
    """Return whether a number is in a set."""
    return (members[number >> 6] >> np.uint64(number & 63)) & _ONE != 0


@compiled
def put(members: Any, number: int) -> None:
    """Put a number into a set."""
    members[number >> 6] |= _ONE << np.uint64(number & 63)


@compiled
def drop(members: Any, number: int) -> None:
    """Take a number out of a set."""
    members[number >> 6] &= ~(_ONE << np.uint64(number & 63))


def pack(matrix: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the set of the columns that are true, for each row of a matrix, shape ``(rows, words)``."""
    rows, numbers = matrix.shape
    packed = np.zeros((rows, 8 * -(-numbers // 64)), np.uint8)
    packed[:, : -(-numbers // 8)] = np.packbits(matrix, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64)
