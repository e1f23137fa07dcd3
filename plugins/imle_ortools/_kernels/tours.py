"""Tours of a batch of rows: from costs to integers, to a tour, and again where single costs are far out of range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_ortools._kernels.held_karp import best_tour
from imle_ortools._kernels.local_search import is_symmetric, nearest_neighbour, search

FAR = 2.0**16
"""Costs above this many times what a tour costs above its lower bound are brought nearer."""

STRIDE = 0x9E3779B97F4A7C15
"""Odd, and without any pattern in its bits, so that neighbouring seeds begin far apart."""


@compiled
def solve_rows(
    costs: Any, nodes: Any, counts: Any, exact: int, kicks: int, seed: int, stop: Any, starts: Any, tours: Any
) -> None:
    """Find a tour for each row, the same in every batch: the kicks of all rows begin with the same seed.

    Args:
        costs: Finite, float64, shape ``(N, n, n)``; the diagonals are not looked at.
        nodes: The nodes that each row visits, first, shape ``(N, n)``.
        counts: How many these are, shape ``(N,)``.
        exact: Rows of so many nodes at most are solved by the dynamic programme, others by local search.
        kicks: Kicks of the local search, for each node.
        seed: Of the kicks.
        stop: Flags of another thread, int64, shape ``(1,)``: no more kicks from where it is not 0.
        starts: Tours to begin with, as places among the nodes of the row, shape ``(N, n)``; -1 where there is none.
        tours: Filled with the places, among the nodes of its row, of a tour, beginning with 0; shape ``(N, n)``.
    """
    for row in range(len(costs)):
        count = counts[row]
        tour = tours[row, :count]
        if count < 3:
            for i in range(count):
                tour[i] = i
            continue
        own = gather(costs[row], nodes[row, :count])
        begun = starts[row, 0] >= 0
        while True:
            whole = to_integers(own)
            if count <= exact:
                best_tour(whole, tour)
            else:
                random = np.full(1, np.uint64(seed + 1) * np.uint64(STRIDE))
                if begun:
                    tour[:] = starts[row, :count]
                else:
                    nearest_neighbour(whole, tour)
                search(whole, tour, random, kicks * count, stop)
            if not narrow(own, tour):
                break
        settle(whole, tour)


@compiled
def gather(cost: Any, nodes: Any) -> Any:
    """Return the costs between some nodes, 0 on the diagonal."""
    count = len(nodes)
    own = np.zeros((count, count))
    for i in range(count):
        for j in range(count):
            if i != j:
                own[i, j] = cost[nodes[i], nodes[j]]
    return own


@compiled
def to_integers(cost: Any) -> Any:
    """Return costs as integers: multiplied by a power of two, the largest that lets n of them be added below 2^61."""
    n = len(cost)
    largest = 0.0
    for i in range(n):
        for j in range(n):
            largest = max(largest, abs(cost[i, j]))
    bits, m = 61, n
    while m > 0:
        m >>= 1
        bits -= 1
    _, exponent = math.frexp(largest)
    # Two factors, because one alone may be no finite number.
    shift = bits - exponent
    half = shift // 2
    one, other = math.ldexp(1.0, half), math.ldexp(1.0, shift - half)
    whole = np.zeros((n, n), np.int64)
    for i in range(n):
        for j in range(n):
            whole[i, j] = np.int64(np.rint(cost[i, j] * one * other))
    return whole


@compiled
def narrow(cost: Any, tour: Any) -> bool:
    """Bring costs nearer, in place, that are in no better tour and so large that the others lose their last bits.

    A number for each node that is taken from all arcs that leave it, and one from all that enter it, change all tours
    alike. With them no cost is negative, and an arc that costs more than the whole of a tour is in no better one.

    Returns:
        Whether anything changed, so that the search may find more; False if the tour is as good as any.
    """
    n = len(cost)
    least = np.empty(n)
    for i in range(n):
        least[i] = np.inf
        for j in range(n):
            if i != j:
                least[i] = min(least[i], cost[i, j])
    symmetric = is_symmetric(cost)

    total, largest = 0.0, 0.0
    for place in range(n):
        i, j = tour[place - 1], tour[place]
        total += _reduced(cost[i, j], least[i], least[j], symmetric)
    for i in range(n):
        for j in range(n):
            if i != j:
                largest = max(largest, _reduced(cost[i, j], least[i], least[j], symmetric))
    if largest <= FAR * total or total <= 0:
        return False
    for i in range(n):
        for j in range(n):
            if i != j:
                cost[i, j] = min(_reduced(cost[i, j], least[i], least[j], symmetric), 2 * total)
    if symmetric:  # as it was before rounding
        for i in range(n):
            for j in range(i):
                cost[j, i] = cost[i, j]
    return True


@compiled
def _reduced(cost: float, leaving: float, entering: float, symmetric: bool) -> float:
    # Of a symmetric problem a half from each end, so that it stays symmetric.
    return max(0.0, (cost - leaving / 2) - entering / 2) if symmetric else cost - leaving


@compiled
def settle(cost: Any, tour: Any) -> None:
    """Turn a tour so that it begins with 0, and, where both directions cost the same, goes on to the smaller side."""
    n = len(tour)
    forward = backward = 0
    first = 0
    for place in range(n):
        if tour[place] == 0:
            first = place
        forward += cost[tour[place - 1], tour[place]]
        backward += cost[tour[place], tour[place - 1]]
    turned = backward < forward or (backward == forward and tour[first - 1] < tour[(first + 1) % n])
    copy = tour.copy()
    for place in range(n):
        tour[place] = copy[(first - place if turned else first + place) % n]
