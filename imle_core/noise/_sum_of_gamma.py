"""The Sum-of-Gamma distribution: the k-th root of a Gumbel under addition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from imle_core._checks import require_choice, require_count, require_number
from imle_core.errors import MissingCapabilityError

from ._base import Noise
from ._gumbel import EULER_GAMMA
from ._quantile_table import K_RANGE, quantile_table, score_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ._uniform import Draws


@dataclass(frozen=True)
class SumOfGamma(Noise):
    r"""Sum-of-Gamma noise: the sum of k independent draws is a Gumbel.

    .. math:: \epsilon = \frac{1}{k} \Big[ \sum_{i=1}^{s} \mathrm{Gamma}(\text{shape}\, 1/k,\; \text{scale}\, k/i)
       - \log s \Big], \qquad s \to \infty

    with mean gamma / k and variance pi^2 / (6 k). For structures of k ones among the entries, the perturbation of
    their weight is then exactly Gumbel. It is *not* a sampler of the exponential family: no noise on entries is,
    beyond one-of-n.

    Args:
        k: Number of entries whose sum is to be Gumbel, a real number in [0.01, 10000]; about the number of ones of
            a structure (10 for 10-subsets, the length of a path).
        method: ``"table"`` draws from the limit s -> infinity in constant time, by the quantile function that a
            Fourier transform of the characteristic function ``Gamma(1 - it)^(1/k)`` gives once for each k.
            ``"series"`` draws the sum truncated after ``terms`` terms, as published: mean
            ``(H_s - log s) / k`` and variance ``sum_{i<=s} 1/i^2 / k``.
        terms: Number s of terms of the series.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Niepert, Minervini and Franceschi (2021), Implicit MLE, Theorem 1 and equation 16.

    Example:
        >>> import torch
        >>> g = torch.Generator().manual_seed(0)
        >>> round(SumOfGamma(k=5).sample((100_000, 5), generator=g).sum(1).mean().item(), 2)
        0.58
    """

    k: float
    method: Literal["table", "series"] = "table"
    terms: int = 10

    def __post_init__(self) -> None:
        require_number("SumOfGamma", "k", self.k, above=0)
        if not K_RANGE[0] <= self.k <= K_RANGE[1]:
            raise ValueError(f"SumOfGamma: k must be in [{K_RANGE[0]}, {K_RANGE[1]}]; got {self.k}.")
        require_choice("SumOfGamma", "method", self.method, ("table", "series"))
        require_count("SumOfGamma", "terms", self.terms)

    @property
    def mean(self) -> float:
        """Mean of the law that is drawn: gamma / k, or that of the truncated series."""
        if self.method == "table":
            return EULER_GAMMA / self.k
        return (sum(1 / i for i in range(1, self.terms + 1)) - math.log(self.terms)) / self.k

    @property
    def std(self) -> float:
        """Standard deviation of the law that is drawn."""
        if self.method == "table":
            return math.pi / math.sqrt(6 * self.k)
        return math.sqrt(sum(1 / i**2 for i in range(1, self.terms + 1)) / self.k)

    def icdf(self, u: Tensor) -> Tensor:
        """Return the quantiles of the limit law, by table look-up with linear interpolation."""
        return quantile_table(float(self.k), u.device, u.dtype).look_up(u)

    def score(self, x: Tensor) -> Tensor:
        """Return the score of the limit law, by table look-up with linear interpolation.

        Raises:
            MissingCapabilityError: the method is ``"series"``, whose law has no known density.
        """
        if self.method == "series":
            return super().score(x)
        return score_table(float(self.k), x.device, x.dtype).look_up(x)

    def sample(
        self,
        shape: Sequence[int],
        draws: Draws = "independent",
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Return draws of the limit law, or independent ones of the truncated series.

        Raises:
            MissingCapabilityError: coupled draws of the series, whose quantiles are not known.
        """
        if self.method == "table":
            return super().sample(shape, draws, generator=generator, device=device, dtype=dtype)
        if draws != "independent":
            raise MissingCapabilityError(
                f"{self} has no quantile function, so its draws are independent; use method='table' for {draws!r}."
            )
        total = torch.zeros(tuple(shape), device=device, dtype=dtype)
        concentration = torch.full_like(total, 1 / self.k)
        for i in range(1, self.terms + 1):
            # Gamma(1/k, scale k/i) / k = Gamma(1/k, scale 1) / i
            total.add_(torch._standard_gamma(concentration, generator=generator), alpha=1 / i)
        return total.sub_(math.log(self.terms) / self.k)
