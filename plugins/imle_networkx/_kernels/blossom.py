"""Blossoms: odd sets of nodes, nested, that a matching of weighted edges treats as one node.

A *member* is a node, numbered from 0, or a blossom, numbered above the nodes. A *port* is an edge with one of its
ends: port ``2 e + k`` of edge e leads to node ``ends[2 e + k]`` and comes from ``ends[2 e + 1 - k]``, so that
``port ^ 1`` is the way back. The members of a blossom stand on a circle of odd length, every second edge of which is
matched, but for the two at the first member, which holds the base.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = -1


class Blossoms(NamedTuple):
    """The nested blossoms, and the matching.

    Attributes:
        group: A number that all nodes of one outermost member have, and no others.
        owner: The outermost member of each group.
        own: The group of each member; that of a blossom is the group of its largest member, whose nodes keep theirs.
        size: How many nodes each member holds.
        mate: The port from each node to the one it is matched with; ``NONE`` if it is alone.
        parent: The blossom of which each member stands on the circle, or ``NONE``.
        base: The node of each member whose partner is outside of it, if it has one.
        first: The member of each blossom that holds its base.
        after, before: The next member on the circle, and the one before.
        join: The port from each member to the next one.
        head, tail: First and last node of each member, in a list in which each member's nodes are consecutive.
        follow: The next node of each in that list.
        unused: Stack of the numbers that no blossom has.
    """

    group: NDArray[np.int32]
    owner: NDArray[np.int32]
    own: NDArray[np.int32]
    size: NDArray[np.int32]
    mate: NDArray[np.int32]
    parent: NDArray[np.int32]
    base: NDArray[np.int32]
    first: NDArray[np.int32]
    after: NDArray[np.int32]
    before: NDArray[np.int32]
    join: NDArray[np.int32]
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    follow: NDArray[np.int32]
    unused: NDArray[np.int32]


@compiled
def blossoms(nodes: int) -> Any:
    """Return room for the blossoms of so many nodes: at most half as many, because each adds two nodes to the next."""
    members = nodes + nodes // 2
    return Blossoms(
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(members, np.int32),
        np.empty(members, np.int32),
        np.empty(nodes, np.int32),
        np.empty(members, np.int32),
        np.empty(members, np.int32),
        np.empty(members, np.int32),
        np.empty(members, np.int32),
        np.empty(members, np.int32),
        np.empty(members, np.int32),
        np.empty(members, np.int32),
        np.empty(members, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes // 2, np.int32),
    )


@compiled
def clear(family: Any) -> None:
    """Begin with single nodes, all of them alone."""
    nodes = len(family.group)
    for node in range(nodes):
        family.group[node] = family.owner[node] = family.own[node] = node
        family.base[node] = family.head[node] = family.tail[node] = node
        family.size[node] = 1
    family.mate[:] = NONE
    family.parent[:] = NONE
    for k in range(len(family.unused)):
        family.unused[k] = nodes + k


@compiled
def outermost(node: int, family: Any) -> int:
    """Return the outermost member that holds a node."""
    return family.owner[family.group[node]]


@compiled
def member_with(node: int, blossom: int, family: Any) -> int:
    """Return the member on the circle of a blossom that holds a node."""
    member = node
    while family.parent[member] != blossom:
        member = family.parent[member]
    return member


@compiled
def onward(member: int, first: int, family: Any) -> bool:
    """Whether the way from a member to the first one that begins with a matched edge goes by ``after``."""
    steps = 0
    while member != first:
        member = family.after[member]
        steps += 1
    return steps % 2 == 0


@compiled
def link(member: int, port: int, following: int, family: Any) -> None:
    """Put a member on a circle behind another one, to which a port leads from it."""
    family.after[member], family.join[member], family.before[following] = following, port, member


@compiled
def enclose(blossom: int, first: int, family: Any) -> None:
    """Make a blossom of the members on a circle, of which the first holds the base."""
    family.parent[blossom] = NONE
    family.first[blossom] = first
    family.base[blossom] = family.base[first]
    family.head[blossom], family.size[blossom] = family.head[first], 0
    largest = member = first
    while True:
        family.parent[member] = blossom
        family.size[blossom] += family.size[member]
        if family.size[member] > family.size[largest]:
            largest = member
        family.tail[blossom] = family.tail[member]
        member = family.after[member]
        if member == first:
            break
        family.follow[family.tail[blossom]] = family.head[member]
    group = family.own[largest]
    family.own[blossom], family.owner[group] = group, blossom
    member = family.after[largest]
    while member != largest:
        _regroup(member, group, family)
        member = family.after[member]


@compiled
def dissolve(blossom: int, family: Any) -> None:
    """Make the members of a blossom outermost ones."""
    first = member = family.first[blossom]
    while True:
        family.parent[member] = NONE
        group = family.own[member]
        family.owner[group] = member
        if group != family.own[blossom]:
            _regroup(member, group, family)
        member = family.after[member]
        if member == first:
            break


@compiled
def _regroup(member: int, group: int, family: Any) -> None:
    node = family.head[member]
    family.group[node] = group
    while node != family.tail[member]:
        node = family.follow[node]
        family.group[node] = group


@compiled
def rebase(blossom: int, node: int, family: Any, ends: Any, waiting: Any) -> None:
    """Make a node the base of a blossom, by changing which edges are matched on its circle and on those inside.

    Args:
        blossom: The blossom.
        node: A node in it, whose own partner is left to the caller.
        family: The blossoms.
        ends: The node that each port leads to.
        waiting: Scratch for pairs of a blossom and a node, two for each blossom there can be.
    """
    waiting[0], waiting[1], count = blossom, node, 2
    nodes = len(family.group)
    while count:
        count -= 2
        blossom, node = waiting[count], waiting[count + 1]
        first, member = family.first[blossom], member_with(node, blossom, family)
        forward = onward(member, first, family)
        family.first[blossom], family.base[blossom] = member, node
        if member >= nodes:
            waiting[count], waiting[count + 1] = member, node
            count += 2
        while member != first:
            # The edge to the next member is matched and will not be, the one behind that will be.
            near = family.after[member] if forward else family.before[member]
            far = family.after[near] if forward else family.before[near]
            port = family.join[near] if forward else family.join[far] ^ 1
            family.mate[ends[port ^ 1]], family.mate[ends[port]] = port, port ^ 1
            if near >= nodes:
                waiting[count], waiting[count + 1] = near, ends[port ^ 1]
                count += 2
            if far >= nodes:
                waiting[count], waiting[count + 1] = far, ends[port]
                count += 2
            member = far
