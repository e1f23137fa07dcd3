"""The best spanning arborescence of a directed graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import networkx as nx
import numpy as np

from imle_core.errors import InfeasibleError, SolverParameterError
from imle_core.integers import exact_integers
from imle_core.parallel import cpus
from imle_networkx._forests import Forests
from imle_networkx._kernels.arborescences import InArcs, in_arcs, solve_arborescences, unreached
from imle_networkx._solver import one_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot
    from imle_networkx._solver import Method

Sense = Literal["min", "max"]


class SpanningArborescence(Forests):
    r"""The spanning arborescence of least cost, or of greatest score, of a directed graph.

    .. math:: z^*(\theta) = \arg\min_{z \in Z} \langle z, \theta \rangle
       \quad (\text{or } \arg\max), \qquad Z = \{\text{indicators of the edges of spanning arborescences}\}

    An arborescence has exactly one way from its root to each node: n - 1 edges of which no two have the same head.
    Theta has shape ``(N, edges)`` and may be negative; a state is 1 on the edges of the arborescence. Of parallel edges
    the best is used, self-loops never are. Of equally good arborescences it returns the same one for every batch and
    number of threads.

    By Edmonds' algorithm, exact but for rounding: costs are subtracted from each other in double precision. Where the
    root is free it is chosen last, by comparison, and not by an edge of very large cost.

    Args:
        graph: A directed graph or multigraph of NetworkX. Weights stored in it are not read, and later changes
            have no effect. ``None`` if each row brings its own, see :class:`imle_networkx._solver.GraphSolver`.
        root: The node that all edges lead away from; ``None`` takes the best one, unless the instance of a row names
            one.
        sense: ``"min"`` if theta are costs, ``"max"`` if they are scores.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``. The reference is
            ``networkx.maximum_branching`` on weights so large that a branching gains from every edge:
            ``networkx.minimum_spanning_arborescence`` (3.6) adds less, and says of some graphs that there is none.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"``.

    Attributes:
        entries: The edges ``(u, v)`` or ``(u, v, key)``, in the order of ``graph.edges``.

    Rows may have different roots and graphs: an instance is a mapping ``{"graph": G, "root": r}``, in which either may
    be left out, or a graph. ``decode`` returns the list of the edges, as ``entries`` has them; ``encode`` takes edges
    in any order, or the arborescence as a graph, of any root. ``enumerate_support`` lists the arborescences of graphs
    that have at most 300,000 forests.

    Raises:
        SolverParameterError: a parameter is not valid, or the graph is undirected or has no spanning arborescence.
        InvalidInstanceError: the same of an instance.
        InfeasibleError: not all nodes can be reached from the root of a row, with the row.

    References:
        Chu and Liu (1965), On the shortest arborescence of a directed graph. Edmonds (1967), Optimum branchings.
        Tarjan (1977), Finding optimum branchings.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = SpanningArborescence(nx.DiGraph(["ab", "ba", "bc", "ca"]))
        >>> solver.entries
        [('a', 'b'), ('b', 'a'), ('b', 'c'), ('c', 'a')]
        >>> costs = np.array([[4.0, 1.0, 2.0, 3.0]])
        >>> solver.decode(solver.solve(costs))
        [[('b', 'a'), ('b', 'c')]]
        >>> solver.decode(solver.solve(costs, instances=[{"root": "c"}]))
        [[('a', 'b'), ('c', 'a')]]
    """

    keys = ("root",)
    directed = True
    structure = "a spanning arborescence"
    entered_once = True

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        root: Hashable | None = None,
        sense: Sense = "min",
        method: Method = "auto",
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        one_of("sense", sense, get_args(Sense))
        self.sense = sense
        super().__init__(graph, method=method, threads=threads, backend=backend, given={"root": root})
        self._require_in_graph("root")

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> InArcs:
        nodes = snapshot.nodes
        arcs = in_arcs(snapshot.ends, len(nodes))
        if not arcs.candidates:
            first = unreached(snapshot.ends, len(nodes), arcs.likeliest)[0]
            raise SolverParameterError(
                f"the {snapshot} has no spanning arborescence, because no node reaches all others: none reaches both "
                f"{nodes[arcs.likeliest]!r} and {nodes[first]!r}."
            )
        return arcs

    def _size(self, snapshot: Snapshot) -> int:
        return len(snapshot.nodes) - 1

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> int:
        return -1 if given["root"] is None else self._node(snapshot, "root", given["root"])

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[int]) -> NDArray[Any]:
        roots, arcs = np.array(tasks, np.int64), snapshot.lowered
        for row in np.flatnonzero((roots >= 0) & ~arcs.may_be_root[roots])[:1].tolist():
            raise self._no_way(snapshot, tasks[row], row)
        sign = 1.0 if self.sense == "min" else -1.0
        return solve_arborescences(theta, sign, roots, arcs, threads=self.threads or cpus())

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: int
    ) -> NDArray[Any]:
        if task >= 0 and not snapshot.lowered.may_be_root[task]:
            raise self._no_way(snapshot, task)
        gains = exact_integers((-costs if self.sense == "min" else costs).tolist())
        # Any branching of k edges then weighs less than any of k + 1. In integers, because the sums would lose digits.
        enough = (2 * len(snapshot.nodes) + 1) * max(map(abs, gains), default=0) or 1
        graph = graph.copy()
        for column, (*_, attributes) in enumerate(graph.edges(data=True)):
            attributes["weight"] = gains[column] + enough
        if task >= 0:
            graph.remove_edges_from(list(graph.in_edges(snapshot.nodes[task])))
        branching = nx.maximum_branching(graph, attr="weight", preserve_attrs=True, **self._dispatch)
        state = np.zeros_like(costs)
        state[[column for *_, column in branching.edges(data="column")]] = 1
        return state

    def _no_way(self, snapshot: Snapshot, root: int, row: int | None = None) -> InfeasibleError:
        first = unreached(snapshot.ends, len(snapshot.nodes), root)[0]
        return InfeasibleError(
            f"no way leads from the root {snapshot.nodes[root]!r} to {snapshot.nodes[first]!r}: check the direction of "
            "the edges, or give another root.",
            row=row,
        )

    def _how(self, snapshot: Snapshot | None) -> str:
        if snapshot is None:
            return "a compiled Edmonds, on a table or with heaps as each graph is dense or sparse"
        if snapshot.lowered.sparse:
            return "a compiled Edmonds with heaps, because the graph is sparse"
        return "a compiled Edmonds on a table of all pairs of nodes, because the graph is small or dense"

    def _how_reference(self) -> str:
        return "maximum_branching"
