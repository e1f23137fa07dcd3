"""Arborescences (directed spanning trees) of a directed graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import SolverParameterError
from imle_torch._checks import as_scores, is_binary, no_structure, require_listable, require_structure
from imle_torch._constants import Constants
from imle_torch._graph import read_graph
from imle_torch._reach import reachable
from imle_torch._semiring import BEST, drawing
from imle_torch._trees import Arborescences

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence


class Arborescence(imle.Solver):
    r"""The best arborescence of a directed graph: from a root, exactly one path leads to each node.

    .. math:: \arg\max_{z \in Z} \langle z, \theta \rangle, \qquad
       Z = \{\text{indicators of the edges of arborescences}\}

    Theta has shape ``(N, E)``, one entry an edge from a node to its child; the dependency trees of a sentence are such
    a set. Batched and on theta's device, O(n^3) a row: the elimination behind the log-partition function with
    maxima in place of sums, which finds what the algorithm of Chu, Liu and Edmonds finds.

    Args:
        graph: Edges ``(E, 2)`` from parent to child, as node numbers; or a directed graph of NetworkX. Parallel
            edges are separate entries; loops are in no arborescence.
        root: The node without a parent; None: any node may be it, and all of them are equally good.
        nodes: Number of nodes of an array of edges; None: up to the largest in an edge.
        sense: ``"max"`` for scores, ``"min"`` for costs.

    Attributes:
        entries: The edge of each entry of theta, ``(u, v)``, or ``(u, v, key)`` where there are parallel ones.

    Raises:
        SolverParameterError: no node, or not the root given, leads to all others.

    References:
        Tutte (1948), The dissection of equilateral triangles into equilateral triangles.
        Edmonds (1967), Optimum branchings.
        Koo, Globerson, Carreras and Collins (2007), Structured prediction models via the matrix-tree theorem.

    Example:
        >>> trees = Arborescence(graph=[(0, 1), (0, 2), (1, 2), (2, 1)], root=0)
        >>> trees.decode(trees.solve(torch.tensor([[1.0, 2.0, 3.0, 5.0]])))
        [[(0, 2), (2, 1)]]
    """

    output = "binary"
    scale_invariant = True

    def __init__(
        self,
        *,
        graph: Any,
        root: Hashable | None = None,
        nodes: int | None = None,
        sense: Literal["max", "min"] = "max",
    ) -> None:
        self._graph = read_graph(graph, nodes, directed=True)
        self.sense = sense
        self.entries = self._graph.edges
        self.event_shape = (len(self.entries),)
        self._nodes = len(self._graph.labels)
        self._root = None if root is None else self._graph.number("root", root)
        ends = self._graph.ends
        self._ends = Constants(ends)
        if not self._rooted(torch.ones(1, len(ends))).all():
            whence = "no node leads" if root is None else f"the root {root!r} does not lead"
            raise SolverParameterError(f"the graph has no arborescence: {whence} to all others.")
        self._trees = Arborescences(ends, np.arange(len(ends)), len(ends), nodes=self._nodes, root=self._root)

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicator of the edges of the best arborescence of each row, shape ``(N, E)``."""
        return self._trees.find(as_scores(self, theta), 1, BEST)[0]

    def decode(self, z: Any, *, instance: Any = None) -> list[tuple[Any, ...]]:  # type: ignore[override]
        """Return the edges of the arborescence, in the order of theta.

        Raises:
            InvalidSolutionError: the state is not the indicator of an arborescence.
        """
        require_structure(self, z, "the indicator of an arborescence")
        return [self.entries[i] for i in np.flatnonzero(z)]

    def encode(self, structure: Iterable[tuple[Any, ...]]) -> np.ndarray:
        """Return the indicator of an arborescence, given by its edges in any order.

        Raises:
            InvalidSolutionError: the edges are not those of an arborescence.
        """
        column = {edge: i for i, edge in enumerate(self.entries)}
        z, edges = np.zeros(len(self.entries)), list(map(tuple, structure))
        for edge in edges:
            if edge not in column:
                raise no_structure(self, f"{edge} is not an edge of the graph")
            z[column[edge]] = 1
        if not bool(self.is_feasible(torch.from_numpy(z)[None])):
            raise no_structure(self, f"{edges} are not the edges of an arborescence")
        return z

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is the indicator of n - 1 edges that lead from a root to all nodes."""
        return is_binary(z) & (z.sum(1) == self._nodes - 1) & self._rooted(z)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the indicators of all arborescences, shape ``(K, E)``.

        Raises:
            MissingCapabilityError: there are more than a million.
        """
        count = self._trees.log_sum(torch.zeros(1, len(self.entries), dtype=torch.float64)).exp().item()
        require_listable(self, round(count) if count < 2**53 else count, "arborescences")
        return self._trees.listed(lambda forests: require_listable(self, forests, "forests on the way"))

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``, O(n^3).

        .. math:: A(\theta) = \log \det L(\theta), \qquad
           L_{uv} = [u = v] \sum_{w} e^{s \theta_{wv}} - [u \ne v] e^{s \theta_{uv}}, \quad u, v \ne \text{root}

        The determinant is found by an elimination without subtraction, in log space: it is accurate for any theta,
        where a determinant in floating point is not. Without a given root this is summed over all of them.
        """
        return self._trees.log_sum(as_scores(self, theta))

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, E)``: the way back through the elimination, O(n^2 log n) each."""
        return self._trees.find(as_scores(self, theta), samples, drawing(generator))

    def _rooted(self, z: torch.Tensor) -> torch.Tensor:
        """Return for each row whether its edges lead from the root, or from any node, to all others, shape ``(N,)``."""
        (ends,) = self._ends.on(z.device)
        ways = reachable(z, ends, self._nodes, directed=True).all(2)
        return ways.any(1) if self._root is None else ways[:, self._root]
