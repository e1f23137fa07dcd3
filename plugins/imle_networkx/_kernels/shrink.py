"""How a search tree makes a blossom, and how it takes one apart."""

from __future__ import annotations

from typing import Any

from imle_core.kernels import compiled
from imle_networkx._kernels.blossom import (
    NONE,
    dissolve,
    enclose,
    link,
    member_with,
    onward,
    outermost,
)
from imle_networkx._kernels.search_tree import (
    NEVER,
    OUTER,
    OUTSIDE,
    STAMP,
    TIME,
    UNUSED,
    admit,
    announce,
    make_inner,
    make_outer,
)


@compiled
def contract(port: int, ends: Any, family: Any, tree: Any) -> None:
    """Make a blossom of the circle that an edge between two outer members closes."""
    near, far = outermost(ends[port ^ 1], family), outermost(ends[port], family)
    first = _meeting(near, far, ends, family, tree)
    link(near, port, far, family)
    while near != first:  # toward the root, against the direction of the circle
        mate = family.mate[family.base[near]]
        inner = outermost(ends[mate], family)
        link(inner, mate ^ 1, near, family)
        entry = tree.entry[inner]
        near = outermost(ends[entry], family)
        link(near, entry ^ 1, inner, family)
    while far != first:
        mate = family.mate[family.base[far]]
        inner = outermost(ends[mate], family)
        link(far, mate, inner, family)
        entry = tree.entry[inner]
        far = outermost(ends[entry], family)
        link(inner, entry, far, family)
    tree.now[UNUSED] -= 1
    blossom = family.unused[tree.now[UNUSED]]
    enclose(blossom, first, family)
    tree.label[blossom] = OUTER
    tree.charge[blossom] = -tree.now[TIME]
    member = first
    while True:
        if tree.label[member] == OUTER:
            tree.charge[member] += tree.now[TIME]
        else:
            tree.charge[member] -= tree.now[TIME]
            node = family.head[member]
            while True:
                tree.potential[node] += 2 * tree.now[TIME]
                admit(node, tree)
                if node == family.tail[member]:
                    break
                node = family.follow[node]
        tree.label[member] = OUTSIDE
        member = family.after[member]
        if member == first:
            break


@compiled
def _meeting(near: int, far: int, ends: Any, family: Any, tree: Any) -> int:
    """Return the outer member at which the ways from two outer members to the root meet."""
    tree.now[STAMP] += 1
    while True:
        if near != NONE:
            if tree.mark[near] == tree.now[STAMP]:
                return near
            tree.mark[near] = tree.now[STAMP]
            near = _before(near, ends, family, tree)
        near, far = far, near


@compiled
def _before(member: int, ends: Any, family: Any, tree: Any) -> int:
    """Return the next outer member on the way to the root, ``NONE`` behind the root."""
    mate = family.mate[family.base[member]]
    return NONE if mate == NONE else outermost(ends[tree.entry[outermost(ends[mate], family)]], family)


@compiled
def expand(blossom: int, lines: Any, family: Any, tree: Any) -> None:
    """Dissolve an inner blossom whose charge is used up.

    Of its circle the members on the way of even length, from where the tree enters to the first, stay in the tree; the
    others, in matched pairs, fall out of it.
    """
    time, port = tree.now[TIME], tree.entry[blossom]
    entered, first = member_with(lines.ends[port ^ 1], blossom, family), family.first[blossom]
    forward = onward(entered, first, family)
    dissolve(blossom, family)
    tree.label[blossom] = OUTSIDE
    family.unused[tree.now[UNUSED]] = blossom
    tree.now[UNUSED] += 1
    member = entered
    make_inner(member, port, family, tree)
    while member != first:
        outer = family.after[member] if forward else family.before[member]
        make_outer(outer, 2 * time, family, tree)
        member = family.after[outer] if forward else family.before[outer]
        port = family.join[outer] ^ 1 if forward else family.join[member]
        make_inner(member, port, family, tree)
    member, stop = family.after[first if forward else entered], entered if forward else first
    while member != stop:
        _release(member, lines, family, tree)
        member = family.after[member]


@compiled
def _release(member: int, lines: Any, family: Any, tree: Any) -> None:
    """Let an inner member fall out of the tree, and announce the first edge from an outer node to it."""
    earliest, first = NEVER, 0
    node = family.head[member]
    while True:
        tree.potential[node] += tree.now[TIME]
        tree.best[node] = NEVER
        for k in range(lines.pointer[node], lines.pointer[node + 1]):
            port = lines.port[k]
            other = lines.ends[port]
            if tree.label[outermost(other, family)] == OUTER:
                time = tree.potential[node] + tree.potential[other] - 2 * tree.weight[port >> 1]
                if time < earliest:
                    earliest, first = time, port ^ 1
        if node == family.tail[member]:
            break
        node = family.follow[node]
    announce(earliest, first, tree)
