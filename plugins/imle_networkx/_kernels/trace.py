"""From distances to a path."""

from __future__ import annotations

from typing import Any

from imle_core.kernels import compiled


@compiled
def trace(
    costs: Any,
    dist: Any,
    lane: int,
    source: int,
    target: int,
    arcs: Any,
    queue: Any,
    onward: Any,
    seen: Any,
    stamp: int,
) -> bool:
    """Find the path of fewest arcs among the shortest ones, by breadth-first search backward from the target.

    The search follows tight arcs only: those with ``dist[tail] + cost == dist[head]``, equal to the last bit.
    Where distances have settled, each reached node but the source has one. Visiting no node twice, the
    search returns a simple path even where arcs of cost zero make circles of tight arcs; and the path depends on
    the distances alone, so every algorithm gives the same one. Without ties it walks straight to the source.

    Args:
        costs: Costs of one row, shape ``(entries,)``.
        dist: Distances, shape ``(nodes, lanes)``.
        lane: The lane of ``dist`` to read.
        source: First node.
        target: Last node, whose distance is finite.
        arcs: See :class:`imle_networkx._kernels.arcs.Arcs`.
        queue: Scratch, one for each node.
        onward: Filled with the in-arc that leads from each seen node toward the target.
        seen: Holds ``stamp`` for the nodes seen; scratch.
        stamp: A number that ``seen`` does not hold yet.

    Returns:
        Whether the source was reached; follow ``onward`` from there.
    """
    queue[0] = target
    seen[target] = stamp
    count = 1
    position = 0
    while position < count:
        head = queue[position]
        position += 1
        if head == source:
            return True
        for arc in range(arcs.in_ptr[head], arcs.in_ptr[head + 1]):
            tail = arcs.in_tail[arc]
            if seen[tail] != stamp and dist[tail, lane] + costs[arcs.in_column[arc]] == dist[head, lane]:
                seen[tail] = stamp
                onward[tail] = arc
                queue[count] = tail
                count += 1
    return False


@compiled
def mark(state: Any, source: int, target: int, arcs: Any, onward: Any) -> None:
    """Write the path that :func:`trace` found into a state of zeros, shape ``(entries,)``."""
    if len(arcs.node_column):  # the column of an arc is then that of its head, so the source alone has none
        state[arcs.node_column[source]] = 1
    node = source
    while node != target:
        arc = onward[node]
        state[arcs.in_column[arc]] = 1
        node = arcs.in_head[arc]
