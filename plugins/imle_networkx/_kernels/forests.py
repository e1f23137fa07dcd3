"""Forests: which nodes hang together, which states are forests, and all of them in a small graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import MissingCapabilityError
from imle_core.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FORESTS = 300_000
"""Forests at most that a listing may hold on its way: enough for the trees of 7 nodes that are all adjacent."""


@compiled
def find(leader: Any, node: int) -> int:
    """Return the leader of a node's component, and halve the way to it."""
    while leader[node] != node:
        leader[node] = leader[leader[node]]
        node = leader[node]
    return node


@compiled
def components(ends: Any, nodes: int) -> Any:
    """Return the first node of each node's component, shape ``(nodes,)``, whatever the direction of edges ``ends``."""
    leader = np.arange(nodes)
    for edge in range(len(ends)):
        u, v = find(leader, ends[edge, 0]), find(leader, ends[edge, 1])
        leader[max(u, v)] = min(u, v)
    for node in range(nodes):
        leader[node] = find(leader, node)
    return leader


@compiled
def are_forests(chosen: Any, ends: Any, nodes: int, size: int, entered_once: bool, roots: Any) -> Any:
    """Return for each row whether its edges are a forest of a given size.

    Args:
        chosen: Whether each edge is chosen, shape ``(rows, edges)``.
        ends: Nodes of each edge, tail and head, shape ``(edges, 2)``.
        nodes: Number of nodes.
        size: Number of edges wanted.
        entered_once: Whether also no two edges may have the same head. A tree is an arborescence then.
        roots: A node of each row that no edge may have as its head, or -1; only looked at with ``entered_once``.

    Returns:
        Booleans, shape ``(rows,)``.
    """
    feasible = np.empty(len(chosen), np.bool_)
    leader = np.empty(nodes, np.int64)
    entered = np.empty(nodes, np.bool_)
    for row in range(len(chosen)):
        for node in range(nodes):
            leader[node] = node
            entered[node] = entered_once and node == roots[row]
        count, fits = 0, True
        for edge in range(len(ends)):
            if fits and chosen[row, edge]:
                head = ends[edge, 1]
                u, v = find(leader, ends[edge, 0]), find(leader, head)
                fits = u != v and not entered[head]
                leader[u] = v
                entered[head] = entered_once
                count += 1
        feasible[row] = fits and count == size
    return feasible


def all_forests(
    ends: NDArray[np.int64], nodes: int, size: int, *, entered_once: bool = False, root: int = -1
) -> NDArray[np.float64]:
    """Return the states of all forests of a given size, each once, shape ``(K, edges)``.

    Arguments are those of :func:`are_forests`. Edge by edge, each forest is continued without it and, if it remains
    one, with it.

    Raises:
        MissingCapabilityError: there are too many on the way.
    """
    states = np.zeros((1, len(ends)), np.bool_)
    leader = np.arange(nodes, dtype=np.int16)[None]
    entered = np.zeros((1, nodes), np.bool_)
    entered[:, root if root >= 0 else slice(0)] = True
    for edge, (u, v) in enumerate(ends.tolist()):
        fits = (leader[:, u] != leader[:, v]) & ~entered[:, v]
        joined = leader[fits]
        joined = np.where(joined == joined[:, [u]], joined[:, [v]], joined)
        with_edge, entered_by_it = states[fits], entered[fits]
        with_edge[:, edge], entered_by_it[:, v] = True, entered_once
        states = np.concatenate([states, with_edge])
        leader = np.concatenate([leader, joined])
        entered = np.concatenate([entered, entered_by_it])
        hopeful = states.sum(axis=1) + len(ends) - 1 - edge >= size
        states, leader, entered = states[hopeful], leader[hopeful], entered[hopeful]
        if len(states) > MAX_FORESTS:
            raise MissingCapabilityError(f"there are more than {MAX_FORESTS:,} forests on the way to a list.")
    return states[states.sum(axis=1) == size].astype(np.float64)
