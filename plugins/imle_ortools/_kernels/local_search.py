"""Good tours of many nodes: 2-opt, or-opt and 3-opt moves among near nodes, and kicks out of local optima."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_ortools._kernels.tour_moves import exchange, exchange_parts, number, shift, swap

NEAR = 10
"""How many near nodes of each node moves are tried with."""

REACH = 50
"""The longest part of a tour that a kick exchanges with the next."""


@compiled
def near_nodes(cost: Any, leaving: bool) -> Any:
    """Return the nodes near each node, nearest first, shape ``(n, min(n - 1, NEAR))``.

    Args:
        cost: Integers, shape ``(n, n)``.
        leaving: Whether by the cost of the arc from it, or by that of the cheaper direction.
    """
    n = len(cost)
    width = min(n - 1, NEAR)
    near = np.empty((n, width), np.int64)
    distance = np.empty(width, np.int64)
    for node in range(n):
        found = 0
        for other in range(n):
            if other == node:
                continue
            between = cost[node, other] if leaving else min(cost[node, other], cost[other, node])
            if found == width and between >= distance[found - 1]:
                continue
            place = found if found < width else width - 1
            while place > 0 and distance[place - 1] > between:
                near[node, place], distance[place] = near[node, place - 1], distance[place - 1]
                place -= 1
            near[node, place], distance[place] = other, between
            found = min(found + 1, width)
    return near


@compiled
def nearest_neighbour(cost: Any, tour: Any) -> None:
    """Fill a tour: from node 0 always on to the cheapest node that is left."""
    n = len(cost)
    for place in range(n):
        tour[place] = place
    for place in range(1, n):
        node, best = tour[place - 1], place
        for other in range(place + 1, n):
            if cost[node, tour[other]] < cost[node, tour[best]]:
                best = other
        tour[place], tour[best] = tour[best], tour[place]


@compiled
def search(cost: Any, tour: Any, random: Any, kicks: int, stop: Any) -> None:
    """Improve a tour in place; what is left never costs more.

    An iterated local search: after each kick, an exchange of two neighbouring parts of the tour, only the nodes whose
    arcs changed are looked at again; a tour that costs more than before the kick is given up.

    Args:
        cost: Integers, shape ``(n, n)``, n >= 3; symmetric or not.
        tour: A tour, shape ``(n,)``.
        random: The state of the random numbers, uint64, shape ``(1,)``, not 0; changed.
        kicks: How many.
        stop: Shape ``(1,)``; no more kicks once another thread sets it to other than 0.
    """
    n = len(tour)
    place, extra = np.empty(n, np.int64), np.zeros(n, np.int64)
    waiting, is_waiting = np.empty(n, np.int64), np.ones(n, np.bool_)
    kept, part = tour.copy(), np.empty(n, np.int64)
    symmetric = is_symmetric(cost)
    near = near_nodes(cost, False)
    onward = near if symmetric else near_nodes(cost, True)
    waiting[:] = tour[::-1]  # a stack
    number(cost, symmetric, tour, place, extra)
    _descend(cost, symmetric, near, onward, tour, place, extra, waiting, is_waiting, n, part)
    kept[:] = tour
    if n < 5:
        return
    for _ in range(kicks):
        if stop[0] != 0:
            break
        change, left = _kick(cost, tour, random, waiting, is_waiting, part)
        number(cost, symmetric, tour, place, extra)
        change += _descend(cost, symmetric, near, onward, tour, place, extra, waiting, is_waiting, left, part)
        if change <= 0:
            kept[:] = tour
        else:
            tour[:] = kept


@compiled
def is_symmetric(cost: Any) -> bool:
    """Return whether both directions of every arc cost the same."""
    for i in range(len(cost)):
        for j in range(i):
            if cost[i, j] != cost[j, i]:
                return False
    return True


@compiled
def _descend(
    cost: Any,
    symmetric: bool,
    near: Any,
    onward: Any,
    tour: Any,
    place: Any,
    extra: Any,
    waiting: Any,
    is_waiting: Any,
    left: int,
    part: Any,
) -> int:
    """Make moves that lower the cost until no node that waits has any; return the change of the cost."""
    change = 0
    ends = np.empty(6, np.int64)  # the nodes whose arcs a move changes
    while left > 0:
        left -= 1
        node = waiting[left]
        is_waiting[node] = False
        delta = exchange(cost, symmetric, near, tour, place, extra, node, ends)
        count = 4
        if delta == 0:
            delta = shift(cost, symmetric, near, tour, place, extra, node, ends, part)
            count = 6
        if delta == 0 and not symmetric:
            delta = swap(cost, onward, tour, place, extra, node, ends, part)
        if delta < 0:
            change += delta
            for i in range(count):
                if not is_waiting[ends[i]]:
                    is_waiting[ends[i]] = True
                    waiting[left] = ends[i]
                    left += 1
            if not is_waiting[node]:
                is_waiting[node] = True
                waiting[left] = node
                left += 1
    return change


@compiled
def _kick(cost: Any, tour: Any, random: Any, waiting: Any, is_waiting: Any, part: Any) -> tuple[int, int]:
    """Exchange two neighbouring parts at random; return the change of the cost, and how many nodes wait."""
    n = len(tour)
    most = min(REACH, (n - 2) // 2)
    begin = _draw(random, n)
    one, two = 1 + _draw(random, most), 1 + _draw(random, most)
    a, b, c = tour[begin - 1], tour[begin], tour[(begin + one - 1) % n]
    d, e, f = tour[(begin + one) % n], tour[(begin + one + two - 1) % n], tour[(begin + one + two) % n]
    exchange_parts(tour, begin, one, two, part)
    left = 0
    for node in (a, b, c, d, e, f):
        if not is_waiting[node]:
            is_waiting[node] = True
            waiting[left] = node
            left += 1
    return cost[a, d] + cost[e, b] + cost[c, f] - cost[a, b] - cost[c, d] - cost[e, f], left


@compiled
def _draw(random: Any, below: int) -> Any:
    """Return a random integer from 0 to below, less one (Marsaglia's xorshift)."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return np.int64((x >> np.uint64(33)) % np.uint64(below))
