"""The clique of greatest weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_networkx._node_sets import NodeSets

if TYPE_CHECKING:
    import networkx as nx
    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot


class MaxWeightClique(NodeSets):
    r"""The nodes of greatest weight of which any two are adjacent, by exact search.

    .. math:: z^*(\theta) = \arg\max_{z \in Z} \langle z, \theta \rangle, \qquad
       Z = \{z \in \{0, 1\}^V : z_u + z_v \le 1 \text{ for each two nodes } u \ne v \text{ without an edge}\}

    Scores have shape ``(N, nodes)``, or ``(N, *shape)``, in the order of ``graph.nodes``; a state is 1 on the nodes of
    the clique. A node with a score of 0 or less is never taken, so the clique may be empty. Loops do not matter, and
    parallel edges are as good as one.

    This is :class:`~imle_networkx.max_weight_independent_set.MaxWeightIndependentSet` on the complement of the graph,
    and is solved as such: exactly, or a row that needs more than ``max_steps`` branches is refused. Sparse graphs of
    some thousand nodes are easy; dense ones, nine of ten pairs adjacent, of more than 150 nodes with positive scores
    are not.

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
        Tavares et al. (2015), Um algoritmo de branch and bound para o problema da clique máxima ponderada.
        Warren and Hicks (2006), Combinatorial branch-and-bound for the maximum weight independent set problem.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = MaxWeightClique(nx.Graph(["ab", "bc", "ac", "cd"]))
        >>> z = solver.solve(np.array([[1.0, 1.0, 1.0, 1.5], [1.0, -1.0, 1.0, 2.5]]))
        >>> z
        array([[1., 1., 1., 0.],
               [0., 0., 1., 1.]])
        >>> solver.decode(z)
        [['a', 'b', 'c'], ['c', 'd']]
    """

    @staticmethod
    def _excludes(adjacent: NDArray[np.bool_]) -> NDArray[np.bool_]:
        excludes = ~adjacent
        np.fill_diagonal(excludes, False)
        return excludes

    @staticmethod
    def _fault(first: Any, second: Any) -> str:
        return f"nodes {first!r} and {second!r} are not adjacent"

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Any
    ) -> NDArray[Any]:
        return self._clique_by_networkx(graph, snapshot, costs)

    def _how_reference(self) -> str:
        return "max_weight_clique"
