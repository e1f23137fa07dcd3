"""What a row of a flow problem asks beside its costs: demands, capacities, and where to begin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.errors import InfeasibleError, InvalidThetaError, SolverParameterError, UnboundedError
from imle_networkx._kernels.flows import Network, Start, first_flow, stranded
from imle_networkx._kernels.simplex import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

LARGEST = 2**53
"""Demands and capacities are at most so large: states of float64 do not hold every integer beyond."""

SHOWN = 6
"""Nodes that a message names at most."""


class Lowered(NamedTuple):
    """A graph for the kernels, with what its attributes say; demands are None if no node has any."""

    net: Network
    demand: NDArray[np.int64] | None
    capacity: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Task:
    """What one row asks.

    Attributes:
        demand: Of each node.
        capacity: Of each edge.
        start: A flow that meets the demands, as far as that is possible.
        fault: Why it is not, for messages; empty if it is.
        most: No flow that is found has more on one edge.
    """

    demand: NDArray[np.int64]
    capacity: NDArray[np.int64]
    start: Start
    fault: str
    most: int


def read_demands(
    demands: Iterable[tuple[Any, Any]], snapshot: Snapshot, out: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Write demands of nodes over those in ``out``.

    Raises:
        SolverParameterError: one is not an integer, or its node is not in the graph.
    """
    for node, demand in demands:
        try:
            number = snapshot.number[node]
        except (KeyError, TypeError):
            raise SolverParameterError(f"demand: node {node!r} is not in the {snapshot}.") from None
        out[number] = to_integer(demand, f"the demand of node {node!r}")
    return out


def read_capacities(
    capacities: Iterable[tuple[Any, Any]], snapshot: Snapshot, out: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Write capacities of edges, ``(u, v)`` or ``(u, v, key)``, over those in ``out``; infinity is ``UNLIMITED``.

    Raises:
        SolverParameterError: one is neither a non-negative integer nor infinite, or its edge is not in the graph.
    """
    for edge, capacity in capacities:
        column = column_of(snapshot, edge, "capacity")
        if isinstance(capacity, Real) and capacity == math.inf:
            out[column] = UNLIMITED
            continue
        out[column] = to_integer(capacity, f"the capacity of edge {edge!r}")
        if out[column] < 0:
            raise SolverParameterError(
                f"the capacity of edge {edge!r} is {capacity!r}; it must not be negative."
            )
    return out


def column_of(snapshot: Snapshot, edge: Any, what: str) -> int:
    """Return the column of an edge that is named as the entries are.

    Raises:
        SolverParameterError: there is no such edge.
    """
    wanted = "(u, v, key)" if snapshot.multigraph else "(u, v)"
    try:
        if len(edge) == wanted.count(",") + 1:
            return snapshot.column(edge)
    except (KeyError, TypeError, StopIteration):
        pass
    raise SolverParameterError(f"{what}: {edge!r} is not an edge {wanted} of the {snapshot}.")


def to_integer(value: Any, what: str) -> int:
    """Return a number that must be an integer, if perhaps one of a floating type.

    Raises:
        SolverParameterError: it is not, or is too large; the message begins with ``what``.
    """
    try:
        integer = int(value)
    except (TypeError, ValueError, OverflowError):
        integer = LARGEST + 1
    if integer != value:
        raise SolverParameterError(
            f"{what} is {value!r}; it must be an integer. If there are fractions, multiply all demands and capacities "
            "by a common factor."
        )
    if abs(integer) > LARGEST:
        raise SolverParameterError(f"{what} is {value!r}; it must be at most 2^53. No capacity is no limit.")
    return integer


def begin(snapshot: Snapshot, demand: NDArray[np.int64], capacity: NDArray[np.int64]) -> Task:
    """Return the task of demands and capacities, with a first flow.

    Raises:
        SolverParameterError: all together are too large.
    """
    limits = capacity[capacity < UNLIMITED]
    if np.abs(demand).sum(dtype=float) + limits.sum(dtype=float) > UNLIMITED / 4:
        raise SolverParameterError(
            "demands and capacities add up to more than 2^60; leave large capacities out."
        )
    net: Network = snapshot.lowered.net
    start = first_flow(net, demand, capacity)
    fault = ""
    if total := int(demand.sum()):
        fault = f"demands sum to {total:,}, not to 0: what some nodes send (below zero), others must receive."
    elif len(cut := stranded(net, demand, start)):
        fault = _cut_off(snapshot, cut, demand, capacity)
    return Task(demand, capacity, start, fault, int(-demand[demand < 0].sum() + limits.sum()))


def _cut_off(
    snapshot: Snapshot, cut: NDArray[np.intp], demand: NDArray[np.int64], capacity: NDArray[np.int64]
) -> str:
    inside = np.zeros(len(snapshot.nodes), np.bool_)
    inside[cut] = True
    tail, head = snapshot.ends.T
    out = int(capacity[inside[tail] & ~inside[head]].sum())
    names = ("nodes " if len(cut) > 1 else "node ") + ", ".join(repr(snapshot.nodes[i]) for i in cut[:SHOWN])
    more = f" and {len(cut) - SHOWN:,} more" if len(cut) > SHOWN else ""
    return (
        f"demands cannot be met: the supply of {names}{more} is {-int(demand[cut].sum()):,} in all, but edges out of "
        f"there carry {out:,} at most. Raise capacities, or change demands."
    )


def require_feasible(tasks: Sequence[Task]) -> None:
    """Raise InfeasibleError for the first row whose demands cannot be met."""
    for row, task in enumerate(tasks):
        if task.fault:
            raise InfeasibleError(task.fault, row=row)


def require_exact(state: NDArray[Any], tasks: Sequence[Task], name: str) -> None:
    """Raise InvalidThetaError, beginning with a name, if flows are too large for their dtype to be exact."""
    limit = 2 ** (np.finfo(state.dtype).nmant + 1)
    if max(task.most for task in tasks) > limit and (state >= limit).any():
        raise InvalidThetaError(
            f"{name}: a flow of {state.max():,.0f} is beyond the integers that {state.dtype} holds; use float64 costs, "
            "or smaller demands and capacities."
        )


def require_bounded(snapshot: Snapshot, task: Task, costs: Sequence[int]) -> None:
    """Raise UnboundedError if a cycle of edges without a capacity costs less than nothing (Bellman, 1958)."""
    edges = np.flatnonzero(task.capacity == UNLIMITED).tolist()
    ends = snapshot.ends[edges].tolist()
    distance, before = [0] * len(snapshot.nodes), [-1] * len(snapshot.nodes)
    nearer = -1
    for _ in snapshot.nodes:
        nearer = -1
        for edge, (tail, head) in zip(edges, ends, strict=True):
            if distance[tail] + costs[edge] < distance[head]:
                distance[head] = distance[tail] + costs[edge]
                before[head] = nearer = tail
        if nearer < 0:
            return
    cycle = [nearer]
    for _ in snapshot.nodes:  # back onto the cycle
        cycle = [before[cycle[0]]]
    while before[cycle[0]] not in cycle:
        cycle.insert(0, before[cycle[0]])
    names = " -> ".join(repr(snapshot.nodes[node]) for node in [*cycle, cycle[0]])
    raise UnboundedError(
        f"no flow has the least cost: the cycle {names} of edges without a capacity costs less than nothing. Give one "
        "of them a capacity, raise its cost, or take negative='clip'."
    )
