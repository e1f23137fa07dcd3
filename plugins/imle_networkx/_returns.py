"""From what a function on a graph returns to the entries of a state, each as often as it is used."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from imle_core.errors import InvalidSolutionError, SolverParameterError
from imle_networkx._solver import one_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

Returns = Literal["path", "cycle", "nodes", "edges", "graph", "matching", "flow"]

EXPECTED: dict[str, str] = {
    "path": "the nodes of a path, in order",
    "cycle": "the nodes of a cycle, in order",
    "nodes": "nodes",
    "edges": "edges, each (u, v) or (u, v, key)",
    "graph": "a graph of nodes and edges of this one, such as a tree",
    "matching": "pairs of nodes, or a mapping from node to node",
    "flow": "a mapping {u: {v: amount}}, or {u: {v: {key: amount}}}",
}
"""What each name stands for."""

ON_NODES = ("path", "cycle", "nodes", "graph")
"""What a state on nodes can be; a state on edges can be all but ``"nodes"``."""

Choose = Callable[[list[int]], int]


def wanted(returns: Any, entries: str) -> tuple[Returns, tuple[int, int] | None]:
    """Return what is wanted of a result, and its place and the length where it is part of a tuple.

    Raises:
        SolverParameterError: nothing goes by this name, or it is no state on these entries.
    """
    parts = returns if isinstance(returns, tuple) else (returns,)
    wanted = [(place, name) for place, name in enumerate(parts) if name is not None]
    if len(wanted) != 1:
        raise SolverParameterError(
            f"returns must name one thing, with None for the rest of a tuple; got {returns!r}."
        )
    ((place, name),) = wanted
    one_of("returns", name, get_args(Returns))
    if (name == "nodes" and entries == "edge") or (name not in ON_NODES and entries == "node"):
        other = "node" if entries == "edge" else "edge"
        raise SolverParameterError(
            f"returns={name!r} has no {entries}s: take entries={other!r}, or let the function return something else."
        )
    return name, (place, len(parts)) if isinstance(returns, tuple) else None


def read_state(result: Any, returns: str, snapshot: Snapshot, choose: Choose) -> NDArray[np.float64]:
    """Return how often each entry is used in a result.

    Args:
        result: What the function returned.
        returns: What that is, a name in ``EXPECTED``.
        snapshot: The graph; its entries are those of the state.
        choose: Which of parallel edges is used where the result does not say, by their columns.

    Raises:
        InvalidSolutionError: it is something else, or has a node or an edge that the graph does not have.
    """
    is_graph = hasattr(result, "nodes") and hasattr(result, "edges")
    if returns == "graph":
        fits = is_graph
    elif returns == "flow":
        fits = isinstance(result, Mapping) and all(isinstance(each, Mapping) for each in result.values())
    else:
        fits = isinstance(result, Iterable) and not is_graph and not isinstance(result, (str, bytes))
        if returns != "matching":  # a view of nodes or edges is a mapping, but also a set
            fits = fits and (isinstance(result, Set) or not isinstance(result, Mapping))
    if not fits:
        raise InvalidSolutionError(
            f"{reprlib.repr(result)} ({type(result).__name__}) is not what returns={returns!r} stands for: "
            f"{EXPECTED[returns]}."
        )
    uses = _nodes if snapshot.weight == "node" else _edges
    state = np.zeros(len(snapshot.entries))
    for column, times in uses(result, returns, snapshot, choose):
        state[column] += times
    return state


def flow_of(snapshot: Snapshot, state: NDArray[Any]) -> dict[Any, dict[Any, Any]]:
    """Return what ``"flow"`` stands for, of the edges in use."""
    flow: dict[Any, dict[Any, Any]] = {}
    for column in np.flatnonzero(state).tolist():
        u, *rest, last = snapshot.edges[column]
        heads = flow.setdefault(u, {})
        for v in rest:  # of a multigraph, whose last part is the key
            heads = heads.setdefault(v, {})
        amount = state[column].item()
        heads[last] = int(amount) if amount.is_integer() else amount
    return flow


def require_single(state: NDArray[np.float64], snapshot: Snapshot) -> None:
    """Raise InvalidSolutionError if an entry is used several times."""
    for column in np.flatnonzero(state > 1)[:1]:
        raise InvalidSolutionError(
            f"{snapshot.weight} {snapshot.entries[column]!r} is used {state[column]:g} times; states count that with "
            "output='integer'."
        )


def _nodes(result: Any, returns: str, snapshot: Snapshot, _: Choose) -> Iterator[tuple[int, float]]:
    nodes = list(result.nodes if returns == "graph" else result)
    if returns == "cycle" and len(nodes) > 1 and nodes[0] == nodes[-1]:
        nodes.pop()
    for node in nodes:
        yield _number(node, snapshot), 1


def _edges(result: Any, returns: str, snapshot: Snapshot, choose: Choose) -> Iterator[tuple[int, float]]:
    if returns == "flow":
        yield from _flow(result, snapshot, choose)
        return
    if returns == "graph":
        keys = snapshot.multigraph and result.is_multigraph()
        edges = result.edges(keys=True) if keys else result.edges()
    elif returns == "matching":
        edges = _pairs(result, snapshot)
    elif returns == "edges":
        edges = result
    else:
        nodes = list(result)
        if nodes:
            _number(nodes[0], snapshot)  # also where there is no edge
        if returns == "cycle" and nodes and nodes[0] != nodes[-1]:
            nodes.append(nodes[0])
        edges = pairwise(nodes)
    for edge in edges:
        yield _column(edge, snapshot, choose), 1


def _flow(result: Any, snapshot: Snapshot, choose: Choose) -> Iterator[tuple[int, float]]:
    for u, heads in result.items():
        for v, amounts in heads.items():
            parts = amounts.items() if isinstance(amounts, Mapping) else [(None, amounts)]
            for key, amount in parts:
                if amount:
                    edge = (u, v, key) if isinstance(amounts, Mapping) else (u, v)
                    yield _column(edge, snapshot, choose), float(amount)


def _pairs(result: Any, snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    """Yield the pairs of a matching once each, in a direction in which there is an edge, if there is one."""
    partner: dict[Any, Any] = {}
    for pair in result.items() if isinstance(result, Mapping) else result:
        try:
            u, v, *key = pair
            new = partner.get(u) != v or partner.get(v) != u
        except (TypeError, ValueError):
            raise InvalidSolutionError(f"{pair!r} is not a pair of nodes.") from None
        if v is None or not new:
            continue
        for node in (u, v):
            if node in partner:
                raise InvalidSolutionError(
                    f"node {node!r} is matched twice, with {partner[node]!r} and in {pair!r}."
                )
        partner[u], partner[v] = v, u
        yield (u, v, *key) if (u, v) in snapshot.columns else (v, u, *key)


def _number(node: Any, snapshot: Snapshot) -> int:
    try:
        return snapshot.number[node]
    except (KeyError, TypeError):
        raise InvalidSolutionError(f"node {node!r} is not in the {snapshot}.") from None


def _column(edge: Any, snapshot: Snapshot, choose: Choose) -> int:
    """Return the column of an edge ``(u, v)`` or ``(u, v, key)``, whose data may follow."""
    try:
        u, v, *key = edge
        if key and isinstance(key[-1], Mapping):
            key.pop()
        columns = snapshot.columns[u, v]
        if key:
            columns = [column for column in columns if snapshot.edges[column][2:] == tuple(key)]
        return choose(columns) if len(columns) > 1 else columns[0]
    except (KeyError, TypeError, ValueError, IndexError):
        raise InvalidSolutionError(f"edge {edge!r} is not in the {snapshot}.") from None
