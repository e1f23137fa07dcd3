"""Bipartite graphs for the kernel of sparse assignment: the two sides, and which nodes a matching must cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.errors import SolverParameterError
from imle_networkx._kernels.hall import Cover, cover, violator
from imle_networkx._kernels.lap import width
from imle_networkx._kernels.sparse_lap import Pairs, pairs
from imle_networkx._kernels.two_colours import Colours, two_colours
from imle_networkx._matchings import Matchings, listed, require_precision

if TYPE_CHECKING:
    import networkx as nx
    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot


class Plan(NamedTuple):
    """A graph for the kernel.

    Attributes:
        pairs, tasks, bits: Arguments of :func:`imle_networkx._kernels.sparse_lap.solve_sparse`.
        size: How many edges each matching has; None for any number.
        top: Whether each node is on the top side.
    """

    pairs: Pairs
    tasks: int
    bits: int
    size: int | None
    top: NDArray[np.bool_]


class BipartiteMatchings(Matchings):
    """Base class of the solvers on bipartite graphs."""

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: Any) -> list[Any]:
        edges = super()._decode(snapshot, z, task)
        upright = snapshot.lowered.top[snapshot.ends[z != 0, 0]]
        return [
            (u, v, *key) if first else (v, u, *key)
            for (u, v, *key), first in zip(edges, upright, strict=True)
        ]


def plan(snapshot: Snapshot, top: NDArray[np.bool_], cardinality: str) -> Plan:
    """Return what the kernel needs to find the best matching of a cardinality.

    The kernel gives each agent a task. With ``"any"`` cardinality the agents are the smaller side, and may be idle.
    Otherwise the nodes are divided after Dulmage and Mendelsohn: a largest matching covers one side of the one part and
    the other side of the other part, and these are the agents.

    Args:
        snapshot: A bipartite graph.
        top: Whether each node is on the one side.
        cardinality: ``"any"``, ``"maximum"``, ``"perfect"``, or ``"full"``: every node of the smaller side.

    Raises:
        SolverParameterError: there is no perfect or full matching; the message has nodes with too few neighbours.
    """
    left_is_top = 2 * top.sum() <= len(top)
    if cardinality == "perfect":  # begin with the larger side: it is the one with too few neighbours
        left_is_top = not left_is_top
    is_left = top == left_is_top
    number = np.empty(len(top), np.int64)
    lefts, rights = np.flatnonzero(is_left), np.flatnonzero(~is_left)
    number[lefts], number[rights] = np.arange(len(lefts)), np.arange(len(rights))
    on_left = is_left[snapshot.ends]
    left, right = number[snapshot.ends[on_left]], number[snapshot.ends[~on_left]]
    entry = np.arange(len(left))
    if cardinality == "any":
        idle = np.arange(len(lefts))
        made = pairs(
            np.concatenate([left, idle]),
            np.concatenate([right, len(rights) + idle]),
            np.concatenate([entry, np.full(len(idle), -1)]),
            len(lefts),
        )
        bits = require_precision(width(len(lefts)), snapshot)
        return Plan(made, len(rights) + len(lefts), bits, None, top)
    found = cover(left, right, len(lefts), len(rights))
    if cardinality != "maximum" and found.size < len(lefts):
        nodes, near = violator(left, right, found)
        raise SolverParameterError(
            _no_matching(
                cardinality,
                [snapshot.nodes[lefts[node]] for node in nodes],
                [snapshot.nodes[rights[node]] for node in near],
            )
        )
    agent, task, used, agents, tasks = _agents(left, right, found)
    bits = require_precision(width(agents), snapshot)
    return Plan(pairs(agent, task, used, agents), tasks, bits, found.size, top)


def _agents(
    left: NDArray[np.int64], right: NDArray[np.int64], found: Cover
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int, int]:
    """Return agent, task and entry of each edge of a largest matching, and how many agents and tasks there are.

    Right nodes that were reached are agents, whose tasks are left nodes that were reached; the other left nodes are
    agents, whose tasks are the other right nodes. No largest matching has an edge between the two parts.
    """
    lefts, rights = _numbers(found.left_reached), _numbers(found.right_reached)
    reached = found.left_reached[left]
    left_reached, right_reached = int(found.left_reached.sum()), int(found.right_reached.sum())
    agent = np.where(reached, rights[right], right_reached + lefts[left])
    task = np.where(reached, lefts[left], left_reached + rights[right])
    used = np.flatnonzero(reached == found.right_reached[right])
    agents = right_reached + len(lefts) - left_reached
    tasks = left_reached + len(rights) - right_reached
    return agent[used], task[used], used, agents, tasks


def _numbers(reached: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number the nodes that were reached, and those that were not, both from 0."""
    return np.where(reached, np.cumsum(reached), np.cumsum(~reached)) - 1


def _no_matching(cardinality: str, nodes: list[Any], near: list[Any]) -> str:
    kind, advice = (
        ("perfect matching", "take cardinality='maximum'")
        if cardinality == "perfect"
        else ("full assignment", "take partial=True")
    )
    if not near:
        return f"no {kind}: node {nodes[0]!r} has no neighbour. Add edges, or {advice}."
    neighbours = "neighbour" if len(near) == 1 else "neighbours"
    return (
        f"no {kind}: the {len(nodes)} nodes {listed(nodes)} have only {len(near)} {neighbours}, {listed(near)}. "
        f"Add edges, or {advice}."
    )


def _colours(snapshot: Snapshot) -> Colours:
    """Return a colouring of the nodes.

    Raises:
        SolverParameterError: the graph is not bipartite.
    """
    colours = two_colours(snapshot.ends, len(snapshot.nodes))
    if colours.fault >= 0:
        edge, (u, v) = snapshot.edges[colours.fault], snapshot.ends[colours.fault]
        how = "is a self-loop" if u == v else "closes an odd cycle"
        raise SolverParameterError(f"the graph is not bipartite: the edge {edge!r} {how}.")
    return colours


def top_of(
    snapshot: Snapshot, graph: nx.Graph[Any], top: frozenset[Any] | None, *, guess: bool
) -> NDArray[np.bool_]:
    """Return which nodes are on the top side: as named, or by the attribute ``bipartite``, or that of the first node.

    Args:
        snapshot: A graph.
        graph: The user's graph, with its attributes.
        top: Nodes, of which some may not be in this graph; None: not given.
        guess: Whether to take the first node of each part that is not connected with others to be a top one.

    Raises:
        SolverParameterError: the graph is not bipartite, an edge has both ends on one side, or the sides are not
            known.
    """
    colours = _colours(snapshot)
    attributes = [graph.nodes[node].get("bipartite") for node in snapshot.nodes]
    if top is not None:
        is_top, source = np.array([node in top for node in snapshot.nodes]), "top="
    elif all(side in (0, 1) for side in attributes):
        is_top, source = np.array([side == 0 for side in attributes]), "the attribute 'bipartite'"
    elif colours.part.any() and not guess:
        raise _unknown_sides(snapshot, colours)
    else:
        return colours.side == 0
    same = np.flatnonzero(is_top[snapshot.ends[:, 0]] == is_top[snapshot.ends[:, 1]])
    if len(same):
        edge, side = snapshot.edges[same[0]], "top" if is_top[snapshot.ends[same[0], 0]] else "bottom"
        raise SolverParameterError(f"both ends of the edge {edge!r} are on the {side} side by {source}.")
    return is_top


def _unknown_sides(snapshot: Snapshot, colours: Colours) -> SolverParameterError:
    sizes = np.bincount(colours.part)
    smallest = [snapshot.nodes[node] for node in np.flatnonzero(colours.part == sizes.argmin())]
    return SolverParameterError(
        f"the sides of the {snapshot} are not known, because it has {len(sizes):,} parts without an edge in between, "
        f"one of them: {listed(smallest)}. Give top=, or set the attribute 'bipartite' of every node to 0 (top) or 1."
    )
