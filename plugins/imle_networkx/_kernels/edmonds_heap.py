"""Edmonds' algorithm with heaps that can be merged: the arborescences of sparse graphs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.contractions import NEW, ON_PATH, SETTLED, begin, expand, join, make_room
from imle_networkx._kernels.forests import find


class Heaps(NamedTuple):
    """A skew heap of the arcs into each place.

    Attributes:
        top: Of each place: the arc of least key, -1 if there is none.
        key: Of each arc: its reduced cost, from which what its ancestors owe is still to be subtracted.
        owed: Of each arc: what is to be subtracted from all arcs below it.
        left, right: Of each arc: those below it, or -1.
    """

    top: Any
    key: Any
    owed: Any
    left: Any
    right: Any


@compiled
def solve_sparse(theta: Any, sign: float, roots: Any, arcs: Any, state: Any) -> None:
    """Find the least arborescence of each row, O(arcs log nodes).

    To contract a cycle is to merge heaps. The arcs into a node become a heap when it is contracted; until then their
    least one is enough. Arguments are those of :func:`imle_networkx._kernels.edmonds.solve_dense`.
    """
    nodes, count = len(arcs.first) - 1, len(arcs.tail)
    heaps = Heaps(
        np.empty(nodes, np.int64),
        np.empty(count, np.float64),
        np.empty(count, np.float64),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )
    leader = np.empty(nodes, np.int64)  # the place of each node, see find
    size = np.empty(nodes, np.int64)  # of each place, in nodes
    made = make_room(nodes)
    for row in range(theta.shape[0]):
        begin(made, roots[row])
        for arc in range(count):
            heaps.key[arc] = sign * theta[row, arcs.column[arc]]
            heaps.owed[arc], heaps.left[arc], heaps.right[arc] = 0, -1, -1
        for node in range(nodes):
            leader[node], size[node], heaps.top[node] = node, 1, -1
            if node != roots[row]:  # arcs into a given root only make work
                for arc in range(arcs.first[node], arcs.first[node + 1]):
                    if heaps.top[node] < 0 or heaps.key[arc] < heaps.key[heaps.top[node]]:
                        heaps.top[node] = arc
        numbers, root = nodes, -1
        for start in range(nodes):
            place, length = find(leader, start), 0
            while made.phase[place] != SETTLED:
                if made.phase[place] == NEW:
                    made.phase[place], made.path[length] = ON_PATH, place
                    length += 1
                arc = heaps.top[place]
                if roots[row] < 0 and arcs.may_be_root[place] and size[place] == arcs.candidates:
                    arc = -1  # all nodes that reach all others: no arc leads into these from elsewhere
                while arc >= 0 and find(leader, arcs.tail[arc]) == place:
                    _pay(heaps, arc)
                    arc = _merge(heaps, heaps.left[arc], heaps.right[arc])
                heaps.top[place], made.into[made.number[place]] = arc, arc
                if arc < 0:
                    root = made.root_node[place]
                    break
                made.low[place] = heaps.key[arc]
                place = find(leader, arcs.tail[arc])
                if made.phase[place] == ON_PATH:
                    join(made, place, place, numbers)
                    merged = _reduced(heaps, made, place, arcs)
                    while made.path[length - 1] != place:
                        length -= 1
                        member = made.path[length]
                        join(made, place, member, numbers)
                        merged = _merge(heaps, merged, _reduced(heaps, made, member, arcs))
                        leader[member] = place
                        size[place] += size[member]
                    heaps.top[place], made.number[place] = merged, numbers
                    numbers += 1
            for i in range(length):
                made.phase[made.path[i]] = SETTLED
        expand(made, numbers, root, arcs.head, arcs.column, state[row])


@compiled
def _reduced(heaps: Any, made: Any, place: int, arcs: Any) -> int:
    """Return the top of the heap of a place, after its least cost was subtracted from all arcs."""
    least = top = heaps.top[place]
    if made.number[place] == place:  # a node
        for arc in range(arcs.first[place], arcs.first[place + 1]):
            if arc != least:
                top = _merge(heaps, top, arc)
    heaps.key[top] -= made.low[place]
    heaps.owed[top] += made.low[place]
    return top


@compiled
def _pay(heaps: Any, arc: int) -> None:
    """Subtract what an arc owes from those right below it."""
    for below in (heaps.left[arc], heaps.right[arc]):
        if below >= 0:
            heaps.key[below] -= heaps.owed[arc]
            heaps.owed[below] += heaps.owed[arc]
    heaps.owed[arc] = 0


@compiled
def _merge(heaps: Any, one: int, other: int) -> int:
    """Merge two heaps along their right sides, which change places with the left ones; return the top."""
    if one < 0 or other < 0:
        return max(one, other)
    if heaps.key[other] < heaps.key[one]:
        one, other = other, one
    top = one
    while True:
        _pay(heaps, one)
        below = heaps.right[one]
        heaps.right[one] = heaps.left[one]
        if below < 0:
            heaps.left[one] = other
            return top
        if heaps.key[other] < heaps.key[below]:
            below, other = other, below
        heaps.left[one] = below
        one = below
