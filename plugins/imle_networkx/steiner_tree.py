"""Steiner trees: the cheapest connection of some nodes, approximately."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import networkx as nx
import numpy as np

from imle_core.errors import MissingCapabilityError
from imle_networkx._by_networkx import ByNetworkX, collected, components_of, connected_part, translated
from imle_networkx._returns import read_state
from imle_networkx._solver import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

Approximation = Literal["mehlhorn", "kou"]
Negative = Literal["error", "clip"]

MAX_EDGES = 16
"""Edges at most of a graph whose trees are listed."""


class SteinerTree(ByNetworkX):
    r"""A cheap tree that connects some nodes, the terminals, by NetworkX's approximations.

    .. math:: z^*(c) \approx \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \{\text{incidence vectors of trees that contain all terminals}\}

    Costs have shape ``(N, edges)``, or ``(N, *shape)``. The tree costs at most :math:`2 - 2 / t` times the least for t
    terminals, and is **not** in general optimal: the solver is declared inexact. Its leaves are terminals. An
    undirected edge is one entry, of parallel ones the cheapest is used, self-loops never are. One terminal alone is
    connected without any edge.

    Args:
        graph: An undirected graph of NetworkX; weights stored in it are not read. ``None`` if each row brings its own,
            see :class:`imle_networkx._solver.GraphSolver`.
        terminals: The nodes to connect, one or more; ``None`` if the instance of each row gives them.
        approximation: ``"mehlhorn"``, or ``"kou"``, which is slower and at times the better one.
        negative: ``"error"`` or ``"clip"``, see :class:`imle_core.Solver`: the approximations rest on shortest paths.
        backend: Backend of NetworkX's dispatch; by default ``networkx.config`` decides.
        shape: Shape of one row of costs; by default ``(edges,)``.

    Attributes:
        entries: Edges ``(u, v)`` or ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different terminals and graphs: an instance is a mapping ``{"terminals": (u, v, w), "graph": G}``, in
    which may be left out what the constructor gave. ``decode`` returns a list of edges, ``encode`` takes one.

    Raises:
        SolverParameterError: a parameter is not valid.
        InvalidInstanceError: an instance is not valid, or there are no terminals.
        InfeasibleError: two terminals are not connected, with the row.

    References:
        Mehlhorn (1988), A faster approximation algorithm for the Steiner problem in graphs.
        Kou, Markowsky and Berman (1981), A fast algorithm for Steiner trees.

    Example:
        >>> import networkx as nx, numpy as np
        >>> solver = SteinerTree(nx.star_graph(3), terminals=(1, 2))
        >>> z = solver.solve(np.array([[1.0, 1.0, 1.0]]))
        >>> z
        array([[1., 1., 0.]])
        >>> solver.decode(z)
        [[(0, 1), (0, 2)]]
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    output = "binary"
    keys = ("terminals",)
    directed = False

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        terminals: Iterable[Any] | None = None,
        approximation: Approximation = "mehlhorn",
        negative: Negative = "error",
        backend: str | None = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        one_of("approximation", approximation, get_args(Approximation))
        one_of("negative", negative, get_args(Negative))
        self.approximation, self.negative = approximation, negative
        super().__init__(
            graph, method="networkx", backend=backend, shape=shape, given={"terminals": collected(terminals)}
        )
        self._check_given()

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> NDArray[np.int64]:
        return components_of(graph)

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> list[int]:
        return self._numbers(snapshot, "terminals", given["terminals"])

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: list[int]
    ) -> NDArray[np.float64]:
        if len(task) == 1:
            return np.zeros(len(costs))
        part = connected_part(graph, snapshot, task)
        values = costs.tolist()
        with translated("steiner_tree"):
            tree = nx.approximation.steiner_tree(
                part,
                [snapshot.nodes[node] for node in task],
                weight="weight",  # by another name, Kou's algorithm does not find it
                method=self.approximation,
                **self._dispatch,
            )
            return read_state(tree, "graph", snapshot, functools.partial(min, key=values.__getitem__))

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: list[int]) -> list[Any]:
        if not self._feasible(snapshot, z[None], [task])[0]:
            names = ", ".join(repr(snapshot.nodes[node]) for node in task)
            raise self._no_structure(f"the state is not a tree that contains {names}")
        return [snapshot.edges[column] for column in np.flatnonzero(z)]

    def _encode(self, snapshot: Snapshot, structure: Iterable[Any]) -> NDArray[np.float64]:
        if isinstance(structure, nx.Graph):
            structure = structure.edges(keys=True) if structure.is_multigraph() else structure.edges
        state = self._state_of_edges(snapshot, structure)
        if not _is_tree(snapshot.ends[state != 0], []):
            raise self._no_structure("the edges are not a tree")
        return state

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Any]) -> NDArray[np.bool_]:
        trees = [_is_tree(snapshot.ends[row != 0], task) for row, task in zip(z, tasks, strict=True)]
        return np.isin(z, (0, 1)).all(axis=1) & np.array(trees, np.bool_)

    def _support(self, snapshot: Snapshot, task: list[int]) -> NDArray[np.float64]:
        edges = len(snapshot.edges)
        if edges > MAX_EDGES:
            raise MissingCapabilityError(
                f"trees are listed for {MAX_EDGES} edges at most; there are {edges}."
            )
        states = (np.arange(2**edges)[:, None] >> np.arange(edges) & 1).astype(np.float64)
        return states[self._feasible(snapshot, states, [task] * len(states))]

    def _how_reference(self) -> str:
        return f"approximation.steiner_tree ({self.approximation})"


def _is_tree(ends: NDArray[np.int64], terminals: Sequence[int]) -> bool:
    """Return whether edges, given by their ends, are one tree that contains the terminals; without edges, one node."""
    tree: nx.MultiGraph[int] = nx.MultiGraph()
    tree.add_nodes_from(terminals)
    tree.add_edges_from(ends.tolist())
    return not tree or nx.is_tree(tree)
