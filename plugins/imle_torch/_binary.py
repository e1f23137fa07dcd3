"""Independent binary entries: any subset."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from imle_torch._checks import as_scores, is_binary, require_listable
from imle_torch._subsets import Subsets

if TYPE_CHECKING:
    from collections.abc import Sequence


class Binary(Subsets):
    r"""The entries with positive scores: each entry is decided on its own.

    .. math:: \arg\max_{z \in \{0, 1\}^n} \langle z, \theta \rangle

    Its exponential family is that of independent Bernoulli variables with logits theta. Batched, on theta's device,
    O(n) a row; a score of zero is left out.

    Args:
        n: Number of entries; None takes the last axis of theta as it comes.

    Reference:
        Wainwright and Jordan (2008), Graphical models, exponential families, and variational inference, section 3.3.

    Example:
        >>> Binary().solve(torch.tensor([[0.1, -3.0, 2.0]]))
        tensor([[1., 0., 1.]])
    """

    def __init__(self, *, n: int | None = None) -> None:
        super().__init__(n, "an indicator")

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicators of the positive scores, shape ``(N, n)``."""
        return (theta > 0).to(theta.dtype)

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether its entries are 0 or 1."""
        return is_binary(z)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return all indicators, shape ``(2^n, n)``; ``n`` must have been given.

        Raises:
            MissingCapabilityError: there are more than a million, or ``n`` is not known.
        """
        n = self._known_n()
        require_listable(self, 2**n, f"subsets of {n} entries")
        return np.array(list(product((0.0, 1.0), repeat=n)))

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``, in O(n).

        .. math:: A(\theta) = \sum_i \log(1 + \exp \theta_i)
        """
        theta = as_scores(self, theta)
        # torch's softplus is the identity from 20 on, which is off by 2e-9.
        return torch.stack([torch.zeros_like(theta), theta]).logsumexp(0).sum(-1)

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, n)``: one uniform number an entry."""
        probability = as_scores(self, theta).sigmoid().expand(samples, *theta.shape)
        return torch.bernoulli(probability, generator=generator)
