"""Which nodes a cut separates, and all cuts of a small graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import MissingCapabilityError
from imle_core.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_NODES = 16
"""Nodes beside source and target whose subsets are tried one by one: 65,536 at most."""


def between(near: NDArray[np.bool_], ends: NDArray[np.int64], *, directed: bool) -> NDArray[np.bool_]:
    """Return which edges lead from near nodes to others, shape ``(rows, edges)``.

    Args:
        near: Whether each node is, shape ``(rows, nodes)``.
        ends: Numbers of the two nodes of each edge, shape ``(edges, 2)``.
        directed: Whether edges have a direction.
    """
    tail, head = near[:, ends[:, 0]], near[:, ends[:, 1]]
    return tail & ~head if directed else tail != head


@compiled
def near_sides(cut: Any, sources: Any, targets: Any, ends: Any, arcs: Any, directed: bool, near: Any) -> None:
    """Fill in the nodes on the source's side of each cut; for edges that are no cut, some nodes.

    In a directed graph they are the fewest possible: the source, the tails of the edges that are cut, and what these
    reach over others. In an undirected graph a cut edge leads to the other side, another one does not; and of a part of
    the graph without source and target, where that tells nothing, the first node is taken to be on the target's side.

    Args:
        cut: Whether each edge is cut, shape ``(rows, edges)``.
        sources: Of each row.
        targets: Of each row.
        ends: Numbers of the two nodes of each edge, shape ``(edges, 2)``.
        arcs: See :class:`imle_networkx._kernels.max_flow.Pairs`.
        directed: Whether edges have a direction.
        near: False everywhere; to be filled, shape ``(rows, nodes)``.
    """
    nodes = near.shape[1]
    known, queue = np.empty(nodes, np.bool_), np.empty(nodes, np.int64)
    for row in range(len(cut)):
        known[:] = False
        near[row, sources[row]] = True
        _spread(sources[row], cut[row], arcs, directed, near[row], known, queue)
        if directed:
            for edge in range(len(ends)):
                if cut[row, edge]:
                    near[row, ends[edge, 0]] = True
                    _spread(ends[edge, 0], cut[row], arcs, directed, near[row], known, queue)
        else:
            _spread(targets[row], cut[row], arcs, directed, near[row], known, queue)
            for node in range(nodes):
                _spread(node, cut[row], arcs, directed, near[row], known, queue)


@compiled
def _spread(node: int, cut: Any, arcs: Any, directed: bool, near: Any, known: Any, queue: Any) -> None:
    """Fill in the sides of all nodes that are connected to one whose side is given, unless that was done before."""
    if known[node]:
        return
    known[node] = True
    queue[0] = node
    count, position = 1, 0
    while position < count:
        node = queue[position]
        position += 1
        for arc in range(arcs.ptr[node], arcs.ptr[node + 1]):
            other, crosses = arcs.head[arc], cut[arcs.column[arc]]
            if not known[other] and arcs.open[arc] and not (directed and crosses):
                known[other] = True
                near[other] = near[node] != crosses
                queue[count] = other
                count += 1


def all_cuts(
    source: int, target: int, ends: NDArray[np.int64], nodes: int, *, directed: bool
) -> NDArray[np.float64]:
    """Return every cut between two nodes once, shape ``(K, edges)``.

    Args:
        source: A node.
        target: Another node.
        ends: Numbers of the two nodes of each edge, shape ``(edges, 2)``.
        nodes: How many there are.
        directed: Whether edges have a direction.

    Raises:
        MissingCapabilityError: there are too many sides of a cut to be tried.
    """
    linked = np.unique(ends[ends[:, 0] != ends[:, 1]])
    free = linked[(linked != source) & (linked != target)]
    if len(free) > MAX_NODES:
        raise MissingCapabilityError(
            f"cuts are listed for at most {MAX_NODES} nodes with edges beside source and target; there are "
            f"{len(free):,}."
        )
    sides = np.arange(2 ** len(free))
    near = np.zeros((len(sides), nodes), np.bool_)
    near[:, free] = sides[:, None] >> np.arange(len(free)) & 1
    near[:, source] = True
    return np.unique(between(near, ends, directed=directed), axis=0).astype(np.float64)
