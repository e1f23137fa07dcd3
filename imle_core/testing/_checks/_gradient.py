"""Level gradient: the solver as a layer, which is what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from imle_core import IMLE, SolverLayer
from imle_core.testing._catalogue import check
from imle_core.testing._outcome import fail

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from imle_core.testing._case import Case
    from imle_core.testing._problem import Problem

STEPS = 400
"""Training steps in which a free theta must find a given state."""


@check("gradient")
def check_eval(case: Case) -> None:
    """A layer in eval is the plain solver."""
    case.require_repeatable()
    layer = SolverLayer(case.solver, "blackbox").eval()
    for problem in case.problems:
        theta = problem.theta(5)
        z = layer(torch.from_numpy(theta), **problem.instances(5)).numpy()
        rows = problem.differs(z, problem.solve(theta), theta)
        if len(rows):
            fail(
                asked=f"layer.eval()(theta) equals solver.solve(theta){problem.where}",
                found=f"another objective in row {rows[0]}",
                usually="answers depend on earlier calls or on chance",
            )


@check("gradient")
def check_gradient_sign(case: Case) -> None:
    """The I-MLE gradient is finite, 0 where the loss has none, and never points against it: s <G, g> >= 0 in each row.

    s is +1 for scores and -1 for costs: more of a score is more of its entry, more of a cost is less.
    """
    sign = 1 if case.solver.sense == "max" else -1
    for problem in case.problems:
        theta = problem.theta(8)
        # so short a step that costs stay above zero: clipping them there would turn it
        size = 0.9 * theta.min() if problem.positive else 2.0
        g = case.rng().uniform(-size, size, theta.shape)
        g[-1] = 0
        for difference in ("forward", "central"):
            layer = SolverLayer(case.solver, IMLE(noise=None, step="absolute", difference=difference))
            gradient = _gradient(layer, problem, theta, g)
            product = sign * (gradient * g).reshape(8, -1).sum(1)
            against = product < -problem.tolerance(np.ones_like(g), g)
            wrong = ""
            if not np.isfinite(gradient).all():
                wrong = "a gradient that is not finite"
            elif gradient[-1].any():
                wrong = "a gradient where that of the loss is zero"
            elif case.exact and against.any():
                wrong = f"{product.min():.4g} in row {product.argmin()}"
            if wrong:
                fail(
                    asked=f"s <G, g> >= 0 in each row, s = {sign:+d}, without noise, {difference} difference"
                    f"{problem.where}",
                    found=wrong,
                    usually="the sense: scores are to be sense='max', costs 'min'; or the search is not exact",
                )


@check("gradient")
def check_training(case: Case) -> None:
    """A linear loss through a layer trains a free theta until its answer is a given state."""
    problem, solver = case.problem, case.solver
    sign = 1 if solver.sense == "max" else -1
    wanted = problem.theta(1)
    target = problem.score(problem.solve(wanted), wanted)
    lam = (
        1e4  # so far that the target parameters point to the state wanted: the step is then the perceptron's
    )
    layer = SolverLayer(solver, IMLE(noise=None, step="absolute", lam=lam))
    theta = torch.from_numpy(0.1 * problem.theta(1, draw=1)).requires_grad_()
    loss_of = torch.from_numpy(-sign * wanted)
    losses = []
    for _ in range(STEPS):
        loss: Tensor = (layer(theta, **problem.instances(1)) * loss_of).sum()
        losses.append(loss.item())
        if losses[-1] <= -target[0] + problem.tolerance(wanted, wanted)[0]:
            return
        (gradient,) = torch.autograd.grad(loss, theta)
        with torch.no_grad():
            theta -= 0.5 * lam * gradient
            if problem.positive:
                theta.clamp_(min=0)
    if case.exact or min(losses) > losses[0]:
        fail(
            asked=f"a free theta trained on <z, w> reaches the best z within {STEPS} steps{problem.where}",
            found=f"the loss went from {losses[0]:.4g} to {losses[-1]:.4g}, the best is {-target[0]:.4g}",
            usually="the sense is wrong, or the search is not exact",
        )


def _gradient(
    layer: SolverLayer, problem: Problem, theta: NDArray[np.float64], g: NDArray[np.float64]
) -> NDArray[np.float64]:
    leaf = torch.from_numpy(theta.copy()).requires_grad_()
    loss = (layer(leaf, **problem.instances(len(theta))) * torch.from_numpy(g)).sum()
    (gradient,) = torch.autograd.grad(loss, leaf)
    return gradient.numpy()
