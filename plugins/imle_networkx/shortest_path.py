"""The shortest path between two nodes of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np

from imle_core.parallel import cpus
from imle_networkx._kernels.arcs import Arcs, lower
from imle_networkx._kernels.lanes import NO_PATH, SOLVED
from imle_networkx._kernels.paths import FEW_ROWS, outgrows_cache, solve_batch
from imle_networkx._kernels.pull import LANES
from imle_networkx._kernels.simple_paths import simple_paths
from imle_networkx._kernels.walk import path_of
from imle_networkx._path_solver import PathSolver
from imle_networkx._reference import no_path, path_by_networkx
from imle_networkx._solver import Method, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx
    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot, Weight

Negative = Literal["error", "clip", "allow"]


class Ends(NamedTuple):
    """What one row asks: the numbers of the first and the last node in the graph as it was read."""

    source: int
    target: int


class Lowered(NamedTuple):
    """A graph for the kernels: its arcs, and the number that each node has in them."""

    arcs: Arcs
    number: NDArray[np.int64]


class ShortestPath(PathSolver):
    r"""The shortest path from a source to a target, for costs on edges or on nodes.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \{\text{incidence vectors of simple paths from source to target}\}

    Costs have shape ``(N, entries)``, or ``(N, *shape)``; a state is 1 on the entries of the path. With
    ``weight="node"`` a path costs the sum over all its nodes, both ends included, as in the Warcraft benchmark of
    Vlastelica et al. If source and target are one node, the path is that node without any edge. Of several
    shortest paths one with the fewest edges is returned, the same one for every batch and number of threads.

    An undirected edge is one entry and can be used both ways, parallel edges are separate entries of which the cheapest
    is used, self-loops never are. A graph is read once; changing it afterwards has no effect.

    Args:
        graph: Any of NetworkX's four classes of graph. Weights stored in it are not read. ``None`` if each row brings
            its own, see :class:`imle_networkx._solver.GraphSolver`.
        source: First node; ``None`` if the instance of each row gives it.
        target: Last node; ``None`` if the instance of each row gives it.
        weight: Whether ``"edge"`` or ``"node"`` entries carry the costs.
        negative: ``"error"``, ``"clip"`` or ``"allow"``, see :class:`imle_core.Solver`. With ``"allow"`` a
            negative cycle is an error if it can be reached from the source and the target from it, because no walk
            is then the shortest; an undirected negative edge is such a cycle. Cycles elsewhere do no harm.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        shape: Shape of one row of costs, e.g. ``(12, 12)`` for a grid; by default ``(entries,)``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"`` and costs on edges.

    Attributes:
        entries: What each cost belongs to: nodes in the order of ``graph.nodes``, or edges ``(u, v)`` or
            ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different ends and graphs: an instance is a mapping ``{"source": u, "target": v, "graph": G}``, in
    which may be left out what the constructor gave.

    A state of nodes that has chords, which this solver never returns, may take exponential time to verify or decode:
    that is the problem of Hamilton's path. After a million steps it is given up by a MissingCapabilityError.

    Raises:
        SolverParameterError: a parameter is not valid.
        InvalidInstanceError: an instance is not valid, or an end is not given at all.
        InfeasibleError: there is no path, with the row.
        UnboundedError: there is a negative cycle on the way, with the row.

    References:
        Bellman (1958), On a routing problem. Dijkstra (1959), A note on two problems in connexion with graphs.
        Vlastelica et al. (2020), Differentiation of blackbox combinatorial solvers.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = ShortestPath(nx.cycle_graph("abcd"), source="a", target="c")
        >>> solver.entries
        [('a', 'b'), ('a', 'd'), ('b', 'c'), ('c', 'd')]
        >>> z = solver.solve(np.array([[1.0, 1.0, 3.0, 1.0]]))
        >>> z
        array([[0., 1., 0., 1.]])
        >>> solver.decode(z)
        [['a', 'd', 'c']]
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    on_negative = "Negative costs are allowed; a negative cycle on the way is an error."

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        source: Any = None,
        target: Any = None,
        weight: Weight = "edge",
        negative: Negative = "error",
        method: Method = "auto",
        shape: Sequence[int] | None = None,
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        one_of("negative", negative, get_args(Negative))
        self.negative = negative
        super().__init__(
            graph,
            weight=weight,
            method=method,
            threads=threads,
            backend=backend,
            shape=shape,
            given={"source": source, "target": target},
        )
        self._require_in_graph("source", "target")

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Lowered:
        root = snapshot.number.get(self._given["source"])
        return Lowered(
            *lower(
                snapshot.ends,
                len(snapshot.nodes),
                directed=snapshot.directed,
                on_nodes=snapshot.weight == "node",
                root=root,
            )
        )

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> Ends:
        return Ends(*(self._node(snapshot, role, given[role]) for role in self.keys))

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Any]) -> NDArray[Any]:
        lowered: Lowered = snapshot.lowered
        sources, targets = _ends_of(lowered, tasks)
        exact = self.negative == "allow"
        threads = self.threads or cpus()
        state, status = solve_batch(
            theta, sources, targets, lowered.arcs, nonnegative=not exact, threads=threads
        )
        for row in np.flatnonzero(status != SOLVED).tolist():
            if status[row] == NO_PATH:
                source, target = (snapshot.nodes[end] for end in tasks[row])
                raise no_path(source, target, row)
            state[row] = self._solve_by_networkx(snapshot, theta[row : row + 1], tasks[row : row + 1], row)
        return state

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Ends
    ) -> NDArray[Any]:
        exact = self.negative == "allow"
        return path_by_networkx(graph, snapshot, costs, task, exact=exact, dispatch=self._dispatch)

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: Ends) -> list[Any]:
        arcs, number = snapshot.lowered
        path = (
            path_of(z != 0, number[task.source], number[task.target], arcs)
            if np.isin(z, (0, 1)).all()
            else None
        )
        if path is None:
            source, target = (snapshot.nodes[end] for end in task)
            raise self._no_structure(f"the state is not one simple path from {source!r} to {target!r}")
        order = np.argsort(number)
        return [snapshot.nodes[order[node]] for node in path]

    def _encode(self, snapshot: Snapshot, structure: Sequence[Any]) -> NDArray[np.float64]:
        if not len(structure):
            raise self._no_structure("a path has at least one node; the one given is empty")
        return super()._encode(snapshot, structure)

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Any]) -> NDArray[np.bool_]:
        # For nodes this is linear in the edges, except for nodes with chords: among those the search for a path through
        # all of them may take exponential time.
        arcs = snapshot.lowered.arcs
        ends = _ends_of(snapshot.lowered, tasks).T.tolist()
        found = [
            path_of(row, source, target, arcs) is not None
            for row, (source, target) in zip(z != 0, ends, strict=True)
        ]
        return np.isin(z, (0, 1)).all(axis=1) & np.array(found, np.bool_)

    def _support(self, snapshot: Snapshot, task: Ends) -> NDArray[np.float64]:
        arcs, number = snapshot.lowered
        return simple_paths(int(number[task.source]), int(number[task.target]), arcs, len(snapshot.entries))

    def _how(self, snapshot: Snapshot | None) -> str:
        if self.negative == "allow":
            return f"a compiled Bellman-Ford, {LANES} rows at once, because costs may be negative"
        if snapshot is not None and outgrows_cache(snapshot.lowered.arcs):
            return f"a compiled Dijkstra, row by row, because {LANES} rows at once outgrow the cache"
        return f"a compiled Bellman-Ford, {LANES} rows at once (Dijkstra for up to {FEW_ROWS} rows)"

    def _how_reference(self) -> str:
        return "Bellman-Ford, in exact arithmetic" if self.negative == "allow" else "Dijkstra"


def _ends_of(lowered: Lowered, tasks: Sequence[Ends]) -> NDArray[np.int64]:
    """Return the numbers of the first and the last node of each row among the arcs, shape ``(2, rows)``."""
    if len(set(map(id, tasks))) == 1:
        ends = np.array(tasks[0], np.int64)[:, None].repeat(len(tasks), axis=1)
    else:
        ends = np.array(tasks, np.int64).reshape(-1, 2).T.copy()
    return lowered.number[ends]
