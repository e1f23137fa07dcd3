"""Spanning trees of a batch of rows: which compiled algorithm, and how many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.parallel import share
from imle_networkx._kernels.boruvka import solve_boruvka
from imle_networkx._kernels.prim import solve_prim

if TYPE_CHECKING:
    from numpy.typing import NDArray

DENSE = 8
"""Prim's algorithm is the faster one from a share of 1 / DENSE of all ordered pairs of nodes on."""

PARALLEL = 100_000
"""Rows times entries from which on threads are worth their start."""


class Edges(NamedTuple):
    """The edges of an undirected graph.

    Attributes:
        ends: Both nodes of each edge that is no loop, shape ``(edges, 2)``.
        column: Entry of each of these edges.
        nodes: Number of nodes.
        table: See :func:`imle_networkx._kernels.prim.solve_prim`; None for a sparse graph or a multigraph.
    """

    ends: NDArray[np.int64]
    column: NDArray[np.int64]
    nodes: int
    table: NDArray[np.int32] | None


def edges_of(ends: NDArray[np.int64], nodes: int) -> Edges:
    """Return the edges of a graph, given both nodes of each entry, shape ``(entries, 2)``."""
    column = np.flatnonzero(ends[:, 0] != ends[:, 1])
    table = None
    if DENSE * len(column) >= nodes**2:
        table = np.full((nodes, nodes), len(ends), np.int32)
        table[ends[column, 0], ends[column, 1]] = table[ends[column, 1], ends[column, 0]] = column
        if np.count_nonzero(table < len(ends)) < 2 * len(column):  # some edges are parallel
            table = None
    return Edges(ends[column], column, nodes, table)


def solve_trees(theta: NDArray[Any], sign: float, edges: Edges, *, threads: int) -> NDArray[Any]:
    """Return the state of the least spanning forest of each row.

    Args:
        theta: Shape ``(rows, entries)``, contiguous, float32 or float64.
        sign: The costs are ``sign * theta``; 1 or -1.
        edges: The graph.
        threads: Threads at most.
    """
    state = np.zeros_like(theta)

    def work(start: int, stop: int) -> None:
        part = slice(start, stop)
        if edges.table is None:
            solve_boruvka(theta[part], sign, edges.ends, edges.column, edges.nodes, state[part])
        else:
            solve_prim(theta[part], sign, edges.table, state[part])

    share(work, len(theta), block=1, threads=threads if theta.size >= PARALLEL else 1)
    return state
