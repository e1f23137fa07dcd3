"""Dinic's algorithm for the largest flow between two nodes, and the cut that stops it, in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_core.parallel import share
from imle_networkx._kernels.arcs import pointers
from imle_networkx._kernels.integers import to_integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARALLEL = 10_000
"""Rows times arcs from which on threads are worth their start."""

BITS = 60
"""Of the largest weight as an integer. No sum is larger than two of them: flow back makes room for what came."""

PRECISE = 2.0**-7
"""A cut that weighs less than this part of the largest weight is looked for again, in finer integers: so weights are
rounded to 2^-53 of the cut's, the precision of float64."""


class Pairs(NamedTuple):
    """The edges of a graph, each as two arcs to and fro, by tail; self-loops are left out.

    Attributes:
        ptr: First arc of each node, and their number at the end.
        head: Of each arc.
        twin: The arc back.
        column: The edge.
        open: Whether the edge can be used in this direction.
    """

    ptr: NDArray[np.int64]
    head: NDArray[np.int32]
    twin: NDArray[np.int32]
    column: NDArray[np.int32]
    open: NDArray[np.bool_]


def pairs(ends: NDArray[np.int64], nodes: int, *, directed: bool) -> Pairs:
    """Return the arcs of a graph, whose edges have the ends ``(E, 2)``."""
    column = np.flatnonzero(ends[:, 0] != ends[:, 1])
    tail, head = ends[column].T
    count = len(column)
    tails = np.concatenate([tail, head])
    order = np.argsort(tails, kind="stable")
    place = np.empty(2 * count, np.int64)
    place[order] = np.arange(2 * count)
    return Pairs(
        ptr=pointers(tails, nodes),
        head=np.concatenate([head, tail])[order].astype(np.int32),
        twin=np.roll(place, count)[order].astype(np.int32),
        column=np.tile(column, 2)[order].astype(np.int32),
        open=np.repeat([True, not directed], count)[order],
    )


def solve_batch(
    theta: NDArray[Any],
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    ends: NDArray[np.int64],
    arcs: Pairs,
    threads: int,
) -> NDArray[Any]:
    """Return the cut of least weight of each row, shape ``(rows, edges)``; of several the one nearest to the source.

    Args:
        theta: Weight of each edge, none below zero, shape ``(rows, edges)``.
        sources: Of each row.
        targets: Of each row.
        ends: Numbers of the two nodes of each edge, shape ``(edges, 2)``.
        arcs: The graph.
        threads: Threads at most.
    """
    state = np.zeros_like(theta)

    def work(begin: int, end: int) -> None:
        rows = slice(begin, end)
        _solve(theta[rows], sources[rows], targets[rows], state[rows], ends, arcs)

    share(work, len(theta), block=1, threads=threads if theta.size >= PARALLEL else 1)
    return state


@compiled
def _solve(theta: Any, sources: Any, targets: Any, state: Any, ends: Any, arcs: Any) -> None:
    """Find the cut of each row.

    Integers are relative to the largest weight. Where that is far above the weight of the cut, such as one that stands
    for infinity, weights too large for any least cut are lowered, and the cut is found again.
    """
    nodes, directed = len(arcs.ptr) - 1, not arcs.open.all()
    weight, room = np.empty(len(ends), np.int64), np.empty(len(arcs.head), np.int64)
    near = np.empty(nodes, np.bool_)
    level, current, scratch = (
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
    )
    for row in range(len(theta)):
        limit, refine = np.inf, True
        while refine:
            to_integers(theta[row], BITS, limit, weight)
            for arc in range(len(room)):
                room[arc] = weight[arcs.column[arc]] if arcs.open[arc] else 0
            while _levels(sources[row], targets[row], arcs, room, level, scratch):
                _augment(sources[row], targets[row], arcs, room, level, current, scratch)
            _reach(sources[row], arcs, room, near, scratch)
            found, largest = 0.0, 0.0
            for edge in range(len(ends)):
                tail, head = near[ends[edge, 0]], near[ends[edge, 1]]
                cost = min(float(theta[row, edge]), limit)
                largest = max(largest, cost)
                state[row, edge] = 0
                if (tail and not head) or (head and not tail and not directed):
                    state[row, edge] = 1
                    found += cost
            refine = 0 < found < PRECISE * largest
            limit = 2 * found


@compiled
def _levels(source: int, target: int, arcs: Any, room: Any, level: Any, queue: Any) -> bool:
    """Fill in how many arcs with room it takes to the target; return whether there is a way from the source.

    Backward from the target, because then an arc to the level below is sure to lead there. What is farther than the
    source is at level -1.
    """
    level[:] = -1
    level[target] = 0
    queue[0] = target
    count, position = 1, 0
    while position < count and level[source] < 0:
        node = queue[position]
        position += 1
        for arc in range(arcs.ptr[node], arcs.ptr[node + 1]):
            other = arcs.head[arc]
            if level[other] < 0 and room[arcs.twin[arc]] > 0:
                level[other] = level[node] + 1
                queue[count] = other
                count += 1
    return level[source] >= 0


@compiled
def _augment(source: int, target: int, arcs: Any, room: Any, level: Any, current: Any, path: Any) -> None:
    """Send flow along ways from level to level until each holds a full arc."""
    current[:] = arcs.ptr[:-1]
    node, length = source, 0
    while True:
        if node == target:
            amount = room[path[0]]
            for step in range(1, length):
                amount = min(amount, room[path[step]])
            for step in range(length - 1, -1, -1):
                arc = path[step]
                room[arc] -= amount
                room[arcs.twin[arc]] += amount
                if room[arc] == 0:
                    length = step
            node = arcs.head[arcs.twin[path[length]]]  # on from the tail of the first full arc
        arc = current[node]
        while arc < arcs.ptr[node + 1] and (room[arc] == 0 or level[arcs.head[arc]] != level[node] - 1):
            arc += 1
        current[node] = arc
        if arc < arcs.ptr[node + 1]:
            path[length] = arc
            length += 1
            node = arcs.head[arc]
        elif length == 0:
            return
        else:
            length -= 1
            node = arcs.head[arcs.twin[path[length]]]
            current[node] += 1


@compiled
def _reach(source: int, arcs: Any, room: Any, near: Any, queue: Any) -> None:
    """Fill in whether each node can be reached from the source over arcs with room."""
    near[:] = False
    near[source] = True
    queue[0] = source
    count, position = 1, 0
    while position < count:
        node = queue[position]
        position += 1
        for arc in range(arcs.ptr[node], arcs.ptr[node + 1]):
            other = arcs.head[arc]
            if room[arc] > 0 and not near[other]:
                near[other] = True
                queue[count] = other
                count += 1
