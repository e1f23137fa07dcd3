"""The logistic distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ._base import Noise

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Logistic(Noise):
    r"""Standard logistic noise: exact on independent binaries, where the mean state is a sigmoid.

    .. math:: F(x) = 1 / (1 + e^{-x}), \quad \mathbb{E}[x] = 0, \quad \mathrm{Var}[x] = \pi^2 / 3

    Example:
        >>> import torch
        >>> Logistic().icdf(torch.tensor([0.5]))
        tensor([0.])
    """

    @property
    def mean(self) -> float:
        """Zero."""
        return 0.0

    @property
    def std(self) -> float:
        """Pi over the square root of 3."""
        return math.pi / math.sqrt(3)

    def icdf(self, u: Tensor) -> Tensor:
        """Return ``log(u / (1 - u))``."""
        return torch.logit(u)

    def score(self, x: Tensor) -> Tensor:
        """Return ``tanh(x / 2)``."""
        return (x / 2).tanh_()
