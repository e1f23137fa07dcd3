"""Subsets of exactly k of n entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import InvalidSolutionError, InvalidThetaError, SolverParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class KSubset(imle.Solver):
    r"""The k entries with the largest scores.

    .. math:: \arg\max_{z \in \{0, 1\}^n} \langle z, \theta \rangle \quad \text{s.t.} \quad \sum_i z_i = k

    Batched, on theta's device, O(n log k) a row. Ties are broken as ``torch.topk`` breaks them.

    Args:
        k: Number of entries of a subset, at least 0.
        n: Number of entries to choose from, at least k; None takes the last axis of theta as it comes.

    Reference:
        Niepert, Minervini and Franceschi (2021), Implicit MLE, section 5.1 (learning to explain).

    Example:
        >>> KSubset(k=2).solve(torch.tensor([[0.1, 3.0, 2.0, -1.0]]))
        tensor([[0., 1., 1., 0.]])
    """

    sense = "max"
    output = "binary"
    scale_invariant = True

    def __init__(self, *, k: int, n: int | None = None) -> None:
        if n is not None and k > n:
            raise SolverParameterError(f"torch.k_subset: k = {k} entries cannot be chosen from n = {n}.")
        self.k = k
        self.n = n
        self.event_shape = (n,)

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicators of the k largest scores of each row, shape ``(N, n)``."""
        if self.k > theta.shape[-1]:
            raise InvalidThetaError(
                f"{self.name}: k = {self.k} entries cannot be chosen from a theta with {theta.shape[-1]} entries."
            )
        return torch.zeros_like(theta).scatter_(1, theta.topk(self.k, dim=1, sorted=False).indices, 1.0)

    def decode(self, z: Any, *, instance: Any = None) -> list[int]:  # type: ignore[override]
        """Return the indices of the chosen entries, ascending."""
        chosen: list[int] = np.flatnonzero(z).tolist()
        if len(chosen) != self.k or not np.isin(z, (0, 1)).all():
            raise InvalidSolutionError(
                f"{self.name}: the state is not an indicator of {self.k} entries: {z}."
            )
        return chosen

    def encode(self, structure: Iterable[int]) -> np.ndarray:
        """Return the indicator, shape ``(n,)``, of k distinct indices; ``n`` must have been given."""
        n = self.n
        if n is None:
            raise SolverParameterError(
                f"{self.name}: encode needs the number of entries; make the solver with n=."
            )
        indices = sorted(set(structure))
        if len(indices) != self.k or indices[:1] < [0] or indices[-1:] >= [n]:
            raise ValueError(f"{self.name}: expected {self.k} distinct indices in [0, {n}); got {indices}.")
        z = np.zeros(n)
        z[indices] = 1
        return z

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is an indicator of k entries."""
        return ((z == 0) | (z == 1)).all(1) & (z.sum(1) == self.k)
