"""Flows of least cost: from the demands to a first flow, and from there to the best one of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_core.parallel import share
from imle_networkx._kernels.integers import to_integers, width
from imle_networkx._kernels.simplex import UNLIMITED, Tree, improve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SOLVED, UNBOUNDED = 0, 1

PARALLEL = 10_000
"""Rows times arcs from which on threads are worth their start."""


class Network(NamedTuple):
    """The arcs of a graph, one for each of its edges, and then one from each node to an artificial root.

    No arc leads out of the root, which has no demand: artificial arcs never carry flow, and only hold the tree together
    where the graph does not.

    Attributes:
        tail: Of each arc.
        head: Of each arc.
        nodes: How many nodes there are without the root, which has this number.
    """

    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    nodes: int

    @property
    def arcs(self) -> int:
        """How many arcs the graph has."""
        return len(self.tail) - self.nodes


class Start(NamedTuple):
    """Where the simplex method begins, whatever the costs.

    Attributes:
        capacity: Of each arc.
        tree: A flow and its tree.
    """

    capacity: NDArray[np.int64]
    tree: Tree


def network(ends: NDArray[np.int64], nodes: int) -> Network:
    """Return the network of a graph, whose edges have the ends ``(E, 2)``."""
    tail = np.concatenate([ends[:, 0], np.arange(nodes)])
    head = np.concatenate([ends[:, 1], np.full(nodes, nodes)])
    return Network(tail.astype(np.int32), head.astype(np.int32), nodes)


def first_flow(net: Network, demand: NDArray[np.int64], capacity: NDArray[np.int64]) -> Start:
    """Return a flow that meets the demands as far as possible; what is left is on the artificial arcs.

    Of all such flows it is one over the fewest arcs, because from there it is not far to the cheapest one where costs
    are of similar size. The rows of a batch all begin there, so that none depends on the others.

    Args:
        net: The graph.
        demand: Of each node; below zero is supply.
        capacity: Of each arc of the graph.
    """
    nodes, arcs, root = net.nodes, net.arcs, net.nodes
    wants = demand > 0
    capacity = np.concatenate([capacity, np.full(nodes, UNLIMITED)])
    usable = np.concatenate([capacity[:arcs] > 0, np.zeros(nodes, np.bool_)])  # to enter the tree
    ring = np.arange(nodes + 1, dtype=np.int32)
    tree = Tree(
        flow=np.concatenate([np.zeros(arcs, np.int64), np.abs(demand)]),
        outside=usable.astype(np.int8),
        parent=np.full(nodes + 1, root, np.int32),
        link=np.append(np.arange(arcs, arcs + nodes), -1).astype(np.int32),
        upward=np.append(~wants, False),
        depth=np.append(np.ones(nodes), 0).astype(np.int32),
        after=np.roll(ring, -1),
        before=np.roll(ring, 1),
    )
    scratch = arcs, np.empty(nodes + 1, np.int64), np.empty(nodes + 1, np.int32)
    cost = np.repeat(np.array([0, 1]), [arcs, nodes])
    # What the nodes demand comes from the root at first, so that artificial arcs lead there too.
    tail, head = net.tail.copy(), net.head.copy()
    turned = arcs + np.flatnonzero(wants)
    tail[turned], head[turned] = root, turned - arcs
    improve(cost, tail, head, capacity, tree, *scratch)
    if not tree.flow[arcs:].any():
        improve(1 - cost, net.tail, net.head, capacity, tree, *scratch)
    return Start(capacity, tree)


def stranded(net: Network, demand: NDArray[np.int64], start: Start) -> NDArray[np.intp]:
    """Return nodes that supply more than the arcs out of them can carry; none if the first flow meets the demands.

    They are those that a supply which found no way out still reaches: arcs out of them are full, arcs into them empty.
    """
    flow, arcs = start.tree.flow, net.arcs
    tail, head = net.tail[:arcs], net.head[:arcs]
    ahead, back = flow[:arcs] < start.capacity[:arcs], flow[:arcs] > 0
    reached, count = np.zeros(net.nodes, np.bool_), 0
    reached[np.flatnonzero((flow[arcs:] > 0) & (demand < 0))[:1]] = True
    while count < (count := int(reached.sum())):
        reached[head[ahead & reached[tail]]] = True
        reached[tail[back & reached[head]]] = True
    return np.flatnonzero(reached)


def solve_batch(
    theta: NDArray[Any], starts: Sequence[Start], net: Network, threads: int
) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """Return the flows of least cost, shape ``(rows, arcs)``, and the status of each row.

    Args:
        theta: Cost of each arc, shape ``(rows, arcs)``.
        starts: Where each row begins: flows that meet the demands.
        net: The graph.
        threads: Threads at most.
    """
    distinct = {id(start): start for start in starts}
    number = {key: i for i, key in enumerate(distinct)}
    which = np.array([number[id(start)] for start in starts])
    capacities = np.stack([start.capacity for start in distinct.values()])
    trees = Tree(*map(np.stack, zip(*(start.tree for start in distinct.values()), strict=True)))
    state, status = np.zeros_like(theta), np.empty(len(theta), np.int8)
    bits = width(2 * net.nodes + 2)  # a cost, and those of the ways to the root from both ends of its arc

    def work(begin: int, end: int) -> None:
        rows = slice(begin, end)
        part = theta[rows], which[rows], state[rows], status[rows]
        tree = Tree(*(field[0].copy() for field in trees))
        _solve(*part, net.tail, net.head, capacities, trees, tree, bits)

    share(work, len(theta), block=1, threads=threads if theta.size >= PARALLEL else 1)
    return state, status


@compiled
def _solve(
    theta: Any,
    which: Any,
    state: Any,
    status: Any,
    tail: Any,
    head: Any,
    capacities: Any,
    trees: Any,
    tree: Any,
    bits: int,
) -> None:
    """Solve rows one by one in ``tree``, which begins as that one of ``trees`` that ``which`` names."""
    arcs, nodes = theta.shape[1], trees.parent.shape[1]
    cost = np.zeros(len(tail), np.int64)
    potential, order = np.empty(nodes, np.int64), np.empty(nodes, np.int32)
    for row in range(len(theta)):
        start = which[row]
        tree.flow[:] = trees.flow[start]
        tree.outside[:] = trees.outside[start]
        tree.parent[:] = trees.parent[start]
        tree.link[:] = trees.link[start]
        tree.upward[:] = trees.upward[start]
        tree.depth[:] = trees.depth[start]
        tree.after[:] = trees.after[start]
        tree.before[:] = trees.before[start]
        to_integers(theta[row], bits, np.inf, cost)
        if not improve(cost, tail, head, capacities[start], tree, arcs, potential, order):
            status[row] = UNBOUNDED
            continue
        status[row] = SOLVED
        for arc in range(arcs):
            state[row, arc] = tree.flow[arc]
