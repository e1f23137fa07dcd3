"""A NetworkX graph as arrays."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

    import networkx as nx
    from numpy.typing import NDArray

Weight = Literal["edge", "node"]


class Arcs(NamedTuple):
    """The arcs of a graph by head and by tail, in compressed rows; an undirected edge is two arcs.

    Nodes are numbered by breadth-first search, because sweeps along the shortest paths need the fewest
    repetitions. A column is a position in a row of costs, a slot a position in the kernel's own order of them: the
    slot of a node is its number, edges are in the order in which sweeps read them.
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


def lower(graph: nx.Graph[Any], weight: Weight, root: Hashable | None) -> tuple[Arcs, list[Any], list[Any]]:
    """Return the arcs of a graph, its nodes in the order of their numbers, and its entries.

    Args:
        graph: Of any of the four classes; self-loops are entries without arcs.
        weight: What carries the costs.
        root: The node to number first; ``None`` takes one at the rim.

    Returns:
        Arcs, nodes by number, and what each column stands for.
    """
    nodes = _numbering(graph, root)
    number = {node: i for i, node in enumerate(nodes)}
    edges = list(graph.edges(keys=True)) if graph.is_multigraph() else list(graph.edges)
    ends = np.array([(number[e[0]], number[e[1]]) for e in edges], np.int64).reshape(-1, 2)
    tail, head, edge = ends[:, 0], ends[:, 1], np.arange(len(edges))
    if not graph.is_directed():
        tail, head, edge = np.concatenate([tail, head]), np.concatenate([head, tail]), np.tile(edge, 2)
    proper = tail != head
    tail, head, edge = tail[proper], head[proper], edge[proper]

    entries = list(graph.nodes) if weight == "node" else edges
    node_column = np.empty(0, np.int64)
    if weight == "node":
        tail, head = np.unique(np.stack([tail, head]), axis=1)  # parallel edges cost the same
        position = {node: i for i, node in enumerate(entries)}
        node_column = np.array([position[node] for node in nodes], np.int64)
        column = node_column[head]
    else:
        column = edge

    by_head, by_tail = np.lexsort((column, tail, head)), np.lexsort((column, head, tail))
    slot_column = node_column if weight == "node" else _first_uses(column[by_head])
    slot = np.empty(len(entries), np.int64)
    slot[slot_column] = np.arange(len(slot_column))
    arcs = Arcs(
        in_ptr=_pointers(head, len(nodes)),
        in_tail=tail[by_head].astype(np.int32),
        in_head=head[by_head].astype(np.int32),
        in_slot=slot[column[by_head]].astype(np.int32),
        in_column=column[by_head].astype(np.int32),
        out_ptr=_pointers(tail, len(nodes)),
        out_head=head[by_tail].astype(np.int32),
        out_column=column[by_tail].astype(np.int32),
        slot_column=slot_column.astype(np.int32),
        node_column=node_column.astype(np.int32),
    )
    return arcs, nodes, entries


def _numbering(graph: nx.Graph[Any], root: Hashable | None) -> list[Any]:
    """Return the nodes by breadth-first search from the root, and on from any node that it did not reach."""
    seeds = list(graph.nodes)
    if root is None:
        root = _search(graph, seeds[0], set())[-1]
    seen: set[Any] = set()
    return [node for seed in (root, *seeds) if seed not in seen for node in _search(graph, seed, seen)]


def _search(graph: nx.Graph[Any], seed: Hashable, seen: set[Any]) -> list[Any]:
    seen.add(seed)
    found, queue = [seed], deque([seed])
    while queue:
        for node in graph.adj[queue.popleft()]:
            if node not in seen:
                seen.add(node)
                found.append(node)
                queue.append(node)
    return found


def _first_uses(column: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distinct values in the order of their first occurrence."""
    values, first = np.unique(column, return_index=True)
    return values[np.argsort(first)]


def _pointers(key: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(key, minlength=nodes))]).astype(np.int64)
