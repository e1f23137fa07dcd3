"""The shortest path between two nodes of a graph."""

from __future__ import annotations

import functools
import math
import operator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, get_args

import networkx as nx
import numpy as np

from imle_core import Solver
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
    closest,
)
from imle_networkx._kernels.arcs import Weight, lower
from imle_networkx._kernels.lanes import NO_PATH, SOLVED, UNSETTLED
from imle_networkx._kernels.paths import FEW_ROWS, outgrows_cache, solve_batch
from imle_networkx._kernels.pull import LANES
from imle_networkx._kernels.simple_paths import simple_paths
from imle_networkx._kernels.threads import cpus
from imle_networkx._kernels.walk import path_of
from imle_networkx._reference import Reference, no_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Negative = Literal["error", "clip", "allow"]
Method = Literal["auto", "compiled", "networkx"]


class Ends(NamedTuple):
    """A prepared instance: the numbers of the first and the last node."""

    source: int
    target: int


class ShortestPath(Solver):
    r"""The shortest path from a source to a target, for costs on edges or on nodes.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \{\text{incidence vectors of simple paths from source to target}\}

    Costs have shape ``(N, entries)``, or ``(N, *shape)``; a state is 1 on the entries of the path. With
    ``weight="node"`` a path costs the sum over all its nodes, both ends included, as in the Warcraft benchmark of
    Vlastelica et al. If source and target are one node, the path is that node without any edge. Of several
    shortest paths one with the fewest edges is returned, the same one for every batch and number of threads.

    The graph is read once; changing it afterwards has no effect. An undirected edge is one entry and can
    be used both ways, parallel edges are separate entries of which the cheapest is used, self-loops never are.

    Args:
        graph: Any of NetworkX's four classes of graph. Weights stored in it are not read.
        source: First node; ``None`` if the instance of each row gives it.
        target: Last node; ``None`` if the instance of each row gives it.
        weight: Whether ``"edge"`` or ``"node"`` entries carry the costs.
        negative: ``"error"``, ``"clip"`` or ``"allow"``, see :class:`imle_core.Solver`. With ``"allow"`` a
            negative cycle is an error if it can be reached from the source and the target from it, because no walk
            is then the shortest; an undirected negative edge is such a cycle. Cycles elsewhere do no harm.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        shape: Shape of one row of costs, e.g. ``(12, 12)`` for a grid; by default ``(entries,)``.
        threads: Threads at most; by default the CPUs that this process may use.

    Attributes:
        entries: What each cost belongs to: nodes in the order of ``graph.nodes``, or edges ``(u, v)`` or
            ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different ends: an instance is a mapping ``{"source": u, "target": v}``, in which either may be
    left out if the constructor gave it.

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
    output = "binary"
    scale_invariant = True

    def __init__(
        self,
        graph: nx.Graph[Any],
        *,
        source: Any = None,
        target: Any = None,
        weight: Weight = "edge",
        negative: Negative = "error",
        method: Method = "auto",
        shape: Sequence[int] | None = None,
        threads: int | None = None,
    ) -> None:
        _one_of("weight", weight, get_args(Weight))
        _one_of("negative", negative, get_args(Negative))
        _one_of("method", method, get_args(Method))
        if not isinstance(graph, nx.Graph) or not len(graph):
            raise SolverParameterError(f"graph must be a NetworkX graph with nodes; got {graph!s}.")
        if threads is not None and threads < 1:
            raise SolverParameterError(f"threads must be at least 1; got {threads}.")
        for end, node in (("source", source), ("target", target)):
            if node is not None and node not in graph:
                raise SolverParameterError(f"{end} {node!r} is not in the graph.")
        self._arcs, self._nodes, self.entries = lower(graph, weight, source)
        self._number = {node: i for i, node in enumerate(self._nodes)}
        self._ends = {"source": source, "target": target}
        self.negative, self.weight, self.method, self.threads = negative, weight, method, threads
        self._directed = graph.is_directed()
        self._shape = (len(self.entries),) if shape is None else tuple(map(operator.index, shape))
        self.event_shape = self._shape
        if math.prod(self._shape) != len(self.entries) or min(self._shape, default=0) < 0:
            raise SolverParameterError(
                f"shape {self._shape} does not hold the {len(self.entries)} {weight}s of the graph."
            )

    def solve(self, theta: NDArray[Any], instances: Sequence[Any] | None = None) -> NDArray[Any]:  # type: ignore[override]
        """Return the shortest path of each row of costs, see :meth:`imle_core.Solver.solve`."""
        costs = np.ascontiguousarray(theta).reshape(len(theta), len(self.entries))
        sources, targets = self._ends_of(len(costs), instances)
        exact = self.negative == "allow"
        if self.method == "networkx":
            state, status = np.zeros_like(costs), np.full(len(costs), UNSETTLED)
        else:
            threads = self.threads or cpus()
            state, status = solve_batch(
                costs, sources, targets, self._arcs, nonnegative=not exact, threads=threads
            )
        for row in np.flatnonzero(status != SOLVED).tolist():
            source, target = int(sources[row]), int(targets[row])
            if status[row] == NO_PATH:
                raise no_path(self._nodes[source], self._nodes[target], row)
            columns = self._reference.columns(costs[row], source, target, exact=exact, row=row)
            state[row, columns] = 1
        return state.reshape(theta.shape)

    def prepare(self, instance: Any) -> Ends:
        """Look up the ends that an instance ``{"source": u, "target": v}`` names.

        Raises:
            InvalidInstanceError: it is no mapping, has another key, lacks an end, or names no node of the graph.
        """
        try:
            given = {**self._ends, **instance}
        except TypeError:
            raise InvalidInstanceError(
                f"{self.name}: an instance is a mapping {{'source': u, 'target': v}}; got {instance!r}."
            ) from None
        for key in given.keys() - self._ends.keys():
            raise InvalidInstanceError(
                f"{self.name}: unknown key {key!r} in an instance.{closest(str(key), self._ends)} "
                "Keys: source, target."
            )
        return Ends(*(self._number_of(end, given[end]) for end in ("source", "target")))

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> list[Any]:  # type: ignore[override]
        """Return the path of a state as the list of its nodes, from source to target.

        Raises:
            InvalidSolutionError: the state is not the incidence of a simple path between these ends.
        """
        ends = self.prepare({} if instance is None else instance)
        path = path_of(z.reshape(-1) != 0, *ends, self._arcs) if np.isin(z, (0, 1)).all() else None
        if path is None:
            source, target = (self._nodes[end] for end in ends)
            raise self._no_structure(f"the state is not one simple path from {source!r} to {target!r}")
        return [self._nodes[node] for node in path]

    def encode(self, structure: Sequence[Any]) -> NDArray[np.float64]:
        """Return the state of a path, given as the list of its nodes; of parallel edges it takes the first.

        Raises:
            InvalidSolutionError: the nodes are not a simple path of the graph.
        """
        path = [self._number_of("node", node) for node in structure]
        if not path or len(set(path)) < len(path):
            raise self._no_structure(f"{list(structure)!r} is empty or visits a node twice")
        arcs, state = self._arcs, np.zeros(len(self.entries))
        if self.weight == "node":
            state[arcs.node_column[path]] = 1
        for tail, head in pairwise(path):
            begin, end = arcs.out_ptr[tail : tail + 2]
            matches = np.flatnonzero(arcs.out_head[begin:end] == head)
            if not len(matches):
                raise self._no_structure(f"no edge leads from {self._nodes[tail]!r} to {self._nodes[head]!r}")
            state[arcs.out_column[begin + matches[0]]] = 1
        return state.reshape(self._shape)

    def is_feasible(self, z: Any, *, instances: Sequence[Any] | None = None) -> NDArray[np.bool_]:
        """Return for each row whether it is the incidence of exactly one simple path between its ends.

        For nodes this is linear in the edges, except for nodes with chords: among those the search for a path through
        all of them may take exponential time.

        Args:
            z: States, shape ``(N, *shape)``.
            instances: Prepared ends, one for each row.

        Raises:
            InvalidInstanceError: an instance is not what :meth:`prepare` returns.
            InvalidThetaError: the rows do not have the shape of the solver's.
        """
        states = np.asarray(z)
        # Compiled code checks no bounds.
        if not states.ndim or math.prod(states.shape[1:]) != len(self.entries):
            wanted = ", ".join(map(str, ("N", *self._shape)))
            raise InvalidThetaError(f"{self.name}: states must have shape ({wanted}); got {states.shape}.")
        states = states.reshape(len(states), len(self.entries))
        ends = self._ends_of(len(states), instances).T.tolist()
        binary = np.isin(states, (0, 1)).all(axis=1)
        found = [
            path_of(row, source, target, self._arcs) is not None
            for row, (source, target) in zip(states != 0, ends, strict=True)
        ]
        return binary & np.array(found, np.bool_)

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return the states of all simple paths between the ends, shape ``(K, *shape)``, in a small graph.

        Raises:
            MissingCapabilityError: there are too many to be listed.
        """
        ends = self.prepare({} if instance is None else instance)
        try:
            states = simple_paths(*ends, self._arcs, len(self.entries))
        except MissingCapabilityError as error:
            raise MissingCapabilityError(f"{self.name}: {error}") from None
        return states.reshape(len(states), *self._shape)

    def explain(self) -> str:
        """Return which algorithm runs and why, and what happens to negative costs."""
        size = f"{len(self._nodes):,} nodes, {len(self._arcs.in_tail):,} arcs"
        policy = {
            "error": "Negative costs are refused in theta; points that noise or a gradient moved are clipped at 0.",
            "clip": "Negative costs are clipped at 0.",
            "allow": "Negative costs are allowed; a negative cycle on the way is an error.",
        }[self.negative]
        if self.method == "networkx":
            algorithm = "Bellman-Ford, in exact arithmetic" if self.negative == "allow" else "Dijkstra"
            how = f"NetworkX's {algorithm}, row by row, as method='networkx' asks"
        elif self.negative == "allow":
            how = f"a compiled Bellman-Ford, {LANES} rows at once, because costs may be negative"
        elif outgrows_cache(self._arcs):
            how = f"a compiled Dijkstra, row by row, because {LANES} rows at once outgrow the cache"
        else:
            how = f"a compiled Bellman-Ford, {LANES} rows at once (Dijkstra for up to {FEW_ROWS} rows)"
        threads = "" if self.method == "networkx" else f", up to {self.threads or cpus()} threads"
        return f"{self.name}: {how}; {size}{threads}. {policy}"

    @functools.cached_property
    def _reference(self) -> Reference:
        return Reference(self._arcs, self._nodes, directed=self._directed)

    def _ends_of(self, rows: int, instances: Sequence[Any] | None) -> NDArray[np.int64]:
        """Return the numbers of the first and the last node of each row, shape ``(2, rows)``."""
        if instances is None:
            return np.array(self.prepare({}), np.int64)[:, None].repeat(rows, axis=1)
        if raw := [instance for instance in instances if not isinstance(instance, Ends)]:
            raise InvalidInstanceError(
                f"{self.name}: takes instances as `prepare` returns them, one for each row; got {raw[0]!r}."
            )
        return np.array(instances, np.int64).reshape(-1, 2).T.copy()

    def _number_of(self, end: str, node: Any) -> int:
        if node is None:
            raise InvalidInstanceError(
                f"{self.name}: no {end}: give it to the constructor, or to each row as instances=[{{{end!r}: ...}}]."
            )
        try:
            return self._number[node]
        except (KeyError, TypeError):
            raise InvalidInstanceError(f"{self.name}: {end} {node!r} is not in the graph.") from None

    def _no_structure(self, fault: str) -> InvalidSolutionError:
        error = InvalidSolutionError(f"{fault}.")
        error.solver = self.name
        return error


def _one_of(parameter: str, value: str, valid: Sequence[str]) -> None:
    if value not in valid:
        raise SolverParameterError(
            f"{parameter} must be one of {', '.join(map(repr, valid))}; got {value!r}.{closest(str(value), valid)}"
        )
