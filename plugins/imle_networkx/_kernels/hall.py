"""How many nodes of a bipartite graph can be matched, which, and why no more: what does not depend on scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Cover(NamedTuple):
    """A matching of as many nodes as can be, and the nodes to which alternating paths lead from free left ones.

    The nodes reached are one part of the decomposition of Dulmage and Mendelsohn (1958): every matching of that size
    matches all reached right nodes to reached left ones, and all other left nodes to other right ones.

    Attributes:
        right_of: The right node of each left one; -1 for a free one.
        left_reached, right_reached: Whether such a path leads to each.
    """

    right_of: NDArray[np.int64]
    left_reached: NDArray[np.bool_]
    right_reached: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """How many pairs a matching can have."""
        return int((self.right_of >= 0).sum())


def cover(left: NDArray[np.int64], right: NDArray[np.int64], lefts: int, rights: int) -> Cover:
    """Match as many nodes as can be.

    Args:
        left: Left node of each edge.
        right: Right node of each edge.
        lefts: Left nodes.
        rights: Right nodes.
    """
    pointer, order = by_row(left, lefts)
    found = Cover(np.full(lefts, -1), np.zeros(lefts, np.bool_), np.zeros(rights, np.bool_))
    _match(pointer, right[order], *found)
    return found


def by_row(row: NDArray[np.int64], rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each row begins, and their number at the end, and the order that sorts by rows."""
    pointer = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))]).astype(np.int64)
    return pointer, np.argsort(row, kind="stable")


def violator(left: NDArray[np.int64], right: NDArray[np.int64], found: Cover) -> tuple[list[int], list[int]]:
    """Return left nodes that have fewer neighbours than they are, and these neighbours (Hall, 1935).

    Some left node must be free. The set belongs to the first free one: all to which alternating paths lead from it.
    """
    neighbours: dict[int, list[int]] = {}
    for u, v in zip(left.tolist(), right.tolist(), strict=True):
        neighbours.setdefault(u, []).append(v)
    left_of = {v: u for u, v in enumerate(found.right_of.tolist()) if v >= 0}
    reached, met = [int(np.flatnonzero(found.right_of < 0)[0])], dict[int, None]()
    for u in reached:
        for v in neighbours.get(u, []):
            if v not in met:
                met[v] = None
                reached.append(left_of[v])
    return reached, list(met)


@compiled
def _match(pointer: Any, right: Any, right_of: Any, left_reached: Any, right_reached: Any) -> None:
    """Search an augmenting path from each left node in turn, breadth first.

    What a search in vain has reached stays marked: no path from there leads to a free right node, nor ever will.
    """
    lefts, rights = len(right_of), len(right_reached)
    left_of = np.full(rights, -1)
    came_from = np.empty(rights, np.int64)  # the left node from which a search reached it
    queue, met = np.empty(lefts, np.int64), np.empty(rights, np.int64)
    for source in range(lefts):
        left_reached[source] = True
        queue[0], count, position, seen = source, 1, 0, 0
        end = -1
        while position < count and end < 0:
            u = queue[position]
            position += 1
            for arc in range(pointer[u], pointer[u + 1]):
                v = right[arc]
                if right_reached[v]:
                    continue
                right_reached[v], came_from[v] = True, u
                met[seen] = v
                seen += 1
                if left_of[v] < 0:
                    end = v
                    break
                left_reached[left_of[v]] = True
                queue[count] = left_of[v]
                count += 1
        if end < 0:
            continue
        for k in range(count):  # take back the marks of a search that found a path
            left_reached[queue[k]] = False
        for k in range(seen):
            right_reached[met[k]] = False
        while end >= 0:
            u = came_from[end]
            left_of[end] = u
            end, right_of[u] = right_of[u], end
