"""Paths from a source to a target in a directed acyclic graph."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import SolverParameterError
from imle_torch._checks import as_scores, is_binary, no_structure, require_listable, require_structure
from imle_torch._constants import Constants
from imle_torch._graph import read_graph
from imle_torch._paths import CycleError, NoPathError, Paths
from imle_torch._semiring import BEST, drawing

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


class DagPath(imle.Solver):
    r"""The best path from a source to a target in a directed acyclic graph.

    .. math:: \arg\max_{z \in Z} \langle z, \theta \rangle, \qquad
       Z = \{\text{indicators of the edges of paths from source to target}\}

    Theta has shape ``(N, E)``, one entry an edge, of any sign. Batched, on theta's device, in O(E) a row; as many
    steps follow one another as the longest path has edges. Of equally good edges into a node, looked at from the
    target, it takes the first in the order given.

    Args:
        graph: Edges ``(E, 2)`` from tail to head, as node numbers; or a directed graph of NetworkX.
        source: First node.
        target: Last node. If it is the source, the path has no edges.
        nodes: Number of nodes of an array of edges; None: up to the largest in an edge.
        sense: ``"max"`` for scores, ``"min"`` for costs.

    Attributes:
        entries: The edge of each entry of theta, ``(u, v)``, or ``(u, v, key)`` where there are parallel ones.

    Raises:
        SolverParameterError: the graph has a cycle, or no path from source to target.

    Reference:
        Mohri (2002), Semiring frameworks and algorithms for shortest-distance problems.

    Example:
        >>> paths = DagPath(graph=[(0, 1), (0, 2), (1, 3), (2, 3)], source=0, target=3, sense="min")
        >>> paths.decode(paths.solve(torch.tensor([[1.0, 1.0, 5.0, 2.0]])))
        [[0, 2, 3]]
        >>> paths.log_partition(torch.zeros(1, 4)).exp()  # the number of paths
        tensor([2.])
    """

    output = "binary"
    scale_invariant = True

    def __init__(
        self,
        *,
        graph: Any,
        source: Hashable,
        target: Hashable,
        nodes: int | None = None,
        sense: Literal["max", "min"] = "max",
    ) -> None:
        self._graph = read_graph(graph, nodes, directed=True)
        self.sense = sense
        self.entries = self._graph.edges
        self.event_shape = (len(self.entries),)
        count = len(self._graph.labels)
        ends = (self._graph.number("source", source), self._graph.number("target", target))
        try:
            self._paths = Paths(self._graph.ends, nodes=count, source=ends[0], target=ends[1])
        except NoPathError:
            raise SolverParameterError(f"there is no path from {source!r} to {target!r}.") from None
        except CycleError as error:
            cycle = [self._graph.labels[node] for node in error.args[0]]
            raise SolverParameterError(f"the graph must be acyclic; it has the cycle {cycle}.") from None
        # +1 where an edge leaves a node, -1 where it enters one: a path is a unit of flow.
        incidence, flow = np.zeros((len(self.entries), count)), np.zeros(count)
        edges = np.arange(len(self.entries))
        np.add.at(incidence, (edges, self._graph.ends[:, 0]), 1)
        np.add.at(incidence, (edges, self._graph.ends[:, 1]), -1)
        flow[ends[0]] += 1
        flow[ends[1]] -= 1
        self._flow = Constants(incidence, flow)
        self._source = ends[0]

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicator of the edges of the best path of each row, shape ``(N, E)``."""
        return self._paths.find(as_scores(self, theta), 1, BEST)[0]

    def decode(self, z: Any, *, instance: Any = None) -> list[Any]:  # type: ignore[override]
        """Return the path as the list of its nodes, from source to target.

        Raises:
            InvalidSolutionError: the state is not the indicator of a path from source to target.
        """
        require_structure(self, z, "the indicator of a path from source to target")
        following = dict(self._graph.ends[np.flatnonzero(z)].tolist())
        path = [self._source]
        while path[-1] in following:
            path.append(following[path[-1]])
        return [self._graph.labels[node] for node in path]

    def encode(self, structure: Sequence[Any]) -> np.ndarray:
        """Return the indicator of a path, given as the list of its nodes; of parallel edges it takes the first.

        Raises:
            InvalidSolutionError: the nodes are not a path from source to target.
        """
        column = {edge[:2]: i for i, edge in reversed(list(enumerate(self.entries)))}
        z = np.zeros(len(self.entries))
        nodes = list(structure)
        for step in pairwise(nodes):
            if step not in column:
                raise no_structure(self, f"no edge leads from {step[0]!r} to {step[1]!r}")
            z[column[step]] = 1
        if nodes[:1] != [self._graph.labels[self._source]] or not self.is_feasible(torch.from_numpy(z)[None]):
            raise no_structure(self, f"{nodes} is not a path from source to target")
        return z

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is the indicator of one path: a unit of flow, in a graph without cycles."""
        states = z if z.is_floating_point() else z.double()
        incidence, flow = self._flow.on(z.device, states.dtype)
        return is_binary(z) & (states @ incidence == flow).all(1)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the indicators of all paths, shape ``(K, E)``.

        Raises:
            MissingCapabilityError: there are more than a million.
        """
        require_listable(self, self._paths.count(), "paths")
        return self._paths.listed()

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``, by sum-product in topological order, O(E).

        .. math:: a_v = \log \sum_{(u, v)} \exp(a_u + s \theta_{uv}), \qquad A(\theta) = a_{\text{target}}
        """
        return self._paths.log_sum(as_scores(self, theta))

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, E)``: drawn edge by edge from the target back to the source."""
        return self._paths.find(as_scores(self, theta), samples, drawing(generator))
