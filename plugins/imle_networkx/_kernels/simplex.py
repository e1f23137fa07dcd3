"""The primal network simplex method in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNLIMITED = 2**62
"""The capacity of an arc without a limit. Flows stay below a quarter of it, so that what is left tells one from the
rest."""


class Tree(NamedTuple):
    """A flow, and a spanning tree that holds all arcs which are neither empty nor full.

    The last node is the root. Arcs are those of a graph, then one for each node between it and the root.

    Attributes:
        flow: Of each arc.
        outside: Of each arc: 1 if it is empty and not in the tree, -1 if it is full and not in it, else 0.
        parent: Of each node the next one on the way to the root.
        link: The arc in between.
        upward: Whether it leads to the parent.
        depth: How many arcs there are to the root.
        after, before: The neighbours of each node in depth-first order, which begins at the root and is closed to a
            ring.
    """

    flow: NDArray[np.int64]
    outside: NDArray[np.int8]
    parent: NDArray[np.int32]
    link: NDArray[np.int32]
    upward: NDArray[np.bool_]
    depth: NDArray[np.int32]
    after: NDArray[np.int32]
    before: NDArray[np.int32]


@compiled
def improve(
    cost: Any, tail: Any, head: Any, capacity: Any, tree: Any, arcs: int, potential: Any, order: Any
) -> bool:
    """Change the flow until it has the least cost.

    An arc enters the tree if flow along it, and back through the tree, costs less than nothing. The arcs are searched
    in blocks, of each of which the best one is taken (Kiraly and Kovacs, 2012).

    Args:
        cost: Of each arc.
        tail: Of each arc.
        head: Of each arc.
        capacity: Of each arc, ``UNLIMITED`` for those that have no limit.
        tree: A strongly feasible one: from every node, flow can be sent through the tree to the root.
        arcs: Only so many of the first arcs may enter the tree.
        potential: Scratch, one for each node.
        order: Scratch, one for each node.

    Returns:
        Whether there is a least cost; if not, a cycle of arcs without a limit costs less than nothing.
    """
    outside = tree.outside
    _set_potentials(cost, tree, potential)
    block = 1 + int(2 * np.sqrt(arcs))
    arc, unseen = 0, arcs
    while unseen > 0:
        entering, least = -1, 0
        size = min(block, unseen)
        for _ in range(size):
            gain = outside[arc] * (cost[arc] + potential[tail[arc]] - potential[head[arc]])
            if gain < least:
                entering, least = arc, gain
            arc = arc + 1 if arc + 1 < arcs else 0
        if entering < 0:
            unseen -= size
            continue
        unseen = arcs
        first, second = tail[entering], head[entering]
        if outside[entering] < 0:
            first, second = second, first
        leaving, at_first, amount = _leaving(entering, first, second, capacity, tree)
        if amount > UNLIMITED // 2:
            return False
        _send(entering, first, second, amount, tree)
        if leaving < 0:  # the arc itself is now full, or empty
            outside[entering] = -outside[entering]
            continue
        below, above = (first, second) if at_first else (second, first)
        upward = below == tail[entering]
        rise = -least if below == first else least
        out = tree.link[leaving]
        outside[out] = 1 if tree.flow[out] == 0 else -1
        outside[entering] = 0
        _hang(below, above, entering, upward, leaving, rise, tree, potential, order)
    return True


@compiled
def _set_potentials(cost: Any, tree: Any, potential: Any) -> None:
    """Fill in what the way through the tree costs from the root to each node."""
    root = len(tree.parent) - 1
    potential[root] = 0
    node = tree.after[root]
    while node != root:
        step = cost[tree.link[node]]
        potential[node] = potential[tree.parent[node]] + (-step if tree.upward[node] else step)
        node = tree.after[node]


@compiled
def _leaving(entering: int, first: int, second: int, capacity: Any, tree: Any) -> tuple[int, bool, int]:
    """Find the arc that limits the flow from the first node to the second and back through the tree.

    Of several, the last one in the direction of the flow, seen from the node where the ways to the root meet: the next
    tree is then strongly feasible too, and no tree comes twice (Cunningham, 1976).

    Returns:
        The lower node of the arc in the tree, -1 if it is the entering one; whether it is on the way from the first
        node to the root; and the limit.
    """
    flow, parent, link, upward, depth = tree.flow, tree.parent, tree.link, tree.upward, tree.depth
    leaving, at_first, amount = -1, False, capacity[entering]
    while first != second:
        if (
            depth[first] >= depth[second]
        ):  # flow comes down here: what the arc has is what can be taken from it
            arc = link[first]
            room = flow[arc] if upward[first] else capacity[arc] - flow[arc]
            if room < amount:
                leaving, at_first, amount = first, True, room
            first = parent[first]
        else:
            arc = link[second]
            room = capacity[arc] - flow[arc] if upward[second] else flow[arc]
            if room <= amount:
                leaving, at_first, amount = second, False, room
            second = parent[second]
    return leaving, at_first, amount


@compiled
def _send(entering: int, first: int, second: int, amount: int, tree: Any) -> None:
    """Send flow from the first node to the second and back through the tree."""
    if amount == 0:
        return
    flow, parent, link, upward, depth = tree.flow, tree.parent, tree.link, tree.upward, tree.depth
    flow[entering] += tree.outside[entering] * amount
    while first != second:
        if depth[first] >= depth[second]:
            flow[link[first]] += -amount if upward[first] else amount
            first = parent[first]
        else:
            flow[link[second]] += amount if upward[second] else -amount
            second = parent[second]


@compiled
def _hang(
    below: int,
    above: int,
    entering: int,
    upward: bool,
    leaving: int,
    rise: int,
    tree: Any,
    potential: Any,
    order: Any,
) -> None:
    """Cut off the part of the tree below a node, and hang it up elsewhere by another of its nodes.

    Args:
        below: The node of the part to hang it up by.
        above: The node to hang it on.
        entering: The arc between these two.
        upward: Whether it leads to the node above.
        leaving: The topmost node of the part.
        rise: What to add to the potentials of the part.
        tree: Is changed.
        potential: Is changed.
        order: Scratch.
    """
    parent, link, depth, after, before = tree.parent, tree.link, tree.depth, tree.after, tree.before
    # On the way from the new top to the old one, each node becomes a child of the one before. Its other children, with
    # all that hangs on them, follow it in depth-first order as they did.
    count, node, previous, resume = 0, below, -1, -1
    new_parent, new_link, new_upward = above, entering, upward
    while True:
        order[count] = node
        count += 1
        other = after[node]
        while depth[other] > depth[node]:
            if other == previous:
                other = resume  # past what has been listed
            else:
                order[count] = other
                count += 1
                other = after[other]
        previous, resume = node, other
        old_parent, old_link, old_upward = parent[node], link[node], tree.upward[node]
        parent[node], link[node], tree.upward[node] = new_parent, new_link, new_upward
        if node == leaving:
            break
        new_parent, new_link, new_upward = node, old_link, not old_upward
        node = old_parent
    last = before[leaving]
    after[last], before[resume] = resume, last
    last, resume = above, after[above]
    for i in range(count):
        node = order[i]
        depth[node] = depth[parent[node]] + 1
        potential[node] += rise
        after[last], before[node] = node, last
        last = node
    after[last], before[resume] = resume, last
