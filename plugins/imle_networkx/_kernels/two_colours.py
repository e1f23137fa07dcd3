"""The two sides of a bipartite graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.hall import by_row

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Colours(NamedTuple):
    """A colouring of the nodes.

    Attributes:
        side: 0 or 1 for each node; 0 for the first one of each part.
        part: The number of the connected part that each node is in.
        fault: An edge with both ends of one colour, which closes an odd cycle; -1 if there is none.
    """

    side: NDArray[np.int8]
    part: NDArray[np.int64]
    fault: int


def two_colours(ends: NDArray[np.int64], nodes: int) -> Colours:
    """Colour the nodes so that no edge has ends of one colour, as far as that is possible.

    Args:
        ends: The two nodes of each edge, shape ``(edges, 2)``.
        nodes: How many there are.
    """
    flat = ends.reshape(-1)
    pointer, port = by_row(flat, nodes)
    side, part = np.zeros(nodes, np.int8), np.full(nodes, -1)
    _search(pointer, flat[port ^ 1], side, part)
    same = np.flatnonzero(side[ends[:, 0]] == side[ends[:, 1]])
    return Colours(side, part, int(same[0]) if len(same) else -1)


@compiled
def _search(pointer: Any, neighbour: Any, side: Any, part: Any) -> None:
    queue = np.empty(len(side), np.int64)
    parts = 0
    for seed in range(len(side)):
        if part[seed] >= 0:
            continue
        part[seed] = parts
        queue[0], count, position = seed, 1, 0
        while position < count:
            node = queue[position]
            position += 1
            for k in range(pointer[node], pointer[node + 1]):
                other = neighbour[k]
                if part[other] < 0:
                    part[other], side[other] = parts, 1 - side[node]
                    queue[count] = other
                    count += 1
        parts += 1
