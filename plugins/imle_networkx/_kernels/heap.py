"""Dijkstra's algorithm, row by row: for few rows, and for graphs that outgrow the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.lanes import NO_PATH, SOLVED
from imle_networkx._kernels.trace import mark, trace


@compiled
def solve_heap(
    theta: Any,
    sources: Any,
    targets: Any,
    state: Any,
    status: Any,
    arcs: Any,
) -> None:
    """Solve the rows of theta, which holds no negative cost, one by one.

    Arguments are those of :func:`imle_networkx._kernels.lanes.solve_lanes`, and so are the paths, to the last tie: the
    distances of all nodes as near as the target are final, and the path depends on these alone.
    """
    nodes = len(arcs.in_ptr) - 1
    dist = np.empty((nodes, 1), theta.dtype)
    heap = np.empty(nodes, np.int64)
    place = np.empty(nodes, np.int64)  # of each node in the heap; -1 if it is not there
    queue = np.empty(nodes, np.int64)
    onward = np.empty(nodes, np.int64)
    seen = np.full(nodes, -1, np.int64)
    for row in range(theta.shape[0]):
        source, target = sources[row], targets[row]
        dist[:] = np.inf
        place[:] = -1
        dist[source, 0] = theta[row, arcs.node_column[source]] if len(arcs.node_column) else 0
        heap[0], place[source], size = source, 0, 1
        while size and dist[heap[0], 0] <= dist[target, 0]:
            node = heap[0]
            place[node] = -1
            size -= 1
            if size:
                _sink(heap, place, dist, size, heap[size])
            for arc in range(arcs.out_ptr[node], arcs.out_ptr[node + 1]):
                head = arcs.out_head[arc]
                through = dist[node, 0] + theta[row, arcs.out_column[arc]]
                if through < dist[head, 0]:
                    dist[head, 0] = through
                    if place[head] < 0:
                        place[head] = size
                        size += 1
                    _rise(heap, place, dist, place[head], head)
        if dist[target, 0] == np.inf:
            status[row] = NO_PATH
            continue
        trace(theta[row], dist, 0, source, target, arcs, queue, onward, seen, row)
        mark(state[row], source, target, arcs, onward)
        status[row] = SOLVED


@compiled
def _rise(heap: Any, place: Any, dist: Any, hole: int, node: int) -> None:
    """Put a node at a place of the heap or above it; four children a node, because that is kinder to caches."""
    while hole > 0:
        parent = (hole - 1) // 4
        if dist[heap[parent], 0] <= dist[node, 0]:
            break
        heap[hole] = heap[parent]
        place[heap[hole]] = hole
        hole = parent
    heap[hole] = node
    place[node] = hole


@compiled
def _sink(heap: Any, place: Any, dist: Any, size: int, node: int) -> None:
    """Put a node at the root of the heap or below it."""
    hole = 0
    while 4 * hole + 1 < size:
        child = 4 * hole + 1
        for other in range(child + 1, min(child + 4, size)):
            if dist[heap[other], 0] < dist[heap[child], 0]:
                child = other
        if dist[heap[child], 0] >= dist[node, 0]:
            break
        heap[hole] = heap[child]
        place[heap[hole]] = hole
        hole = child
    heap[hole] = node
    place[node] = hole
