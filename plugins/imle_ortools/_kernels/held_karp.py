"""The best tour of a few nodes, by the dynamic programme of Held and Karp."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled

UNREACHED = 2**62
"""Above every sum of costs."""


@compiled
def best_tour(cost: Any, tour: Any) -> None:
    """Find a tour of least cost, O(2^n n^2).

    Of several best tours it returns the one whose last node is the first in number, then the one before it, and so on.

    Args:
        cost: Integers, shape ``(n, n)``, n >= 3; n times their largest magnitude is below 2^61.
        tour: Filled with the nodes in the order of the tour, from node 0; shape ``(n,)``.
    """
    others = len(cost) - 1  # node i + 1 is bit i
    into = np.empty((others, others), np.int64)  # into[j, i]: the cost of the arc from i to j, a row a vector
    for i in range(others):
        for j in range(others):
            into[j, i] = cost[i + 1, j + 1]
    # least[s, j]: the least cost of a path from node 0 through all of the set s that ends in its member j
    least = np.full((1 << others, others), np.int64(UNREACHED))
    for j in range(others):
        least[1 << j, j] = cost[0, j + 1]
    for subset in range(1, 1 << others):
        if subset & (subset - 1) == 0:
            continue
        for j in range(others):
            if subset >> j & 1:
                before = least[subset ^ (1 << j)]
                arcs = into[j]
                best = np.int64(UNREACHED)
                for i in range(others):
                    best = min(best, before[i] + arcs[i])
                least[subset, j] = best
    subset, last, best = (1 << others) - 1, 0, np.int64(UNREACHED)
    for j in range(others):
        total = least[subset, j] + cost[j + 1, 0]
        if total < best:
            last, best = j, total
    tour[0] = 0
    for place in range(others, 0, -1):
        tour[place] = last + 1
        rest = subset ^ (1 << last)
        for i in range(others):
            if rest >> i & 1 and least[rest, i] + into[last, i] == least[subset, last]:
                last = i
                break
        subset = rest
