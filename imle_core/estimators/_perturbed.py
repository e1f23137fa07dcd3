"""Perturbed optimisers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from imle_core._checks import require_choice, require_number
from imle_core.errors import MissingCapabilityError
from imle_core.noise import Noise, Normal

from ._base import Backward, Estimator, Gradient

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
    baseline: Literal["loo", "none"] = "loo"
    multiplicative: bool = False
    keeps_draws: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("Perturbed", "sigma", self.sigma, above=0)
        require_choice("Perturbed", "baseline", self.baseline, ("loo", "none"))
        if self.noise is None:
            raise ValueError(
                "Perturbed: noise is None, but the gradient is made of the noise; use imle.Normal()."
            )
        self._check_baseline()
        if self.multiplicative and not isinstance(self.noise, Normal):
            raise ValueError(f"Perturbed: multiplicative noise is imle.Normal(); got {self.noise!r}.")
        try:
            self.noise.score(torch.zeros(1))
        except MissingCapabilityError as error:
            raise ValueError(f"Perturbed: {error}") from None

    def _check_baseline(self) -> None:
        if self.baseline == "none":
            return
        if self.draws == "sobol":
            raise ValueError(
                "Perturbed: baseline='loo' is biased with draws='sobol', which depend on each other. "
                "Use baseline='none'."
            )
        if self.draws == "antithetic" and (self.samples < 4 or self.samples % 2):
            raise ValueError(
                "Perturbed: baseline='loo' with draws='antithetic' needs an even number of samples of at least 4; "
                f"got {self.samples}. Use baseline='none'."
            )
        if self.samples < 2:
            raise ValueError(
                "Perturbed: baseline='loo' needs samples of at least 2; got 1. Use baseline='none'."
            )

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
        samples = z.shape[0]
        reward = (z * g).reshape(*z.shape[:2], -1).sum(2)
        if self.baseline == "loo":
            # r_s less the mean of those that are independent of it, all but `dependent` of them:
            # r_s - (sum r - sum of its group) / (S - dependent)
            dependent = 2 if self.draws == "antithetic" else 1
            group = reward.reshape(dependent, -1, reward.shape[1]).sum(0).repeat(dependent, 1)
            reward = reward - (reward.sum(0) - group) / (samples - dependent)
        score = self.noise.score(draws).reshape(*z.shape[:2], -1)
        value = torch.einsum("sn,snd->nd", reward, score).reshape(z.shape[1:]) / (samples * self.sigma)
        if self.multiplicative:
            theta = backward.theta
            value = torch.where(theta == 0, 0.0, value / torch.where(theta == 0, 1.0, theta))
        return Gradient(value)
