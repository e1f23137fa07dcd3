"""Sets of nodes of which no two exclude each other: what independent sets and cliques have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import networkx as nx
import numpy as np

from imle_core.errors import MissingCapabilityError, SolverError, SolverParameterError
from imle_core.integers import exact_integers
from imle_core.parallel import cpus, share
from imle_networkx._kernels.conflicts import Conflicts, conflicts_of
from imle_networkx._kernels.independent_set import GAVE_UP, solve_independent
from imle_networkx._kernels.integers import width
from imle_networkx._solver import GraphSolver, Method

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

MAX_NODES = 8_192
"""Nodes at most: the table of conflicts has a bit for each two of them."""

MAX_SETS = 100_000
"""Sets at most that are listed."""

PARALLEL = 10_000
"""Rows times nodes from which on threads are worth their start."""


class Lowered(NamedTuple):
    """A graph for the kernel.

    Attributes:
        excludes: Whether two nodes exclude each other, shape ``(nodes, nodes)``; on the diagonal, whether a node cannot
            be chosen.
        conflicts: The same in the kernel's own form.
    """

    excludes: NDArray[np.bool_]
    conflicts: Conflicts


class NodeSets(GraphSolver):
    """Base class of both solvers, whose subclasses say which nodes exclude each other."""

    sense: ClassVar[Literal["max"]] = "max"  # type: ignore[misc]
    output = "binary"
    directed = False

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        max_steps: int = 1_000_000,
        method: Method = "auto",
        shape: Sequence[int] | None = None,
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        if max_steps < 1:
            raise SolverParameterError(f"max_steps must be at least 1; got {max_steps}.")
        self.max_steps = max_steps
        super().__init__(graph, weight="node", method=method, threads=threads, backend=backend, shape=shape)

    @staticmethod
    @abstractmethod
    def _excludes(adjacent: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which nodes exclude each other, and on the diagonal which cannot be chosen."""

    @staticmethod
    @abstractmethod
    def _fault(first: Any, second: Any) -> str:
        """Return what is wrong with choosing two nodes that exclude each other, or one and the same."""

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Lowered:
        nodes = len(snapshot.nodes)
        if nodes > MAX_NODES:
            raise SolverParameterError(
                f"the {snapshot} is too large: it may have {MAX_NODES:,} nodes at most."
            )
        adjacent = np.zeros((nodes, nodes), np.bool_)
        adjacent[snapshot.ends[:, 0], snapshot.ends[:, 1]] = True
        excludes = self._excludes(adjacent | adjacent.T)
        return Lowered(excludes, conflicts_of(excludes))

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Any]) -> NDArray[Any]:
        conflicts = snapshot.lowered.conflicts
        rows, nodes = theta.shape
        state, status = np.zeros_like(theta), np.empty(rows, np.int8)

        def work(start: int, stop: int) -> None:
            part = slice(start, stop)
            solve_independent(theta[part], state[part], status[part], conflicts, width(nodes), self.max_steps)

        threads = (self.threads or cpus()) if rows * nodes >= PARALLEL else 1
        share(work, rows, block=1, threads=threads)
        if len(given_up := np.flatnonzero(status == GAVE_UP)):
            raise SolverError(
                f"the search was given up after {self.max_steps:,} branches on the {snapshot}: raise max_steps, or "
                "take a smaller graph.",
                row=int(given_up[0]),
            )
        return state

    def _clique_by_networkx(
        self, graph: nx.Graph[Any], snapshot: Snapshot, scores: NDArray[Any]
    ) -> NDArray[np.float64]:
        integers = exact_integers(scores.tolist())  # NetworkX insists on these
        for node, score in zip(snapshot.nodes, integers, strict=True):
            graph.nodes[node]["weight"] = score
        clique, _ = nx.max_weight_clique(graph, weight="weight", **self._dispatch)
        state = np.zeros(len(scores))
        state[[snapshot.number[node] for node in clique]] = 1
        return state

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: Any) -> list[Any]:
        if not np.isin(z, (0, 1)).all():
            raise self._no_structure("the state has entries other than 0 and 1")
        chosen = np.flatnonzero(z)
        self._require_compatible(snapshot, chosen)
        return [snapshot.nodes[node] for node in chosen]

    def _encode(self, snapshot: Snapshot, structure: Iterable[Any]) -> NDArray[np.float64]:
        state = np.zeros(len(snapshot.nodes))
        for node in structure:
            try:
                number = snapshot.number[node]
            except (KeyError, TypeError):
                raise self._no_structure(f"node {node!r} is not in the {snapshot}") from None
            if state[number]:
                raise self._no_structure(f"node {node!r} is given twice")
            state[number] = 1
        self._require_compatible(snapshot, np.flatnonzero(state))
        return state

    def _require_compatible(self, snapshot: Snapshot, chosen: NDArray[np.intp]) -> None:
        excludes = snapshot.lowered.excludes[np.ix_(chosen, chosen)]
        for pair in np.argwhere(excludes)[:1]:
            raise self._no_structure(self._fault(*(snapshot.nodes[chosen[place]] for place in pair)))

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Any]) -> NDArray[np.bool_]:
        excludes = snapshot.lowered.excludes
        feasible = np.array(np.isin(z, (0, 1)).all(axis=1))
        for row in np.flatnonzero(feasible):
            chosen = np.flatnonzero(z[row])
            feasible[row] = not excludes[np.ix_(chosen, chosen)].any()
        return feasible

    def _support(self, snapshot: Snapshot, task: Any) -> NDArray[np.float64]:
        conflicts = snapshot.lowered.conflicts
        sets = [0]  # as the bits of integers
        for node, words in enumerate(conflicts.near):
            near = int.from_bytes(words.astype("<u8").tobytes(), "little")
            sets += [each | 1 << node for each in sets if not each & near]
            if len(sets) > MAX_SETS:
                raise MissingCapabilityError(f"there are more than {MAX_SETS:,} sets to list.")
        states = np.zeros((len(sets), len(snapshot.nodes)))
        for node, column in enumerate(conflicts.column):
            states[:, column] = [each >> node & 1 for each in sets]
        return states

    def _how(self, snapshot: Snapshot | None) -> str:
        return f"a compiled branch and bound, exact, with at most {self.max_steps:,} branches a row"
