"""The SPO+ loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ._base import Loss, inner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class SPOPlus(Loss):
    r"""The SPO+ loss, "smart predict, then optimise": a convex upper bound of the regret of predicted parameters.

    .. math:: L(\hat c; c) = -\min_{z \in Z} \langle z, 2 \hat c - c \rangle + 2 \langle \hat c, z^* \rangle
       - \langle c, z^* \rangle, \qquad
       \nabla_{\hat c} L = 2 \big( z^* - z(2 \hat c - c) \big), \qquad z^* = z(c)

    for costs; for scores, mirrored,

    .. math:: L(\hat\theta; \theta) = \max_{z \in Z} \langle z, 2 \hat\theta - \theta \rangle
       - \langle 2 \hat\theta - \theta, z^* \rangle, \qquad
       \nabla_{\hat\theta} L = 2 \big( z(2 \hat\theta - \theta) - z^* \big).

    It is at least the regret :math:`\langle c, z(\hat c) - z^* \rangle \ge 0`, and zero, as that, at the true
    parameters. 2c' - c may be negative where costs are not: choose a solver that allows it, because with clipped costs
    the bound does not hold.

    Solver calls per row and step: 1 + 0 with a given optimum, else 2 + 0, in one batch.

    Args:
        solver: A :class:`Solver`, or the name of one, whose options are then given as keywords.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        validate: ``"basic"`` or ``"full"``, which verifies that solutions and targets are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        theta, theta_true, target: ``(*batch, *event)``. Output: scalar, or ``(*batch)`` without reduction.

    Raises:
        InvalidTargetError: theta_true or the target is not of theta's shape, or the target no structure.
        InvalidThetaError: theta or theta_true is not finite.

    Reference:
        Elmachtoub and Grigas (2022), Smart "predict, then optimize", definition 3 and proposition 3.

    Example:
        >>> import torch, imle_core as imle
        >>> loss = imle.losses.SPOPlus("torch.k_subset", k=1)
        >>> theta = torch.tensor([[1.0, 0.0]], requires_grad=True)
        >>> value = loss(theta, torch.tensor([[0.0, 1.0]]))
        >>> value.backward()
        >>> value.item(), theta.grad
        (3.0, tensor([[ 2., -2.]]))
    """

    def forward(
        self,
        theta: Tensor,
        theta_true: Tensor,
        target: Tensor | None = None,
        *,
        instances: Sequence[Any] | Tensor | None = None,
    ) -> Tensor:
        """Return the loss.

        Args:
            theta: Predicted costs or scores, shape ``(*batch, *event)``.
            theta_true: The true ones.
            target: A solution z* of the true ones; None has it solved for.
            instances: One instance for each row, for solvers whose rows may differ.
        """
        rows = self._rows(theta, instances)
        true = self._true_scores(theta_true, theta, rows)
        point = 2 * rows.scores - true
        if target is None:
            z, optimum = self._solve(torch.stack([point, true]), rows).unbind()
        else:
            optimum = self._target("target", target, theta, rows, kind="structure")
            (z,) = self._solve(point.unsqueeze(0), rows).unbind()
        return self._reduced(inner(point, z - optimum, point.ndim - 1), rows)
