"""Borůvka's algorithm on a list of edges: the spanning trees of sparse graphs and of multigraphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled


@compiled
def solve_boruvka(theta: Any, sign: float, ends: Any, column: Any, nodes: int, state: Any) -> None:
    """Find the least spanning forest of each row, O(edges log nodes).

    In each round every component takes the least edge that leaves it. Of edges that cost the same the first one counts
    as less: so the edges taken close no circle, and the forest is the one of Kruskal's algorithm.

    Args:
        theta: Shape ``(rows, entries)``.
        sign: The costs are ``sign * theta``; 1 or -1.
        ends: Both nodes of each edge that is no loop, shape ``(edges, 2)``.
        column: Entry of each of these edges, ascending.
        nodes: Number of nodes.
        state: Zeros of theta's shape, to be filled.
    """
    edges = len(ends)
    end = np.empty((edges, 2), np.int64)  # components that an edge joins; edges within one are dropped
    entry = np.empty(edges, np.int64)
    cost = np.empty(edges, theta.dtype)
    least = np.empty(nodes, np.int64)  # of each component: its least edge,
    onto = np.empty(nodes, np.int64)  # the component that this edge joins it to,
    number = np.empty(nodes, np.int64)  # its number in the next round
    for row in range(theta.shape[0]):
        for edge in range(edges):
            end[edge, 0], end[edge, 1] = ends[edge, 0], ends[edge, 1]
            entry[edge], cost[edge] = column[edge], sign * theta[row, column[edge]]
        left, count = edges, nodes
        while left:
            least[:count] = -1
            for edge in range(left):
                for side in range(2):
                    best = least[end[edge, side]]
                    if best < 0 or cost[edge] < cost[best]:
                        least[end[edge, side]] = edge
            for part in range(count):
                best, onto[part] = least[part], part
                if best >= 0:
                    state[row, entry[best]] = 1
                    other = end[best, 0] + end[best, 1] - part
                    if least[other] != best or other < part:  # of two that join each other, one stays
                        onto[part] = other
            parts = 0
            for part in range(count):
                if onto[part] == part:
                    number[part] = parts
                    parts += 1
            for part in range(count):
                root = part
                while onto[root] != root:
                    onto[root] = onto[onto[root]]
                    root = onto[root]
                least[part] = number[root]
            kept = 0
            for edge in range(left):
                u, v = least[end[edge, 0]], least[end[edge, 1]]
                end[kept, 0], end[kept, 1], entry[kept], cost[kept] = u, v, entry[edge], cost[edge]
                kept += u != v
            left, count = kept, parts
