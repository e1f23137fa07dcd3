"""A graph as users give it: an array of edges, or a graph of NetworkX."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.errors import SolverParameterError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray


class Graph(NamedTuple):
    """The edges of a graph, in the order of theta.

    Attributes:
        labels: What the user calls the nodes; their number is their place in this list.
        ends: Numbers of the two nodes of each edge, tail and head where it is directed, shape ``(E, 2)``.
        edges: What the user calls the edges: ``(u, v)``, or ``(u, v, key)`` if there are parallel ones.
    """

    labels: list[Any]
    ends: NDArray[np.int64]
    edges: list[tuple[Any, ...]]

    def number(self, role: str, label: Hashable) -> int:
        """Return the number of a node.

        Raises:
            SolverParameterError: there is no such node; the message begins with its role.
        """
        try:
            return self.labels.index(label)
        except ValueError:
            raise SolverParameterError(f"{role} {label!r} is not in the graph.") from None


def read_graph(graph: Any, nodes: int | None, *, directed: bool) -> Graph:
    """Return a graph that was given as edges between numbers, or as a graph of NetworkX.

    Args:
        graph: Edges as an integer array ``(E, 2)``, or anything with NetworkX's ``nodes``, ``edges``,
            ``is_directed`` and ``is_multigraph``.
        nodes: How many nodes there are; None: up to the largest number in an edge. Not for a graph of NetworkX.
        directed: Whether the edges have a direction.

    Raises:
        SolverParameterError: it is neither, has the other kind of edges, or there are fewer than two nodes or no edges.
    """
    read = _from_networkx if hasattr(graph, "is_multigraph") else _from_array
    found = read(graph, nodes, directed)
    if len(found.labels) < 2 or not len(found.ends):
        raise SolverParameterError(
            f"the graph has {len(found.labels)} nodes and {len(found.ends)} edges; it needs two nodes and an edge."
        )
    return found


def _from_networkx(graph: Any, nodes: int | None, directed: bool) -> Graph:
    if nodes is not None:
        raise SolverParameterError("nodes= goes with an array of edges; a graph of NetworkX has its own.")
    if graph.is_directed() != directed:
        wanted, given = ("directed", "undirected") if directed else ("undirected", "directed")
        raise SolverParameterError(f"the graph must be {wanted}; got a graph that is {given}.")
    labels = list(graph.nodes)
    number = {label: i for i, label in enumerate(labels)}
    edges = list(graph.edges(keys=True)) if graph.is_multigraph() else list(graph.edges())
    ends = np.array([(number[u], number[v]) for u, v, *_ in edges], np.int64).reshape(-1, 2)
    return Graph(labels, ends, edges)


def _from_array(graph: Any, nodes: int | None, directed: bool) -> Graph:
    try:
        ends = np.asarray(graph)
    except (TypeError, ValueError) as error:
        raise SolverParameterError(f"graph is no array of edges: {error}") from error
    if ends.ndim != 2 or ends.shape[1] != 2 or ends.dtype.kind not in "iu":
        raise SolverParameterError(
            f"graph must be edges (E, 2) between node numbers, or a graph of NetworkX; got {ends.dtype} {ends.shape}."
        )
    ends = ends.astype(np.int64)
    count = int(ends.max(initial=-1)) + 1 if nodes is None else nodes
    if len(ends) and not (ends.min() >= 0 and ends.max() < count):
        raise SolverParameterError(
            f"edges join nodes {ends.min()} to {ends.max()}; with nodes={count} they are to be in [0, {count})."
        )
    pairs: list[tuple[int, int]] = [(u, v) for u, v in ends.tolist()]
    bundles = [pair if directed else (min(pair), max(pair)) for pair in pairs]
    if max(Counter(bundles).values(), default=0) < 2:
        return Graph(list(range(count)), ends, list(pairs))
    seen: defaultdict[tuple[int, int], int] = defaultdict(int)
    edges: list[tuple[Any, ...]] = []
    for (u, v), bundle in zip(pairs, bundles, strict=True):
        edges.append((u, v, seen[bundle]))
        seen[bundle] += 1
    return Graph(list(range(count)), ends, edges)
