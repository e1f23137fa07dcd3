r"""Arborescences by elimination: every node but the root has one parent, and none is its own ancestor.

Take a node v out of the graph and let walks pass through it: with s_v the sum of the weights of the edges into v,

    w(i -> j) <- w(i -> j) + w(i -> v) w(v -> j) / s_v,        Z <- s_v Z.

When only the root is left, Z is the determinant of the reduced Laplacian, which is the sum over the arborescences of
the products of their weights (Tutte). This is Gaussian elimination in the form of Grassmann, Taksar and Heyman (1985),
which has no subtraction: it can be done in log space, where it is accurate for any weights, and with maxima in place
of sums, where it gives the best arborescence. A determinant in floating point loses all digits where weights differ by
more than 1 / eps.

The way back puts the nodes in again. Given an arborescence without v, each edge i -> j of it stands for the edge
itself or for a walk through v, in proportion to the two terms above; in the latter case v becomes the parent of j. Then
v gets a parent i of its own, in proportion to w(i -> v), among the nodes that are not below it now.

Why this draws exactly: let J be the children that v has got, R the nodes not below it, and q the shares of s_v that
come from R and from the tree of each j in J. The smaller arborescences that agree but for the parents of J have those
of a graph on J and R for a factor, in which an edge weighs the q of its parent: by Cayley's formula they add up to
q(R) (sum of all q)^(|J| - 1) = q(R), and s_v q(R) is what the parents of v in R weigh together. With maxima nothing is
lost either: a j in J with its parent in R has given up, against s_v, at least what v's own parent must.

O(n^3) once for the elimination, O(n^2 log n) for each arborescence.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from imle_torch._constants import Constants
from imle_torch._semiring import impossible

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imle_torch._semiring import Semiring

    Plus = Callable[[torch.Tensor, int], torch.Tensor]

MARGIN = 60.0
"""By how much, in log units, trees with two roots fall behind those with one: e^-60 is below any rounding."""


class Arborescences:
    """All arborescences of a graph that has one.

    Args:
        ends: Parent and child of each edge, shape ``(A, 2)``; loops are never used.
        entry: Which entry of theta scores each edge, shape ``(A,)``.
        entries: How many entries theta has.
        nodes: How many nodes there are, at least 2.
        root: The root; None: any node may be it.
    """

    def __init__(
        self,
        ends: NDArray[np.int64],
        entry: NDArray[np.int64],
        entries: int,
        *,
        nodes: int,
        root: int | None,
    ) -> None:
        self._entries, self._root = entries, root
        self._into: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
        for (parent, child), column in zip(ends.tolist(), entry.tolist(), strict=True):
            if parent != child:
                self._into[child].append((parent, column))
        # The elimination wants the root as node 0. Where any node may be it, 0 is a node above all others, with edges
        # that weigh so little that a tree with two of them does not count.
        number = np.arange(nodes) + (root is None)
        if root is not None:
            number[[0, root]] = root, 0
        size = nodes + (root is None)
        between: list[list[list[int]]] = [[[] for _ in range(size)] for _ in range(size)]
        for child, arcs in enumerate(self._into):
            for parent, column in arcs:
                between[number[parent]][number[child]].append(column)
            if root is None:
                between[0][number[child]].append(entries + 1)
        # Columns of theta of the edges from each node to each, filled up with an edge that is not there.
        depth = max(len(columns) for row in between for columns in row)
        table = [[(columns + depth * [entries])[:depth] for columns in row] for row in between]
        arcs_between = np.array(table, np.int64)
        self._parallel = arcs_between.shape[-1]
        self._table = Constants(arcs_between)

    def log_sum(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the log-sum of the exponentials of the scores of all, shape ``(N,)``, for theta ``(N, E)``."""
        scores = self._scores(theta)
        _, totals = _eliminate(self._between(scores, torch.logsumexp), torch.logsumexp)
        total = torch.stack(totals).sum(0)
        return (total if self._root is not None else total - scores[:, -1]).to(theta.dtype)

    def find(self, theta: torch.Tensor, samples: int, semiring: Semiring) -> torch.Tensor:
        """Return indicators of the entries of arborescences, shape ``(S, N, E)``: the best ones, or samples.

        Args:
            theta: Scores, shape ``(N, E)``.
            samples: How many for each row.
            semiring: Which of alternatives is taken.
        """
        weights, totals = _eliminate(self._between(self._scores(theta), semiring.plus), semiring.plus)
        return self.indicators(theta, _expand(weights, totals, samples, semiring), semiring)

    def weights(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the score of the best edge from each node to each, shape ``(N, n, n)``."""
        return self._between(self._scores(theta), torch.amax)

    def indicators(self, theta: torch.Tensor, parent: torch.Tensor, semiring: Semiring) -> torch.Tensor:
        """Return indicators of the entries that lead to all nodes but the root, shape ``(S, N, E)``.

        Args:
            theta: Scores, shape ``(N, E)``.
            parent: Of each node, shape ``(S, N, n)``; that of the root is not looked at.
            semiring: Which of parallel edges is taken.
        """
        scores = self._scores(theta)
        (table,) = self._table.on(theta.device)
        rows = torch.arange(len(theta), device=theta.device)
        columns = table[parent[..., 1:], torch.arange(1, len(table), device=theta.device)]
        chosen = semiring.choose(scores[rows[:, None, None], columns]).unsqueeze(-1)
        z = theta.new_zeros(*parent.shape[:2], self._entries + 2)
        return z.scatter_(-1, columns.gather(-1, chosen).squeeze(-1), 1.0)[..., : self._entries]

    def listed(self, check: Callable[[int], None]) -> NDArray[np.float64]:
        """Return the indicators of all arborescences, shape ``(K, E)``.

        Args:
            check: Is given the number of forests before they are made, and raises if there are too many.
        """
        found = []
        for root in range(len(self._into)) if self._root is None else (self._root,):
            # Of each forest, the node on top of each node's tree, and the edges.
            tops, states = np.arange(len(self._into))[None], np.zeros((1, self._entries), np.int8)
            for child, arcs in enumerate(self._into):
                if child == root:
                    continue
                # A node below the child would close a cycle.
                free = [tops[:, parent] != child for parent, _ in arcs]
                check(sum(map(np.count_nonzero, free)))
                above, grown = [tops[:0]], [states[:0]]
                for (parent, column), ok in zip(arcs, free, strict=True):
                    above.append(np.where(tops[ok] == child, tops[ok][:, [parent]], tops[ok]))
                    grown.append(states[ok])
                    grown[-1][:, column] = 1
                tops, states = np.concatenate(above), np.concatenate(grown)
            found.append(states)
        return np.concatenate(found).astype(np.float64)

    def _scores(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the scores and two more columns: of an edge that is not there, and of one from above all nodes."""
        nowhere = theta.new_full((len(theta), 1), impossible(theta.dtype))
        if self._root is not None:
            return torch.cat([theta, nowhere, torch.zeros_like(nowhere)], 1)
        # In double precision, because the edges from above are far from all others.
        # By Cayley's bound on the number of trees, with as many parallel edges as there are at most.
        theta, nodes, parallel = theta.double(), len(self._into), self._parallel
        low, high = theta.detach().aminmax(dim=1, keepdim=True)
        above = high - (nodes - 1) * (high - low) - nodes * math.log(nodes * parallel + 1) - MARGIN
        return torch.cat([theta, nowhere.double(), above], 1)

    def _between(self, scores: torch.Tensor, plus: Plus) -> torch.Tensor:
        """Return what the edges from each node to each sum up to, shape ``(N, n, n)``."""
        (table,) = self._table.on(scores.device)
        edges = scores.index_select(1, table.flatten()).view(-1, *table.shape)
        return plus(edges, -1) if table.shape[-1] > 1 else edges.squeeze(-1)


def _eliminate(weights: torch.Tensor, plus: Plus) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Take out the nodes from the last to the second.

    Args:
        weights: From each parent to each child, shape ``(N, n, n)``; the root is 0, the diagonal is not looked at.
        plus: How alternatives are summed up.

    Returns:
        The weights before each node v = n - 1 .. 1 was taken out, shape ``(N, v + 1, v + 1)``, and s_v, shape ``(N,)``.
    """
    stages, totals = [weights], list[torch.Tensor]()
    for v in range(weights.shape[1] - 1, 0, -1):
        weights = stages[-1]
        into, out = weights[:, :v, v], weights[:, v, :v]
        totals.append(plus(into, 1))
        if v > 1:
            through = (into - totals[-1].unsqueeze(-1)).unsqueeze(-1) + out.unsqueeze(1)
            stages.append(plus(torch.stack([weights[:, :v, :v], through]), 0))
    return stages, totals


def _expand(
    stages: list[torch.Tensor], totals: list[torch.Tensor], samples: int, semiring: Semiring
) -> torch.Tensor:
    """Put the nodes in again, from the second to the last; return the parent of each, shape ``(S, N, n)``."""
    size, rows = stages[0].shape[1], torch.arange(len(stages[0]), device=stages[0].device)
    parent = torch.zeros(samples, len(rows), size, dtype=torch.int64, device=rows.device)
    for v, weights, total in zip(range(1, size), reversed(stages), reversed(totals), strict=True):
        earlier = torch.arange(v, device=rows.device)
        above = parent[..., :v]
        itself = weights[rows[:, None], above, earlier]
        through = weights[rows[:, None], above, v] - total[:, None] + weights[:, v, :v]
        passes = semiring.choose(torch.stack([itself, through], -1)).bool() & (earlier > 0)
        parent[..., :v] = above = above.masked_fill(passes, v)
        # The top of each node's tree, v or the root, by doubling the step upwards.
        top = torch.cat([above, torch.full_like(above[..., :1], v)], -1)
        for _ in range(v.bit_length()):
            top = top.gather(-1, top)
        below = top[..., :v] == v
        into = torch.where(below, 2 * impossible(weights.dtype), weights[:, :v, v])
        parent[..., v] = semiring.choose(into)
    return parent
