"""What every noise distribution offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from imle_core.errors import MissingCapabilityError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Half the spacing of the uniform numbers that torch draws: 24 bits of mantissa in float32, 53 in float64.
_RESOLUTION = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}


class Noise(ABC):
    """A distribution of independent noise, in standard form."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """Expected value."""

    @property
    @abstractmethod
    def std(self) -> float:
        """Standard deviation."""

    @abstractmethod
    def icdf(self, u: Tensor) -> Tensor:
        """Return the quantiles of probabilities ``u`` in (0, 1), any shape, float32 or float64."""

    def score(self, x: Tensor) -> Tensor:
        r"""Return :math:`-\frac{d}{dx} \log p(x)`, any shape: what perturbed optimisers weigh a draw by.

        Raises:
            MissingCapabilityError: the density is not known.
        """
        raise MissingCapabilityError(
            f"{self} has no `score`, which this estimator needs; noise that has one: Normal, Gumbel, Logistic, "
            "SumOfGamma(k, method='table')."
        )

    def sample(
        self,
        shape: Sequence[int],
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Return independent draws.

        Args:
            shape: Shape of the draws.
            generator: Source of randomness, on ``device``; None takes torch's global one.
            device: Where the draws are made.
            dtype: ``torch.float32`` or ``torch.float64``.

        Returns:
            Draws of that shape, device and dtype; always finite.
        """
        return self.icdf(uniform(shape, generator=generator, device=device, dtype=dtype))


def uniform(
    shape: Sequence[int],
    *,
    generator: torch.Generator | None,
    device: torch.device | str | None,
    dtype: torch.dtype,
) -> Tensor:
    """Return uniform numbers in the open interval (0, 1), so that every quantile is finite."""
    if dtype not in _RESOLUTION:
        raise ValueError(f"noise is drawn in float32 or float64; got {dtype}.")
    u = torch.rand(tuple(shape), generator=generator, device=device, dtype=dtype)
    return u.clamp_(min=_RESOLUTION[dtype])
