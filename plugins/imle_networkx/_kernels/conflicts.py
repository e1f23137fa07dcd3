"""Nodes that exclude each other, as sets of bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imle_networkx._kernels.words import pack

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Conflicts(NamedTuple):
    """Which nodes exclude each other; nodes that cannot be chosen at all are left out.

    Attributes:
        near: For each node the set of itself and its neighbours, shape ``(nodes, words)``.
        column: Column of each node.
    """

    near: NDArray[np.uint64]
    column: NDArray[np.int64]


def conflicts_of(excludes: NDArray[np.bool_]) -> Conflicts:
    """Number nodes by taking away one of the fewest neighbours at a time; of several, the first.

    Args:
        excludes: Whether two nodes exclude each other, symmetric, shape ``(nodes, nodes)``; on the diagonal, whether a
            node cannot be chosen.
    """
    usable = np.flatnonzero(~excludes.diagonal())
    near = excludes[np.ix_(usable, usable)]
    degree = near.sum(axis=1)
    order = np.empty(len(usable), np.int64)
    for place in range(len(usable)):
        node = order[place] = degree.argmin()
        degree -= near[node]
        degree[node] = 2 * len(usable)  # stays behind all others
    np.fill_diagonal(near, True)
    return Conflicts(pack(near[np.ix_(order, order)]), usable[order])
