"""Bellman-Ford for many rows at once: the solver of choice for batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.pull import LANES, pull_into_node, pull_over_arcs
from imle_networkx._kernels.trace import mark, trace

SOLVED, NO_PATH, UNSETTLED = 0, 1, 2


@compiled
def solve_lanes(
    theta: Any,
    sources: Any,
    targets: Any,
    state: Any,
    status: Any,
    arcs: Any,
    prune: bool,
) -> None:
    """Solve the rows of theta, ``LANES`` at a time, by sweeps up and down the order of the nodes.

    A sweep visits the nodes with a tail that got nearer since their last visit. Rows do not influence each other:
    a visit that one row needs changes nothing in the others. A row without a negative cycle settles within as
    many sweeps as there are nodes, because each settles one more arc of every shortest path.

    Args:
        theta: Costs, shape ``(rows, entries)``.
        sources: First node of each row.
        targets: Last node of each row.
        state: Filled with the paths; zeros, shape of theta.
        status: Filled with ``SOLVED``, ``NO_PATH`` or ``UNSETTLED`` for each row.
        arcs: See :class:`imle_networkx._kernels.arcs.Arcs`.
        prune: Whether to go no further than the target; exact if no cost is negative.
    """
    rows = theta.shape[0]
    nodes = len(arcs.in_ptr) - 1
    costs_on_nodes = len(arcs.node_column) > 0
    cost = np.empty((len(arcs.slot_column), LANES), theta.dtype)
    dist = np.empty((nodes, LANES), theta.dtype)
    bound = np.empty(LANES, theta.dtype)
    due = np.zeros(nodes, np.bool_)
    queue = np.empty(nodes, np.int64)
    onward = np.empty(nodes, np.int64)
    seen = np.full(nodes, -1, np.int64)
    for start in range(0, rows, LANES):
        last = min(start + LANES, rows) - 1  # its row fills the lanes that are left over
        dist[:] = np.inf
        for lane in range(LANES):
            row = min(start + lane, last)
            for slot in range(len(arcs.slot_column)):
                cost[slot, lane] = theta[row, arcs.slot_column[slot]]
            source = sources[row]
            dist[source, lane] = cost[source, lane] if costs_on_nodes else 0
            for arc in range(arcs.out_ptr[source], arcs.out_ptr[source + 1]):
                due[arcs.out_head[arc]] = True

        moving = True
        sweep = 0
        while moving and sweep <= nodes:
            moving = False
            for lane in range(LANES):
                bound[lane] = dist[targets[min(start + lane, last)], lane] if prune else np.inf
            for position in range(nodes):
                node = position if sweep % 2 == 0 else nodes - 1 - position
                if not due[node]:
                    continue
                due[node] = False
                begin, end = arcs.in_ptr[node], arcs.in_ptr[node + 1]
                if costs_on_nodes:
                    nearer = pull_into_node(dist, cost, arcs.in_tail, arcs.in_slot, begin, end, node, bound)
                else:
                    nearer = pull_over_arcs(dist, cost, arcs.in_tail, arcs.in_slot, begin, end, node, bound)
                if nearer:
                    moving = True
                    for arc in range(arcs.out_ptr[node], arcs.out_ptr[node + 1]):
                        due[arcs.out_head[arc]] = True
            sweep += 1
        due[:] = False

        for row in range(start, last + 1):
            lane = row - start
            status[row] = SOLVED
            if moving:
                for arc in range(len(arcs.in_tail)):
                    if (
                        dist[arcs.in_tail[arc], lane] + cost[arcs.in_slot[arc], lane]
                        < dist[arcs.in_head[arc], lane]
                    ):
                        status[row] = UNSETTLED
            source, target = sources[row], targets[row]
            if status[row] == UNSETTLED:
                continue
            if dist[target, lane] == np.inf:
                status[row] = NO_PATH
            elif trace(theta[row], dist, lane, source, target, arcs, queue, onward, seen, row):
                mark(state[row], source, target, arcs, onward)
            else:  # rounding turned a circle of cost zero into a negative one
                status[row] = UNSETTLED
