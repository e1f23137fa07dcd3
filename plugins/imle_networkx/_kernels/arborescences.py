"""Arborescences of a batch of rows: which compiled algorithm, and how many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_core.parallel import share
from imle_networkx._kernels.edmonds import solve_dense
from imle_networkx._kernels.edmonds_heap import solve_sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPARSE = 64
"""Ordered pairs of nodes to an arc from which on heaps are faster than a table."""

PARALLEL = 100_000
"""Rows times entries from which on threads are worth their start."""


class InArcs(NamedTuple):
    """The arcs of a directed graph by head, without loops.

    Attributes:
        first: First arc into each node, and their number at the end.
        tail, head, column: Of each arc: its nodes and its entry.
        may_be_root: Whether each node reaches all others.
        candidates: How many do.
        likeliest: One that does, or if none does, one that reaches all nodes that reach it.
    """

    first: NDArray[np.int64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    column: NDArray[np.int64]
    may_be_root: NDArray[np.bool_]
    candidates: int
    likeliest: int

    @property
    def sparse(self) -> bool:
        """Whether heaps are the faster way."""
        return (len(self.first) - 1) ** 2 > SPARSE * len(self.tail)


def in_arcs(ends: NDArray[np.int64], nodes: int) -> InArcs:
    """Return the arcs of a graph, given tail and head of each entry, shape ``(entries, 2)``."""
    column = np.flatnonzero(ends[:, 0] != ends[:, 1])
    column = column[np.argsort(ends[column, 1], kind="stable")]
    tail, head = ends[column].T.copy()
    by_tail = np.argsort(tail, kind="stable")
    first = _pointers(head, nodes)
    may_be_root, likeliest = reach_all(_pointers(tail, nodes), head[by_tail], first, tail)
    return InArcs(first, tail, head, column, may_be_root, int(may_be_root.sum()), likeliest)


def unreached(ends: NDArray[np.int64], nodes: int, start: int) -> NDArray[np.intp]:
    """Return the nodes to which no way leads from another one."""
    by_tail, seen = np.argsort(ends[:, 0], kind="stable"), np.zeros(nodes, np.bool_)
    search(_pointers(ends[:, 0], nodes), ends[by_tail, 1], start, seen)
    return np.flatnonzero(~seen)


def solve_arborescences(
    theta: NDArray[Any], sign: float, roots: NDArray[np.int64], arcs: InArcs, *, threads: int
) -> NDArray[Any]:
    """Return the state of the least arborescence of each row.

    Args:
        theta: Shape ``(rows, entries)``, contiguous, float32 or float64.
        sign: The costs are ``sign * theta``; 1 or -1.
        roots: The root of each row, one of those that may be; -1 for any, of which there must be one.
        arcs: The graph.
        threads: Threads at most.
    """
    state = np.zeros_like(theta)
    solve = solve_sparse if arcs.sparse else solve_dense

    def work(start: int, stop: int) -> None:
        part = slice(start, stop)
        solve(theta[part], sign, roots[part], arcs, state[part])

    share(work, len(theta), block=1, threads=threads if theta.size >= PARALLEL else 1)
    return state


@compiled
def reach_all(first_out: Any, heads: Any, first_in: Any, tails: Any) -> Any:
    """Return whether each node reaches all others, and the likeliest one.

    That is the last one from which a search must begin anew: the earlier searches did not come to it, so all that reach
    it are reached from it.

    Args:
        first_out: Place of the first arc out of each node in ``heads``, and their number at the end.
        heads: Heads of the arcs, by tail.
        first_in: The same of arcs into each node in ``tails``.
        tails: Tails of the arcs, by head.
    """
    seen = np.zeros(len(first_out) - 1, np.bool_)
    likeliest = 0
    for node in range(len(seen)):
        if not seen[node]:
            likeliest = node
            search(first_out, heads, node, seen)
    seen[:] = False
    search(first_out, heads, likeliest, seen)
    everywhere = seen.all()
    seen[:] = False
    if everywhere:
        search(first_in, tails, likeliest, seen)
    return seen, likeliest


@compiled
def search(first: Any, onward: Any, start: int, seen: Any) -> None:
    """Mark what can be reached from a node by arcs to nodes ``onward``, of each node from ``first`` on."""
    stack = np.empty(len(seen), np.int64)
    stack[0], height, seen[start] = start, 1, True
    while height:
        height -= 1
        node = stack[height]
        for arc in range(first[node], first[node + 1]):
            if not seen[onward[arc]]:
                seen[onward[arc]] = True
                stack[height] = onward[arc]
                height += 1


def _pointers(key: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(key, minlength=nodes))]).astype(np.int64)
