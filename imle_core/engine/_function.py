"""The one autograd Function: any estimator, any solver."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ._operators import map_solve

if TYPE_CHECKING:
    from torch import Tensor

    from imle_core.estimators import Estimator

    from ._binding import Binding


@dataclass(frozen=True)
class Call:
    """What one call of a layer hands to its backward pass besides tensors.

    It holds the binding, so that a graph outlives the layer that made it.
    """

    binding: Binding
    estimator: Estimator
    moved: bool
    adapt: bool


class SolveFunction(torch.autograd.Function):
    """States of points in the forward pass; the estimator's vector-Jacobian product in the backward pass.

    The gradient goes to ``theta`` alone; the points, theta plus noise, were made outside without tracking. The
    backward pass is itself not differentiable: a second derivative raises.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        theta: Tensor, points: Tensor, instances: Tensor | None, state: Tensor | None, call: Call
    ) -> Tensor:
        """Return the states of the points, shape ``(S, N, *event)``."""
        return map_solve(points, instances, None, call.moved, call.binding.handle)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep what the estimator needs."""
        theta, points, instances, state, call = inputs
        ctx.save_for_backward(theta, points, instances, output)
        # Not saved as a tensor of the graph: the controller updates it in place between forward and backward.
        ctx.state = state
        ctx.call = call

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None]:
        """Return the gradient with respect to theta."""
        theta, points, instances, z = ctx.saved_tensors
        call: Call = ctx.call
        if grad.numel() == 0:
            return torch.zeros_like(theta), None, None, None, None
        with torch.no_grad():
            solve = functools.partial(_solve, instances, call.binding.handle)
            g = grad * len(points) if len(points) > 1 else grad
            gradient = call.estimator.gradient(theta, points, z, g, solve, ctx.state, call.adapt)
        return gradient, None, None, None, None


def _solve(instances: Tensor | None, handle: int, points: Tensor, skip: Tensor) -> Tensor:
    return map_solve(points, instances, skip, True, handle)
