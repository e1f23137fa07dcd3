"""Regret: what decisions made with predicted parameters cost, measured by the true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from ._base import Loss, inner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_core._solver import Solver, Validation

    from ._base import Reduction


def regret(
    theta_predicted: Tensor,
    theta_true: Tensor,
    solver: Solver | str,
    *,
    target: Tensor | None = None,
    instances: Sequence[Any] | None = None,
    reduction: Reduction = "mean",
    validate: Validation = "basic",
    **solver_options: Any,
) -> Tensor:
    r"""Return the regret of deciding by predicted parameters.

    .. math:: R = \langle c, z(\hat c) - z(c) \rangle \ \text{for costs}, \qquad
       R = \langle \theta, z(\theta) - z(\hat\theta) \rangle \ \text{for scores}

    A metric, without a gradient; non-negative for exact solvers. Solver calls per row: 2, or 1 with a given optimum, in
    one batch.

    Args:
        theta_predicted: Predicted costs or scores, as the solver's sense says, shape ``(*batch, *event)``.
        theta_true: The true ones.
        solver: A :class:`Solver`, or the name of one, whose options are then given as keywords.
        target: A solution of the true ones; None has it solved for.
        instances: One instance for each row, for solvers whose rows may differ.
        reduction: ``"mean"`` or ``"sum"`` over rows, or ``"none"``.
        validate: ``"basic"`` or ``"full"``, which verifies that solutions and targets are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Returns:
        Scalar, or ``(*batch)`` without reduction.

    Reference:
        Elmachtoub and Grigas (2022), Smart "predict, then optimize", definition 1 (SPO loss).

    Example:
        >>> import torch, imle_core as imle
        >>> imle.losses.regret(torch.tensor([[2.0, 1.0]]), torch.tensor([[1.0, 4.0]]), "torch.k_subset", k=1)
        tensor(3.)
    """
    decision = _decide(
        theta_predicted, theta_true, solver, target, instances, reduction, validate, solver_options
    )
    return decision.reduced(decision.regret)


def relative_gap(
    theta_predicted: Tensor,
    theta_true: Tensor,
    solver: Solver | str,
    *,
    target: Tensor | None = None,
    instances: Sequence[Any] | None = None,
    reduction: Reduction = "mean",
    validate: Validation = "basic",
    **solver_options: Any,
) -> Tensor:
    r"""Return the regret of each row as a share of its own optimal value.

    .. math:: \frac{R}{|\langle \theta, z(\theta) \rangle|}

    It is 0 where both are zero, and infinite where only the optimal value is. Solver calls and arguments as for
    :func:`regret`.

    Example:
        >>> import torch, imle_core as imle
        >>> imle.losses.relative_gap(torch.tensor([[2.0, 1.0]]), torch.tensor([[1.0, 4.0]]), "torch.k_subset", k=1)
        tensor(0.7500)
    """
    decision = _decide(
        theta_predicted, theta_true, solver, target, instances, reduction, validate, solver_options
    )
    gap = decision.regret / decision.optimum.abs()
    return decision.reduced(torch.where(decision.regret == 0, 0.0, gap))


def normalized_regret(
    theta_predicted: Tensor,
    theta_true: Tensor,
    solver: Solver | str,
    *,
    target: Tensor | None = None,
    instances: Sequence[Any] | None = None,
    validate: Validation = "basic",
    **solver_options: Any,
) -> Tensor:
    r"""Return the regret of all rows as a share of their optimal values, the usual figure of benchmarks.

    .. math:: \frac{\sum_b R_b}{\sum_b |\langle \theta_b, z(\theta_b) \rangle|}

    Solver calls and arguments as for :func:`regret`.

    Returns:
        Scalar.

    Reference:
        Tang and Khalil (2024), PyEPO: a PyTorch-based end-to-end predict-then-optimize library.

    Example:
        >>> import torch, imle_core as imle
        >>> true = torch.tensor([[1.0, 4.0], [2.0, 0.0]])
        >>> imle.losses.normalized_regret(torch.tensor([[2.0, 1.0]] * 2), true, "torch.k_subset", k=1)
        tensor(0.5000)
    """
    decision = _decide(
        theta_predicted, theta_true, solver, target, instances, "sum", validate, solver_options
    )
    total = decision.regret.sum()
    return torch.where(total == 0, 0.0, total / decision.optimum.abs().sum()).to(theta_predicted.dtype)


class _Decision(NamedTuple):
    """What predicted parameters led to: regret and optimal value of each row, shape ``(N,)``."""

    regret: Tensor
    optimum: Tensor
    reduced: Any


def _decide(
    theta_predicted: Tensor,
    theta_true: Tensor,
    solver: Solver | str,
    target: Tensor | None,
    instances: Sequence[Any] | None,
    reduction: Reduction,
    validate: Validation,
    solver_options: dict[str, Any],
) -> _Decision:
    problem = Regret(solver, reduction=reduction, validate=validate, **solver_options)
    with torch.no_grad():
        true = theta_true.detach() if isinstance(theta_true, Tensor) else theta_true
        return problem(theta_predicted, true, target, instances)


class Regret(Loss):
    """The checks and solves of the losses, for a metric."""

    def forward(
        self,
        theta: Tensor,
        theta_true: Tensor,
        target: Tensor | None,
        instances: Sequence[Any] | None,
    ) -> _Decision:
        rows = self._rows(theta, instances)
        true = self._true_scores(theta_true, theta, rows)
        if target is None:
            z, optimum = self._solve(torch.stack([rows.scores, true]), rows).unbind()
        else:
            optimum = self._target("target", target, theta, rows, kind="structure")
            (z,) = self._solve(rows.scores.unsqueeze(0), rows).unbind()
        event = true.ndim - 1
        return _Decision(
            inner(true, optimum - z, event),
            inner(true, optimum, event),
            lambda values: self._reduced(values, rows),
        )
