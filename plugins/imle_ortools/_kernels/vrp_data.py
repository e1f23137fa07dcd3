"""A vehicle-routing problem as arrays: what the kernels, and everything that checks a route, go by."""

from __future__ import annotations

from typing import Any, NamedTuple

from imle_core.kernels import compiled

NEVER = 2**60
"""A time, length or load above all others; the sum of a few of them still fits."""


class Data(NamedTuple):
    """Arrays of one problem. Node ``n`` beyond the last is where open routes end; it is reached at no cost.

    All constraints are in integers, so that every method, and the check of an answer, agree on what is feasible.

    Attributes:
        customers: The nodes to visit, shape ``(m,)``.
        place: The place of each customer in ``customers``, shape ``(n + 1,)``.
        start: Where each vehicle starts, shape ``(K,)``.
        end: Where each vehicle ends.
        kind: Vehicles of one kind are equal in all respects; numbered by first appearance, shape ``(K,)``.
        capacity: Of each vehicle, shape ``(K,)``.
        longest: Greatest length of a route, shape ``(K,)``.
        fixed: Cost of using a vehicle, shape ``(K,)``, float.
        demand: Shape ``(n + 1,)``.
        travel: Service at one node and the way to the next, shape ``(n + 1, n + 1)``.
        early: Earliest begin of service, shape ``(n + 1,)``.
        late: Latest begin.
        length: Shape ``(n + 1, n + 1)``.
        delivery: Of a pickup, where its delivery is; else -1; shape ``(n + 1,)``.
        pickup: Of a delivery, where its pickup is; else -1.
        penalty: Cost of leaving a node out, infinite where that must not be; shape ``(n + 1,)``, float.
        offset: Added to theta, infinite where there is no way; shape ``(n + 1, n + 1)``, float.
        plain: Whether neither order nor time matters: no windows, lengths, pairs, or demands below zero.
    """

    customers: Any
    place: Any
    start: Any
    end: Any
    kind: Any
    capacity: Any
    longest: Any
    fixed: Any
    demand: Any
    travel: Any
    early: Any
    late: Any
    length: Any
    delivery: Any
    pickup: Any
    penalty: Any
    offset: Any
    plain: bool


@compiled
def fill_costs(theta: Any, data: Any, cost: Any) -> None:
    """Write the cost of each arc, theta and offset, into ``cost``, shape ``(n + 1, n + 1)``."""
    nodes = len(data.demand) - 1
    for i in range(nodes):
        for j in range(nodes):
            cost[i, j] = theta[i, j] + data.offset[i, j]
        cost[i, nodes] = 0.0
        cost[nodes, i] = 0.0
    cost[nodes, nodes] = 0.0


@compiled
def is_route(route: Any, size: int, vehicle: int, cost: Any, data: Any) -> bool:
    """Whether a vehicle can visit the first ``size`` nodes of ``route`` in this order; costs say where a way is."""
    here, load, walked = data.start[vehicle], 0, 0
    time = data.early[here]
    for place in range(size + 1):
        there = route[place] if place < size else data.end[vehicle]
        if cost[here, there] == float("inf"):
            return False
        time = max(time + data.travel[here, there], data.early[there])
        walked += data.length[here, there]
        load += data.demand[there]
        if time > data.late[there] or walked > data.longest[vehicle]:
            return False
        if load < 0 or load > data.capacity[vehicle]:
            return False
        for partner, first, last in (
            (data.pickup[there], 0, place),
            (data.delivery[there], place + 1, size),
        ):
            if partner >= 0:
                found = False
                for other in range(first, last):
                    found = found or route[other] == partner
                if not found:
                    return False
        here = there
    return True
