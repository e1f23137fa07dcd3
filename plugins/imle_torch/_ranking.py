"""Rankings: permutations as vectors of ranks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import MissingCapabilityError
from imle_torch._checks import as_scores, no_structure, require_listable, require_structure
from imle_torch._permutations import MAX_EXACT, permutations
from imle_torch._semiring import drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_torch._paths import Paths


class Ranking(imle.Solver):
    r"""The ranks of n entries: a vertex of the permutahedron.

    .. math:: \arg\max_{z} \langle z, \theta \rangle \quad \text{s.t.} \quad
       z \text{ is a permutation of } (1, \dots, n)

    With ``sense="max"`` the largest entry of theta has rank n, with ``sense="min"`` rank 1. Batched, on theta's
    device, by sorting, O(n log n) a row; equal entries are ranked in their order. The log-partition function and
    exact samples are there for n up to 12.

    Args:
        n: Number of entries; None takes the last axis of theta as it comes.
        sense: ``"max"`` to rank from the smallest, ``"min"`` from the largest.

    References:
        Hardy, Littlewood and Polya (1952), Inequalities, section 10.2.
        Blondel, Teboul, Berthet and Djolonga (2020), Fast differentiable sorting and ranking.

    Example:
        >>> ranking = Ranking()
        >>> z = ranking.solve(torch.tensor([[0.1, 3.0, -2.0]]))
        >>> z
        tensor([[2., 3., 1.]])
        >>> ranking.decode(z)
        [[2, 0, 1]]
    """

    output = "integer"
    scale_invariant = True

    def __init__(self, *, n: int | None = None, sense: Literal["max", "min"] = "max") -> None:
        self.n, self.sense = n, sense
        self.event_shape = (n,)

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the ranks of each row, shape ``(N, n)``."""
        order = as_scores(self, theta).argsort(dim=1, stable=True)
        return torch.zeros_like(theta).scatter_(1, order, _ranks(theta).expand_as(theta))

    def decode(self, z: Any, *, instance: Any = None) -> list[int]:  # type: ignore[override]
        """Return the entries in the order of their ranks, that of rank 1 first.

        Raises:
            InvalidSolutionError: the state is not a permutation of 1 to n.
        """
        require_structure(self, z, "a permutation of 1 to n")
        return np.argsort(z).tolist()

    def encode(self, structure: Sequence[int]) -> np.ndarray:
        """Return the ranks, shape ``(n,)``, of entries given in the order of their ranks.

        Raises:
            InvalidSolutionError: they are not a permutation of 0 to n - 1.
        """
        order = list(structure)
        n = len(order) if self.n is None else self.n
        if sorted(order) != list(range(n)):
            raise no_structure(self, f"{order} is not a permutation of 0 to {n - 1}")
        z = np.zeros(n)
        z[order] = np.arange(1, n + 1)
        return z

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is a permutation of 1 to n."""
        return (z.sort(1).values == _ranks(z)).all(1)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return all permutations of 1 to n, shape ``(n!, n)``; ``n`` must have been given.

        Raises:
            MissingCapabilityError: there are more than a million, from n = 10 on, or ``n`` is not known.
        """
        if self.n is None:
            raise MissingCapabilityError(
                f"{self.name}: its set depends on the number of entries; make the solver with n=."
            )
        require_listable(self, math.factorial(self.n), "permutations")
        matrices = permutations(self.n).listed().reshape(-1, self.n, self.n)
        return matrices @ np.arange(1.0, self.n + 1)

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``, in O(n 2^n).

        .. math:: A(\theta) = \log \sum_{\pi} \exp \sum_i s \theta_i \pi(i)
           = \log \operatorname{perm} [e^{s j \theta_i}]_{ij}

        Raises:
            MissingCapabilityError: n is larger than 12.
        """
        return self._exact("log_partition", theta).log_sum(self._scores(theta))

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, n)``: drawn entry by entry, O(n^2) each after O(n 2^n).

        Raises:
            MissingCapabilityError: n is larger than 12.
        """
        paths, n = self._exact("sample", theta), theta.shape[-1]
        matrices = paths.find(self._scores(theta), samples, drawing(generator)).view(
            samples, len(theta), n, n
        )
        return matrices @ _ranks(theta)

    def _scores(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the scores of each entry with each rank, shape ``(N, n * n)``."""
        return (as_scores(self, theta).unsqueeze(-1) * _ranks(theta)).flatten(1)

    def _exact(self, method: str, theta: torch.Tensor) -> Paths:
        if (n := theta.shape[-1]) > MAX_EXACT:
            raise MissingCapabilityError(
                f"{self.name} has `{method}` for n up to {MAX_EXACT}, where it takes n 2^n steps; theta has n = {n}."
            )
        return permutations(n)


def _ranks(theta: torch.Tensor) -> torch.Tensor:
    return torch.arange(1, theta.shape[-1] + 1, dtype=theta.dtype, device=theta.device)
