"""The matching of greatest weight in a bipartite graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from imle_networkx._bipartite import BipartiteMatchings, Plan, plan, top_of
from imle_networkx._kernels.sparse_lap import solve_sparse
from imle_networkx._matchings import Cardinality
from imle_networkx._solver import Method, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx
    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

Sense = Literal["max", "min"]


class BipartiteMatching(BipartiteMatchings):
    r"""The edges of greatest (or least) weight of a bipartite graph of which no two share a node.

    .. math:: z^*(\theta) = \arg\max_{z \in Z} \langle z, \theta \rangle, \qquad
       Z = \{z \in \{0, 1\}^E : \textstyle\sum_{e \ni v} z_e \le 1 \text{ for each node } v\}

    Scores have shape ``(N, edges)``, or ``(N, *shape)``, in the order of ``graph.edges``; a state is 1 on the edges of
    the matching. Of parallel edges, which are entries of their own, only the best can be in it.

    With ``cardinality="any"`` a matching may have any number of edges; one that does not improve the sum is never
    taken. ``"maximum"`` admits those with as many edges as a matching of the graph can have, ``"perfect"`` those
    that match every node. Of several best ones always the same is returned, for every batch and number of threads.

    Theta is rounded to multiples of 2^-52 of the row's largest magnitude, or of 2^-47 with 1,000 nodes on the smaller
    side, of 2^-40 at most; from there on the algorithm is exact. Entries that can be in no best matching, such as those
    that forbid an edge, do not count as the largest by more than 2^16 times what the matching costs above the row's
    best entries, or at all with ``"any"``. A row whose best entry by far is in no matching of the size asked for is
    solved by NetworkX, slowly and in exact integers.

    Args:
        graph: An undirected bipartite graph or multigraph of NetworkX, connected or not. Weights stored in it are not
            read. ``None`` if each row brings its own, see :class:`imle_networkx._solver.GraphSolver`.
        sense: ``"max"`` for scores, ``"min"`` for costs.
        cardinality: ``"any"``, ``"maximum"`` or ``"perfect"``.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        shape: Shape of one row of theta; by default ``(edges,)``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"``.

    Attributes:
        entries: Edges ``(u, v)`` or ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different graphs: an instance is a graph, or a mapping ``{"graph": G}``. ``decode`` returns the list
    of pairs ``(top, bottom)``, with the key behind in a multigraph: top nodes are those whose attribute ``bipartite``
    is 0, where all nodes have it; otherwise the first node of each connected part is one. ``encode`` takes any
    iterable of pairs, in either order.

    Raises:
        SolverParameterError: a parameter is not valid, the graph is directed or not bipartite, or has no perfect
            matching if one is asked for; the message then names nodes with too few neighbours.
        InvalidInstanceError: the same of an instance.

    References:
        Kuhn (1955), The Hungarian method for the assignment problem. Edmonds and Karp (1972), Theoretical improvements
        in algorithmic efficiency for network flow problems. Dulmage and Mendelsohn (1958), Coverings of bipartite
        graphs.

    Example:
        >>> import networkx as nx, numpy as np
        >>> shifts = nx.Graph([("Ada", "early"), ("Ada", "late"), ("Ben", "early")])
        >>> solver = BipartiteMatching(shifts)
        >>> solver.decode(solver.solve(np.array([[5.0, 1.0, 2.0], [1.0, 5.0, -2.0]])))
        [[('Ada', 'early')], [('Ada', 'late')]]
        >>> solver = BipartiteMatching(shifts, cardinality="maximum")
        >>> solver.decode(solver.solve(np.array([[5.0, 1.0, 2.0], [1.0, 5.0, -2.0]])))
        [[('Ada', 'late'), ('Ben', 'early')], [('Ada', 'late'), ('Ben', 'early')]]
    """

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        sense: Sense = "max",
        cardinality: Cardinality = "any",
        method: Method = "auto",
        shape: Sequence[int] | None = None,
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        one_of("sense", sense, get_args(Sense))
        one_of("cardinality", cardinality, get_args(Cardinality))
        self.sense, self.cardinality = sense, cardinality
        super().__init__(graph, method=method, threads=threads, backend=backend, shape=shape)

    @property
    def _any(self) -> bool:
        return self.cardinality == "any"

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Plan:
        return plan(snapshot, top_of(snapshot, graph, None, guess=True), self.cardinality)

    def _match(self, lowered: Plan, theta: NDArray[Any], state: NDArray[Any]) -> None:
        sign = 1 if self.sense == "min" else -1
        solve_sparse(theta, state, lowered.pairs, lowered.tasks, sign, self._any, lowered.bits)

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Any
    ) -> NDArray[Any]:
        scores = costs if self.sense == "max" else -costs
        return self._matched_by_networkx(graph, scores, largest=not self._any)

    def _how(self, snapshot: Snapshot | None) -> str:
        bits = (
            "" if snapshot is None else f", exact to 2^-{snapshot.lowered.bits} of each row's largest theta"
        )
        return f"compiled shortest augmenting paths along the edges, in integers{bits}{self._exceptions}"

    def _how_reference(self) -> str:
        return "max_weight_matching, with exact integers"
