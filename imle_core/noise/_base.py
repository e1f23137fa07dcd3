"""What every noise distribution offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from imle_core.errors import MissingCapabilityError

from ._uniform import Draws, uniform

if TYPE_CHECKING:
    from collections.abc import Sequence


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
        draws: Draws = "independent",
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Return draws, each of this law.

        Args:
            shape: Shape of the draws: samples, rows, event.
            draws: How the samples of a row are coupled: ``"independent"``, ``"antithetic"`` (in pairs, at the
                probabilities u and 1 - u), or ``"sobol"`` (a scrambled Sobol sequence, randomly shifted in each row).
            generator: Source of randomness, on ``device``; None takes torch's global one.
            device: Where the draws are made.
            dtype: ``torch.float32`` or ``torch.float64``.

        Returns:
            Draws of that shape, device and dtype; always finite.
        """
        return self.icdf(uniform(shape, draws, generator=generator, device=device, dtype=dtype))
