"""The contrastive losses: the target against a pool of other solutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ._base import Rows, inner
from ._pool_loss import PoolLoss, masked_mean, objectives

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class _Contrastive(PoolLoss):
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(
        self,
        theta: Tensor,
        target: Tensor,
        theta_true: Tensor | None = None,
        *,
        instances: Sequence[Any] | Tensor | None = None,
    ) -> Tensor:
        """Return the loss.

        Args:
            theta: Predicted costs or scores, shape ``(*batch, *event)``.
            target: A solution of the true ones, for each row, of the same shape.
            theta_true: The true ones, to be subtracted from the prediction; None subtracts nothing.
            instances: One instance for each row, for solvers whose rows may differ.
        """
        rows = self._rows(theta, instances)
        y = self._target("target", target, theta, rows, kind="structure")
        direction = rows.scores
        if theta_true is not None:
            direction = direction - self._true_scores(theta_true, theta, rows)
        states, member = self._compare(rows, y)
        # How much better a structure of the pool looks than the target.
        excess = objectives(direction, states) - inner(direction, y, y.ndim - 1).unsqueeze(1)
        return self._reduced(self._value(excess, member, rows), rows)

    def _value(self, excess: Tensor, member: Tensor, rows: Rows) -> Tensor:
        raise NotImplementedError


class ContrastiveNCE(_Contrastive):
    r"""The noise-contrastive loss: the target must look better than the solutions of a pool, on average.

    .. math:: L(\hat\theta; z^*) = \frac{1}{|S|} \sum_{z \in S} \langle \hat\theta, z - z^* \rangle, \qquad
       \nabla L = \frac{1}{|S|} \sum_{z \in S} z - z^*

    for scores; for costs theta is minus the costs. It is linear in theta and unbounded below: with the true parameters,
    :math:`\hat\theta - \theta` takes the place of :math:`\hat\theta`, which leaves the gradient. S is the pool: in
    training it grows by the targets, and by the solution of a prediction with probability ``solve_ratio``.

    Solver calls per row and step: solve_ratio + 0 on average in training, in one batch; none in eval.

    Args:
        solver: A :class:`Solver`, or the name of one, whose options are then given as keywords.
        pool: The :class:`~imle_core.SolutionPool` S, which losses may share; None makes an empty one.
        solve_ratio: Probability in [0, 1] that the prediction of a row is solved.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        generator: Source of that chance, on theta's device; None takes torch's global one.
        validate: ``"basic"`` or ``"full"``, which verifies that solutions and targets are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        theta, target, theta_true: ``(*batch, *event)``. Output: scalar, or ``(*batch)`` without reduction.

    Raises:
        ValueError: an argument is out of range.
        InvalidTargetError: the target is not of theta's shape, or no structure.

    Reference:
        Mulamba, Mandi, Diligenti, Lombardi, Bucarey and Guns (2021), Contrastive losses and solution caching for
        predict-and-optimize, the losses NCE and NCE with c' - c.

    Example:
        >>> import torch, imle_core as imle
        >>> loss = imle.losses.ContrastiveNCE("torch.k_subset", solve_ratio=0.0, k=1)
        >>> loss.pool.add(torch.eye(3))
        3
        >>> theta = torch.tensor([[0.0, 1.0, 2.0]], requires_grad=True)
        >>> loss(theta, torch.tensor([[0.0, 0.0, 1.0]])).backward()
        >>> theta.grad
        tensor([[ 0.3333,  0.3333, -0.6667]])
    """

    def _value(self, excess: Tensor, member: Tensor, rows: Rows) -> Tensor:
        return masked_mean(excess, member)


class ContrastiveMAP(_Contrastive):
    r"""The contrastive loss against the best of a pool: the perceptron, with the pool in the place of the set.

    .. math:: L(\hat\theta; z^*) = \max_{z \in S \cup \{z^*\}} \langle \hat\theta, z - z^* \rangle, \qquad
       \nabla L = \hat z - z^*

    for scores, with the maximiser; for costs theta is minus the costs. Non-negative, and zero where no structure of the
    pool looks better than the target. With the true parameters, :math:`\hat\theta - \theta` takes the place of
    :math:`\hat\theta`: without them theta = 0 is a minimum. S is the pool: in training it grows by the targets, and by
    the solution of a prediction with probability ``solve_ratio``.

    Solver calls per row and step: solve_ratio + 0 on average in training, in one batch; none in eval.

    Args:
        solver: A :class:`Solver`, or the name of one, whose options are then given as keywords.
        pool: The :class:`~imle_core.SolutionPool` S, which losses may share; None makes an empty one.
        solve_ratio: Probability in [0, 1] that the prediction of a row is solved.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        generator: Source of that chance, on theta's device; None takes torch's global one.
        validate: ``"basic"`` or ``"full"``, which verifies that solutions and targets are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        theta, target, theta_true: ``(*batch, *event)``. Output: scalar, or ``(*batch)`` without reduction.

    Raises:
        ValueError: an argument is out of range.
        InvalidTargetError: the target is not of theta's shape, or no structure.

    Reference:
        Mulamba, Mandi, Diligenti, Lombardi, Bucarey and Guns (2021), Contrastive losses and solution caching for
        predict-and-optimize, the losses MAP and MAP with c' - c.

    Example:
        >>> import torch, imle_core as imle
        >>> loss = imle.losses.ContrastiveMAP("torch.k_subset", solve_ratio=0.0, k=1)
        >>> loss.pool.add(torch.eye(3))
        3
        >>> loss(torch.tensor([[0.0, 1.0, 2.5]]), torch.tensor([[0.0, 1.0, 0.0]]))
        tensor(1.5000)
    """

    def _value(self, excess: Tensor, member: Tensor, rows: Rows) -> Tensor:
        target = excess.new_zeros(len(excess), 1)  # the target itself, which need not be in the pool
        return torch.cat([target, torch.where(member, excess, -torch.inf)], 1).amax(1)
