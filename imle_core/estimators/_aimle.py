"""Adaptive implicit maximum likelihood estimation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from imle_core._checks import require_choice, require_number

from ._target import Difference, relative_move, target_difference, weighted_mean
from ._tempered import Tempered

if TYPE_CHECKING:
    from ._base import Backward, Gradient

_RATE = 0.05  # of the controller: log beta moves by at most this much upwards in a step
_BOUNDS = (1e-4, 1e4)


@dataclass(frozen=True, kw_only=True)
class AIMLE(Tempered):
    r"""Adaptive I-MLE: the step is controlled so that gradients are neither zero nor everywhere.

    The gradient is that of :class:`IMLE` with the relative step :math:`\lambda_b = \beta
    \max(\mathrm{rms}(\theta_b), \sigma) / \mathrm{rms}(g_b)`. After each backward pass in training,

    .. math:: \log \beta \leftarrow \log \beta + \rho\, (n^* - n) / n^*

    with n the number of entries per sample in which source and target states differ, averaged over the batch, and
    n* the target. Beta starts at 1 and is a buffer of the layer, in float32: it is saved with the model, frozen in
    eval, and never read back to the host. n does not change with the scale of the loss, so nothing here does.

    Solver calls per row and step: S + 2S (central), S + S (forward difference).

    Args:
        samples: Number S of samples.
        noise: Noise of the perturbation.
        draws: How the samples of a row are coupled: ``"independent"``, ``"antithetic"`` or ``"sobol"``.
        tau: Temperature, the factor of the noise, in units of theta.
        target_norm: Number n* of non-zero entries of the gradient per sample, above 0.
        difference: ``"central"`` or ``"forward"``.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Minervini, Franceschi and Niepert (2023), Adaptive perturbation-based gradient estimation for discrete
        latent variable models, section 4 and Algorithm 1. Here the control is multiplicative and starts at 1, where
        theirs is additive and starts at 0 with a zero gradient.

    Example:
        >>> AIMLE(target_norm=2.0).difference
        'central'
    """

    target_norm: float = 1.0
    difference: Difference = "central"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("AIMLE", "target_norm", self.target_norm, above=0)
        require_choice("AIMLE", "difference", self.difference, ("forward", "central"))

    def initial_state(self) -> torch.Tensor | None:
        """Return beta = 1."""
        return torch.ones((), dtype=torch.float32)

    def gradient(self, backward: Backward) -> Gradient:
        """Return the mean over samples of the difference of states over lam, and adapt beta."""
        beta = backward.state
        assert beta is not None
        move = relative_move(beta.clone(), backward.theta, backward.g, self.noise_scale)
        change = target_difference(backward, move, self.difference)
        if backward.adapt:
            differing = (change != 0).reshape(*change.shape[:2], -1).sum(2)
            adapt_step(beta, differing, move.skip, self.target_norm)
        return weighted_mean(change, move)


torch.library.define(
    "imle::adapt_step", "(Tensor(a!) beta, Tensor differing, Tensor skip, float target) -> ()"
)
adapt_step = torch.ops.imle.adapt_step.default


@torch.library.impl("imle::adapt_step", "CompositeExplicitAutograd")
def _adapt_step(beta: Tensor, differing: Tensor, skip: Tensor, target: float) -> None:
    """Update beta in place from the number of differing entries, shape ``(S, N)``, of the rows not skipped.

    An operator of its own, so that it is one update for a whole batch under vmap as well.
    """
    moved = (~skip).sum()
    average = differing.masked_fill(skip, 0).sum() / moved.clamp(min=1)
    change = (_RATE * (target - average) / target).clamp(min=-1.0)
    beta.copy_(torch.where(moved > 0, beta * change.exp(), beta).clamp(*_BOUNDS))


@torch.library.register_fake("imle::adapt_step")  # type: ignore[untyped-decorator]
def _(beta: Tensor, differing: Tensor, skip: Tensor, target: float) -> None:
    return None


@torch.library.register_vmap("imle::adapt_step")  # type: ignore[untyped-decorator]
def _(
    info: object,
    in_dims: tuple[int | None, ...],
    beta: Tensor,
    differing: Tensor,
    skip: Tensor,
    target: float,
) -> tuple[None, None]:
    adapt_step(beta, differing, skip, target)
    return None, None
