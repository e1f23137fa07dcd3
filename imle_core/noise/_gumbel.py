"""The Gumbel distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._base import Noise

if TYPE_CHECKING:
    from torch import Tensor

EULER_GAMMA = 0.5772156649015329


@dataclass(frozen=True)
class Gumbel(Noise):
    r"""Standard Gumbel noise: the noise that makes perturb-and-MAP exact on one-of-n.

    .. math:: F(x) = \exp(-e^{-x}), \quad \mathbb{E}[x] = \gamma \approx 0.5772, \quad
       \mathrm{Var}[x] = \pi^2 / 6

    Reference:
        Papandreou and Yuille (2011), Perturb-and-MAP random fields, section 3.

    Example:
        >>> import torch
        >>> Gumbel().sample((2, 3), generator=torch.Generator().manual_seed(0)).shape
        torch.Size([2, 3])
    """

    @property
    def mean(self) -> float:
        """Euler's constant."""
        return EULER_GAMMA

    @property
    def std(self) -> float:
        """Pi over the square root of 6."""
        return math.pi / math.sqrt(6)

    def icdf(self, u: Tensor) -> Tensor:
        """Return ``-log(-log(u))``."""
        return u.log().neg_().log_().neg_()

    def score(self, x: Tensor) -> Tensor:
        """Return ``1 - exp(-x)``."""
        return x.neg().expm1_().neg_()
