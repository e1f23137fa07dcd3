"""All simple paths of a small graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import MissingCapabilityError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_networkx._kernels.arcs import Arcs

MAX_STEPS = 1_000_000
"""Arcs at most that the search follows: paths multiply with every arc of a graph."""


def simple_paths(source: int, target: int, arcs: Arcs, entries: int) -> NDArray[np.float64]:
    """Return the states of all simple paths, each once, shape ``(K, entries)``.

    Where nodes carry the costs, several paths may visit the same nodes: they are one state.

    Args:
        source: First node.
        target: Last node.
        arcs: See :class:`imle_networkx._kernels.arcs.Arcs`.
        entries: How many entries a state has.

    Raises:
        MissingCapabilityError: the search takes too long.
    """
    nodes = arcs.node_column.tolist()
    pointers, heads, columns = arcs.out_ptr.tolist(), arcs.out_head.tolist(), arcs.out_column.tolist()
    found: dict[frozenset[int], None] = {}  # in the order of the search
    visited, chosen = [source], nodes[source : source + 1]
    branches = [iter(range(pointers[source], pointers[source + 1]))]
    if source == target:
        found[frozenset(chosen)] = None
        branches = []
    steps = 0
    while branches:
        arc = next(branches[-1], None)
        if arc is None:
            branches.pop()
            visited.pop()
            chosen = chosen[:-1]
            continue
        if (steps := steps + 1) > MAX_STEPS:
            raise MissingCapabilityError(
                f"its graph has too many simple paths to be listed: {len(found):,} were found in {MAX_STEPS:,} steps "
                "when the search was given up."
            )
        head = heads[arc]
        if head in visited:
            continue
        if head == target:
            found[frozenset((*chosen, columns[arc]))] = None
        else:
            visited.append(head)
            chosen = [*chosen, columns[arc]]
            branches.append(iter(range(pointers[head], pointers[head + 1])))
    states = np.zeros((len(found), entries))
    for state, path in zip(states, found, strict=True):
        state[list(path)] = 1
    return states
