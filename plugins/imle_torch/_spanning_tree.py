"""Spanning trees of an undirected graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import SolverParameterError
from imle_torch._checks import (
    as_scores,
    is_binary,
    no_structure,
    require_listable,
    require_structure,
)
from imle_torch._constants import Constants
from imle_torch._graph import read_graph
from imle_torch._reach import reachable
from imle_torch._semiring import BEST, drawing
from imle_torch._trees import Arborescences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class SpanningTree(imle.Solver):
    r"""The best spanning tree of an undirected graph.

    .. math:: \arg\max_{z \in Z} \langle z, \theta \rangle, \qquad
       Z = \{\text{indicators of the edges of spanning trees}\}

    Theta has shape ``(N, E)``, one entry an edge. The best tree by Prim's algorithm, batched and on theta's device,
    O(n^2) a row. Of equally good trees it returns the one that Prim's algorithm finds from node 0.

    Args:
        graph: Edges ``(E, 2)`` between node numbers, or an undirected graph of NetworkX. Parallel edges are
            separate entries; loops are in no tree.
        nodes: Number of nodes of an array of edges; None: up to the largest in an edge.
        sense: ``"max"`` for scores, ``"min"`` for costs.

    Attributes:
        entries: The edge of each entry of theta, ``(u, v)``, or ``(u, v, key)`` where there are parallel ones.

    Raises:
        SolverParameterError: the graph is not connected.

    References:
        Prim (1957), Shortest connection networks and some generalizations. Kirchhoff (1847), the matrix-tree theorem.
        Grassmann, Taksar and Heyman (1985), Regenerative analysis and steady state distributions for Markov chains.

    Example:
        >>> trees = SpanningTree(graph=[(0, 1), (1, 2), (0, 2)])
        >>> trees.decode(trees.solve(torch.tensor([[3.0, 1.0, 2.0]])))
        [[(0, 1), (0, 2)]]
        >>> trees.log_partition(torch.zeros(1, 3, dtype=torch.float64)).exp().round()  # the number of trees
        tensor([3.], dtype=torch.float64)
    """

    output = "binary"
    scale_invariant = True

    def __init__(self, *, graph: Any, nodes: int | None = None, sense: Literal["max", "min"] = "max") -> None:
        self._graph = read_graph(graph, nodes, directed=False)
        self.sense = sense
        self.entries = self._graph.edges
        self.event_shape = (len(self.entries),)
        self._nodes = len(self._graph.labels)
        ends = self._graph.ends
        self._ends = Constants(ends)
        if apart := np.flatnonzero(~self._connected(torch.ones(1, len(ends)))[0].numpy()).tolist():
            labels = self._graph.labels
            raise SolverParameterError(
                f"the graph is not connected: there is no way from {labels[0]!r} to {labels[apart[0]]!r}."
            )
        # A tree is an arborescence with any node as the root; each edge can lead either way.
        both, entry = np.concatenate([ends, ends[:, ::-1]]), np.tile(np.arange(len(ends)), 2)
        self._trees = Arborescences(both, entry, len(ends), nodes=self._nodes, root=0)

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicator of the edges of the best tree of each row, shape ``(N, E)``."""
        scores = as_scores(self, theta)
        parent = _prim(self._trees.weights(scores))
        return self._trees.indicators(scores, parent.unsqueeze(0), BEST)[0]

    def decode(self, z: Any, *, instance: Any = None) -> list[tuple[Any, ...]]:  # type: ignore[override]
        """Return the edges of the tree, in the order of theta.

        Raises:
            InvalidSolutionError: the state is not the indicator of a spanning tree.
        """
        require_structure(self, z, "the indicator of a spanning tree")
        return [self.entries[i] for i in np.flatnonzero(z)]

    def encode(self, structure: Iterable[tuple[Any, ...]]) -> np.ndarray:
        """Return the indicator of a tree, given by its edges in any order and direction.

        Raises:
            InvalidSolutionError: the edges are not those of a spanning tree.
        """
        column = {(v, u, *key): i for i, (u, v, *key) in enumerate(self.entries)}
        column |= {edge: i for i, edge in enumerate(self.entries)}
        z, edges = np.zeros(len(self.entries)), list(map(tuple, structure))
        for edge in edges:
            if edge not in column:
                raise no_structure(self, f"{edge} is not an edge of the graph")
            z[column[edge]] = 1
        if not bool(self.is_feasible(torch.from_numpy(z)[None])):
            raise no_structure(self, f"{edges} are not the edges of a spanning tree")
        return z

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is the indicator of n - 1 edges that connect all nodes."""
        return is_binary(z) & (z.sum(1) == self._nodes - 1) & self._connected(z).all(1)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the indicators of all spanning trees, shape ``(K, E)``.

        Raises:
            MissingCapabilityError: there are more than a million.
        """
        count = self._trees.log_sum(torch.zeros(1, len(self.entries), dtype=torch.float64)).exp().item()
        require_listable(self, round(count) if count < 2**53 else count, "spanning trees")
        return self._trees.listed(lambda forests: require_listable(self, forests, "forests on the way"))

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``, O(n^3).

        .. math:: A(\theta) = \log \det L(\theta), \qquad
           L_{uv} = [u = v] \sum_{w} e^{s \theta_{uw}} - [u \ne v] e^{s \theta_{uv}}, \quad u, v \ne 0

        The determinant of the reduced Laplacian is found by an elimination without subtraction, in log space:
        it is accurate for any theta, where a determinant in floating point is not.
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

    def _connected(self, z: torch.Tensor) -> torch.Tensor:
        """Return for each row which nodes are connected to the first one, shape ``(N, n)``."""
        (ends,) = self._ends.on(z.device)
        return reachable(z, ends, self._nodes, directed=False)[:, 0]


def _prim(weights: torch.Tensor) -> torch.Tensor:
    """Return the parent of each node, ``(N, n)``, in the best tree that grows from node 0, by weights ``(N, n, n)``."""
    rows = torch.arange(len(weights), device=weights.device)
    parent = torch.zeros(weights.shape[:2], dtype=torch.int64, device=weights.device)
    best = weights[:, 0].clone()
    outside = torch.ones_like(parent, dtype=torch.bool)
    outside[:, 0] = False
    for _ in range(weights.shape[1] - 1):
        nearest = best.masked_fill(~outside, -torch.inf).argmax(1)
        outside[rows, nearest] = False
        better = outside & (weights[rows, nearest] > best)
        best = torch.where(better, weights[rows, nearest], best)
        parent = torch.where(better, nearest[:, None], parent)
    return parent
