"""A bound on the weight of independent sets, and a set from what led to it.

If the weights of some nodes are shared out among cliques, an independent set of these nodes, which has one node of each
clique at most, weighs no more than the cliques together. Cliques are found greedily, along an order in which each
node has few neighbours behind it. On chordal graphs (trees, intervals) the set weighs what the bound is (Frank 1975).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from imle_core.kernels import compiled
from imle_networkx._kernels.words import contains, drop, following, lowest, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Cover(NamedTuple):
    """Memory for a cover.

    Attributes:
        uncovered: The nodes that have weight left.
        left: How much, of each node.
        clique: The nodes of the clique at hand.
        leaders: The nodes that led cliques until they were covered.
        chosen: The set built, and memory for cliques.
    """

    uncovered: NDArray[np.uint64]
    left: NDArray[np.int64]
    clique: NDArray[np.int64]
    leaders: NDArray[np.int64]
    chosen: NDArray[np.uint64]


@compiled
def cover(near: Any, weight: Any, opened: Any, branch: Any, memory: Any, limit: int) -> tuple[int, int]:
    """Share the weights of nodes out among cliques.

    Each clique begins with the first node that is not covered, its leader, and weighs as much as what is left of its
    lightest node; a leader leads cliques until it is covered.

    Args:
        near: See :class:`imle_networkx._kernels.conflicts.Conflicts`.
        weight: Of each node.
        opened: The nodes.
        branch: Filled with the nodes that cliques of the weight allowed have not covered.
        memory: ``leaders`` is filled.
        limit: The weight allowed.

    Returns:
        The weight of all cliques, and the number of leaders.
    """
    uncovered, both, left = memory.uncovered, memory.chosen, memory.left
    clique, leaders = memory.clique, memory.leaders
    words = len(opened)
    node = lowest(opened)
    while node >= 0:
        left[node] = weight[node]
        node = following(opened, node)
    for k in range(words):
        uncovered[k] = opened[k]
        branch[k] = 0
    total, led, beyond = 0, 0, False
    leader = lowest(uncovered)
    while leader >= 0:
        for k in range(words):
            both[k] = uncovered[k] & near[leader, k]
        drop(both, leader)
        clique[0], size, share = leader, 1, left[leader]
        node = lowest(both)
        while node >= 0:
            clique[size] = node
            size += 1
            share = min(share, left[node])
            drop(both, node)
            for k in range(node >> 6, words):
                both[k] &= near[node, k]
            node = following(both, node)
        if not beyond and total + share > limit:
            beyond = True
            for k in range(words):
                branch[k] = uncovered[k]
        total += share
        for i in range(size):
            left[clique[i]] -= share
            if left[clique[i]] == 0:
                drop(uncovered, clique[i])
        if not contains(uncovered, leader):
            leaders[led] = leader
            led += 1
        leader = lowest(uncovered)
    return total, led


@compiled
def build(near: Any, weight: Any, opened: Any, memory: Any, led: int) -> int:
    """Put leaders into ``memory.chosen``, the last one first, each unless a neighbour is there; return their weight."""
    leaders, chosen, free = memory.leaders, memory.chosen, memory.uncovered
    for k in range(len(opened)):
        chosen[k] = 0
        free[k] = opened[k]
    total = 0
    for i in range(led - 1, -1, -1):
        if contains(free, leaders[i]):
            put(chosen, leaders[i])
            total += weight[leaders[i]]
            for k in range(len(opened)):
                free[k] &= ~near[leaders[i], k]
    return total
