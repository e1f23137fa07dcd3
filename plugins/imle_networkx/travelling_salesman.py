"""Tours: the cheapest walk through some nodes, approximately."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import networkx as nx
import numpy as np

from imle_core.errors import InvalidSolutionError, SolverParameterError
from imle_networkx._by_networkx import ByNetworkX, collected, components_of, connected_part, translated
from imle_networkx._returns import read_state
from imle_networkx._solver import one_of
from imle_networkx._walks import walk_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

Approximation = Literal["christofides", "greedy_tsp", "simulated_annealing_tsp", "threshold_accepting_tsp"]
Negative = Literal["error", "clip"]


class TravellingSalesman(ByNetworkX):
    r"""A cheap closed walk through some nodes, or all, by NetworkX's approximations.

    .. math:: z^*(c) \approx \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \{\text{how often each edge is used by a closed walk that visits all nodes}\}

    Costs have shape ``(N, edges)``, or ``(N, *shape)``. A walk goes from one of the nodes to the next by a shortest
    path. It may therefore use an edge several times and pass a node again, where the graph is not complete or a detour
    is cheaper than an edge; states are counts. It is **not** in general optimal: the solver is declared inexact. Of
    parallel edges the cheapest is used, self-loops never are. One node alone is visited without any edge.

    Args:
        graph: Any of NetworkX's four classes of graph; weights stored in it are not read. ``None`` if each row brings
            its own, see :class:`imle_networkx._solver.GraphSolver`.
        nodes: The nodes to visit; ``None`` for all of them, unless the instance of a row gives some.
        cycle: Whether the walk returns to where it began. If not, the longest way between two nodes is left out.
        approximation: The name of one of NetworkX's: ``"christofides"`` (undirected graphs; at most 3/2 of the least
            cost), ``"greedy_tsp"``, or ``"simulated_annealing_tsp"`` and ``"threshold_accepting_tsp"``, which improve a
            greedy tour at random. ``None`` is ``"christofides"``, or ``"greedy_tsp"`` where a graph is directed.
            (Its ``asadpour_atsp`` may take for ever from six nodes on.)
        seed: Of the random approximations, the same for every row.
        negative: ``"error"`` or ``"clip"``, see :class:`imle_core.Solver`.
        backend: Backend of NetworkX's dispatch; by default ``networkx.config`` decides.
        shape: Shape of one row of costs; by default ``(edges,)``.

    Attributes:
        entries: Edges ``(u, v)`` or ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different nodes and graphs: an instance is a mapping ``{"nodes": (u, v, w), "graph": G}``, in which
    may be left out what the constructor gave. ``decode`` returns the list of the nodes of a walk with these counts,
    beginning at the first node where it can; there may be several, and the one that NetworkX found is not known any
    more. ``encode`` takes such a list; it takes the first of parallel edges.

    Raises:
        SolverParameterError: a parameter is not valid, or the approximation is not for this kind of graph.
        InvalidInstanceError: an instance is not valid.
        InfeasibleError: two nodes are not connected, with the row; in a directed graph, both ways.

    References:
        Christofides (1976), Worst-case analysis of a new heuristic for the travelling salesman problem.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = TravellingSalesman(nx.path_graph("abc"), nodes=["a", "c"])
        >>> z = solver.solve(np.array([[1.0, 1.0]]))
        >>> z
        array([[2., 2.]])
        >>> solver.decode(z)
        [['a', 'b', 'c', 'b', 'a']]
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    output = "integer"
    keys = ("nodes",)

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        nodes: Iterable[Any] | None = None,
        cycle: bool = True,
        approximation: Approximation | None = None,
        seed: int = 0,
        negative: Negative = "error",
        backend: str | None = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        if approximation is not None:
            one_of("approximation", approximation, get_args(Approximation))
        one_of("negative", negative, get_args(Negative))
        self.approximation, self.seed, self.cycle, self.negative = approximation, seed, cycle, negative
        super().__init__(
            graph, method="networkx", backend=backend, shape=shape, given={"nodes": collected(nodes)}
        )
        self._check_given()

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> NDArray[np.int64]:
        if snapshot.directed and self.approximation == "christofides":
            raise SolverParameterError(
                "approximation 'christofides' is for undirected graphs; take another one, or graph.to_undirected()."
            )
        return components_of(graph)

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> list[int]:
        nodes = given["nodes"]
        return list(range(len(snapshot.nodes))) if nodes is None else self._numbers(snapshot, "nodes", nodes)

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: list[int]
    ) -> NDArray[np.float64]:
        if len(task) == 1:
            return np.zeros(len(costs))
        part = connected_part(graph, snapshot, task)
        name = self.approximation or ("greedy_tsp" if snapshot.directed else "christofides")
        keywords: dict[str, Any] = {}
        if name in ("simulated_annealing_tsp", "threshold_accepting_tsp"):
            keywords = {"init_cycle": "greedy", "seed": self.seed}
        values = costs.tolist()
        with translated(name):
            walk = nx.approximation.traveling_salesman_problem(
                part,
                nodes=[snapshot.nodes[node] for node in task],
                cycle=self.cycle,
                method=getattr(nx.approximation, name),
                **keywords,
                **self._dispatch,
            )
            return read_state(walk, "path", snapshot, functools.partial(min, key=values.__getitem__))

    def _walk(self, snapshot: Snapshot, z: NDArray[Any], task: list[int]) -> list[int] | None:
        """Return the nodes of a walk that visits all that it must and has these counts, if there is one."""
        if (z < 0).any() or (z != np.round(z)).any():
            return None
        walk = walk_of(snapshot, z, task[0], closed=self.cycle)
        return walk if walk is not None and set(walk) >= set(task) else None

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: list[int]) -> list[Any]:
        walk = self._walk(snapshot, z, task)
        if walk is None:
            kind = "closed walk" if self.cycle else "walk"
            raise self._no_structure(f"the state does not count the edges of a {kind} that visits all nodes")
        return [snapshot.nodes[node] for node in walk]

    def _encode(self, snapshot: Snapshot, structure: Sequence[Any]) -> NDArray[np.float64]:
        try:
            return read_state(structure, "cycle" if self.cycle else "path", snapshot, min)
        except InvalidSolutionError as error:
            error.solver = self.name
            raise

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Any]) -> NDArray[np.bool_]:
        walks = [self._walk(snapshot, row, task) for row, task in zip(z, tasks, strict=True)]
        return np.array([walk is not None for walk in walks], np.bool_)

    def _how_reference(self) -> str:
        return f"approximation.traveling_salesman_problem ({self.approximation or 'christofides, or greedy_tsp'})"
