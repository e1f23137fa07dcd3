"""The cut of least weight between two nodes of a graph."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, get_args

import networkx as nx
import numpy as np

from imle_core.errors import InvalidInstanceError, SolverParameterError
from imle_core.integers import exact_integers
from imle_core.parallel import cpus
from imle_networkx._kernels.cuts import all_cuts, between, near_sides
from imle_networkx._kernels.max_flow import Pairs, pairs, solve_batch
from imle_networkx._solver import GraphSolver, Method, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

Negative = Literal["error", "clip"]


class Ends(NamedTuple):
    """What one row asks: the numbers of source and target."""

    source: int
    target: int


class MinimumCut(GraphSolver):
    r"""The edges of least weight whose removal leaves no way from a source to a target.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \{\delta^+(S) : \text{source} \in S, \; \text{target} \notin S\}

    A state is 1 on the edges that lead from the nodes S to others, for which delta-plus of S stands; in an undirected
    graph on those between the two sides. Weights have shape ``(N, edges)``. In NetworkX's words they are capacities,
    and the weight of the cut is the value of the largest flow.

    Weights must not be negative: as a function of S the weight of a cut is then submodular, which is why a least one is
    found in polynomial time; with negative weights the problem is NP-hard (maximum cut). Noise may move weights below
    zero; points that it moved are clipped at zero. Of several least cuts the one with the fewest nodes S is returned.
    It is the same for every batch and number of threads, and S are the nodes that the source still reaches when the
    largest flow is sent: no node that it does not reach at all. Where no way leads to the target, no edge is cut.

    Parallel edges are separate entries, all or none of which are cut; self-loops never are. Each weight is rounded to
    2^-53 of the cut's weight, also where other edges are far heavier, such as those whose weight stands for infinity.

    Args:
        graph: Any of NetworkX's four classes of graph, read once. Capacities stored in it are not read. ``None`` if
            each row brings its own, see :class:`imle_networkx._solver.GraphSolver`.
        source: A node; ``None`` if the instance of each row gives it.
        target: Another node; ``None`` if the instance of each row gives it.
        negative: ``"error"`` or ``"clip"``, see :class:`imle_core.Solver`.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"``.

    Attributes:
        entries: What each weight belongs to: edges ``(u, v)`` or ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different ends and graphs: an instance is a mapping ``{"source": u, "target": v, "graph": G}``, in
    which may be left out what the constructor gave.

    ``decode`` returns two sets of nodes, S and the rest, as ``nx.minimum_cut`` does. A state does not always tell S: of
    several, the one with the fewest nodes is returned; in undirected graphs, where a part of the graph without source
    and target may be on either side, its first node is not in S. ``encode`` takes the two sets as a pair, or S alone as
    a set.

    Raises:
        SolverParameterError: a parameter is not valid.
        InvalidInstanceError: an instance is not valid, an end is not given at all, or both are the same node.

    References:
        Ford and Fulkerson (1956), Maximal flow through a network. Dinic (1970), Algorithm for solution of a problem of
        maximum flow in networks with power estimation. Picard and Queyranne (1980), On the structure of all minimum
        cuts in a network and applications.

    Example:
        >>> import networkx as nx, numpy as np
        >>> graph = nx.DiGraph([("s", "a"), ("s", "b"), ("a", "t"), ("b", "t")])
        >>> solver = MinimumCut(graph, source="s", target="t")
        >>> solver.entries
        [('s', 'a'), ('s', 'b'), ('a', 't'), ('b', 't')]
        >>> z = solver.solve(np.array([[1.0, 5.0, 2.0, 3.0]]))
        >>> z
        array([[1., 0., 0., 1.]])
        >>> near, far = solver.decode(z[0])
        >>> sorted(near), sorted(far)
        (['b', 's'], ['a', 't'])
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    output = "binary"
    keys = ("source", "target")

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        source: Any = None,
        target: Any = None,
        negative: Negative = "error",
        method: Method = "auto",
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        one_of("negative", negative, get_args(Negative))
        self.negative = negative
        given = {"source": source, "target": target}
        super().__init__(graph, method=method, threads=threads, backend=backend, given=given)
        self._require_in_graph("source", "target")
        if source is not None and source == target:
            raise SolverParameterError(_same(source))

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Pairs:
        return pairs(snapshot.ends, len(snapshot.nodes), directed=snapshot.directed)

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> Ends:
        ends = Ends(*(self._node(snapshot, role, given[role]) for role in self.keys))
        if ends.source == ends.target:
            raise InvalidInstanceError(f"{self.name}: {_same(given['source'])}")
        return ends

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Ends]) -> NDArray[Any]:
        sources, targets = _ends_of(tasks)
        return solve_batch(theta, sources, targets, snapshot.ends, snapshot.lowered, self.threads or cpus())

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Ends
    ) -> NDArray[Any]:
        # The cut that NetworkX returns is the one nearest to the target, so it is asked for the way back. It takes no
        # multigraphs: a bundle of edges is as strong as all of them.
        capacity: defaultdict[tuple[Any, Any], int] = defaultdict(int)
        for (u, v, *_), weight in zip(snapshot.edges, exact_integers(costs.tolist()), strict=True):
            capacity[v, u] += weight
        backward: Any = nx.DiGraph() if snapshot.directed else nx.Graph()
        backward.add_nodes_from(snapshot.nodes)
        backward.add_weighted_edges_from(((*edge, total) for edge, total in capacity.items()), "capacity")
        source, target = (snapshot.nodes[end] for end in task)
        _, (_, near) = nx.minimum_cut(backward, target, source, **self._dispatch)
        return self._encode(snapshot, near)

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: Ends) -> tuple[set[Any], set[Any]]:
        near, correct = _sides(snapshot, z[None], [task])
        if not correct[0]:
            source, target = (snapshot.nodes[end] for end in task)
            raise self._no_structure(f"the state is no cut between {source!r} and {target!r}")
        sides = zip(snapshot.nodes, near[0].tolist(), strict=True)
        partition: tuple[set[Any], set[Any]] = set(), set()
        for node, is_near in sides:
            partition[not is_near].add(node)
        return partition

    def _encode(
        self, snapshot: Snapshot, structure: Collection[Any] | tuple[Collection[Any], Collection[Any]]
    ) -> NDArray[np.float64]:
        if isinstance(structure, (set, frozenset)):
            structure = structure, snapshot.number.keys() - structure
        try:
            near, far = (set(side) for side in structure)
        except (TypeError, ValueError):
            raise self._no_structure(
                f"a cut is a pair of sets of nodes, or the set on the source's side; got {structure!r}"
            ) from None
        if near & far or near | far != snapshot.number.keys():
            raise self._no_structure(
                f"{structure!r} does not divide the nodes of the {snapshot} into two sets"
            )
        sides = np.array([[node in near for node in snapshot.nodes]])
        return between(sides, snapshot.ends, directed=snapshot.directed)[0].astype(np.float64)

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Ends]) -> NDArray[np.bool_]:
        return _sides(snapshot, z, tasks)[1]

    def _support(self, snapshot: Snapshot, task: Ends) -> NDArray[np.float64]:
        return all_cuts(*task, snapshot.ends, len(snapshot.nodes), directed=snapshot.directed)

    def _how(self, snapshot: Snapshot | None) -> str:
        return "a compiled algorithm of Dinic for the largest flow, in integers, row by row"

    def _how_reference(self) -> str:
        return "minimum_cut, in exact integers"


def _same(node: Any) -> str:
    return f"source and target are the same node {node!r}, from which no cut can separate it; name two nodes."


def _ends_of(tasks: Sequence[Ends]) -> NDArray[np.int64]:
    """Return the numbers of source and target of each row, shape ``(2, rows)``."""
    return np.array(tasks, np.int64).reshape(-1, 2).T.copy()


def _sides(
    snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Ends]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which nodes are on the source's side of each cut, shape ``(rows, nodes)``, and whether it is one."""
    sources, targets = _ends_of(tasks)
    cut = z != 0
    near = np.zeros((len(z), len(snapshot.nodes)), np.bool_)
    near_sides(cut, sources, targets, snapshot.ends, snapshot.lowered, snapshot.directed, near)
    rows = np.arange(len(z))
    correct = np.isin(z, (0, 1)).all(1) & near[rows, sources] & ~near[rows, targets]
    return near, correct & (between(near, snapshot.ends, directed=snapshot.directed) == cut).all(1)
