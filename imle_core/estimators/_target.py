"""Target parameters: how far to move against the loss gradient, and the difference that the move makes.

Shared by all estimators of the implicit kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch

from ._base import Gradient

if TYPE_CHECKING:
    from torch import Tensor

    from ._base import Backward

Difference = Literal["forward", "central"]


class Move(NamedTuple):
    """A move of the target parameters.

    Attributes:
        unit: What makes the loss gradient of a row one of unit size, shape ``(N, 1, ...)``.
        size: How far a row moves, shape ``(N, 1, ...)``: lam = unit * size, which may not fit into the dtype.
        weight: 1 / lam, shape ``(S, N, 1, ...)``; 0 where the gradient is known to be zero, NaN where that of the loss
            is not finite.
        skip: Samples of rows that are not moved, shape ``(S, N)``: their gradient is known without a solve.
    """

    unit: Tensor
    size: Tensor
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
    norm = torch.linalg.vector_norm(g.reshape(*g.shape[:2], -1), dim=2, dtype=torch.float64)
    total = norm[0] if norm.shape[0] == 1 else torch.linalg.vector_norm(norm, dim=0)
    size = torch.linalg.vector_norm(theta.reshape(theta.shape[0], -1), dim=1, dtype=torch.float64)
    if noise_scale > 0:
        size = size.clamp(min=noise_scale * theta.shape[1:].numel() ** 0.5)
    else:
        size = torch.where(size > 0, size, 1.0)
    size = size * (beta * g.shape[0] ** 0.5)
    # What is zero, too small to be divided by in the dtype of g, or not finite, is not itself after a clamp.
    limits = torch.finfo(g.dtype)
    skip = norm.clamp(limits.tiny, limits.max) != norm
    # Theta that shrinks without noise to hold its scale ends in subnormal numbers: 1 / lam = total / size stays finite.
    size = torch.maximum(size, total * (64 / limits.max)).clamp(min=limits.tiny)
    total, size = total.to(g.dtype), size.to(g.dtype)
    return _move(total.reciprocal(), size, total / size, skip, theta.ndim)


def absolute_move(lam: float, g: Tensor) -> Move:
    """Move by ``lam * g``, as in the papers: a fixed step, not homogeneous in the loss."""
    peak = g.reshape(*g.shape[:2], -1).abs().amax(2)
    # The inverse of a row that is not finite must show it: x - x is 0, or NaN.
    inverse = 1 / lam + (peak - peak).sum(0)
    skip = ~((peak > 0) & (peak < torch.inf))
    return _move(torch.ones_like(inverse), torch.full_like(inverse, lam), inverse, skip, g.ndim - 1)


def _move(unit: Tensor, size: Tensor, inverse: Tensor, skip: Tensor, ndim: int) -> Move:
    ones = [1] * (ndim - 1)
    # Times zero: the weight of a skipped row is 0, and NaN where the loss gradient is not finite.
    weight = torch.where(skip, inverse * 0, inverse)
    return Move(unit.view(-1, *ones), size.view(-1, *ones), weight.view(*skip.shape, *ones), skip)


def target_difference(backward: Backward, move: Move, difference: Difference) -> Tensor:
    """Return the difference of states between source and target, shape ``(S, N, *event)``.

    Forward: z - MAP(point - lam g). Central: [MAP(point + lam g) - MAP(point - lam g)] / 2, both signs and all samples
    in one batch. The same noise on both sides: it is in the points. Where the move skips, it means nothing.
    """
    points = backward.points
    direction = backward.g * move.unit
    behind = torch.addcmul(points, direction, move.size, value=-1)
    if difference == "forward":
        return backward.z - backward.solve(behind, move.skip)
    ahead = torch.addcmul(points, direction, move.size)
    both = backward.solve(torch.cat([ahead, behind]), move.skip.repeat(2, 1))
    return (both[: points.shape[0]] - both[points.shape[0] :]) / 2


def cost_target(backward: Backward) -> Gradient:
    """Return the difference to the states of theta with minus the loss gradient in the place of its entries.

    Where the loss gradient of an entry is zero, theta stays. The noise of the points stays everywhere.
    """
    theta, g = backward.theta, backward.g
    move = absolute_move(1.0, g)
    target = backward.points + torch.where(g == 0, 0.0, -g - theta)
    return weighted_mean(backward.z - backward.solve(target, move.skip), move)


def weighted_mean(change: Tensor, move: Move) -> Gradient:
    """Return the mean over samples of the difference of states over lam."""
    weighted = change * move.weight
    return Gradient(weighted.mean(0) if change.shape[0] > 1 else weighted.squeeze(0), move.weight, change)
