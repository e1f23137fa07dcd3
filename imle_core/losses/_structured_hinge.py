"""The structured hinge loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from imle_core.errors import InvalidTargetError

from ._base import Loss, inner
from ._operators import check_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_core._solver import Solver, Validation

    from ._base import Reduction


class StructuredHinge(Loss):
    r"""The margin-rescaled structured hinge: the target must score above any other structure, by how much they differ.

    .. math:: L(\theta; y) = \max_{z \in Z} \big[ \langle z, \theta \rangle + \Delta(z, y) \big]
       - \langle \theta, y \rangle, \qquad
       \Delta(z, y) = \sum_i w_i |z_i - y_i|, \qquad
       \nabla_\theta L = z - y

    for scores, with z the maximiser; for costs theta is minus the costs. Structures have entries 0 and 1, so that the
    margin is additive, :math:`\Delta = \langle w, y \rangle + \langle w \odot (1 - 2y), z \rangle`, and the solver
    solves for it at moved parameters. Non-negative, convex, and at least Delta of the solution of theta. On one-of-n,
    two structures differ in two entries: ``cost=0.5`` is the multi-class hinge of Crammer and Singer.

    Solver calls per row and step: 1 + 0.

    Args:
        solver: A :class:`Solver` of binary structures, or the name of one, whose options are then given as keywords.
        cost: Cost w of a wrong entry, at least 0, in units of theta: a number (1: the Hamming distance), or a tensor
            that broadcasts to the shape of a structure. It is a buffer.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        validate: ``"basic"`` or ``"full"``, which verifies that solutions and targets are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        theta, target: ``(*batch, *event)``. Output: scalar, or ``(*batch)`` without reduction; theta's dtype.

    Raises:
        InvalidTargetError: target or solution has entries other than 0 and 1, or the target is not of theta's shape.
        ValueError: a cost is negative or not finite.

    Reference:
        Taskar, Guestrin and Koller (2003), Max-margin Markov networks; Tsochantaridis, Joachims, Hofmann and Altun
        (2005), Large margin methods for structured and interdependent output variables, section 2 (margin rescaling).

    Example:
        >>> import torch, imle_core as imle
        >>> loss = imle.losses.StructuredHinge("torch.k_subset", cost=0.5, k=1)
        >>> loss(torch.tensor([[2.0, 1.5, 0.0]]), torch.tensor([[1, 0, 0]]))
        tensor(0.5000)
    """

    cost: Tensor

    def __init__(
        self,
        solver: Solver | str,
        *,
        cost: float | Tensor = 1.0,
        reduction: Reduction = "mean",
        validate: Validation = "basic",
        **solver_options: Any,
    ) -> None:
        super().__init__(solver, reduction=reduction, validate=validate, **solver_options)
        weight = torch.as_tensor(cost).detach()
        weight = weight.clone() if weight.is_floating_point() else weight.to(torch.get_default_dtype())
        if not (torch.isfinite(weight).all() and (weight >= 0).all()):
            raise ValueError(f"StructuredHinge: cost must be finite and at least 0; got {cost!r}.")
        self.register_buffer("cost", weight)

    def forward(
        self, theta: Tensor, target: Tensor, *, instances: Sequence[Any] | Tensor | None = None
    ) -> Tensor:
        """Return the loss.

        Args:
            theta: Predicted costs or scores, shape ``(*batch, *event)``.
            target: A structure for each row, of the same shape.
            instances: One instance for each row, for solvers whose rows may differ.
        """
        rows = self._rows(theta, instances)
        y = self._target("target", target, theta, rows, kind="binary")
        cost, event = self.cost, y.shape[1:]
        if cost.ndim > len(event) or any(
            c not in (1, e) for c, e in zip(cost.shape[::-1], event[::-1], strict=False)
        ):
            raise InvalidTargetError(
                f"{self.solver.name}: cost {tuple(cost.shape)} does not broadcast to a structure of shape "
                f"{tuple(event)}."
            )
        point = rows.scores + cost.to(y) * (1 - 2 * y)
        (z,) = self._solve(point.unsqueeze(0), rows).unbind()
        if self.solver.output != "binary":
            z = check_input(z, rows.numbers, "the solution", "binary", self.layer._handle)
        # <w (1 - 2y), y> = -<w, y>: the margin is in the difference.
        return self._reduced(inner(point, z - y, len(event)), rows)
