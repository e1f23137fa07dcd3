"""The assignment of least cost between two sides."""

from __future__ import annotations

import itertools
import operator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import networkx as nx
import numpy as np

from imle_core.errors import MissingDependencyError, SolverParameterError
from imle_networkx._bipartite import BipartiteMatchings, Plan, plan, top_of
from imle_networkx._kernels.lap import solve_dense, width
from imle_networkx._kernels.sparse_lap import solve_sparse
from imle_networkx._matchings import best_of_parallel, listed, require_precision
from imle_networkx._snapshot import Snapshot
from imle_networkx._solver import Method, one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Sense = Literal["max", "min"]


class Full(NamedTuple):
    """A matrix for the kernel; its attributes are those of a :class:`imle_networkx._bipartite.Plan`."""

    rows: int
    columns: int
    bits: int
    size: int | None
    top: NDArray[np.bool_]


class Matrix(Snapshot):
    """The complete bipartite graph of a matrix: its nodes are numbers, its edges are named ``(row, column)``."""

    def column(self, edge: Iterable[Any]) -> int:
        """Return the place of an entry ``(row, column)`` in a row of theta."""
        row, column = map(operator.index, edge)
        if not (0 <= row < self.lowered.rows and 0 <= column < self.lowered.columns):
            raise KeyError(edge)
        return row * self.lowered.columns + column

    def build(self, attribute: str = "weight") -> tuple[nx.Graph[Any], list[dict[str, Any]]]:
        """Return a new graph of NetworkX, whose columns are numbered on from the rows, and the attributes of edges."""
        graph: nx.Graph[Any] = nx.Graph()
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from(
            (u, v, {"column": i, attribute: 0.0}) for i, (u, v) in enumerate(self.ends.tolist())
        )
        return graph, [data for _, _, data in graph.edges(data=True)]

    def __str__(self) -> str:
        return f"matrix of {self.lowered.rows:,} rows and {self.lowered.columns:,} columns"


class Assignment(BipartiteMatchings):
    r"""The pairs of least cost that give each member of the smaller side a different member of the other.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad Z = \{z \in \{0, 1\}^E :
       \textstyle\sum_{e \ni v} z_e \le 1 \text{ for each node } v, \ \sum_e z_e = \text{size of the smaller side}\}

    With ``shape=(n, m)`` any row goes with any column: costs have shape ``(N, n, m)``, and so have the states. With a
    bipartite ``graph`` only its edges are pairs: costs have shape ``(N, edges)``, in the order of ``graph.edges``.
    Costs may be negative. Of parallel edges the cheapest is used. Of several best assignments always the same is
    returned, for every batch and number of threads.

    With ``partial=True`` any set of pairs is allowed that has no member twice, so that only pairs that lower the
    cost are taken (or, with ``sense="max"``, that raise the score); never one of 0.

    Costs are rounded to multiples of 2^-52 of the row's largest magnitude, or of 2^-47 with 1,000 members on the
    smaller side, of 2^-40 at most; from there on the algorithm is exact. Costs that can be in no best assignment, such
    as those that forbid a pair, do not count as the largest by more than 2^16 times what the assignment costs above the
    row's least costs, or at all with ``partial=True``. A row whose best entry by far is in no full assignment is solved
    by NetworkX, slowly and in exact integers.

    Args:
        graph: An undirected bipartite graph or multigraph of NetworkX. Weights stored in it are not read. ``None``
            with ``shape``, or if each row brings its own, see :class:`imle_networkx._solver.GraphSolver`.
        shape: Rows and columns of a matrix, instead of a graph.
        sense: ``"min"`` for costs, ``"max"`` for scores.
        partial: Whether members of the smaller side may go without a partner.
        top: The nodes of one side, as NetworkX's ``top_nodes``; of a row's own graph, those that are in it. ``None``:
            those whose attribute ``bipartite`` is 0, where all nodes have it; otherwise the side of the first node,
            which is an error for a graph that is not connected.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"``.

    Attributes:
        entries: Pairs ``(row, column)``, or edges ``(u, v)`` or ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different graphs: an instance is a graph, or a mapping ``{"graph": G}``. ``decode`` returns the list
    of pairs ``(row, column)`` or ``(top, bottom)``, with the key behind in a multigraph; ``encode`` takes any iterable
    of pairs, those of a graph in either order.

    Raises:
        SolverParameterError: a parameter is not valid, the graph is directed or not bipartite, or has no assignment of
            the whole smaller side; the message then names nodes with too few neighbours.
        InvalidInstanceError: the same of an instance.

    References:
        Kuhn (1955), The Hungarian method for the assignment problem. Jonker and Volgenant (1987), A shortest augmenting
        path algorithm for dense and sparse linear assignment problems. Hall (1935), On representatives of subsets.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = Assignment(shape=(2, 3))
        >>> z = solver.solve(np.array([[[4.0, 1.0, 3.0], [2.0, 0.0, 5.0]]]))
        >>> z
        array([[[0., 1., 0.],
                [1., 0., 0.]]])
        >>> solver.decode(z)
        [[(0, 1), (1, 0)]]
        >>> jobs = nx.Graph([("Ada", "cook"), ("Ada", "wash"), ("Ben", "cook")])
        >>> solver = Assignment(jobs, top=["Ada", "Ben"])
        >>> solver.decode(solver.solve(np.array([[1.0, 9.0, 9.0]])))
        [[('Ada', 'wash'), ('Ben', 'cook')]]
    """

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        shape: Sequence[int] | None = None,
        sense: Sense = "min",
        partial: bool = False,
        top: Iterable[Any] | None = None,
        method: Method = "auto",
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        one_of("sense", sense, get_args(Sense))
        self.sense, self.partial = sense, partial
        self._top = _nodes(top)
        if shape is not None and (graph is not None or top is not None):
            raise SolverParameterError("shape= is the whole problem; leave out graph= and top=.")
        missing = self._top - set(graph) if self._top is not None and isinstance(graph, nx.Graph) else ()
        if missing:
            names = listed(sorted(missing, key=repr))
            raise SolverParameterError(f"top has nodes that are not in the graph: {names}.")
        super().__init__(graph, method=method, threads=threads, backend=backend)
        if shape is not None:
            self._snapshot = self._matrix(shape)
            self.entries = self._snapshot.entries
            self.event_shape = self._snapshot.lowered[:2]

    def _matrix(self, shape: Sequence[int]) -> Matrix:
        try:
            rows, columns = map(operator.index, shape)
        except (TypeError, ValueError):
            rows = columns = 0
        if rows < 1 or columns < 1:
            raise SolverParameterError(
                f"shape must be two positive integers, rows and columns; got {shape!r}."
            )
        number = np.arange(rows * columns)
        size = min(rows, columns)
        matrix = Matrix(
            nodes=list(range(rows + columns)),
            edges=list(itertools.product(range(rows), range(columns))),
            ends=np.stack([number // columns, rows + number % columns], axis=1),
            kind=nx.Graph,
            weight="edge",
            lowered=Full(
                rows, columns, width(size), None if self.partial else size, np.arange(rows + columns) < rows
            ),
        )
        require_precision(matrix.lowered.bits, matrix)
        return matrix

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Plan:
        top = top_of(snapshot, graph, self._top, guess=False)
        return plan(snapshot, top, "any" if self.partial else "full")

    @property
    def _any(self) -> bool:
        return self.partial

    def _match(self, lowered: Plan | Full, theta: NDArray[Any], state: NDArray[Any]) -> None:
        sign = 1 if self.sense == "min" else -1
        if isinstance(lowered, Full):
            solve_dense(theta, state, lowered.rows, lowered.columns, sign, self.partial, lowered.bits)
        else:
            solve_sparse(theta, state, lowered.pairs, lowered.tasks, sign, self.partial, lowered.bits)

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Any
    ) -> NDArray[Any]:
        scores = costs if self.sense == "max" else -costs
        if self.partial:
            return self._matched_by_networkx(graph, scores, largest=False)
        best = best_of_parallel(graph, scores.tolist())
        for _, _, data in best.edges(data=True):
            data["weight"] = -data["weight"]
        top = [snapshot.nodes[node] for node in np.flatnonzero(snapshot.lowered.top)]
        try:
            partner = nx.bipartite.minimum_weight_full_matching(best, top, weight="weight", **self._dispatch)
        except ImportError as error:
            raise MissingDependencyError(
                "NetworkX needs SciPy for a full matching: pip install 'imle-core[scipy]', or take method='compiled'."
            ) from error
        state = np.zeros(len(costs))
        state[[best[node][partner[node]]["column"] for node in top if node in partner]] = 1
        return state

    def _how(self, snapshot: Snapshot | None) -> str:
        if snapshot is None:
            return f"compiled shortest augmenting paths along the edges, in integers{self._exceptions}"
        way = (
            "on the full matrix, whose rows are searched as vectors,"
            if isinstance(snapshot, Matrix)
            else "along the edges, with a heap,"
        )
        bits = snapshot.lowered.bits
        return (
            f"compiled shortest augmenting paths {way} in integers, exact to 2^-{bits} of each row's largest "
            f"theta{self._exceptions}"
        )

    def _how_reference(self) -> str:
        return (
            "max_weight_matching, with exact integers"
            if self.partial
            else "bipartite.minimum_weight_full_matching"
        )


def _nodes(top: Iterable[Any] | None) -> frozenset[Any] | None:
    if top is None:
        return None
    try:
        if not isinstance(top, (str, bytes)):
            return frozenset(top)
    except TypeError:
        pass
    raise SolverParameterError(f"top must be a collection of nodes; got {top!r}.")
