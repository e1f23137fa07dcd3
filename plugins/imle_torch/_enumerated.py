"""Any list of vertices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import SolverParameterError
from imle_torch._checks import as_scores, no_structure
from imle_torch._constants import Constants
from imle_torch._semiring import drawing

if TYPE_CHECKING:
    from collections.abc import Sequence


class Enumerated(imle.Solver):
    r"""The best of a list of vertices.

    .. math:: \arg\max_{z \in \{v_1, \dots, v_M\}} \langle z, \theta \rangle

    For any set that can be listed and has no algorithm of its own. Batched, on theta's device, O(M m) a row for M
    vertices of m entries; of equally good vertices the first.

    Args:
        vertices: Array ``(M, *event)`` of distinct vertices, integers or floats.
        sense: ``"max"`` for scores, ``"min"`` for costs.

    Reference:
        Wainwright and Jordan (2008), Graphical models, exponential families, and variational inference, section 3.4.

    Example:
        >>> solver = Enumerated(vertices=[[1, 0, 0], [0, 1, 1], [1, 1, 1]])
        >>> solver.solve(torch.tensor([[3.0, 1.0, -0.5]]))
        tensor([[1., 1., 1.]])
    """

    output = "real"
    scale_invariant = True

    def __init__(self, *, vertices: Any, sense: Literal["max", "min"] = "max") -> None:
        try:
            listed = np.asarray(vertices)
        except ValueError as error:
            raise SolverParameterError(f"vertices are no array of numbers: {error}") from error
        if listed.ndim < 2 or not listed.size or listed.dtype.kind not in "iufb":
            raise SolverParameterError(
                f"vertices must be numbers of shape (M, *event), at least one; got {listed.dtype} {listed.shape}."
            )
        self._vertices = listed.astype(np.float64)
        if not np.isfinite(self._vertices).all():
            raise SolverParameterError("vertices must be finite.")
        distinct = len(np.unique(self._vertices.reshape(len(listed), -1), axis=0))
        if distinct < len(listed):
            raise SolverParameterError(
                f"vertices must be distinct; {len(listed) - distinct} of {len(listed)} repeat another one."
            )
        self.sense = sense
        self.event_shape = tuple(listed.shape[1:])
        self._constants = Constants(self._vertices)

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the best vertex of each row, shape ``(N, *event)``."""
        return self._on(theta)[self._scores(theta).argmax(1)]

    def decode(self, z: Any, *, instance: Any = None) -> int:  # type: ignore[override]
        """Return the index of a vertex in the list.

        Raises:
            InvalidSolutionError: the state is none of the vertices.
        """
        index = int(self._index(torch.as_tensor(z)[None])[0])
        if index < 0:
            raise no_structure(self, f"the state is none of the vertices: {z}")
        return index

    def encode(self, structure: int) -> np.ndarray:
        """Return the vertex of an index, shape ``event``.

        Raises:
            InvalidSolutionError: the index is out of range.
        """
        if not 0 <= structure < len(self._vertices):
            raise no_structure(self, f"there is no vertex {structure} among {len(self._vertices)}")
        return self._vertices[structure].copy()

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is one of the vertices, in z's precision."""
        return self._index(z) >= 0

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the vertices, shape ``(M, *event)``."""
        return self._vertices.copy()

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-sum-exp of the scores of all vertices, shape ``(N,)``; O(M m) a row.

        .. math:: A(\theta) = \log \sum_{k=1}^M \exp(s \langle v_k, \theta \rangle)
        """
        return self._scores(theta).logsumexp(1)

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, *event)``: the largest of Gumbel-perturbed scores, O(M) each."""
        scores = self._scores(theta)
        return self._on(theta)[drawing(generator).choose(scores.expand(samples, *scores.shape))]

    def _on(self, theta: torch.Tensor) -> torch.Tensor:
        return self._constants.on(theta.device, theta.dtype)[0]

    def _scores(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the score of each vertex for each row, shape ``(N, M)``."""
        scores = as_scores(self, theta)
        # Autocast would multiply in half precision, in which other vertices are the best.
        with torch.autocast(theta.device.type, enabled=False):
            return scores.flatten(1) @ self._on(theta).flatten(1).T

    def _index(self, z: torch.Tensor) -> torch.Tensor:
        """Return the index of the vertex that each row is, shape ``(N,)``; -1 where it is none."""
        vertices = self._on(z)
        found = [(vertices == row).flatten(1).all(1) for row in z]
        index = [torch.where(equal.any(), equal.int().argmax(), -1) for equal in found]
        return torch.stack(index) if index else torch.zeros(0, dtype=torch.int64, device=z.device)
