"""Whether a state is the incidence of a path, and of which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import MissingCapabilityError
from imle_core.kernels import compiled

if TYPE_CHECKING:
    from imle_networkx._kernels.arcs import Arcs

NO_WALK, FORKED = 0, -1

MAX_STEPS = 1_000_000
"""Steps at most of a search among nodes with chords."""


@compiled
def follow(
    chosen: Any,
    source: int,
    target: int,
    arcs: Any,
    walk: Any,
) -> int:
    """Walk from the source along chosen entries for as long as there is one way, and at the target expect none.

    Args:
        chosen: Whether each entry is chosen, shape ``(entries,)``.
        source: First node.
        target: Last node.
        arcs: See :class:`imle_networkx._kernels.arcs.Arcs`.
        walk: Filled with the nodes in order, shape ``(nodes,)``.

    Returns:
        The number of nodes if the chosen entries are one simple path from the source to the target; ``NO_WALK``
        if they are not; ``FORKED`` if they are nodes among which there is more than one way to go on.
    """
    left = chosen.copy()
    costs_on_nodes = len(arcs.node_column) > 0
    if costs_on_nodes:
        if not left[arcs.node_column[source]]:
            return NO_WALK
        left[arcs.node_column[source]] = False
    node = source
    walk[0] = source
    length = 1
    while True:
        ways, arc = 0, 0
        for other in range(arcs.out_ptr[node], arcs.out_ptr[node + 1]):
            if left[arcs.out_column[other]]:
                ways += 1
                arc = other
        if ways > 1:  # on a path, no node has two edges that lead on
            return FORKED if costs_on_nodes else NO_WALK
        if ways == 0 or node == target:
            return length if ways == 0 and node == target and not left.any() else NO_WALK
        left[arcs.out_column[arc]] = False
        node = arcs.out_head[arc]
        if length == len(walk):
            return NO_WALK
        walk[length] = node
        length += 1


def path_of(chosen: Any, source: int, target: int, arcs: Arcs) -> list[int] | None:
    """Return the nodes of the path whose entries are chosen, or None if there is no such path."""
    walk = np.empty(len(arcs.in_ptr) - 1, np.int64)
    length = follow(chosen, source, target, arcs, walk)
    if length == FORKED:
        return _search(chosen, source, target, arcs)
    return walk[:length].tolist() if length else None


def _search(chosen: Any, source: int, target: int, arcs: Arcs) -> list[int] | None:
    """Find a path through exactly the chosen nodes, by backtracking.

    Only nodes with chords come here, which a solver with non-negative costs does not return: among the shortest
    paths it takes one of fewest arcs. In general this is the problem of Hamilton's path, and takes exponential
    time in the worst case.
    """
    members = {int(node) for node in np.flatnonzero(chosen[arcs.node_column])}
    onward = {
        node: [
            int(h) for h in arcs.out_head[arcs.out_ptr[node] : arcs.out_ptr[node + 1]] if int(h) in members
        ]
        for node in members
    }
    if target not in members:
        return None
    path, visited, branches = [source], {source}, [iter(onward[source])]
    steps = 0
    while branches:
        if (steps := steps + 1) > MAX_STEPS:
            raise MissingCapabilityError(
                f"the state chooses {len(members)} nodes with many edges among them, and no path through all of them "
                f"was found in {MAX_STEPS:,} steps: whether there is one is not known."
            )
        if path[-1] == target and len(path) == len(members):
            return path
        step = next((h for h in branches[-1] if h not in visited and path[-1] != target), None)
        if step is None:
            branches.pop()
            visited.discard(path.pop())
        else:
            path.append(step)
            visited.add(step)
            branches.append(iter(onward[step]))
    return None
