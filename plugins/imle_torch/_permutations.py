"""Permutations as paths through the subsets of columns: exact inference for small n."""

from __future__ import annotations

import functools

import numpy as np

from imle_torch._paths import Paths

MAX_EXACT = 12
"""Largest n with exact inference: 2^n subsets."""


@functools.cache
def permutations(n: int) -> Paths:
    """Return the permutation matrices ``(n, n)`` as paths, of which entry ``n i + j`` scores row i with column j.

    The rows take a column each, in their order; a node is the set of columns taken. There are ``n 2^(n-1)`` arcs,
    and all terms are positive: the permanent in O(n 2^n), as by Ryser's formula, and without its cancellation.
    """
    taken = np.repeat(np.arange(2**n), n)
    column = np.tile(np.arange(n), 2**n)
    free = (taken >> column) & 1 == 0
    taken, column = taken[free], column[free]
    row = (taken[:, None] >> np.arange(n) & 1).sum(1)
    ends = np.stack([taken, taken | (1 << column)], 1)
    return Paths(ends, n * row + column, n * n, nodes=2**n, source=0, target=2**n - 1)
