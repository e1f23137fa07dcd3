"""The spanning trees of least cost and of greatest score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import networkx as nx
import numpy as np

from imle_core.errors import SolverParameterError
from imle_core.parallel import cpus
from imle_networkx._forests import Forests
from imle_networkx._kernels.forests import components
from imle_networkx._kernels.trees import Edges, edges_of, solve_trees

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot
    from imle_networkx._solver import Method


class Lowered(NamedTuple):
    """A graph for the kernels, and how many edges its spanning forests have."""

    edges: Edges
    size: int


class SpanningTree(Forests):
    """Base class of both solvers, which differ in the sign of theta."""

    directed = False
    structure = "a spanning tree"
    entered_once = False

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        forest: bool = False,
        method: Method = "auto",
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        self.forest = forest
        super().__init__(graph, method=method, threads=threads, backend=backend)

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Lowered:
        nodes = snapshot.nodes
        first = components(snapshot.ends, len(nodes))
        if len(apart := np.flatnonzero(first)) and not self.forest:
            raise SolverParameterError(
                f"the {snapshot} is not connected: no way leads from {nodes[0]!r} to {nodes[apart[0]]!r}. "
                "Take forest=True to span each of its components."
            )
        return Lowered(edges_of(snapshot.ends, len(nodes)), len(nodes) - len(np.unique(first)))

    def _size(self, snapshot: Snapshot) -> int:
        return snapshot.lowered.size

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> int:
        return -1  # no root

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[int]) -> NDArray[Any]:
        sign = 1.0 if self.sense == "min" else -1.0
        return solve_trees(theta, sign, snapshot.lowered.edges, threads=self.threads or cpus())

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: int
    ) -> NDArray[Any]:
        span = nx.minimum_spanning_tree if self.sense == "min" else nx.maximum_spanning_tree
        tree = span(graph, weight="weight", **self._dispatch)
        state = np.zeros_like(costs)
        state[[column for *_, column in tree.edges(data="column")]] = 1
        return state

    def _how(self, snapshot: Snapshot | None) -> str:
        if snapshot is None:
            return "a compiled algorithm, Prim's or Borůvka's as each graph is dense or sparse"
        if snapshot.lowered.edges.table is not None:
            return "a compiled Prim on a table of all pairs of nodes, because the graph is dense"
        return "a compiled Borůvka on a list of edges, because the graph is sparse or has parallel edges"

    def _how_reference(self) -> str:
        return f"{self.sense}imum_spanning_tree"


class MinimumSpanningTree(SpanningTree):
    r"""The spanning tree of least cost of an undirected graph.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \{\text{indicators of the edges of spanning trees}\}

    Costs have shape ``(N, edges)`` and may be negative; a state is 1 on the edges of the tree. Of parallel edges the
    cheapest is used, self-loops never are. Of trees that cost the same it returns the one that Kruskal's algorithm
    finds if it takes equal edges in the order of ``graph.edges``, as NetworkX's does; for every batch and number of
    threads the same one.

    Args:
        graph: An undirected graph or multigraph of NetworkX. Weights stored in it are not read, and later changes
            have no effect. ``None`` if each row brings its own, see :class:`imle_networkx._solver.GraphSolver`.
        forest: Whether the graph may have several components, each of which is spanned then; otherwise such a graph is
            an error.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"``.

    Attributes:
        entries: The edges ``(u, v)`` or ``(u, v, key)``, in the order of ``graph.edges``.

    Rows may have different graphs: an instance is a graph, or a mapping ``{"graph": G}``. ``decode`` returns the list
    of the edges, as ``entries`` has them; ``encode`` takes edges in any order and direction, or the tree as a graph.
    ``enumerate_support`` lists the trees of graphs that have at most 300,000 forests.

    Raises:
        SolverParameterError: a parameter is not valid, or the graph is directed or not connected.
        InvalidInstanceError: the same of the graph of an instance.

    References:
        Borůvka (1926), O jistém problému minimálním. Kruskal (1956), On the shortest spanning subtree of a graph and
        the traveling salesman problem. Prim (1957), Shortest connection networks and some generalizations.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = MinimumSpanningTree(nx.Graph(["ab", "bc", "ac", "cd"]))
        >>> solver.entries
        [('a', 'b'), ('a', 'c'), ('b', 'c'), ('c', 'd')]
        >>> z = solver.solve(np.array([[3.0, 1.0, 2.0, 5.0]]))
        >>> z
        array([[0., 1., 1., 1.]])
        >>> solver.decode(z)
        [[('a', 'c'), ('b', 'c'), ('c', 'd')]]
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]


class MaximumSpanningTree(SpanningTree):
    r"""The spanning tree of greatest score of an undirected graph.

    .. math:: z^*(\theta) = \arg\max_{z \in Z} \langle z, \theta \rangle, \qquad
       Z = \{\text{indicators of the edges of spanning trees}\}

    Theta are scores, shape ``(N, edges)``. In all else, parameters and attributes too, it is
    :class:`MinimumSpanningTree`: of parallel edges it uses the one of greatest score, of equally good trees it returns
    the one that Kruskal's algorithm finds.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = MaximumSpanningTree(nx.cycle_graph(3))
        >>> solver.decode(solver.solve(np.array([[3.0, -1.0, 2.0]])))
        [[(0, 1), (1, 2)]]
    """

    sense: ClassVar[Literal["max"]] = "max"  # type: ignore[misc]
