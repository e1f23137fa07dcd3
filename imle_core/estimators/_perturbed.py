"""Perturbed optimisers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from imle_core._checks import require_number
from imle_core.errors import MissingCapabilityError
from imle_core.noise import Noise, Normal

from ._base import Backward, Estimator, Gradient
from ._baseline import Baseline, check_baseline, less_baseline, weighted_score

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Perturbed(Estimator):
    r"""Perturbed optimisers: the exact gradient of the expected state, estimated from the noise alone.

    .. math:: z_s = \mathrm{MAP}(\theta + \sigma x_s), \qquad
       G = \frac{1}{S \sigma} \sum_s \big(\langle z_s, g_s \rangle - b_s\big)\, \nu(x_s), \qquad
       \nu(x) = -\frac{d}{dx} \log p(x)

    The baseline ``b_s``, the mean of the other samples' :math:`\langle z, g \rangle`, leaves the estimate unbiased and
    takes out what all states have in common; with antithetic draws it is the mean over the other pairs. Multiplicative
    noise keeps the signs of theta, as costs that must stay positive need:

    .. math:: z_s = \mathrm{MAP}\big(\theta \odot e^{\sigma x_s - \sigma^2 / 2}\big), \qquad
       G_i = \frac{1}{S \sigma \theta_i} \sum_s \big(\langle z_s, g_s \rangle - b_s\big)\, x_{s,i}

    with zero where theta_i is zero, which then stays zero. In eval nothing is perturbed, and there is no gradient.

    Solver calls per row and step: S + 0.

    Args:
        samples: Number S of samples; at least 2 with a baseline, and even and at least 4 with antithetic draws too.
        sigma: Factor of the noise, above 0: in units of theta, or relative to each entry if multiplicative.
        noise: A noise whose score is known: :class:`Normal`, :class:`Gumbel`, :class:`Logistic`, or
            :class:`SumOfGamma` by its table. Multiplicative: :class:`Normal`.
        baseline: ``"loo"``, leave-one-out, or ``"none"``, which Sobol draws need: none of them is independent of the
            others.
        multiplicative: Whether noise multiplies theta.
        draws: How the samples of a row are coupled: ``"independent"``, ``"antithetic"`` or ``"sobol"``.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Berthet, Blondel, Teboul, Cuturi, Vert and Bach (2020), Learning with differentiable perturbed optimizers,
        proposition 3.1; multiplicative: Dalle, Baty, Bouvier and Parmentier (2022), Learning with combinatorial
        optimization layers: a probabilistic approach, section 4.2.

    Example:
        >>> Perturbed(samples=10, sigma=0.5).noise
        Normal()
    """

    samples: int = 100
    noise: Noise | None = field(default_factory=Normal)
    sigma: float = 1.0
    baseline: Baseline = "loo"
    multiplicative: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("Perturbed", "sigma", self.sigma, above=0)
        if self.noise is None:
            raise ValueError(
                "Perturbed: noise is None, but the gradient is made of the noise; use imle.Normal()."
            )
        check_baseline("Perturbed", self.baseline, self.draws, self.samples)
        if self.multiplicative and not isinstance(self.noise, Normal):
            raise ValueError(f"Perturbed: multiplicative noise is imle.Normal(); got {self.noise!r}.")
        self._require_score()

    @property
    def keeps_draws(self) -> bool:
        """True."""
        return True

    @property
    def factor(self) -> float:
        """Sigma."""
        return self.sigma

    def perturb(self, theta: Tensor, draws: Tensor) -> Tensor:
        """Return the points of draws, shape ``(S, N, *event)``."""
        if self.multiplicative:
            return theta * (self.sigma * draws - self.sigma**2 / 2).exp()
        return super().perturb(theta, draws)

    def gradient(self, backward: Backward) -> Gradient:
        """Return the mean over samples of what the loss says of a state, times the score of its draw."""
        if not backward.perturbed:
            raise MissingCapabilityError(
                "Perturbed has no gradient in eval, where nothing is perturbed; call .train() on the layer first."
            )
        assert self.noise is not None
        z, g, draws = backward.z, backward.g, backward.points
        reward = (z * g).reshape(*z.shape[:2], -1).sum(2)
        reward = less_baseline(reward, self.baseline, self.draws)
        value = weighted_score(reward, self.noise.score(draws)) / self.sigma
        if self.multiplicative:
            theta = backward.theta
            value = torch.where(theta == 0, 0.0, value / torch.where(theta == 0, 1.0, theta))
        return Gradient(value)
