"""Shortest paths by NetworkX itself, one row at a time."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx

from imle_core.errors import InfeasibleError, UnboundedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_networkx._kernels.arcs import Arcs


class Reference:
    """Dijkstra's and Bellman and Ford's algorithms of NetworkX, on the arcs of a lowered graph.

    Args:
        arcs: The graph.
        nodes: The nodes by number, for messages.
        directed: Whether the graph is, for messages.
    """

    def __init__(self, arcs: Arcs, nodes: Sequence[Any], *, directed: bool) -> None:
        self.nodes = nodes
        self.directed = directed
        self.node_column = arcs.node_column
        self.graph: nx.DiGraph[int] = nx.DiGraph()
        self.graph.add_nodes_from(range(len(nodes)))
        for arc in zip(arcs.in_tail.tolist(), arcs.in_head.tolist(), arcs.in_column.tolist(), strict=True):
            tail, head, column = arc
            if self.graph.has_edge(tail, head):
                self.graph[tail][head]["columns"].append(column)
            else:
                self.graph.add_edge(tail, head, columns=[column])

    def columns(self, costs: Any, source: int, target: int, *, exact: bool, row: int) -> list[int]:
        """Return the columns on a shortest path.

        Args:
            costs: Costs of one row, shape ``(entries,)``.
            source: First node.
            target: Last node.
            exact: Bellman-Ford in exact rational arithmetic, which allows negative costs, instead of Dijkstra:
                in floating point a circle of cost zero can look like a negative one.
            row: The row, for messages.

        Raises:
            InfeasibleError: there is no path.
            UnboundedError: a negative cycle lies between source and target.
        """
        values = [Fraction(cost) for cost in costs.tolist()] if exact else costs.tolist()

        def weight(_tail: int, _head: int, data: dict[str, list[int]]) -> Any:
            return min(values[column] for column in data["columns"])

        try:
            if exact:
                between = nx.descendants(self.graph, source) & nx.ancestors(self.graph, target)
                part = self.graph.subgraph(between | {source, target})
                path = nx.single_source_bellman_ford(part, source, weight=weight)[1][target]
            else:
                path = nx.dijkstra_path(self.graph, source, target, weight=weight)
        except nx.NetworkXUnbounded:
            raise self._negative_cycle(source, target, row) from None
        except (nx.NetworkXNoPath, KeyError):
            raise no_path(self.nodes[source], self.nodes[target], row) from None
        steps = [self.graph[tail][head]["columns"] for tail, head in pairwise(path)]
        first = [int(self.node_column[source])] if len(self.node_column) else []
        return first + [min(columns, key=values.__getitem__) for columns in steps]

    def _negative_cycle(self, source: int, target: int, row: int) -> UnboundedError:
        advice = (
            "raise the costs along it, or take negative='clip'."
            if self.directed
            else "in an undirected graph, to and fro along one edge is such a cycle as soon as it costs less than "
            "nothing. Take negative='error' or 'clip', or a directed graph."
        )
        ends = f"{self.nodes[source]!r} to {self.nodes[target]!r}"
        return UnboundedError(
            f"a negative cycle lies on the way from {ends}, so no path is the shortest: {advice}", row=row
        )


def no_path(source: Any, target: Any, row: int) -> InfeasibleError:
    """Return the error for a target that cannot be reached."""
    return InfeasibleError(
        f"no path from {source!r} to {target!r}: check the edges of the graph and their direction, or give another "
        "source or target.",
        row=row,
    )
