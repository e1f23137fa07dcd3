"""Prices of nodes that prove a flow to be one of least cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled


@compiled
def potentials(tail: Any, head: Any, cost: Any, up: Any, down: Any, nodes: int) -> Any:
    """Return prices under which no change of a flow pays, and whether there are any (Bellman, 1958).

    They are distances over the residual network, from a node that reaches each other at no cost.

    Args:
        tail: First node of each arc, shape ``(arcs,)``.
        head: Its last node.
        cost: Its cost per unit, int64; ``nodes`` times the largest stays below 2^62.
        up: Whether the flow on it may grow.
        down: Whether it may shrink.
        nodes: How many there are.

    Returns:
        Prices p, shape ``(nodes,)``, such that ``cost + p[tail] - p[head]`` is at least 0 where the flow may grow and
        at most 0 where it may shrink; and False if there are none, because the flow is not of least cost.
    """
    price = np.zeros(nodes, np.int64)
    for _ in range(nodes + 1):
        changed = False
        for arc in range(len(tail)):
            near, far = tail[arc], head[arc]
            reduced = cost[arc] + price[near] - price[far]
            if up[arc] and reduced < 0:
                price[far] += reduced
                changed = True
            elif down[arc] and reduced > 0:
                price[near] -= reduced
                changed = True
        if not changed:
            return price, True
    return price, False
