"""Prim's algorithm on a table of all pairs of nodes: the spanning trees of dense graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled


@compiled
def solve_prim(theta: Any, sign: float, table: Any, state: Any) -> None:
    """Find the least spanning forest of each row, O(nodes^2).

    Of entries that cost the same it prefers the first one, so the forest is the one of Kruskal's algorithm, and of
    :func:`imle_networkx._kernels.boruvka.solve_boruvka`: this order makes it unique.

    Args:
        theta: Shape ``(rows, entries)``.
        sign: The costs are ``sign * theta``; 1 or -1.
        table: The entry between any two nodes, shape ``(nodes, nodes)``; ``entries`` where there is none.
        state: Zeros of theta's shape, to be filled.
    """
    rows, entries = theta.shape
    nodes = len(table)
    cost = np.empty(entries + 1, theta.dtype)
    outside = np.empty(nodes, np.int64)  # the nodes that are not in the tree yet, and of each
    least = np.empty(nodes, theta.dtype)  # the least cost of an entry that joins it to the tree,
    by = np.empty(nodes, np.int64)  # and this entry
    for row in range(rows):
        for entry in range(entries):
            cost[entry] = sign * theta[row, entry]
        cost[entries] = np.inf
        for i in range(nodes - 1):
            outside[i], least[i], by[i] = i + 1, np.inf, entries
        node = 0
        for left in range(nodes - 1, 0, -1):
            nearest, low, first = 0, np.inf, entries + 1
            for i in range(left):
                entry = table[node, outside[i]]
                if cost[entry] < least[i] or (cost[entry] == least[i] and entry < by[i]):
                    least[i], by[i] = cost[entry], entry
                if least[i] < low or (least[i] == low and by[i] < first):
                    nearest, low, first = i, least[i], by[i]
            if first < entries:  # or else the next component begins
                state[row, first] = 1
            node = outside[nearest]
            outside[nearest], least[nearest], by[nearest] = outside[left - 1], least[left - 1], by[left - 1]
