"""Subsets of exactly k of n entries."""

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


class KSubset(Subsets):
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

    def __init__(self, *, k: int, n: int | None = None) -> None:
        if n is not None and k > n:
            raise SolverParameterError(f"k = {k} entries cannot be chosen from n = {n}.")
        super().__init__(n, f"an indicator of {k} entries")
        self.k = k

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicators of the k largest scores of each row, shape ``(N, n)``."""
        self._require_entries(theta)
        return torch.zeros_like(theta).scatter_(1, theta.topk(self.k, dim=1, sorted=False).indices, 1.0)

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is an indicator of k entries."""
        return is_binary(z) & (z.sum(1) == self.k)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the indicators of all subsets, shape ``(n choose k, n)``; ``n`` must have been given.

        Raises:
            MissingCapabilityError: there are more than a million, or ``n`` is not known.
        """
        n = self._known_n()
        size = math.comb(n, self.k)
        require_listable(self, size, f"subsets of {self.k} of {n} entries")
        chosen = np.array(list(combinations(range(n), self.k)), np.int64).reshape(size, self.k)
        support = np.zeros((size, n))
        np.put_along_axis(support, chosen, 1, axis=1)
        return support

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``.

        .. math:: A(\theta) = \log \sum_{|S| = k} \exp \sum_{i \in S} \theta_i

        A dynamic programme over the number of entries taken, O(n min(k, n - k)) a row, differentiable to any order.

        Raises:
            InvalidThetaError: theta has fewer than k entries.
        """
        theta = as_scores(self, theta)
        self._require_entries(theta)
        n = theta.shape[-1]
        if 2 * self.k <= n:
            return by_total(theta, [1] * n, self.k)[-1][..., self.k]
        # Choosing k entries is leaving n - k out, which are fewer.
        return theta.sum(-1) + by_total(-theta, [1] * n, n - self.k)[-1][..., n - self.k]

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, n)``: the way back through the dynamic programme, O(n) each.

        Raises:
            InvalidThetaError: theta has fewer than k entries.
        """
        theta = as_scores(self, theta)
        self._require_entries(theta)
        n = theta.shape[-1]
        leaving = 2 * self.k > n
        scores, k = (-theta, n - self.k) if leaving else (theta, self.k)
        sums = by_total(scores, [1] * n, k)
        total = torch.full((samples, len(theta)), k, device=theta.device)
        z = choose_items(scores, [1] * n, sums, total, drawing(generator))
        return 1 - z if leaving else z

    def _require_entries(self, theta: torch.Tensor) -> None:
        if self.k > theta.shape[-1]:
            raise InvalidThetaError(
                f"{self.name}: k = {self.k} entries cannot be chosen from a theta with {theta.shape[-1]} entries."
            )
