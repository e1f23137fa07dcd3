"""The straight-through estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._base import Backward, Gradient
from ._tempered import Tempered

if TYPE_CHECKING:
    from imle_core.noise import Noise


@dataclass(frozen=True, kw_only=True)
class StraightThrough(Tempered):
    r"""The straight-through estimator: the solver is differentiated as if it were the identity.

    .. math:: z_s = \mathrm{MAP}(\theta + \epsilon_s), \qquad G = \frac{1}{S} \sum_s g_s

    with g_s the loss gradient at z_s. For costs, the signs of noise and gradient turn round. No further solve, no
    parameter to choose, and a bias that does not vanish: entries that the structure cannot have together are moved all
    the same.

    Solver calls per row and step: S + 0.

    Args:
        samples: Number S of samples.
        noise: Noise of the perturbation, or None.
        draws: How the samples of a row are coupled: ``"independent"``, ``"antithetic"`` or ``"sobol"``.
        tau: Temperature, the factor of the noise, in units of theta.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Bengio, Leonard and Courville (2013), Estimating or propagating gradients through stochastic neurons, section 4.

    Example:
        >>> import torch, imle_core as imle
        >>> layer = imle.SolverLayer("torch.k_subset", imle.StraightThrough(), k=1)
        >>> theta = torch.tensor([[0.1, 0.9]], requires_grad=True)
        >>> (layer(theta) * torch.tensor([2.0, 3.0])).sum().backward()
        >>> theta.grad
        tensor([[2., 3.]])
    """

    noise: Noise | None = None

    def gradient(self, backward: Backward) -> Gradient:
        """Return the mean over samples of the loss gradient."""
        return Gradient(backward.g.mean(0))
