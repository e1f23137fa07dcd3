"""Every flow of a small network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import MissingCapabilityError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_LISTED = 200_000
"""Partial flows at most that are kept."""


def all_flows(
    ends: NDArray[np.int32],
    capacity: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    name: str,
) -> NDArray[np.int64]:
    """Return all flows, shape ``(K, arcs)``, within capacities of which so much leaves each node beyond what enters it.

    Arc by arc: partial flows are kept as long as the arcs to come can balance every node.

    Args:
        ends: Tails and heads of the arcs.
        capacity: Of the arcs.
        low: Balance of each node at least.
        high: Balance of each node at most.
        name: The solver's, for the message.

    Raises:
        MissingCapabilityError: there are too many.
    """
    arcs, nodes = len(capacity), len(low)
    flows, balance = np.zeros((1, arcs), np.int64), np.zeros((1, nodes), np.int64)
    out, into = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)  # what the arcs to come carry at most
    np.add.at(out, ends[0], capacity)
    np.add.at(into, ends[1], capacity)
    for arc, (tail, head) in enumerate(ends.T):
        ways = int(capacity[arc]) + 1
        if len(flows) * ways > MOST_LISTED:
            raise MissingCapabilityError(
                f"{name}: the flows are too many to be listed (at most {MOST_LISTED:,} on a part of the arcs)."
            )
        amount = np.tile(np.arange(ways), len(flows))
        flows, balance = np.repeat(flows, ways, axis=0), np.repeat(balance, ways, axis=0)
        flows[:, arc] = amount
        balance[:, tail] += amount
        balance[:, head] -= amount
        out[tail] -= capacity[arc]
        into[head] -= capacity[arc]
        kept = ((balance + out >= low) & (balance - into <= high)).all(1)
        flows, balance = flows[kept], balance[kept]
    return flows
