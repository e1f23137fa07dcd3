"""The normal distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ._base import Noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ._uniform import Draws


@dataclass(frozen=True)
class Normal(Noise):
    r"""Standard normal noise.

    .. math:: p(x) = e^{-x^2/2} / \sqrt{2\pi}, \quad \mathbb{E}[x] = 0, \quad \mathrm{Var}[x] = 1

    Reference:
        Berthet et al. (2020), Learning with differentiable perturbed optimizers, section 2.

    Example:
        >>> import torch
        >>> Normal().icdf(torch.tensor([0.5]))
        tensor([0.])
    """

    @property
    def mean(self) -> float:
        """Zero."""
        return 0.0

    @property
    def std(self) -> float:
        """One."""
        return 1.0

    def icdf(self, u: Tensor) -> Tensor:
        """Return the probit of ``u``."""
        return torch.special.ndtri(u)

    def score(self, x: Tensor) -> Tensor:
        """Return ``x``."""
        return x

    def sample(
        self,
        shape: Sequence[int],
        draws: Draws = "independent",
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Return draws; for independent ones, torch's own sampler is several times faster than the probit."""
        if draws != "independent":
            return super().sample(shape, draws, generator=generator, device=device, dtype=dtype)
        return torch.randn(tuple(shape), generator=generator, device=device, dtype=dtype)
