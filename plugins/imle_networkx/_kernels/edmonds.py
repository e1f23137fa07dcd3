"""Edmonds' algorithm on a table of all pairs of nodes: the arborescences of dense graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.contractions import NEW, ON_PATH, SETTLED, begin, expand, join, make_room


@compiled
def solve_dense(theta: Any, sign: float, roots: Any, arcs: Any, state: Any) -> None:
    """Find the least arborescence of each row, O(nodes^2).

    The table has the least reduced cost of an arc into each place from each node, infinite within a cycle. To contract
    one is to take the minimum of rows of the table.

    Args:
        theta: Shape ``(rows, entries)``. In single precision the answer is that of exact arithmetic, unless costs
            differ by more than seven orders of magnitude.
        sign: The costs are ``sign * theta``; 1 or -1.
        roots: The root of each row, or -1 for any. There must be an arborescence.
        arcs: See :class:`imle_networkx._kernels.arborescences.InArcs`.
        state: Zeros of theta's shape, to be filled.
    """
    nodes = len(arcs.first) - 1
    cost = np.empty((nodes, nodes), np.float64)
    via = np.empty((nodes, nodes), np.int32)
    home = np.empty(nodes, np.int64)  # the place of each node
    onward = np.empty(nodes, np.int64)  # the nodes of a place as a chain, -1 at its end
    last = np.empty(nodes, np.int64)
    made = make_room(nodes)
    for row in range(theta.shape[0]):
        begin(made, roots[row])
        cost[:] = np.inf
        for arc in range(len(arcs.tail)):
            tail, head = arcs.tail[arc], arcs.head[arc]
            weight = sign * theta[row, arcs.column[arc]]
            if weight < cost[head, tail] and head != roots[row]:  # arcs into a given root only make work
                cost[head, tail], via[head, tail] = weight, arc
        for node in range(nodes):
            home[node], last[node], onward[node] = node, node, -1
        numbers, root = nodes, -1
        for start in range(nodes):
            place, length = home[start], 0
            while made.phase[place] != SETTLED:
                if made.phase[place] == NEW:
                    made.phase[place], made.path[length] = ON_PATH, place
                    length += 1
                low, tail = np.inf, -1
                for node in range(nodes):
                    if cost[place, node] < low:
                        low, tail = cost[place, node], node
                if tail < 0:
                    made.into[made.number[place]], root = -1, made.root_node[place]
                    break
                made.low[place], made.into[made.number[place]] = low, via[place, tail]
                place = home[tail]
                if made.phase[place] == ON_PATH:
                    _contract(made, place, length, numbers, cost, via)
                    while made.path[length - 1] != place:
                        length -= 1
                        _move(made.path[length], place, home, onward, last)
                    node = place
                    while node >= 0:
                        cost[place, node] = np.inf
                        node = onward[node]
                    made.number[place] = numbers
                    numbers += 1
            for i in range(length):
                made.phase[made.path[i]] = SETTLED
        expand(made, numbers, root, arcs.head, arcs.column, state[row])


@compiled
def _contract(made: Any, place: int, length: int, number: int, cost: Any, via: Any) -> None:
    """Merge what is on the path from a place on into this place."""
    nodes = len(cost)
    join(made, place, place, number)
    for node in range(nodes):
        cost[place, node] -= made.low[place]
    i = length - 1
    while made.path[i] != place:
        member = made.path[i]
        join(made, place, member, number)
        for node in range(nodes):
            reduced = cost[member, node] - made.low[member]
            if reduced < cost[place, node]:
                cost[place, node], via[place, node] = reduced, via[member, node]
        i -= 1


@compiled
def _move(member: int, place: int, home: Any, onward: Any, last: Any) -> None:
    """Let the nodes of a place live at another one."""
    node = member
    while node >= 0:
        home[node] = place
        node = onward[node]
    onward[last[place]] = member
    last[place] = last[member]
