"""The longest or shortest path of a directed acyclic graph."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import networkx as nx
import numpy as np

from imle_core.errors import SolverParameterError
from imle_core.parallel import cpus
from imle_networkx._kernels.arcs import Arcs, lower, topological
from imle_networkx._kernels.lanes import NO_PATH
from imle_networkx._kernels.paths import solve_batch
from imle_networkx._kernels.pull import LANES
from imle_networkx._kernels.simple_paths import simple_paths
from imle_networkx._path_solver import PathSolver
from imle_networkx._reference import no_path, path_by_networkx
from imle_networkx._solver import Method, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot, Weight

Sense = Literal["max", "min"]


class Ends(NamedTuple):
    """What one row asks: the numbers of the first and the last node; that of the gate where any node may be it."""

    source: int
    target: int


class Lowered(NamedTuple):
    """A graph for the kernels, with two gates beside its nodes: before every node, and behind every node.

    The edges of the gates all have the column behind those of the graph's edges; where nodes carry theta, the gates
    themselves have two columns behind those of the nodes.
    """

    arcs: Arcs
    number: NDArray[np.int64]
    entry: int
    exit: int


class DagPath(PathSolver):
    r"""The longest or shortest path of a directed acyclic graph, for scores or costs of any sign.

    .. math:: z^*(\theta) = \arg\max_{z \in Z} \langle z, \theta \rangle \ (\text{or } \arg\min), \qquad
       Z = \{\text{indicators of the paths from source to target}\}

    Theta has shape ``(N, entries)``, or ``(N, *shape)``; a state is 1 on the entries of the path. O(E) a row. With
    ``weight="node"`` a path scores the sum over all its nodes, both ends included. Of several best paths one with the
    fewest edges is returned. Parallel edges are separate entries. A graph is read once; changing it afterwards has no
    effect.

    Ends may be left open, unlike those of ``networkx.shortest_path``: without a source the path may begin at any node,
    without a target it may end at any. A path then may be one node; with theta on edges that is the state of zeros,
    whose node cannot be told if both ends are open: :meth:`decode` returns ``[]`` for it.

    Args:
        graph: A directed graph or multigraph of NetworkX; ``None`` if each row brings its own.
        source: First node; ``None``: any, unless the row's instance gives one.
        target: Last node; ``None``: any, unless the row's instance gives one.
        sense: ``"max"`` for the longest path, ``"min"`` for the shortest.
        weight: Whether ``"edge"`` or ``"node"`` entries carry theta.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        shape: Shape of one row of theta; by default ``(entries,)``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"`` and theta on edges.

    Attributes:
        entries: Edges ``(u, v)`` or ``(u, v, key)`` in the order of ``graph.edges``, or nodes in that of
            ``graph.nodes``.

    Rows may have different ends and graphs: an instance is a mapping with any of ``"graph"``, ``"source"`` and
    ``"target"``, or a graph.

    Raises:
        SolverParameterError: the graph has a cycle or is undirected, an end is not in it.
        InvalidInstanceError: the same of an instance.
        InfeasibleError: there is no path between the ends, with the row.

    References:
        Kahn (1962), Topological sorting of large networks. Mohri (2002), Semiring frameworks and algorithms for
        shortest-distance problems.

    Example:
        >>> import networkx as nx, numpy as np
        >>> tasks = nx.DiGraph([("dig", "build"), ("dig", "order"), ("order", "build"), ("build", "paint")])
        >>> longest = DagPath(tasks)
        >>> longest.entries
        [('dig', 'build'), ('dig', 'order'), ('build', 'paint'), ('order', 'build')]
        >>> longest.decode(longest.solve(np.array([[3.0, 2.0, 1.0, 4.0]])))
        [['dig', 'order', 'build', 'paint']]
    """

    directed = True

    def __init__(
        self,
        graph: nx.DiGraph[Any] | None = None,
        *,
        source: Any = None,
        target: Any = None,
        sense: Sense = "max",
        weight: Weight = "edge",
        method: Method = "auto",
        shape: Sequence[int] | None = None,
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        one_of("sense", sense, get_args(Sense))
        self.sense = sense
        super().__init__(
            graph,
            weight=weight,
            method=method,
            threads=threads,
            backend=backend,
            shape=shape,
            given={"source": source, "target": target},
        )
        self._require_in_graph("source", "target")

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Lowered:
        nodes, edges = len(snapshot.nodes), len(snapshot.edges)
        if len(topological(snapshot.ends[:, 0], snapshot.ends[:, 1], nodes)) < nodes:
            cycle = [edge[0] for edge in nx.find_cycle(graph)]
            shown = " -> ".join(map(repr, [*cycle, cycle[0]]))
            raise SolverParameterError(f"the graph must be acyclic, but has the cycle {shown}.")
        gated = _gated(snapshot)
        columns = np.minimum(np.arange(len(gated.ends)), edges)
        on_nodes = snapshot.weight == "node"
        arcs, number = lower(gated.ends, nodes + 2, directed=True, on_nodes=on_nodes, columns=columns)
        return Lowered(arcs, number, nodes, nodes + 1)

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> Ends:
        gates = (snapshot.lowered.entry, snapshot.lowered.exit)
        return Ends(
            *(
                gate if given[role] is None else self._node(snapshot, role, given[role])
                for role, gate in zip(self.keys, gates, strict=True)
            )
        )

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Ends]) -> NDArray[Any]:
        lowered: Lowered = snapshot.lowered
        size = theta.shape[1]
        costs = np.zeros((len(theta), size + (1 if snapshot.weight == "edge" else 2)), theta.dtype)
        np.multiply(theta, 1 if self.sense == "min" else -1, out=costs[:, :size])
        sources, targets = lowered.number[np.array(tasks, np.int64)].T.copy()
        threads = self.threads or cpus()
        state, status = solve_batch(costs, sources, targets, lowered.arcs, nonnegative=False, threads=threads)
        for row in np.flatnonzero(status == NO_PATH).tolist():  # only where both ends are given
            source, target = (snapshot.nodes[end] for end in tasks[row])
            raise no_path(source, target, row)
        return np.ascontiguousarray(state[:, :size])

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Ends
    ) -> NDArray[Any]:
        sign = 1 if self.sense == "min" else -1
        if task == (snapshot.lowered.entry, snapshot.lowered.exit) and snapshot.weight == "edge":
            scores = (-sign * costs).tolist()
            for *_, data in graph.edges(data=True):
                data["weight"] = scores[data["column"]]
            path = nx.dag_longest_path(graph, weight="weight", **self._dispatch)
            state = np.zeros(len(costs))
            state[[max(snapshot.columns[step], key=scores.__getitem__) for step in pairwise(path)]] = 1
            return state
        gated = _gated(snapshot)
        extended = np.zeros(len(gated.entries))
        extended[: len(costs)] = sign * costs
        found = path_by_networkx(gated.build()[0], gated, extended, task, exact=True, dispatch=self._dispatch)
        return found[: len(costs)]

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: Ends) -> list[Any]:
        path = self._walk(snapshot, z, task)
        if path is None:
            raise self._no_structure("the state is not one path between the ends")
        return [snapshot.nodes[node] for node in path]

    def _encode(self, snapshot: Snapshot, structure: Sequence[Any]) -> NDArray[np.float64]:
        if snapshot.weight == "node" and not len(structure):
            raise self._no_structure("a path has at least one node; the one given is empty")
        return super()._encode(snapshot, structure)

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Ends]) -> NDArray[np.bool_]:
        found = [self._walk(snapshot, row, task) is not None for row, task in zip(z, tasks, strict=True)]
        return np.array(found, np.bool_)

    def _support(self, snapshot: Snapshot, task: Ends) -> NDArray[np.float64]:
        arcs, number, *_ = snapshot.lowered
        size = len(snapshot.entries)
        states = simple_paths(int(number[task.source]), int(number[task.target]), arcs, size + 2)
        return states[:, :size]

    def _other_kind(self) -> str:
        return "Give each edge the direction in which it may be used, in a networkx.DiGraph."

    def _how(self, snapshot: Snapshot | None) -> str:
        return f"a compiled sweep in topological order, {LANES} rows at once"

    def _how_reference(self) -> str:
        return "dag_longest_path, or Bellman-Ford in exact arithmetic where an end is given"

    def _walk(self, snapshot: Snapshot, z: NDArray[Any], task: Ends) -> list[int] | None:
        """Return the numbers of the nodes of the path whose state this is, or None if there is no such path."""
        entry, gate = snapshot.lowered.entry, snapshot.lowered.exit
        if not np.isin(z, (0, 1)).all():
            return None
        chosen = np.flatnonzero(z)
        if snapshot.weight == "node":
            # Of nodes on one path, each is joined to the next in topological order.
            path = chosen[np.argsort(snapshot.lowered.number[chosen])].tolist()
            names = [snapshot.nodes[node] for node in path]
            if not path or any(step not in snapshot.columns for step in pairwise(names)):
                return None
        elif len(chosen):
            onward = dict(snapshot.ends[chosen].tolist())
            starts = onward.keys() - set(onward.values())
            if len(starts) != 1 or len(onward) < len(chosen) or len(set(onward.values())) < len(chosen):
                return None
            path = [*starts]
            while path[-1] in onward:
                path.append(onward[path[-1]])
        else:
            path = list({*task} - {entry, gate})
            if len(path) == 2:
                return None
        fits = (not path) or (task.source in (entry, path[0]) and task.target in (gate, path[-1]))
        return path if fits else None


def _gated(snapshot: Snapshot) -> Snapshot:
    """Return the graph with two more nodes, an edge from the one to each node, and from each node to the other."""
    nodes = len(snapshot.nodes)
    gates: list[Any] = [object(), object()]
    every, entry = np.arange(nodes), np.full(nodes, nodes)
    ends = np.concatenate(
        [snapshot.ends, np.stack([entry, every], axis=1), np.stack([every, entry + 1], axis=1)]
    )
    key = (0,) if snapshot.multigraph else ()
    edges = [(gates[0], node, *key) for node in snapshot.nodes]
    edges += [(node, gates[1], *key) for node in snapshot.nodes]
    return replace(snapshot, nodes=snapshot.nodes + gates, edges=snapshot.edges + edges, ends=ends)
