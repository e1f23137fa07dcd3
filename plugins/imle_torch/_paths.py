"""Paths from a source to a target in a directed acyclic graph: one dynamic programme for every set that is one.

With a_v the log-sum over the paths from the source to node v, a_v = log sum over arcs (u, v) of exp(a_u + theta_uv), in
topological order: O(arcs). The way back goes from the target along chosen arcs. An arc has the score of an entry of
theta, and several arcs may have that of one entry; paths in the graph of subsets are permutations in this way.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from imle_torch._constants import Constants
from imle_torch._semiring import impossible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from imle_torch._semiring import Semiring

    Plus = Callable[[torch.Tensor, int], torch.Tensor]


class NoPathError(ValueError):
    """The target cannot be reached from the source."""


class CycleError(ValueError):
    """The graph has a cycle; ``args[0]`` are its nodes in order."""


class Paths:
    """All paths from a source to a target.

    Args:
        ends: Tail and head of each arc, shape ``(A, 2)``.
        entry: Which entry of theta scores each arc, shape ``(A,)``; None: its own.
        entries: How many entries theta has; None: one an arc.
        nodes: How many nodes there are.
        source: First node.
        target: Last node.

    Raises:
        NoPathError: there is no path.
        CycleError: there is a cycle.
    """

    def __init__(
        self,
        ends: NDArray[np.int64],
        entry: NDArray[np.int64] | None = None,
        entries: int | None = None,
        *,
        nodes: int,
        source: int,
        target: int,
    ) -> None:
        self._entries = len(ends) if entries is None else entries
        entry = np.arange(len(ends)) if entry is None else entry
        ahead: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
        behind: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
        for (tail, head), column in zip(ends.tolist(), entry.tolist(), strict=True):
            ahead[tail].append((head, column))
            behind[head].append((tail, column))
        _levels(set(range(nodes)), ahead, behind)
        useful = _reached(source, ahead) & _reached(target, behind)
        if source not in useful:
            raise NoPathError
        level = _levels(useful, ahead, behind)
        # Numbered by level: the source is 0, and what the levels sum up to can be concatenated.
        order = sorted(useful, key=lambda node: level[node])
        number = {node: i for i, node in enumerate(order)}
        self._arcs_into = [
            [(number[tail], column) for tail, column in behind[node] if tail in useful] for node in order
        ]
        self._depth = level[target]
        self._target = number[target]
        sizes = np.bincount([level[node] for node in order])
        self._levels = Constants(*self._lower_levels(np.cumsum(sizes)))
        # On the way back the source leads to itself for nothing.
        self._back = Constants(*_padded([[(0, self._entries + 1)], *self._arcs_into[1:]], self._entries))

    def count(self) -> int:
        """Return the number of paths."""
        counts = [1]
        for arcs in self._arcs_into[1:]:
            counts.append(sum(counts[tail] for tail, _ in arcs))
        return counts[self._target]

    def listed(self) -> NDArray[np.float64]:
        """Return how often each path uses each entry, shape ``(paths, entries)``."""
        states: list[NDArray[np.float64]] = [np.zeros((1, self._entries))]
        for arcs in self._arcs_into[1:]:
            parts = []
            for tail, column in arcs:
                parts.append(states[tail].copy())
                parts[-1][:, column] += 1
            states.append(np.concatenate(parts))
        return states[self._target]

    def log_sum(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the log-sum of the exponentials of the scores of all paths, shape ``(N,)``, for theta ``(N, E)``."""
        return self._sums(self._scores(theta), torch.logsumexp)[-1][-1]

    def find(self, theta: torch.Tensor, samples: int, semiring: Semiring) -> torch.Tensor:
        """Return paths as indicators of their entries, shape ``(S, N, E)``: the best ones, or samples.

        Args:
            theta: Scores, shape ``(N, E)``.
            samples: How many for each row.
            semiring: Which of alternative arcs is taken.
        """
        scores = self._scores(theta)
        sums = torch.cat(self._sums(scores, semiring.plus))
        tails, columns = self._back.on(theta.device)
        rows = torch.arange(len(theta), device=theta.device)
        node = torch.full((samples, len(theta)), self._target, device=theta.device)
        z = theta.new_zeros(samples, len(theta), self._entries + 2)
        for _ in range(self._depth):
            tail, column = tails[node], columns[node]
            chosen = semiring.choose(sums[tail, rows[:, None]] + scores[column, rows[:, None]])[..., None]
            z.scatter_(-1, column.gather(-1, chosen), 1.0)
            node = tail.gather(-1, chosen)[..., 0]
        return z[..., : self._entries]

    def _scores(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the scores with rows last, and two more: of an arc that is not there, and of the source's own."""
        nowhere = theta.new_full((1, len(theta)), impossible(theta.dtype))
        return torch.cat([theta.T, nowhere, torch.zeros_like(nowhere)])

    def _sums(self, scores: torch.Tensor, plus: Plus) -> list[torch.Tensor]:
        """Return what the paths to the nodes of each level sum up to, shape ``(nodes, N)`` each."""
        # The empty path has score 0, still a function of theta for autograd.
        sums = [0 * scores[:1]]
        live = sums[0]
        tables = self._levels.on(scores.device)
        for tails, columns, kept in zip(tables[::3], tables[1::3], tables[2::3], strict=True):
            arcs = live.index_select(0, tails.flatten()) + scores.index_select(0, columns.flatten())
            sums.append(plus(arcs.view(*tails.shape, -1), 1))
            live = torch.cat([live.index_select(0, kept), sums[-1]])
        return sums

    def _lower_levels(self, ends: NDArray[np.int64]) -> Sequence[NDArray[np.int64]]:
        """Return for each level but the first the arcs into its nodes, and which live nodes stay so.

        A node is live until the last level that an arc from it leads to. Tails are places among the live nodes.
        """
        last_use = np.zeros(len(self._arcs_into), np.int64)
        for number, (begin, end) in enumerate(pairwise(ends), 1):
            for arcs in self._arcs_into[begin:end]:
                last_use[[tail for tail, _ in arcs]] = number
        live = np.arange(1)
        tables: list[NDArray[np.int64]] = []
        for number, (begin, end) in enumerate(pairwise(ends), 1):
            tails, columns = _padded(self._arcs_into[begin:end], self._entries)
            # Of a node that is not live, as an arc that is not there may have for its tail, any place will do.
            place = np.zeros(len(self._arcs_into), np.int64)
            place[live] = np.arange(len(live))
            kept = np.flatnonzero(last_use[live] > number)
            tables += [place[tails], columns, kept]
            live = np.concatenate([live[kept], np.arange(begin, end)])
        return tables


def _padded(
    arcs: Sequence[Sequence[tuple[int, int]]], nowhere: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return tails and columns of the arcs into each node, filled up with arcs that are not there."""
    shape = len(arcs), max(map(len, arcs))
    tails, columns = np.zeros(shape, np.int64), np.full(shape, nowhere, np.int64)
    for i, into in enumerate(arcs):
        tails[i, : len(into)], columns[i, : len(into)] = np.array(into, np.int64).T
    return tails, columns


def _reached(start: int, arcs: Sequence[Sequence[tuple[int, int]]]) -> set[int]:
    seen, queue = {start}, deque([start])
    while queue:
        for node, _ in arcs[queue.popleft()]:
            if node not in seen:
                seen.add(node)
                queue.append(node)
    return seen


def _levels(
    among: set[int],
    ahead: Sequence[Sequence[tuple[int, int]]],
    behind: Sequence[Sequence[tuple[int, int]]],
) -> dict[int, int]:
    """Return for each of some nodes the most arcs among them of a path that leads to it."""
    missing = {node: sum(tail in among for tail, _ in behind[node]) for node in among}
    level = dict.fromkeys(among, 0)
    queue = deque(node for node in among if not missing[node])
    while queue:
        node = queue.popleft()
        for head, _ in ahead[node]:
            if head in among:
                level[head] = max(level[head], level[node] + 1)
                missing[head] -= 1
                if not missing[head]:
                    queue.append(head)
    if rest := {node for node in among if missing[node]}:
        # Each of these has another one behind it, so a walk backwards comes round.
        walk, node = list[int](), min(rest)
        while node not in walk:
            walk.append(node)
            node = next(tail for tail, _ in behind[node] if tail in rest)
        raise CycleError(walk[walk.index(node) :][::-1])
    return level
