"""Walks that use edges as often as a state counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

LONGEST = 10_000_000
"""Steps at most: a state that counts more is no walk that anybody wants."""


def walk_of(
    snapshot: Snapshot, counts: NDArray[Any], start: int | None = None, *, closed: bool = False
) -> list[int] | None:
    """Return the nodes of a walk that uses each edge as often as a state counts; None if there is none.

    Of several walks it is the one of Hierholzer's algorithm that prefers edges of low columns.

    Args:
        snapshot: The graph.
        counts: How often each edge is used, whole numbers, shape ``(edges,)``.
        start: The node to begin at, where there is a choice; None takes the first one.
        closed: Whether the walk must end where it began.

    Returns:
        Numbers of nodes; without edges, the start alone, if there is one.
    """
    if not (np.isfinite(counts).all() and counts.sum() <= LONGEST):
        return None
    edges = np.repeat(np.arange(len(counts)), counts.astype(np.int64))
    ends = snapshot.ends[edges]
    if not len(ends):
        return [] if start is None else [start]
    nodes = len(snapshot.nodes)
    leaving, arriving = (np.bincount(ends[:, side], minlength=nodes) for side in (0, 1))
    surplus = leaving - arriving if snapshot.directed else (leaving + arriving) % 2
    first, uneven = np.flatnonzero(surplus > 0), np.count_nonzero(surplus)
    if not (uneven == 0 or (uneven == 2 and not closed and surplus.max() == 1)):
        return None
    starts = (first if len(first) else ends.ravel()).tolist()
    onward: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    for place, (u, v) in reversed(list(enumerate(ends.tolist()))):
        onward[u].append((place, v))
        if not snapshot.directed:
            onward[v].append((place, u))
    used = np.zeros(len(ends), np.bool_)
    trail, walk = [start if start in starts else min(starts)], []
    while trail:
        ways = onward[trail[-1]]
        while ways and used[ways[-1][0]]:
            ways.pop()
        if ways:
            place, node = ways.pop()
            used[place] = True
            trail.append(node)
        else:
            walk.append(trail.pop())
    return walk[::-1] if len(walk) == len(ends) + 1 else None
