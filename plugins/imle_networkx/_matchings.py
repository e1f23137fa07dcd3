"""Sets of edges of which no two share a node: what assignments and matchings have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx
import numpy as np

from imle_core.errors import SolverParameterError
from imle_core.integers import exact_integers
from imle_core.parallel import cpus, share
from imle_networkx._kernels.all_matchings import all_matchings
from imle_networkx._solver import GraphSolver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

Cardinality = Literal["any", "maximum", "perfect"]

PARALLEL = 20_000
"""Rows times entries from which on threads are worth their start."""

PRECISION = 40
"""Bits at least to which theta must be rounded for integers not to overflow."""

RANGE = 2.0**16
"""A row whose largest entry is so many times the sum of those chosen has lost too many bits of these."""

SHOWN = 5
"""Names at most in a message."""


class Matchings(GraphSolver):
    """Base class of these solvers. A subclass lowers the graph, and calls its kernel.

    What it lowers a graph to has an attribute ``size``: how many edges each matching has; None for any number.

    Kernels round a row to integers by its largest magnitude. So that entries which forbid an edge cost no precision,
    rows with such entries are solved again on smaller ones; rows whose best entry by far cannot be used are solved by
    NetworkX, in exact integers.
    """

    output = "binary"
    directed = False

    @property
    @abstractmethod
    def _any(self) -> bool:
        """Whether a matching may have any number of edges."""

    @property
    def _exceptions(self) -> str:
        """What :meth:`explain` says of rows that are solved in another way."""
        return "" if self._any else " (by NetworkX where the best entry by far is in no solution)"

    @abstractmethod
    def _match(self, lowered: Any, theta: NDArray[Any], state: NDArray[Any]) -> None:
        """Solve rows of theta; state is zeros, to be filled."""

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Any]) -> NDArray[Any]:
        state = np.zeros_like(theta)
        threads = (self.threads or cpus()) if theta.size >= PARALLEL else 1
        solve = self._match_any if snapshot.lowered.size is None else self._match_sized
        share(
            lambda start, stop: solve(snapshot, theta[start:stop], state[start:stop]),
            len(theta),
            block=1,
            threads=threads,
        )
        return state

    def _match_any(self, snapshot: Snapshot, theta: NDArray[Any], state: NDArray[Any]) -> None:
        """Solve rows where any number of edges will do: what does not improve the sum must not set the scale."""
        gains = np.minimum(theta, 0) if self.sense == "min" else np.maximum(theta, 0)
        gains[:, snapshot.ends[:, 0] == snapshot.ends[:, 1]] = 0
        self._match(snapshot.lowered, gains, state)

    def _match_sized(self, snapshot: Snapshot, theta: NDArray[Any], state: NDArray[Any]) -> None:
        """Solve rows where all matchings have the same size, some of them again on entries of a smaller range.

        Above the least cost of its row no entry costs less than nothing. One that costs more than a whole matching
        is in no better one, and may as well cost twice as much as that matching.
        """
        lowered, sign = snapshot.lowered, 1 if self.sense == "min" else -1
        self._match(lowered, theta, state)
        if not lowered.size or not len(theta):
            return
        low, high = theta.min(1).astype(float), theta.max(1).astype(float)
        if sign < 0:
            low, high = -high, -low
        chosen = sign * theta[state != 0].reshape(-1, lowered.size).astype(float)
        bound = (chosen - low[:, None]).sum(1)
        again = np.flatnonzero((high - low > RANGE * bound) & (bound > 0))
        above = sign * theta[again].astype(float) - low[again, None]
        bound = bound[again]
        while len(again):
            above = np.minimum(above, 2 * bound[:, None])
            found = np.zeros_like(above)
            self._match(lowered, sign * above, found)
            state[again] = found
            chosen[again] = sign * theta[again][found != 0].reshape(-1, lowered.size)
            total = above[found != 0].reshape(-1, lowered.size).sum(1)
            wide = (2 * bound > RANGE * total) & (total > 0)
            again, above, bound = again[wide], above[wide], total[wide]
        for row in np.flatnonzero(-low > RANGE * np.abs(chosen).max(1)).tolist():
            # The best entry is in no matching, or only beside one as bad.
            size = np.abs(theta[row])
            if ((size > 0) & (size < -low[row] / RANGE)).any():
                graph, _ = self._private_graph(snapshot)
                scores = -sign * theta[row].astype(float)
                state[row] = self._matched_by_networkx(graph, scores, largest=True)

    def _matched_by_networkx(
        self, graph: nx.Graph[Any], scores: NDArray[Any], *, largest: bool
    ) -> NDArray[np.float64]:
        """Return the state of the matching of greatest weight; exact, because NetworkX gets integers."""
        best = best_of_parallel(graph, exact_integers(scores.tolist()))
        edges = nx.max_weight_matching(best, maxcardinality=largest, weight="weight", **self._dispatch)
        chosen = [best.edges[edge] for edge in edges]
        state = np.zeros(len(scores))
        state[[data["column"] for data in chosen if largest or data["weight"] > 0]] = 1
        return state

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: Any) -> list[Any]:
        self._require_matching(snapshot, z, "the state")
        return [snapshot.entries[column] for column in np.flatnonzero(z)]

    def _encode(self, snapshot: Snapshot, structure: Iterable[Any]) -> NDArray[np.float64]:
        state = self._state_of_edges(snapshot, structure)
        self._require_matching(snapshot, state, "the matching")
        return state

    def _require_matching(self, snapshot: Snapshot, z: NDArray[Any], what: str) -> None:
        """Raise InvalidSolutionError with the fault of a state, if it is no matching of the set."""
        if self._feasible(snapshot, z[None], ())[0]:
            return
        if not np.isin(z, (0, 1)).all():
            raise self._no_structure(f"{what} has entries other than 0 and 1")
        chosen = np.flatnonzero(z)
        user: dict[int, int] = {}
        for column in chosen.tolist():
            edge, (u, v) = snapshot.entries[column], snapshot.ends[column].tolist()
            if u == v:
                raise self._no_structure(f"{what} has the self-loop {edge!r}")
            for node in (u, v):
                if node in user:
                    other = snapshot.entries[user[node]]
                    raise self._no_structure(f"{what} has both {other!r} and {edge!r}, which share a node")
                user[node] = column
        raise self._no_structure(f"{what} has {len(chosen)} edges; each has {snapshot.lowered.size} here")

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Any]) -> NDArray[np.bool_]:
        nodes, size = len(snapshot.nodes), snapshot.lowered.size
        row, column = np.nonzero(z)
        uses = np.zeros((len(z), nodes), np.int64)
        for end in snapshot.ends[column].T:  # a self-loop uses its node twice
            np.add.at(uses, (row, end), 1)
        feasible = np.array(np.isin(z, (0, 1)).all(axis=1) & (uses <= 1).all(axis=1))
        return feasible if size is None else feasible & (uses.sum(axis=1) == 2 * size)

    def _support(self, snapshot: Snapshot, task: Any) -> NDArray[np.float64]:
        return all_matchings(snapshot.ends, len(snapshot.nodes), snapshot.lowered.size)


def best_of_parallel(graph: nx.Graph[Any], scores: Sequence[Any]) -> nx.Graph[Any]:
    """Return a simple graph without self-loops, with the weight and column of the best of parallel edges."""
    best: nx.Graph[Any] = nx.Graph()
    best.add_nodes_from(graph)
    for u, v, column in graph.edges(data="column"):
        if u != v and not (best.has_edge(u, v) and best[u][v]["weight"] >= scores[column]):
            best.add_edge(u, v, weight=scores[column], column=column)
    return best


def require_precision(bits: int, snapshot: Snapshot) -> int:
    """Return to how many bits theta is rounded; raise SolverParameterError if these are too few."""
    if bits < PRECISION:
        raise SolverParameterError(
            f"the {snapshot} has too many nodes: to be exact, sums over all of them must fit 64 bits, which leaves "
            f"only {bits} for each weight."
        )
    return bits


def listed(names: Sequence[Any]) -> str:
    """Return names for a message, the first few of them."""
    shown = ", ".join(map(repr, names[:SHOWN]))
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
