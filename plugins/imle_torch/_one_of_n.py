"""One of n entries: the categorical distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from imle_torch._checks import as_scores, is_binary, require_structure
from imle_torch._semiring import drawing
from imle_torch._subsets import Subsets

if TYPE_CHECKING:
    from collections.abc import Sequence


class OneOfN(Subsets):
    r"""The entry with the largest score, as an indicator.

    .. math:: \arg\max_{z \in \{e_1, \dots, e_n\}} \langle z, \theta \rangle

    Its exponential family is the categorical distribution with logits theta. Batched, on theta's device, O(n) a row;
    of equal scores the first.

    Args:
        n: Number of entries; None takes the last axis of theta as it comes.

    Reference:
        Gumbel (1954), Statistical theory of extreme values and some practical applications.

    Example:
        >>> OneOfN().solve(torch.tensor([[0.1, 3.0, 2.0]]))
        tensor([[0., 1., 0.]])
    """

    def __init__(self, *, n: int | None = None) -> None:
        super().__init__(n, "an indicator of one entry")

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicator of the largest score of each row, shape ``(N, n)``."""
        return torch.zeros_like(theta).scatter_(1, theta.argmax(1, keepdim=True), 1.0)

    def decode(self, z: Any, *, instance: Any = None) -> int:  # type: ignore[override]
        """Return the index of the chosen entry.

        Raises:
            InvalidSolutionError: the state is not an indicator of one entry.
        """
        require_structure(self, z, self._what)
        return int(np.argmax(z))

    def encode(self, structure: int) -> np.ndarray:  # type: ignore[override]
        """Return the indicator, shape ``(n,)``, of an index; ``n`` must have been given.

        Raises:
            InvalidSolutionError: the index is out of range.
        """
        return super().encode([structure])

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is an indicator of one entry."""
        return is_binary(z) & (z.sum(1) == 1)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the n indicators, shape ``(n, n)``; ``n`` must have been given."""
        return np.eye(self._known_n())

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return the log-sum-exp of the scores of each row, shape ``(N,)``; O(n) a row."""
        return as_scores(self, theta).logsumexp(-1)

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, n)``: the largest of Gumbel-perturbed scores, O(n) each."""
        scores = as_scores(self, theta).expand(samples, *theta.shape)
        chosen = drawing(generator).choose(scores).unsqueeze(-1)
        return torch.zeros_like(scores, memory_format=torch.contiguous_format).scatter_(-1, chosen, 1.0)
