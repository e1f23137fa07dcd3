"""Subsets of at most k of n entries."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from imle_core.errors import InvalidThetaError, SolverParameterError
from imle_torch._checks import as_scores, is_binary, require_listable
from imle_torch._semiring import drawing
from imle_torch._subsets import Subsets
from imle_torch._totals import by_total, choose_items

if TYPE_CHECKING:
    from collections.abc import Sequence


class AtMostK(Subsets):
    r"""The at most k entries with the largest positive scores.

    .. math:: \arg\max_{z \in \{0, 1\}^n} \langle z, \theta \rangle \quad \text{s.t.} \quad \sum_i z_i \le k

    Batched, on theta's device, O(n log k) a row. A score of zero is left out.

    Args:
        k: Largest number of entries of a subset, at least 0.
        n: Number of entries to choose from, at least k; None takes the last axis of theta as it comes.

    Reference:
        Swersky et al. (2012), Cardinality restricted Boltzmann machines.

    Example:
        >>> AtMostK(k=2).solve(torch.tensor([[0.1, 3.0, 2.0, -1.0], [-1.0, -2.0, 0.5, 0.0]]))
        tensor([[0., 1., 1., 0.],
                [0., 0., 1., 0.]])
    """

    def __init__(self, *, k: int, n: int | None = None) -> None:
        if n is not None and k > n:
            raise SolverParameterError(f"at most k = {k} of n = {n} entries is no bound; give k <= n.")
        super().__init__(n, f"an indicator of at most {k} entries")
        self.k = k

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicators of the k largest scores of each row, of the positive ones, shape ``(N, n)``."""
        self._require_entries(theta)
        best = theta.topk(self.k, dim=1, sorted=False)
        return torch.zeros_like(theta).scatter_(1, best.indices, (best.values > 0).to(theta.dtype))

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is an indicator of at most k entries."""
        return is_binary(z) & (z.sum(1) <= self.k)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the indicators of all subsets, small ones first; ``n`` must have been given.

        Raises:
            MissingCapabilityError: there are more than a million, or ``n`` is not known.
        """
        n = self._known_n()
        sizes = range(self.k + 1)
        count = sum(math.comb(n, size) for size in sizes)
        require_listable(self, count, f"subsets of at most {self.k} of {n} entries")
        support = np.zeros((count, n))
        every = (chosen for size in sizes for chosen in combinations(range(n), size))
        for row, chosen in zip(support, every, strict=True):
            row[list(chosen)] = 1
        return support

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``.

        .. math:: A(\theta) = \log \sum_{|S| \le k} \exp \sum_{i \in S} \theta_i

        A dynamic programme over the number of entries taken, O(n k) a row, differentiable to any order.

        Raises:
            InvalidThetaError: theta has fewer than k entries.
        """
        theta = as_scores(self, theta)
        self._require_entries(theta)
        return by_total(theta, [1] * theta.shape[-1], self.k)[-1].logsumexp(-1)

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, n)``: first the size of the subset, then its entries, O(n + k) each.

        Raises:
            InvalidThetaError: theta has fewer than k entries.
        """
        theta = as_scores(self, theta)
        self._require_entries(theta)
        weights, semiring = [1] * theta.shape[-1], drawing(generator)
        sums = by_total(theta, weights, self.k)
        total = semiring.choose(sums[-1].expand(samples, -1, -1))
        return choose_items(theta, weights, sums, total, semiring)

    def _require_entries(self, theta: torch.Tensor) -> None:
        if self.k > theta.shape[-1]:
            raise InvalidThetaError(
                f"{self.name}: k = {self.k} is no bound for a theta with {theta.shape[-1]} entries; "
                "give at least k entries."
            )
