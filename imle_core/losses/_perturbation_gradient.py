"""The perturbation-gradient loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch

from imle_core._checks import require_choice, require_number

from ._base import Loss, inner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from imle_core._solver import Solver, Validation

    from ._base import Reduction


class PerturbationGradient(Loss):
    r"""The perturbation-gradient (PG) loss: the true cost of the predicted solution, by a difference of optimal values.

    The true cost :math:`\langle c, z(\hat c) \rangle` is the derivative of the optimal value
    :math:`V(\hat c) = \min_{z \in Z} \langle z, \hat c \rangle` in the direction c (Danskin's theorem), and

    .. math:: L(\hat c; c) = \frac{V(\hat c + h c) - V(\hat c - h c)}{2 h} \ \text{(central)}, \qquad
       L(\hat c; c) = \frac{V(\hat c) - V(\hat c - h c)}{h} \ \text{(backward)}

    are continuous approximations of it, with the gradients

    .. math:: \nabla_{\hat c} L = \frac{z(\hat c + h c) - z(\hat c - h c)}{2 h}, \qquad
       \nabla_{\hat c} L = \frac{z(\hat c) - z(\hat c - h c)}{h}.

    For h up to 1 both are the optimal value at the true parameters; subtract it for a regret. Backward is an upper
    bound of the true cost, but its gradient, from the present solution to a worse one, confirms that solution, right or
    wrong: it learns from what instances share, and a row alone stays as it is. Central looks both ways. For scores the
    loss is minus the true score, :math:`-\langle \theta, z(\hat\theta) \rangle`, by the same formulas with both
    arguments negated. Unlike SPO+ it is right in the limit h to 0 also where the model cannot fit the true parameters;
    it is not convex.

    Solver calls per row and step: 2 + 0, in one batch.

    Args:
        solver: A :class:`Solver`, or the name of one, whose options are then given as keywords.
        h: Step along the true parameters, above 0, as a share of them.
        difference: ``"central"`` or ``"backward"``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        validate: ``"basic"`` or ``"full"``, which verifies that solutions are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        theta, theta_true: ``(*batch, *event)``. Output: scalar, or ``(*batch)`` without reduction; theta's dtype.

    Raises:
        ValueError: an argument is out of range.
        InvalidTargetError: theta_true is not of theta's shape.

    Reference:
        Huang and Gupta (2024), Decision-focused learning with directional gradients, section 2.

    Example:
        >>> import torch, imle_core as imle
        >>> loss = imle.losses.PerturbationGradient("torch.k_subset", h=0.5, k=1)
        >>> theta = torch.tensor([[0.3, 0.2]], requires_grad=True)
        >>> loss(theta, torch.tensor([[-1.0, 1.0]])).backward()  # the second entry is better
        >>> theta.grad
        tensor([[ 1., -1.]])
    """

    def __init__(
        self,
        solver: Solver | str,
        *,
        h: float = 0.1,
        difference: Literal["central", "backward"] = "central",
        reduction: Reduction = "mean",
        validate: Validation = "basic",
        **solver_options: Any,
    ) -> None:
        require_number("PerturbationGradient", "h", h, above=0)
        require_choice("PerturbationGradient", "difference", difference, ("central", "backward"))
        super().__init__(solver, reduction=reduction, validate=validate, **solver_options)
        self.h = h
        self.difference = difference

    def forward(
        self, theta: Tensor, theta_true: Tensor, *, instances: Sequence[Any] | Tensor | None = None
    ) -> Tensor:
        """Return the loss.

        Args:
            theta: Predicted costs or scores, shape ``(*batch, *event)``.
            theta_true: The true ones.
            instances: One instance for each row, for solvers whose rows may differ.
        """
        rows = self._rows(theta, instances)
        step = self.h * self._true_scores(theta_true, theta, rows)
        central = self.difference == "central"
        # As scores, V(c - h c) is minus the largest score at theta - h theta_true.
        points = torch.stack([rows.scores - step, rows.scores + step if central else rows.scores])
        behind, ahead = inner(points, self._solve(points, rows), step.ndim - 1).unbind()
        return self._reduced((behind - ahead) / (2 * self.h if central else self.h), rows)

    def extra_repr(self) -> str:
        """Return the solver, the difference and the reduction."""
        return f"{self.solver.name}, h={self.h}, difference={self.difference!r}, reduction={self.reduction!r}"
