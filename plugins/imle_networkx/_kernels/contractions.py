"""What both forms of Edmonds' algorithm share: the contractions of cycles, and how they are undone.

Both walk back along least arcs until they come to a node that is settled, to the root, or into a cycle, which
becomes one node. The walk ends at the root once, because the graph has an arborescence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled

NEW, ON_PATH, SETTLED = 0, 1, 2


class Contractions(NamedTuple):
    """The state of one row. A contracted cycle lives on in the place of one of its nodes, under a new number.

    Which node is the root is decided last, where it is free: arcs from outside into a root would have to cost more
    than all others together, and so are looked at only when there are no others. What they cost is 0 at first.

    Attributes:
        number: Of each place: the number of the node or of the cycle that lives there; nodes are 0 to n - 1.
        phase: Of each place: ``NEW``, ``ON_PATH`` or ``SETTLED``.
        path: The places of the walk.
        low: Of each place: the cost of its least arc.
        root_cost, root_node: Of each place: the cost of the best root in it, and the root; infinite if it has none.
        into: Of each number: its least arc; -1 for the root.
        cycle: Of each number: the number of the cycle that it went into.
        gone: Of each number, in the end: whether the arc into it is decided.
    """

    number: Any
    phase: Any
    path: Any
    low: Any
    root_cost: Any
    root_node: Any
    into: Any
    cycle: Any
    gone: Any


@compiled
def make_room(nodes: int) -> Any:
    """Return arrays for a graph of so many nodes."""
    return Contractions(
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.float64),
        np.empty(nodes, np.float64),
        np.empty(nodes, np.int64),
        np.empty(2 * nodes, np.int64),
        np.empty(2 * nodes, np.int64),
        np.empty(2 * nodes, np.bool_),
    )


@compiled
def begin(made: Any, root: int) -> None:
    """Begin a row with a given root, or -1."""
    for node in range(len(made.number)):
        made.number[node] = node
        made.phase[node] = NEW
        made.root_cost[node] = 0 if root < 0 or node == root else np.inf
        made.root_node[node] = node


@compiled
def join(made: Any, place: int, member: int, number: int) -> None:
    """Make a member of a cycle, which may be the place itself, a part of what will live at the place under a number."""
    made.cycle[made.number[member]] = number
    made.root_cost[member] -= made.low[member]
    if made.root_cost[member] < made.root_cost[place]:
        made.root_cost[place], made.root_node[place] = made.root_cost[member], made.root_node[member]


@compiled
def expand(made: Any, numbers: int, root: int, head: Any, column: Any, state: Any) -> None:
    """Write the arborescence of a row.

    An arc into a cycle replaces the arc into that node of it, and of the cycles within, at which it ends. Later
    cycles come first.

    Args:
        made: The contractions.
        numbers: How many numbers were given.
        root: The root that was found.
        head: Head of each arc.
        column: Entry of each arc.
        state: Zeros, shape ``(entries,)``, to be filled.
    """
    made.gone[:numbers] = False
    for number in range(numbers - 1, -1, -1):
        if not made.gone[number]:
            node, arc = root, made.into[number]
            if arc >= 0:
                node = head[arc]
                state[column[arc]] = 1
            while node != number:
                made.gone[node] = True
                node = made.cycle[node]
