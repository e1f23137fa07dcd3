"""A graph of NetworkX as it was when it was read."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx
import numpy as np

from imle_core.errors import SolverParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Weight = Literal["edge", "node"]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The nodes and edges of a graph, in its own order; what its owner changes later has no effect.

    Attributes:
        nodes: The user's names of the nodes, in the order of ``graph.nodes``; a node's number is its place here.
        edges: The user's names of the edges, ``(u, v)`` or ``(u, v, key)``, in the order of ``graph.edges``.
        ends: Numbers of the two nodes of each edge, tail and head where it is directed, shape ``(E, 2)``, int64.
        kind: The class that a private graph of NetworkX is made of.
        weight: Whether ``"edge"`` or ``"node"`` entries carry theta.
        lowered: What the solver made of the graph, see :meth:`imle_networkx._solver.GraphSolver._lower`.
    """

    nodes: list[Any]
    edges: list[tuple[Any, ...]]
    ends: NDArray[np.int64]
    kind: type[nx.Graph[Any]]
    weight: Weight
    lowered: Any = field(default=None, repr=False)

    @property
    def directed(self) -> bool:
        """Whether edges have a direction."""
        return self.kind in (nx.DiGraph, nx.MultiDiGraph)

    @property
    def multigraph(self) -> bool:
        """Whether edges have keys."""
        return self.kind in (nx.MultiGraph, nx.MultiDiGraph)

    @property
    def entries(self) -> list[Any]:
        """What each entry of theta belongs to."""
        return self.edges if self.weight == "edge" else self.nodes

    @functools.cached_property
    def number(self) -> dict[Any, int]:
        """The number of each node."""
        return {node: i for i, node in enumerate(self.nodes)}

    @functools.cached_property
    def columns(self) -> dict[tuple[Any, Any], list[int]]:
        """The columns of the edges from each node to each, by name; both ways where they have no direction."""
        found: defaultdict[tuple[Any, Any], list[int]] = defaultdict(list)
        for column, (u, v, *_) in enumerate(self.edges):
            found[u, v].append(column)
            if not self.directed and u != v:
                found[v, u].append(column)
        return dict(found)

    def column(self, edge: Iterable[Any]) -> int:
        """Return the column of an edge ``(u, v)`` or ``(u, v, key)``; of parallel ones without a key, the first.

        Raises:
            KeyError: there is no such edge.
        """
        u, v, *key = edge
        columns = self.columns[u, v]
        if not key:
            return columns[0]
        return next(column for column in columns if self.edges[column][2:] == tuple(key))

    def build(self, attribute: str = "weight") -> tuple[nx.Graph[Any], list[dict[str, Any]]]:
        """Return a new graph of NetworkX with these nodes and edges, and the attributes of each entry.

        Each edge has an attribute ``column``.

        Args:
            attribute: What stands for theta.
        """
        graph = self.kind()
        graph.add_nodes_from(self.nodes)
        if self.multigraph:
            graph.add_edges_from((u, v, key, {"column": i}) for i, (u, v, key) in enumerate(self.edges))
        else:
            graph.add_edges_from((u, v, {"column": i}) for i, (u, v) in enumerate(self.edges))
        data: list[dict[str, Any]]
        if self.weight == "node":
            data = [graph.nodes[node] for node in self.nodes]
        else:
            data = [graph.edges[edge] for edge in self.edges]
        for each in data:
            each[attribute] = 0.0
        return graph, data

    def __str__(self) -> str:
        kind = (
            f"{'directed' if self.directed else 'undirected'} {'multigraph' if self.multigraph else 'graph'}"
        )
        return f"{kind} of {len(self.nodes):,} nodes and {len(self.edges):,} edges"


def read(graph: nx.Graph[Any], weight: Weight) -> Snapshot:
    """Return a snapshot of a graph of any of NetworkX's four classes.

    Raises:
        SolverParameterError: it is no graph, has no nodes, or a node that is not equal to itself.
    """
    if not isinstance(graph, nx.Graph) or not len(graph):
        raise SolverParameterError(f"graph must be a NetworkX graph with nodes; got {graph!s}.")
    nodes = list(graph.nodes)
    for node in nodes:
        if node != node:  # NaN, which cannot be looked up
            raise SolverParameterError(f"node {node!r} of the graph is not equal to itself; give it a name.")
    edges = list(graph.edges(keys=True)) if graph.is_multigraph() else list(graph.edges)
    number = {node: i for i, node in enumerate(nodes)}
    ends = np.fromiter((number[node] for edge in edges for node in edge[:2]), np.int64, 2 * len(edges))
    return Snapshot(nodes, edges, ends.reshape(-1, 2), _class_of(graph), weight)


def _class_of(graph: nx.Graph[Any]) -> type[nx.Graph[Any]]:
    if graph.is_multigraph():
        return nx.MultiDiGraph if graph.is_directed() else nx.MultiGraph
    return nx.DiGraph if graph.is_directed() else nx.Graph
