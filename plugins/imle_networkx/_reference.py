"""Shortest paths by NetworkX itself."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from imle_core.errors import InfeasibleError, UnboundedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot


def path_by_networkx(
    graph: nx.Graph[Any],
    snapshot: Snapshot,
    costs: NDArray[Any],
    ends: tuple[int, int],
    *,
    exact: bool,
    dispatch: Mapping[str, Any],
) -> NDArray[np.float64]:
    """Return the state of a shortest path by Dijkstra's or Bellman and Ford's algorithm.

    Args:
        graph: A graph of NetworkX made by :meth:`Snapshot.build`, with its weights set.
        snapshot: The same graph as it was read.
        costs: Costs of one row, shape ``(entries,)``.
        ends: Numbers of the first and the last node.
        exact: Bellman-Ford in exact rational arithmetic, which allows negative costs, instead of Dijkstra: in floating
            point a circle of cost zero can look like a negative one.
        dispatch: Keywords for NetworkX's dispatch to backends, for costs on edges: a backend takes weights by the name
            of an attribute, and costs on nodes need a function.

    Raises:
        InfeasibleError: there is no path.
        UnboundedError: a negative cycle lies between source and target.
    """
    source, target = (snapshot.nodes[end] for end in ends)
    values = [Fraction(cost) for cost in costs.tolist()] if exact else costs.tolist()
    weight: Any = "weight"
    if snapshot.weight == "node":
        number, dispatch = snapshot.number, {}

        def weight(_tail: Any, head: Any, _data: Any) -> Any:
            return values[number[head]]
    elif exact:
        for *_, data in graph.edges(data=True):
            data["weight"] = values[data["column"]]
    graph.remove_edges_from(
        list(nx.selfloop_edges(graph))
    )  # which no path uses, also where they are negative
    try:
        if exact:
            between = nx.descendants(graph, source) & nx.ancestors(graph, target)
            part = graph.subgraph(between | {source, target})
            path = nx.single_source_bellman_ford(part, source, weight=weight, **dispatch)[1][target]
        else:
            path = nx.dijkstra_path(graph, source, target, weight=weight, **dispatch)
    except nx.NetworkXUnbounded:
        raise _negative_cycle(source, target, directed=snapshot.directed) from None
    except (nx.NetworkXNoPath, KeyError):
        raise no_path(source, target) from None
    if snapshot.weight == "node":
        columns = [snapshot.number[node] for node in path]
    else:
        columns = [min(snapshot.columns[step], key=values.__getitem__) for step in pairwise(path)]
    state = np.zeros(len(costs))
    state[columns] = 1
    return state


def _negative_cycle(source: Any, target: Any, *, directed: bool) -> UnboundedError:
    advice = (
        "raise the costs along it, or take negative='clip'."
        if directed
        else "in an undirected graph, to and fro along one edge is such a cycle as soon as it costs less than "
        "nothing. Take negative='error' or 'clip', or a directed graph."
    )
    return UnboundedError(
        f"a negative cycle lies on the way from {source!r} to {target!r}, so no path is the shortest: {advice}"
    )


def no_path(source: Any, target: Any, row: int | None = None) -> InfeasibleError:
    """Return the error for a target that cannot be reached."""
    return InfeasibleError(
        f"no path from {source!r} to {target!r}: check the edges of the graph and their direction, or give another "
        "source or target.",
        row=row,
    )
