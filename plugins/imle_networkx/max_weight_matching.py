"""The matching of greatest weight in any graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np

from imle_core.errors import SolverParameterError
from imle_networkx._kernels.matching import Lines, lines, solve_matching, width
from imle_networkx._matchings import Cardinality, Matchings, listed, require_precision
from imle_networkx._solver import Method, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx
    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot


class Plan(NamedTuple):
    """A graph for the kernel."""

    lines: Lines
    bits: int
    size: int | None


class MaxWeightMatching(Matchings):
    r"""The edges of greatest weight of which no two share a node.

    .. math:: z^*(\theta) = \arg\max_{z \in Z} \langle z, \theta \rangle, \qquad
       Z = \{z \in \{0, 1\}^E : \textstyle\sum_{e \ni v} z_e \le 1 \text{ for each node } v\}

    Scores have shape ``(N, edges)``, or ``(N, *shape)``, in the order of ``graph.edges``; a state is 1 on the edges of
    the matching. Of parallel edges, which are entries of their own, only the best can be in it, self-loops never are.

    With ``cardinality="any"`` a matching may have any number of edges; one with a score of 0 or less is never taken.
    ``"maximum"`` admits those with as many edges as a matching of the graph can have, ``"perfect"`` those that
    match every node. Of several best ones always the same is returned, for every batch and number of threads.

    Scores are rounded to multiples of 2^-52 of the row's largest magnitude, or, with ``"maximum"`` and ``"perfect"`` in
    large graphs, of 2^-48 (1,000 nodes) or 2^-41 (100,000); from there on the algorithm is exact. Scores that can be in
    no best matching, such as those that forbid an edge, do not count as the largest by more than 2^16 times what the
    matching loses against the row's best scores, or at all with ``"any"``. A row whose best score by far is in no
    matching of the size asked for is solved by NetworkX, slowly and in exact integers.

    Args:
        graph: An undirected graph or multigraph of NetworkX. Weights stored in it are not read. ``None`` if each row
            brings its own, see :class:`imle_networkx._solver.GraphSolver`.
        cardinality: ``"any"``, ``"maximum"`` or ``"perfect"``.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        shape: Shape of one row of scores; by default ``(edges,)``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"``.

    Attributes:
        entries: Edges ``(u, v)`` or ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different graphs: an instance is a graph, or a mapping ``{"graph": G}``. ``decode`` returns the list
    of the edges, named as in ``entries``; ``encode`` takes any iterable of them, such as the set that
    ``networkx.max_weight_matching`` returns.

    Raises:
        SolverParameterError: a parameter is not valid, the graph is directed, has no perfect matching if one is asked
            for, or has more than 262,141 nodes with ``"maximum"`` or ``"perfect"``.
        InvalidInstanceError: the same of an instance.

    References:
        Edmonds (1965), Maximum matching and a polyhedron with 0,1-vertices. Galil (1986), Efficient algorithms for
        finding maximum matching in graphs. Mehlhorn and Schäfer (2002), Implementation of O(nm log n) weighted
        matchings in general graphs.

    Example:
        >>> import networkx as nx, numpy as np
        >>> path = nx.path_graph("abcd")
        >>> MaxWeightMatching(path).solve(np.array([[2.0, 3.0, 2.0], [2.0, 5.0, 2.0]]))
        array([[1., 0., 1.],
               [0., 1., 0.]])
        >>> solver = MaxWeightMatching(path, cardinality="perfect")
        >>> solver.decode(solver.solve(np.array([[2.0, 5.0, 2.0]])))
        [[('a', 'b'), ('c', 'd')]]
    """

    sense: ClassVar[Literal["max"]] = "max"  # type: ignore[misc]

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        cardinality: Cardinality = "any",
        method: Method = "auto",
        shape: Sequence[int] | None = None,
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        one_of("cardinality", cardinality, get_args(Cardinality))
        self.cardinality = cardinality
        super().__init__(graph, method=method, threads=threads, backend=backend, shape=shape)

    @property
    def _any(self) -> bool:
        return self.cardinality == "any"

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Plan:
        nodes = len(snapshot.nodes)
        edges = lines(snapshot.ends, nodes)
        bits = require_precision(width(nodes, largest=not self._any), snapshot)
        if self._any:
            return Plan(edges, bits, None)
        state = np.zeros((1, len(snapshot.ends)))
        solve_matching(np.ones_like(state), state, edges, False, width(nodes, largest=False))
        if self.cardinality == "perfect":
            self._require_perfect(snapshot, state[0])
        return Plan(edges, bits, int(state.sum()))

    def _require_perfect(self, snapshot: Snapshot, state: NDArray[Any]) -> None:
        """Raise SolverParameterError if a matching with the most edges leaves a node alone."""
        nodes = len(snapshot.nodes)
        if nodes % 2:
            raise SolverParameterError(
                f"no perfect matching: it needs an even number of nodes, but the {snapshot} has {nodes:,}. Take "
                "cardinality='maximum'."
            )
        alone = np.setdiff1d(np.arange(nodes), snapshot.ends[state != 0])
        if len(alone):
            raise SolverParameterError(
                f"no perfect matching: matchings of the {snapshot} have {(nodes - len(alone)) // 2:,} edges at most, "
                f"and one of them leaves {listed([snapshot.nodes[node] for node in alone])} alone. Take "
                "cardinality='maximum', or add edges."
            )

    def _match(self, lowered: Plan, theta: NDArray[Any], state: NDArray[Any]) -> None:
        solve_matching(theta, state, lowered.lines, not self._any, lowered.bits)

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Any
    ) -> NDArray[Any]:
        return self._matched_by_networkx(graph, costs, largest=not self._any)

    def _how(self, snapshot: Snapshot | None) -> str:
        bits = (
            "" if snapshot is None else f", exact to 2^-{snapshot.lowered.bits} of each row's largest score"
        )
        return f"a compiled blossom algorithm in integers{bits}{self._exceptions}"

    def _how_reference(self) -> str:
        return "max_weight_matching, with exact integers"
