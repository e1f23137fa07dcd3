"""Independent sets of greatest weight, by branch and bound over sets of nodes as bits.

Where cliques that cover some nodes weigh no more than a better set may still gain, a better set needs one of the other
nodes: these are the ones to branch on (Warren and Hicks 2006, Tavares et al. 2015).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.clique_cover import Cover, build, cover
from imle_networkx._kernels.integers import to_integers
from imle_networkx._kernels.words import contains, drop, following, highest, lowest, put, trailing_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOLVED, GAVE_UP = 0, 1


class Frames(NamedTuple):
    """What is known at each depth of a search, one row a depth.

    Attributes:
        open: The nodes that may still be chosen.
        branch: Those of them that a better set must contain one of.
        taken: The nodes chosen.
        value: Their weight.
    """

    open: NDArray[np.uint64]
    branch: NDArray[np.uint64]
    taken: NDArray[np.uint64]
    value: NDArray[np.int64]


@compiled
def solve_independent(theta: Any, state: Any, status: Any, conflicts: Any, bits: int, max_steps: int) -> None:
    """Find a set of greatest weight without conflicts for each row; nodes of weight 0 or less are not chosen.

    The parts into which the nodes of positive weight fall are searched one by one. The first row that is given up is
    the last one that is looked at.

    Args:
        theta: Weights, shape ``(rows, entries)``.
        state: Filled with the sets; zeros, shape of theta.
        status: Filled with ``SOLVED``, and ``GAVE_UP`` for the row that is.
        conflicts: See :class:`imle_networkx._kernels.conflicts.Conflicts`.
        bits: Of the integers to which weights are rounded, see :mod:`imle_networkx._kernels.integers`.
        max_steps: Branches of the search at most for a row.
    """
    near, column = conflicts.near, conflicts.column
    nodes, words = near.shape
    sets = np.empty((3, nodes + 1, words), np.uint64)
    frames = Frames(sets[0], sets[1], sets[2], np.empty(nodes + 1, np.int64))
    lists = np.empty((4, nodes), np.int64)
    weight = lists[0]
    few = np.empty((5, words), np.uint64)
    rest, chosen, best = few[0], few[1], few[2]
    memory = Cover(few[3], lists[1], lists[2], lists[3], few[4])
    gain = np.empty(nodes, np.float64)
    status[:] = SOLVED
    for row in range(theta.shape[0]):
        for node in range(nodes):
            gain[node] = max(theta[row, column[node]], 0)
        to_integers(gain, bits, np.inf, weight)
        rest[:] = 0
        chosen[:] = 0
        for node in range(nodes):
            if weight[node]:
                put(rest, node)
        _force(near, weight, rest, chosen)
        steps = max_steps
        while lowest(rest) >= 0:
            _part(near, rest, frames.open[0], best)
            steps = _search(near, weight, frames, memory, best, steps)
            if steps < 0:
                status[row] = GAVE_UP
                return
            for k in range(words):
                chosen[k] |= best[k]
        for node in range(nodes):
            if contains(chosen, node):
                state[row, column[node]] = 1


@compiled
def _part(near: Any, rest: Any, part: Any, fresh: Any) -> None:
    """Move the nodes that hang together with the first of the rest from there to a part."""
    part[:] = 0
    fresh[:] = 0
    node = lowest(rest)
    put(fresh, node)
    while node >= 0:
        for k in range(len(rest)):
            found = near[node, k] & rest[k]
            rest[k] &= ~found
            part[k] |= found
            fresh[k] |= found
        drop(fresh, node)
        node = lowest(fresh)


@compiled
def _search(near: Any, weight: Any, frames: Any, memory: Any, best: Any, steps: int) -> int:
    """Find the best set among the nodes in ``frames.open[0]``.

    Args:
        near: See :class:`imle_networkx._kernels.conflicts.Conflicts`.
        weight: Of each node, positive.
        frames: Memory.
        memory: Memory.
        best: Filled with the set.
        steps: Branches at most.

    Returns:
        How many of the steps are left, negative if there were not enough.
    """
    opened, branch, taken, value = frames.open, frames.branch, frames.taken, frames.value
    words = near.shape[1]
    best[:] = 0
    taken[0] = 0
    value[0] = 0
    record, depth, entered = 0, 0, True
    while depth >= 0:
        if entered:
            value[depth] += _force(near, weight, opened[depth], taken[depth])
            improved = True
            while improved:
                limit = record - value[depth]
                bound, leaders = cover(near, weight, opened[depth], branch[depth], memory, limit)
                found = build(near, weight, opened[depth], memory, leaders) if bound > limit else limit
                improved = found > limit
                if improved:
                    record = value[depth] + found
                    for k in range(words):
                        best[k] = taken[depth, k] | memory.chosen[k]
        node = highest(branch[depth])
        entered = node >= 0
        if not entered:
            depth -= 1
            continue
        steps -= 1
        if steps < 0:
            return steps
        drop(branch[depth], node)
        drop(opened[depth], node)
        for k in range(words):
            opened[depth + 1, k] = opened[depth, k] & ~near[node, k]
            taken[depth + 1, k] = taken[depth, k]
        put(taken[depth + 1], node)
        value[depth + 1] = value[depth] + weight[node]
        depth += 1
    return steps


@compiled
def _force(near: Any, weight: Any, opened: Any, taken: Any) -> int:
    """Take every node that weighs as much as its neighbours together: no set is better without it.

    Returns:
        The weight taken.
    """
    total, again = 0, True
    while again:  # a node taken takes neighbours away from others
        again = False
        node = lowest(opened)
        while node >= 0:
            if _outweighs(near, weight, opened, node):
                total += weight[node]
                again = True
                put(taken, node)
                for k in range(len(opened)):
                    opened[k] &= ~near[node, k]
            node = following(opened, node)
    return total


@compiled
def _outweighs(near: Any, weight: Any, opened: Any, node: int) -> bool:
    lead = 2 * weight[node]  # it is near itself
    for k in range(len(opened)):
        others = opened[k] & near[node, k]
        while others:
            lead -= weight[64 * k + trailing_zeros(others)]
            if lead < 0:
                return False
            others &= others - np.uint64(1)
    return True
