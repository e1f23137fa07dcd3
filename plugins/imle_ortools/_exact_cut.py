"""Least cuts for weights of any range: the largest flow is sent digit by digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_ortools._cuts import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray


def near_side(
    weights: NDArray[np.object_], ends: NDArray[np.int32], nodes: int, source: int, sink: int
) -> NDArray[np.bool_]:
    r"""Return the smallest source's side of a least cut, for integers that need not fit into 64 bits.

    The largest flow in multiples of 2^k is sent, and what remains of the capacities, forwards and backwards, is a
    network again. On its least cut, whose arcs were full to a multiple of 2^k, less than 2^k is left of each: at most
    B = :math:`2^k` times the number of arcs can still be sent. So larger capacities count as B + 1, which leaves
    integers of fewer digits, and the flow in smaller multiples is sent in the same way. When k is 0 the flow is the
    largest.

    Args:
        weights: Of the arcs, Python's integers of at least 0.
        ends: Tails and heads of the arcs, shape ``(2, arcs)``.
        nodes: How many there are.
        source: Number of a node.
        sink: Number of another node.

    Returns:
        Whether each node is on the source's side, shape ``(nodes,)``.
    """
    arcs = len(weights)
    network = Network(np.concatenate([ends, ends[::-1]], axis=1), nodes)
    bits = 61 - (2 * arcs).bit_length()
    left = np.concatenate([weights, np.zeros(arcs, object)])
    bound = sum(weights.tolist())
    while True:
        capacity = np.minimum(left, bound + 1)
        shift = max(0, int(capacity.max()).bit_length() - bits)
        network.send((capacity >> shift).astype(np.int64), source, sink)
        if not shift:
            return network.near()
        sent = network.flows().astype(object) << shift
        left = left - sent + np.roll(sent, arcs)
        bound = 2 * arcs << shift
