"""The tree that a search for a matching grows: which members are in it, and their potentials.

Members at an even distance from the root are ``OUTER``, and their potentials fall with time; those at an odd distance
are ``INNER``, and theirs rise. What is kept is the potential that each would have at time 0: a node of p has p - time
if it is outer, p + time if it is inner, and p if it is not in the tree. The charge of a blossom changes the other way.
So an edge between an outer node of p and one outside of q has no slack at time ``p + q - 2 weight``, one between two
outer nodes at half of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.blossom import NONE, outermost, rebase
from imle_networkx._kernels.events import push

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTSIDE, OUTER, INNER = 0, 1, 2

NEVER = 2**62
"""Later than every event."""

TIME, END, LAST, EVENTS, WAITING, REACHED, UNUSED, STAMP = range(8)


class Tree(NamedTuple):
    """A search, and the potentials that last from one to the next.

    Attributes:
        weight: Of each edge.
        potential: Of each node.
        charge: Of each member that is a blossom; its potential.
        label: ``OUTSIDE``, ``OUTER`` or ``INNER`` for each outermost member.
        entry: The port from each inner member toward the root.
        best: The time at which the first edge from an outer node to each node outside has no slack.
        keys, items: The heap of events: at a time, a port from an outer node, or ``~blossom``.
        waiting: Outer nodes whose edges have not been looked at.
        reached: Nodes to be reset when the search ends.
        known: Whether each is among them.
        mark: Scratch for :func:`imle_networkx._kernels.shrink.contract`.
        spare: Scratch for :func:`imle_networkx._kernels.blossom.rebase`.
        now: The present ``TIME``; the time ``END`` at which the search ends at the latest, and how, ``LAST``: by a port
            to a lonely node, or ``~node`` if an outer node has fallen to 0; how many ``EVENTS`` there are, nodes
            ``WAITING`` and ``REACHED``, and ``UNUSED`` numbers of blossoms; and a ``STAMP``.
    """

    weight: NDArray[np.int64]
    potential: NDArray[np.int64]
    charge: NDArray[np.int64]
    label: NDArray[np.int8]
    entry: NDArray[np.int32]
    best: NDArray[np.int64]
    keys: NDArray[np.int64]
    items: NDArray[np.int64]
    waiting: NDArray[np.int32]
    reached: NDArray[np.int32]
    known: NDArray[np.bool_]
    mark: NDArray[np.int64]
    spare: NDArray[np.int32]
    now: NDArray[np.int64]


@compiled
def tree(nodes: int, edges: int) -> Any:
    """Return room for the searches in a graph.

    In one search a node becomes outer once at most, and has an event for each of its edges then; a member has one when
    it becomes inner, and one when it falls out of an expanded blossom.
    """
    members = nodes + nodes // 2
    events = 2 * edges + 2 * members
    return Tree(
        np.empty(edges, np.int64),
        np.empty(nodes, np.int64),
        np.empty(members, np.int64),
        np.zeros(members, np.int8),
        np.empty(members, np.int32),
        np.full(nodes, NEVER),
        np.empty(events, np.int64),
        np.empty(events, np.int64),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.zeros(nodes, np.bool_),
        np.zeros(members, np.int64),
        np.empty(2 * members, np.int32),
        np.zeros(8, np.int64),
    )


@compiled
def remember(node: int, tree: Any) -> None:
    """Note a node that the end of the search must reset."""
    if not tree.known[node]:
        tree.known[node] = True
        tree.reached[tree.now[REACHED]] = node
        tree.now[REACHED] += 1


@compiled
def announce(time: int, item: int, tree: Any) -> None:
    """Put an event into the heap, unless the search ends before."""
    if time < tree.now[END]:
        tree.now[EVENTS] = push(tree.keys, tree.items, tree.now[EVENTS], time, item)


@compiled
def admit(node: int, tree: Any) -> None:
    """Let a node that has become an outer one wait for its turn; the search ends when it falls to 0."""
    tree.waiting[tree.now[WAITING]] = node
    tree.now[WAITING] += 1
    if tree.potential[node] < tree.now[END]:
        tree.now[END], tree.now[LAST] = tree.potential[node], ~node


@compiled
def make_outer(member: int, shift: int, family: Any, tree: Any) -> None:
    """Make a member outer, after adding ``shift`` to the potentials of its nodes."""
    tree.label[member] = OUTER
    if member >= len(family.group):
        tree.charge[member] -= tree.now[TIME]
    node = family.head[member]
    while True:
        tree.potential[node] += shift
        remember(node, tree)
        admit(node, tree)
        if node == family.tail[member]:
            break
        node = family.follow[node]


@compiled
def make_inner(member: int, port: int, family: Any, tree: Any) -> None:
    """Make a member inner, entered by a port toward the root; its nodes' potentials are already those at time 0."""
    tree.label[member] = INNER
    tree.entry[member] = port
    if member >= len(family.group):
        tree.charge[member] += tree.now[TIME]
        announce(tree.charge[member], ~member, tree)


@compiled
def grow(port: int, ends: Any, family: Any, tree: Any) -> None:
    """Add two members to the tree: the one to which a port leads from an outer node, and its partner."""
    inner = outermost(ends[port], family)
    make_inner(inner, port ^ 1, family, tree)
    node = family.head[inner]
    while True:
        tree.potential[node] -= tree.now[TIME]
        remember(node, tree)
        if node == family.tail[inner]:
            break
        node = family.follow[node]
    make_outer(outermost(ends[family.mate[family.base[inner]]], family), tree.now[TIME], family, tree)


@compiled
def look(node: int, lines: Any, family: Any, tree: Any) -> None:
    """Announce when the edges of a new outer node will have no slack.

    An edge to a lonely node outside is the end of the search, at the latest.
    """
    member = outermost(node, family)
    for k in range(lines.pointer[node], lines.pointer[node + 1]):
        port = lines.port[k]
        other = lines.ends[port]
        met = outermost(other, family)
        if met == member or tree.label[met] == INNER:
            continue
        time = tree.potential[node] + tree.potential[other] - 2 * tree.weight[port >> 1]
        if tree.label[met] == OUTER:  # even, because a path of edges without slack joins the two ends
            announce(time >> 1, port, tree)
        elif time < tree.best[other]:
            tree.best[other] = time
            remember(other, tree)
            if family.mate[family.base[met]] != NONE:
                announce(time, port, tree)
            elif time < tree.now[END]:
                tree.now[END], tree.now[LAST] = time, port


@compiled
def switch(node: int, port: int, ends: Any, family: Any, tree: Any) -> None:
    """Match an outer node by a port, ``NONE`` to leave it alone, and switch the edges on its way to the root."""
    while True:
        member = outermost(node, family)
        mate = family.mate[family.base[member]]
        if member >= len(family.group):
            rebase(member, node, family, ends, tree.spare)
        family.mate[node] = port
        if mate == NONE:
            break
        inner = outermost(ends[mate], family)
        entry = tree.entry[inner]
        inside = ends[entry ^ 1]
        if inner >= len(family.group):
            rebase(inner, inside, family, ends, tree.spare)
        family.mate[inside] = entry
        node, port = ends[entry], entry ^ 1


@compiled
def finish(family: Any, tree: Any) -> None:
    """Give all members of the tree their potentials of the present time, and forget the tree."""
    for k in range(tree.now[REACHED]):
        node = tree.reached[k]
        label = tree.label[outermost(node, family)]
        if label == OUTER:
            tree.potential[node] -= tree.now[TIME]
        elif label == INNER:
            tree.potential[node] += tree.now[TIME]
    for k in range(tree.now[REACHED]):
        node = tree.reached[k]
        member = outermost(node, family)
        if member >= len(family.group) and tree.label[member] == OUTER:
            tree.charge[member] += tree.now[TIME]
        elif member >= len(family.group) and tree.label[member] == INNER:
            tree.charge[member] -= tree.now[TIME]
        tree.label[member] = OUTSIDE
        tree.best[node] = NEVER
        tree.known[node] = False
    tree.now[REACHED] = tree.now[WAITING] = tree.now[EVENTS] = 0
