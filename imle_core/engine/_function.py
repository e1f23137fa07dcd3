"""The one autograd Function: any estimator, any solver."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import torch

from imle_core.errors import MissingCapabilityError
from imle_core.estimators import Backward, Family

from ._family import covariance, marginals
from ._operators import conclude, map_solve

if TYPE_CHECKING:
    from torch import Tensor

    from imle_core.estimators import Estimator


class SolveFunction(torch.autograd.Function):
    """States of points in the forward pass; the estimator's vector-Jacobian product in the backward pass.

    The gradient goes to ``theta`` alone; the points, theta plus noise, were made outside without tracking. The
    backward pass is itself not differentiable: a second derivative raises.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        theta: Tensor,
        points: Tensor,
        draws: Tensor | None,
        instances: Tensor | None,
        state: Tensor | None,
        ticket: Tensor,
        handle: Tensor,
        estimator: Estimator,
        moved: bool,
        adapt: bool,
    ) -> Tensor:
        """Return the states of the points, shape ``(S, N, *event)``.

        Args:
            theta: Scores, shape ``(N, *event)``.
            points: The points to solve, shape ``(S, N, *event)``; or in training, of an estimator whose inference is
                another, the states that this gave.
            draws: The draws that made them, to be kept in their place for the estimator, or None.
            instances: Numbers of the rows' instances, shape ``(N,)``, or None.
            state: What the estimator adapts, or None.
            ticket: Of the call.
            handle: Of the binding that holds the solver.
            estimator: Makes the gradient.
            moved: Whether the points are perturbed.
            adapt: Whether the layer is in training: the estimator may adapt its state, and a pool may answer.
        """
        if adapt and estimator.inference != "map":
            return points.clone()  # they are the states themselves
        return map_solve(points, instances, None, moved, adapt, ticket, handle)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep what the estimator needs."""
        theta, points, draws, instances, state, ticket, handle, estimator, moved, adapt = inputs
        kept = points if draws is None else draws
        ctx.save_for_backward(theta, kept, instances, ticket, handle, output)
        # Not saved as a tensor of the graph: the controller updates it in place between forward and backward.
        ctx.state = state
        ctx.estimator = estimator
        ctx.perturbed = moved
        ctx.adapt = adapt

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient with respect to theta."""
        theta, points, instances, ticket, handle, z = ctx.saved_tensors
        samples = z.shape[0]
        if grad.numel() == 0:
            gradient = torch.zeros_like(theta)
        else:
            with torch.no_grad():
                where = {"instances": instances, "ticket": ticket, "handle": handle}
                family = Family(
                    mean=functools.partial(marginals, **where),
                    covariance=functools.partial(covariance, instances=instances, handle=handle),
                )
                g = grad * samples if samples > 1 else grad
                backward = Backward(
                    theta,
                    points,
                    z,
                    g,
                    functools.partial(_solve, training=ctx.adapt, **where),
                    family,
                    ctx.state,
                    ctx.perturbed,
                    ctx.adapt,
                )
                gradient = conclude(*ctx.estimator.gradient(backward), ticket, handle)
        return _once(gradient, theta, grad), *[None] * 9


# torch binds the arguments of each call to the signature of `forward`, and would make that anew each time: a tenth of
# what a layer adds to its solver.
SolveFunction.forward.__signature__ = inspect.signature(SolveFunction.forward)  # type: ignore[attr-defined]


class ExpectationFunction(torch.autograd.Function):
    """Zero, with a gradient of theta that was estimated from the values of a loss.

    Added to a mean of losses, it makes that an estimate of the expected loss with the estimate of its gradient.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(theta: Tensor, weight: Tensor, ticket: Tensor, handle: Tensor) -> Tensor:
        """Return zeros, shape ``(N,)``.

        Args:
            theta: Scores, shape ``(N, *event)``.
            weight: Gradient of the expected loss of each row, shape ``(N, *event)``.
            ticket: Of the call.
            handle: Of the binding that reports.
        """
        return theta.new_zeros(theta.shape[:1])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the weights."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient with respect to theta."""
        theta, weight, ticket, handle = ctx.saved_tensors
        with torch.no_grad():
            gradient = weight * grad.view(-1, *[1] * (weight.ndim - 1))
            gradient = conclude(gradient, None, None, ticket, handle)
        return _once(gradient, theta, grad), None, None, None


class _Once(torch.autograd.Function):
    """A gradient that is not to be differentiated: without a node in the graph it would pass for a constant."""

    generate_vmap_rule = True

    @staticmethod
    def forward(gradient: Tensor, theta: Tensor, grad: Tensor) -> Tensor:
        """Return the gradient."""
        return gradient.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep nothing."""

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> None:
        """Raise."""
        raise MissingCapabilityError(
            "the gradient of a solver layer has no derivative of its own: second derivatives through it are not "
            "available. Detach it, or take the layer out of what is differentiated twice."
        )


def _once(gradient: Tensor, theta: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient; one whose derivative raises, where a graph of the backward pass is made."""
    if not torch.is_grad_enabled():
        return gradient
    once: Tensor = _Once.apply(gradient, theta, grad)  # type: ignore[no-untyped-call]
    return once


def _solve(
    points: Tensor,
    skip: Tensor,
    *,
    instances: Tensor | None,
    training: bool,
    ticket: Tensor,
    handle: Tensor,
) -> Tensor:
    return map_solve(points, instances, skip, True, training, ticket, handle)
