"""All flows of a small network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import MissingCapabilityError
from imle_networkx._kernels.arcs import topological
from imle_networkx._kernels.simplex import UNLIMITED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_networkx._kernels.flows import Network

MAX_STEPS = 1_000_000
"""Values of single arcs at most that the search tries: flows multiply with every arc and its capacity."""


def all_flows(net: Network, demand: NDArray[np.int64], capacity: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return every integer flow that meets the demands, each once, shape ``(K, arcs)``.

    Arc by arc every value is tried for which the arcs that are left can still balance both ends.

    Args:
        net: The graph.
        demand: Of each node; below zero is supply.
        capacity: Of each arc of the graph.

    Raises:
        MissingCapabilityError: there are infinitely many, or the search takes too long.
    """
    arcs = net.arcs
    tail, head = net.tail[:arcs].tolist(), net.head[:arcs].tolist()
    unlimited = capacity == UNLIMITED
    if len(topological(net.tail[:arcs][unlimited], net.head[:arcs][unlimited], net.nodes)) < net.nodes:
        raise MissingCapabilityError(
            "there are infinitely many flows, because edges without a capacity form a cycle."
        )
    # Without such a cycle every unit of flow comes from a supply, or is limited by an arc.
    most = int(np.abs(demand).sum() + capacity[~unlimited].sum())
    limit = np.where(unlimited, most, capacity).tolist()
    need = demand.tolist()
    room_in, room_out = [0] * net.nodes, [0] * net.nodes  # of the arcs whose value is open

    def open_arc(arc: int, sign: int) -> None:
        if tail[arc] != head[arc]:
            room_out[tail[arc]] += sign * limit[arc]
            room_in[head[arc]] += sign * limit[arc]

    def add(arc: int, amount: int) -> None:
        flow[arc] += amount
        need[tail[arc]] += amount
        need[head[arc]] -= amount

    def values(arc: int) -> range:
        """Return the values of an arc, which is no longer open, after which no end is out of balance for good."""
        u, v = tail[arc], head[arc]
        if u == v:
            return range(limit[arc] + 1)
        low = max(0, -room_out[u] - need[u], need[v] - room_in[v])
        return range(low, min(limit[arc], room_in[u] - need[u], need[v] + room_out[v]) + 1)

    for arc in range(arcs):
        open_arc(arc, 1)
    found: list[list[int]] = []
    flow, steps = [0] * arcs, 0
    ways = []
    if all(-out <= n <= into for n, into, out in zip(need, room_in, room_out, strict=True)):
        if arcs:
            open_arc(0, -1)
            ways = [iter(values(0))]
        else:
            found.append([])
    while ways:
        arc = len(ways) - 1
        add(arc, -flow[arc])
        value = next(ways[-1], None)
        if value is None:
            ways.pop()
            open_arc(arc, 1)
            continue
        if (steps := steps + 1) > MAX_STEPS:
            raise MissingCapabilityError(
                f"there are too many flows to be listed: {len(found):,} were found in {MAX_STEPS:,} steps when the "
                "search was given up."
            )
        add(arc, value)
        if arc + 1 == arcs:
            found.append(flow.copy())
        else:
            open_arc(arc + 1, -1)
            ways.append(iter(values(arc + 1)))
    return np.array(found, np.float64).reshape(len(found), arcs)
