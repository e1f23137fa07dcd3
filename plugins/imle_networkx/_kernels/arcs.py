"""The arcs of a graph, as kernels of paths want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Arcs(NamedTuple):
    """The arcs of a graph by head and by tail, in compressed rows; an undirected edge is two arcs.

    Nodes are numbered in the order of the arcs where these make no cycle, else by breadth-first search, because sweeps
    along the shortest paths then need the fewest repetitions. A column is a position in a row of costs, a slot a
    position in the kernel's own order of them: the slot of a node is its number, edges are in the order in which sweeps
    read them.
    A named tuple, because compiled functions take one.

    Attributes:
        in_ptr: First in-arc of each node, and their number at the end.
        in_tail, in_head, in_slot, in_column: Of each in-arc.
        out_ptr: First out-arc of each node, and their number at the end.
        out_head, out_column: Of each out-arc.
        slot_column: Column of each slot.
        node_column: Column of each node where nodes carry the costs, else empty.
    """

    in_ptr: NDArray[np.int64]
    in_tail: NDArray[np.int32]
    in_head: NDArray[np.int32]
    in_slot: NDArray[np.int32]
    in_column: NDArray[np.int32]
    out_ptr: NDArray[np.int64]
    out_head: NDArray[np.int32]
    out_column: NDArray[np.int32]
    slot_column: NDArray[np.int32]
    node_column: NDArray[np.int32]


def lower(
    ends: NDArray[np.int64],
    nodes: int,
    *,
    directed: bool,
    on_nodes: bool,
    root: int | None = None,
    columns: NDArray[np.int64] | None = None,
) -> tuple[Arcs, NDArray[np.int64]]:
    """Return the arcs of a graph, and the number that each of its nodes has in them.

    Args:
        ends: Numbers of the nodes of each edge, shape ``(E, 2)``; self-loops are entries without arcs.
        nodes: How many nodes there are.
        directed: Whether an edge is one arc, or two.
        on_nodes: Whether nodes carry the costs, each in the column of its number; or edges.
        root: The node to number first; ``None`` takes one at the rim.
        columns: Of the edges, where they carry the costs; ``None``: their order.
    """
    tail, head = ends[:, 0], ends[:, 1]
    column = np.arange(len(ends)) if columns is None else columns
    if not directed:
        tail, head, column = np.concatenate([tail, head]), np.concatenate([head, tail]), np.tile(column, 2)
    proper = tail != head
    tail, head, column = tail[proper], head[proper], column[proper]
    order = _numbering(tail, head, nodes, root)
    number = np.empty(nodes, np.int64)
    number[order] = np.arange(nodes)
    tail, head = number[tail], number[head]
    node_column = np.empty(0, np.int64)
    if on_nodes:
        tail, head = np.unique(np.stack([tail, head]), axis=1)  # parallel edges cost the same
        node_column = order
        column = node_column[head]

    by_head, by_tail = np.lexsort((column, tail, head)), np.lexsort((column, head, tail))
    slot_column = node_column if on_nodes else _first_uses(column[by_head])
    slot = np.empty(1 + slot_column.max(initial=-1), np.int64)
    slot[slot_column] = np.arange(len(slot_column))
    arcs = Arcs(
        in_ptr=pointers(head, nodes),
        in_tail=tail[by_head].astype(np.int32),
        in_head=head[by_head].astype(np.int32),
        in_slot=slot[column[by_head]].astype(np.int32),
        in_column=column[by_head].astype(np.int32),
        out_ptr=pointers(tail, nodes),
        out_head=head[by_tail].astype(np.int32),
        out_column=column[by_tail].astype(np.int32),
        slot_column=slot_column.astype(np.int32),
        node_column=node_column.astype(np.int32),
    )
    return arcs, number


def pointers(key: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    """Return where the arcs of each node begin among arcs sorted by ``key``, and their number at the end."""
    return np.concatenate([[0], np.cumsum(np.bincount(key, minlength=nodes))]).astype(np.int64)


def topological(tail: NDArray[np.int64], head: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    """Return nodes in the order of arcs: all of them, or those that come before any cycle (Kahn, 1962)."""
    order = np.empty(nodes, np.int64)
    waiting = np.bincount(head, minlength=nodes)
    found = _sort(pointers(tail, nodes), head[np.argsort(tail, kind="stable")], waiting, order)
    return order[:found]


def _numbering(
    tail: NDArray[np.int64], head: NDArray[np.int64], nodes: int, root: int | None
) -> NDArray[np.int64]:
    order = topological(tail, head, nodes)
    if len(order) == nodes:
        return order
    order = np.empty(nodes, np.int64)
    ptr, onward = pointers(tail, nodes), head[np.argsort(tail, kind="stable")]
    if root is None:  # the last node that a search from the first one finds
        root = int(order[_search(ptr, onward, 0, order, 0, np.zeros(nodes, np.bool_)) - 1])
    seen = np.zeros(nodes, np.bool_)
    count = _search(ptr, onward, root, order, 0, seen)
    for node in range(nodes):
        if count == nodes:
            break
        if not seen[node]:
            count = _search(ptr, onward, node, order, count, seen)
    return order


@compiled
def _search(ptr: Any, head: Any, root: int, order: Any, count: int, seen: Any) -> int:
    """Append the nodes that can be reached from the root, breadth first; return how many there are then."""
    seen[root] = True
    order[count] = root
    position, count = count, count + 1
    while position < count:
        node = order[position]
        position += 1
        for arc in range(ptr[node], ptr[node + 1]):
            if not seen[head[arc]]:
                seen[head[arc]] = True
                order[count] = head[arc]
                count += 1
    return count


@compiled
def _sort(ptr: Any, head: Any, waiting: Any, order: Any) -> int:
    """Fill in the nodes whose arcs all come from nodes before them; return how many there are."""
    count, position = 0, 0
    for node in range(len(waiting)):
        if waiting[node] == 0:
            order[count] = node
            count += 1
    while position < count:
        node = order[position]
        position += 1
        for arc in range(ptr[node], ptr[node + 1]):
            waiting[head[arc]] -= 1
            if waiting[head[arc]] == 0:
                order[count] = head[arc]
                count += 1
    return count


def _first_uses(column: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distinct values in the order of their first occurrence."""
    values, first = np.unique(column, return_index=True)
    return values[np.argsort(first)]
