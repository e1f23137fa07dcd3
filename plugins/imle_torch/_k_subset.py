"""Subsets of exactly k of n entries."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import (
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_SUPPORT = 1_000_000
"""Subsets at most that are listed."""


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
        self._require_entries(theta)
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
        if len(indices) != self.k or not all(0 <= i < n for i in indices):
            raise ValueError(f"{self.name}: expected {self.k} distinct indices in [0, {n}); got {indices}.")
        z = np.zeros(n)
        z[indices] = 1
        return z

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is an indicator of k entries."""
        return ((z == 0) | (z == 1)).all(1) & (z.sum(1) == self.k)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the indicators of all subsets, shape ``(n choose k, n)``; ``n`` must have been given.

        Raises:
            MissingCapabilityError: there are more than a million, or ``n`` is not known.
        """
        if self.n is None:
            raise MissingCapabilityError(
                f"{self.name}: its set depends on the number of entries; make the solver with n=."
            )
        if (size := math.comb(self.n, self.k)) > MAX_SUPPORT:
            raise MissingCapabilityError(
                f"{self.name}: {size:,} subsets of {self.k} of {self.n} entries are too many to be listed "
                f"(at most {MAX_SUPPORT:,})."
            )
        chosen = np.array(list(combinations(range(self.n), self.k)), np.int64).reshape(size, self.k)
        support = np.zeros((size, self.n))
        np.put_along_axis(support, chosen, 1, axis=1)
        return support

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``.

        .. math:: A(\theta) = \log \sum_{|S| = k} \exp \sum_{i \in S} \theta_i

        A dynamic programme over the number of entries taken, O(n min(k, n - k)) a row, differentiable to any order.

        Raises:
            InvalidThetaError: theta has fewer than k entries.
        """
        self._require_entries(theta)
        n = theta.shape[-1]
        if 2 * self.k <= n:
            return _log_sum(theta, self.k)
        # Choosing k entries is leaving n - k out, which are fewer.
        return theta.sum(-1) + _log_sum(-theta, n - self.k)

    def _require_entries(self, theta: torch.Tensor) -> None:
        if self.k > theta.shape[-1]:
            raise InvalidThetaError(
                f"{self.name}: k = {self.k} entries cannot be chosen from a theta with {theta.shape[-1]} entries."
            )


def _log_sum(theta: torch.Tensor, k: int) -> torch.Tensor:
    """Return log e_k(exp theta) of each row, e_k the elementary symmetric polynomial.

    With a_c the logarithm of the sum over subsets of c of the entries so far, an entry t gives
    a_c <- log(exp a_c + exp(a_{c-1} + t)).
    """
    # Finite in place of minus infinity, and logsumexp in place of logaddexp: both would give NaN derivatives.
    nothing = torch.finfo(theta.dtype).min / 4
    # Of nothing chosen it is log 1, still a function of theta for autograd.
    first = (theta * 0).sum(-1, keepdim=True)
    counts = torch.nn.functional.pad(first, (0, k), value=nothing)
    for t in theta.unsqueeze(-1).unbind(-2):
        taken = torch.nn.functional.pad(counts[..., :-1] + t, (1, 0), value=nothing)
        counts = torch.stack([counts, taken]).logsumexp(0)
    return counts[..., k]
