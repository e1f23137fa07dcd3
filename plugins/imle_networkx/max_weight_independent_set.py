"""The independent set of greatest weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from imle_networkx._node_sets import NodeSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot


class MaxWeightIndependentSet(NodeSets):
    r"""The nodes of greatest weight of which no two are adjacent, by exact search.

    .. math:: z^*(\theta) = \arg\max_{z \in Z} \langle z, \theta \rangle, \qquad
       Z = \{z \in \{0, 1\}^V : z_u + z_v \le 1 \text{ for each edge } uv\}

    Scores have shape ``(N, nodes)``, or ``(N, *shape)``, in the order of ``graph.nodes``; a state is 1 on the nodes of
    the set. A node with a score of 0 or less is never taken, so the set may be empty. A node with a loop is adjacent to
    itself and never taken either; parallel edges are as good as one.

    The answer is optimal, or an error: the problem is NP-hard, and a row that needs more than ``max_steps`` branches is
    refused. With positive scores, rows on random graphs mostly take up to 7 ms for 100 nodes (0.3 s at worst), 0.2 s
    for 125 and 1 s for 150; longest where a tenth of the pairs is adjacent, and 2 ms where half of them are. With
    scores of both signs, twice as many nodes are as easy. Trees, intervals and other chordal graphs need no branch at
    all.

    Args:
        graph: An undirected graph of NetworkX. Weights stored in it are not read. ``None`` if each row brings its own,
            see :class:`imle_networkx._solver.GraphSolver`.
        max_steps: Branches of the search at most for a row; a million take 2 to 10 seconds.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        shape: Shape of one row of scores, e.g. ``(12, 12)`` for a grid; by default ``(nodes,)``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"``.

    Attributes:
        entries: The nodes, in the order of ``graph.nodes``.

    Rows may have different graphs: an instance is a graph, or a mapping ``{"graph": G}``. ``decode`` returns the list
    of the nodes, ``encode`` takes any iterable of them.

    Raises:
        SolverParameterError: a parameter is not valid, or the graph is directed or has more than 8,192 nodes.
        SolverError: a row needs more than ``max_steps`` branches, with the row.

    References:
        Warren and Hicks (2006), Combinatorial branch-and-bound for the maximum weight independent set problem.
        Tavares et al. (2015), Um algoritmo de branch and bound para o problema da clique máxima ponderada.
        Frank (1975), Some polynomial algorithms for certain graphs and hypergraphs.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = MaxWeightIndependentSet(nx.path_graph("abcd"))
        >>> z = solver.solve(np.array([[1.0, 3.0, 1.0, 1.5], [2.0, 3.0, 2.0, -1.0]]))
        >>> z
        array([[0., 1., 0., 1.],
               [1., 0., 1., 0.]])
        >>> solver.decode(z)
        [['b', 'd'], ['a', 'c']]
    """

    @staticmethod
    def _excludes(adjacent: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return adjacent

    @staticmethod
    def _fault(first: Any, second: Any) -> str:
        if first == second:
            return f"node {first!r} has a loop, so it is adjacent to itself"
        return f"nodes {first!r} and {second!r} are adjacent"

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Any
    ) -> NDArray[Any]:
        allowed = ~snapshot.lowered.excludes.diagonal()
        return self._clique_by_networkx(nx.complement(graph), snapshot, np.where(allowed, costs, 0.0))

    def _how_reference(self) -> str:
        return "max_weight_clique of the complement"
