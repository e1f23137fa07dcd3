"""Implicit maximum likelihood estimation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from imle_core._checks import require_choice, require_number

from ._target import (
    Difference,
    absolute_move,
    cost_target,
    relative_move,
    target_difference,
    weighted_mean,
)
from ._tempered import Tempered

if TYPE_CHECKING:
    from ._base import Backward, Gradient


@dataclass(frozen=True, kw_only=True)
class IMLE(Tempered):
    r"""Implicit maximum likelihood estimation.

    With the perturbation-based target distribution, the default ``target="pid"``,

    .. math:: z_s = \mathrm{MAP}(\theta + \epsilon_s), \qquad
       G = \frac{1}{S} \sum_s \frac{z_s - \mathrm{MAP}(\theta + \epsilon_s - \lambda g_s)}{\lambda}

    with the same noise on both sides, and g_s the loss gradient at z_s. With ``difference="central"`` the numerator
    is [MAP(theta + eps + lam g) - MAP(theta + eps - lam g)] / 2. For costs the signs of theta, noise and gradient
    turn round; the layer sees to it.

    With ``target="cost"`` the loss is taken for a linear cost of the state, whose best parameters are known:

    .. math:: G = \frac{1}{S} \sum_s z_s - \mathrm{MAP}(\theta' + \epsilon_s), \qquad
       \theta'_i = \theta_i \text{ if } g_{s,i} = 0, \text{ else } -g_{s,i}

    for losses whose gradient at the state is in units of theta, such as the true cost of a path.

    Solver calls per row and step: S + S (forward difference), S + 2S (central).

    Args:
        samples: Number S of samples.
        noise: Noise of the perturbation, oriented with the sense (theta + eps for scores, c - eps for costs).
        draws: How the samples of a row are coupled: ``"independent"``, ``"antithetic"`` or ``"sobol"``.
        tau: Temperature, the factor of the noise, in units of theta.
        lam: Step of the target parameters, above 0: in units of theta for the relative step (1 moves a row of theta
            by its own size), in units of theta over loss gradient for the absolute one. Larger: less variance, more
            bias.
        step: ``"relative"``: lam_b = lam * max(rms(theta_b), std of the noise) / rms(g_b) for each row, which
            makes the gradient exactly homogeneous in the loss. ``"absolute"``: lam itself, as published, which
            depends on the scale of the loss, on the batch size under a mean, and on AMP's loss scale.
        difference: ``"forward"`` or ``"central"``; central has less bias and variance for half as many calls again.
        target: ``"pid"``, or ``"cost"``, which has no step: lam, step and difference stay at their defaults.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Niepert, Minervini and Franceschi (2021), Implicit MLE, Algorithm 1 and equations 9 to 12, and 14 for the cost
        target; central differences: Minervini, Franceschi and Niepert (2023), Adaptive perturbation-based gradient
        estimation.

    Example:
        >>> IMLE(samples=4, tau=0.5).noise
        Gumbel()
    """

    lam: float = 1.0
    step: Literal["relative", "absolute"] = "relative"
    difference: Difference = "forward"
    target: Literal["pid", "cost"] = "pid"

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        require_number(name, "lam", self.lam, above=0)
        require_choice(name, "step", self.step, ("relative", "absolute"))
        require_choice(name, "difference", self.difference, ("forward", "central"))
        require_choice(name, "target", self.target, ("pid", "cost"))
        if self.target == "cost" and (self.lam, self.step, self.difference) != (1.0, "relative", "forward"):
            raise ValueError(
                f"{name}: target='cost' has no step; leave lam, step and difference at their defaults."
            )

    def gradient(self, backward: Backward) -> Gradient:
        """Return the mean over samples of the difference of states over lam."""
        if self.target == "cost":
            return cost_target(backward)
        if self.step == "relative":
            move = relative_move(self.lam, backward.theta, backward.g, self.noise_scale)
        else:
            move = absolute_move(self.lam, backward.g)
        return weighted_mean(target_difference(backward, move, self.difference), move)
