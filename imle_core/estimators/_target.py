"""Target parameters: how far to move against the loss gradient, and the difference that the move makes.

Shared by all estimators of the implicit kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ._base import Solve

Difference = Literal["forward", "central"]


class Move(NamedTuple):
    """A move of the target parameters.

    Attributes:
        lam: The step, a number or shape ``(N, 1, ...)``.
        weight: 1 / lam, and 0 where the gradient is known to be zero, NaN where that of the loss is not finite; shape
            ``(S, N, 1, ...)``.
        skip: Samples of rows that are not moved, shape ``(S, N)``: their gradient is known without a solve.
    """

    lam: float | Tensor
    weight: Tensor
    skip: Tensor


def relative_move(beta: float | Tensor, theta: Tensor, g: Tensor, noise_scale: float) -> Move:
    r"""Move by a step in proportion to theta, whatever the scale of the loss.

    .. math:: \lambda_b = \beta \max(\mathrm{rms}(\theta_b), \sigma) / \mathrm{rms}(g_b)

    for each row b, sigma the standard deviation of the noise, so that theta = 0 works. Because the result is
    divided by the same lam, it is exactly homogeneous in g: loss scaling, the reduction over the batch and gradient
    accumulation change its size and nothing else. A step for the whole batch would not be: one row with a large
    loss would leave the others no move at all.

    Args:
        beta: The factor, a number or a tensor without dimensions.
        theta: Shape ``(N, *event)``.
        g: Loss gradient, shape ``(S, N, *event)``.
        noise_scale: Sigma.
    """
    # float64, so that squares of the smallest and largest float32 neither vanish nor overflow
    norm = torch.linalg.vector_norm(g.flatten(2), dim=2, dtype=torch.float64)
    root = theta.shape[1:].numel() ** 0.5
    rms = norm.square().mean(0).sqrt() / root
    scale = torch.linalg.vector_norm(theta.flatten(1), dim=1, dtype=torch.float64) / root
    scale = scale.clamp(min=noise_scale)
    scale = beta * torch.where(scale > 0, scale, 1.0)

    finite = torch.isfinite(rms)
    # What cannot be divided by in the working dtype is as good as zero.
    skip = (norm <= torch.finfo(g.dtype).tiny * root) | ~finite
    shape = (-1, *[1] * (theta.ndim - 1))
    lam = scale / torch.where((rms > 0) & finite, rms, 1.0)
    return Move(lam.to(g.dtype).view(shape), _weight((rms / scale).to(g.dtype), finite, skip, shape), skip)


def absolute_move(lam: float, g: Tensor) -> Move:
    """Move by ``lam * g``, as in the papers: a fixed step, not homogeneous in the loss."""
    peak = g.flatten(2).abs().amax(2)
    finite = torch.isfinite(peak).all(0)
    skip = (peak == 0) | ~finite
    inverse = torch.full_like(peak[0], 1 / lam)
    return Move(lam, _weight(inverse, finite, skip, (-1, *[1] * (g.ndim - 2))), skip)


def _weight(inverse: Tensor, finite: Tensor, skip: Tensor, shape: tuple[int, ...]) -> Tensor:
    weight = torch.where(skip, 0.0, inverse).masked_fill(~finite, torch.nan)
    return weight.view(len(skip), *shape)


def target_difference(
    points: Tensor, z: Tensor, g: Tensor, move: Move, solve: Solve, difference: Difference
) -> Tensor:
    """Return the difference of states between source and target, shape ``(S, N, *event)``.

    Forward: z - MAP(point - lam g). Central: [MAP(point + lam g) - MAP(point - lam g)] / 2, both signs and all samples
    in one batch. The same noise on both sides: it is in the points. Where the move skips, it means nothing.
    """
    lam = move.lam if isinstance(move.lam, torch.Tensor) else g.new_full((), move.lam)
    behind = torch.addcmul(points, g, lam, value=-1)
    if difference == "forward":
        return z - solve(behind, move.skip)
    ahead = torch.addcmul(points, g, lam)
    both = solve(torch.cat([ahead, behind]), move.skip.repeat(2, 1))
    return (both[: len(points)] - both[len(points) :]) / 2


def weighted_mean(change: Tensor, move: Move) -> Tensor:
    """Return the mean over samples of the difference of states over lam, shape ``(N, *event)``."""
    return (change * move.weight).mean(0) if len(change) > 1 else (change * move.weight).squeeze(0)
