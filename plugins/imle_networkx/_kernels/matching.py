"""Matchings of greatest weight in a graph: the blossom algorithm of Edmonds, in integers.

Each node has a potential, and so has each blossom, called its charge. No charge is below 0, nor is the slack of an
edge outside of blossoms: the sum of the potentials at its ends less twice its weight, where all potentials are doubled
so that they are integers. A matched edge has no slack. If then no node is alone whose potential is above 0, that proves
the matching to be the best one. So each such node becomes the root of a search: along edges without slack it grows
a tree of paths on which every second edge is matched. Outer members fall and inner ones rise, at the same rate, until
a path ends at another lonely node, or at an outer node that has fallen to 0 and takes the place of the root.

What will happen is kept in a heap, with the time at which an edge has no slack any more, or an inner blossom no charge:
memory grows with the edges, not with the square of the nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.blossom import NONE, blossoms, clear, outermost, rebase
from imle_networkx._kernels.events import drop
from imle_networkx._kernels.hall import by_row
from imle_networkx._kernels.integers import to_integers
from imle_networkx._kernels.integers import width as width_of
from imle_networkx._kernels.search_tree import (
    END,
    EVENTS,
    INNER,
    LAST,
    NEVER,
    OUTER,
    TIME,
    UNUSED,
    WAITING,
    finish,
    grow,
    look,
    make_outer,
    switch,
    tree,
)
from imle_networkx._kernels.shrink import contract, expand

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Lines(NamedTuple):
    """The edges of a simple graph, and the ports that lead from each node.

    Attributes:
        ends: The node that each port leads to.
        pointer: First port of each node, and their number at the end.
        port: Of each node.
        edge: The edge of each entry; -1 for a self-loop. Parallel entries share one.
    """

    ends: NDArray[np.int32]
    pointer: NDArray[np.int64]
    port: NDArray[np.int32]
    edge: NDArray[np.int32]


def lines(ends: NDArray[np.int64], nodes: int) -> Lines:
    """Return the edges of a graph from the two nodes of each entry, shape ``(entries, 2)``."""
    ends = np.sort(ends, axis=1)
    proper = ends[:, 0] < ends[:, 1]
    simple, which = np.unique(ends[proper], axis=0, return_inverse=True)
    edge = np.full(len(ends), -1)
    edge[proper] = which.reshape(-1)
    flat = simple.reshape(-1)
    pointer, order = by_row(flat, nodes)
    return Lines(flat.astype(np.int32), pointer, (order ^ 1).astype(np.int32), edge.astype(np.int32))


def width(nodes: int, *, largest: bool) -> int:
    """Return to how many bits weights may be rounded, 52 at most.

    No potential exceeds twice the greatest weight, because a matched edge has no slack; one at time 0 does not exceed
    three times that weight; and times are sums of two of these and two weights.

    Args:
        nodes: How many there are.
        largest: Whether more pairs go before more weight: the weight of each is then raised by more than matchings of
            these weights can differ.
    """
    return min(52, width_of(16 * (nodes + 2) if largest else 16))


@compiled
def solve_matching(theta: Any, state: Any, lines: Any, largest: bool, width: int) -> None:
    """Find a matching of the greatest weight for each row.

    Args:
        theta: Weights, shape ``(N, entries)``.
        state: Filled with 1 for each matched edge; zeros, shape of theta.
        lines: See :class:`Lines`.
        largest: Whether only matchings with as many edges as possible count.
        width: See :func:`width`.
    """
    nodes, edges = len(lines.pointer) - 1, len(lines.ends) // 2
    family, search = blossoms(nodes), tree(nodes, edges)
    value = np.empty(theta.shape[1], np.int64)
    chosen = np.empty(edges, np.int64)
    premium = (nodes + 1) << width if largest else 0
    for row in range(theta.shape[0]):
        to_integers(theta[row], width, np.inf, value)
        search.weight[:] = -NEVER
        for entry in range(len(lines.edge)):
            edge = lines.edge[entry]
            if edge >= 0 and premium + value[entry] > search.weight[edge]:
                search.weight[edge], chosen[edge] = premium + value[entry], entry
        _begin(lines, family, search)
        for node in range(nodes):
            if family.mate[node] == NONE and search.potential[node] > 0:
                _search(node, lines, family, search)
        for node in range(nodes):
            port = family.mate[node]
            if port != NONE and lines.ends[port] > node:
                state[row, chosen[port >> 1]] = 1


@compiled
def _begin(lines: Any, family: Any, tree: Any) -> None:
    """Begin with potentials as high as the weights need, lower them in turn, and match along edges without slack."""
    clear(family)
    tree.now[UNUSED] = len(family.unused)
    nodes = len(family.group)
    for node in range(nodes):
        highest = np.int64(0)
        for k in range(lines.pointer[node], lines.pointer[node + 1]):
            highest = max(highest, tree.weight[lines.port[k] >> 1])
        tree.potential[node] = highest
    for node in range(nodes):
        if family.mate[node] != NONE:
            continue
        least, best = tree.potential[node], NONE  # 0 is the least it can be
        for k in range(lines.pointer[node], lines.pointer[node + 1]):
            port = lines.port[k]
            other = lines.ends[port]
            slack = tree.potential[node] + tree.potential[other] - 2 * tree.weight[port >> 1]
            if slack < least or (slack == least and best != NONE and family.mate[lines.ends[best]] != NONE):
                least, best = slack, port
        tree.potential[node] -= least
        if best != NONE and family.mate[lines.ends[best]] == NONE:
            family.mate[node], family.mate[lines.ends[best]] = best, best ^ 1


@compiled
def _search(root: int, lines: Any, family: Any, tree: Any) -> None:
    """Match a lonely node, or lower its potential to 0."""
    ends, now = lines.ends, tree.now
    now[TIME], now[END] = 0, NEVER
    make_outer(outermost(root, family), 0, family, tree)
    while True:
        while now[WAITING]:
            now[WAITING] -= 1
            look(tree.waiting[now[WAITING]], lines, family, tree)
        if now[EVENTS] == 0 or tree.keys[0] >= now[END]:
            break
        now[TIME], item = tree.keys[0], tree.items[0]
        now[EVENTS] = drop(tree.keys, tree.items, now[EVENTS])
        if item < 0:
            if tree.label[~item] == INNER and tree.charge[~item] == now[TIME]:
                expand(~item, lines, family, tree)
            continue
        node, other = ends[item ^ 1], ends[item]
        met = outermost(other, family)
        if met == outermost(node, family) or tree.label[met] == INNER:
            continue
        time = tree.potential[node] + tree.potential[other] - 2 * tree.weight[item >> 1]
        if tree.label[met] == OUTER and time == 2 * now[TIME]:
            contract(item, ends, family, tree)
        elif tree.label[met] != OUTER and time == now[TIME]:
            grow(item, ends, family, tree)
    now[TIME] = now[END]
    if now[LAST] < 0:
        switch(~now[LAST], NONE, ends, family, tree)
    else:
        other = ends[now[LAST]]
        if outermost(other, family) != other:
            rebase(outermost(other, family), other, family, ends, tree.spare)
        family.mate[other] = now[LAST] ^ 1
        switch(ends[now[LAST] ^ 1], now[LAST], ends, family, tree)
    finish(family, tree)
