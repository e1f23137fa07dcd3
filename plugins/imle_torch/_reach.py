"""Which nodes of a graph can be reached from which."""

from __future__ import annotations

import torch


def reachable(z: torch.Tensor, ends: torch.Tensor, nodes: int, *, directed: bool) -> torch.Tensor:
    """Return for each row whether there is a way from each node to each along the edges chosen, shape ``(N, n, n)``.

    By squaring the adjacency matrix, O(n^3 log n) a row.

    Args:
        z: Which edges there are: those that are not 0, shape ``(N, E)``.
        ends: Tail and head of each edge, shape ``(E, 2)``.
        nodes: How many nodes there are.
        directed: Whether an edge leads one way only.
    """
    ways = torch.eye(nodes, device=z.device).repeat(len(z), 1, 1)
    chosen = (z != 0).float()
    for tail, head in [(0, 1)] if directed else [(0, 1), (1, 0)]:
        place = ends[:, tail] * nodes + ends[:, head]
        ways = ways.flatten(1).index_add(1, place, chosen).view(-1, nodes, nodes)
    for _ in range(nodes.bit_length()):
        ways = (ways @ ways).clamp(max=1)
    return ways > 0
