"""All matchings of a small graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import MissingCapabilityError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_STEPS = 1_000_000
"""Decisions at most, each for one node."""


def all_matchings(ends: NDArray[np.int64], nodes: int, size: int | None) -> NDArray[np.float64]:
    """Return the states of all matchings, each once, shape ``(K, entries)``.

    Node by node it is decided whether it stays alone or with which later one it goes.

    Args:
        ends: The two nodes of each entry, shape ``(entries, 2)``.
        nodes: How many there are.
        size: How many edges a matching must have; None for any number.

    Raises:
        MissingCapabilityError: there are too many.
    """
    later: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    for entry, (u, v) in enumerate(np.sort(ends, axis=1).tolist()):
        if u != v:
            later[u].append((v, entry))
    lonely = nodes if size is None else nodes - 2 * size
    found: list[list[int]] = []
    waiting: list[tuple[int, int, int, list[int]]] = [(0, 0, lonely, [])]
    steps = 0
    while waiting:
        node, taken, lonely, chosen = waiting.pop()
        while node < nodes and taken >> node & 1:
            node += 1
        if node == nodes:
            found.append(chosen)
            continue
        if (steps := steps + 1) > MAX_STEPS:
            raise MissingCapabilityError(
                f"there are too many matchings to be listed: {len(found):,} were found in {MAX_STEPS:,} steps when the "
                "search was given up."
            )
        for other, entry in reversed(later[node]):
            if not taken >> other & 1:
                waiting.append((node + 1, taken | 1 << other, lonely, [*chosen, entry]))
        if lonely:
            waiting.append((node + 1, taken, lonely - 1, chosen))
    states = np.zeros((len(found), len(ends)))
    for state, chosen in zip(states, found, strict=True):
        state[chosen] = 1
    return states
