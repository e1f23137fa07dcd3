"""The exact Fenchel-Young loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imle_core._checks import require_number
from imle_core.estimators._exact import require_inference

from ._base import Loss, in_full, inner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from imle_core._solver import Solver, Validation

    from ._base import Reduction


class NegativeLogLikelihood(Loss):
    r"""The negative log-likelihood of the target in the exponential family over the structures: exact, without noise.

    .. math:: L(\theta; y) = A(\theta / \tau) - s \langle \theta, y \rangle / \tau, \qquad
       A(\theta) = \log \sum_{z \in Z} e^{s \langle z, \theta \rangle}, \qquad
       \nabla_\theta L = s\, (\mu(\theta) - y) / \tau

    with s = +1 for scores and -1 for costs, and :math:`\mu` the marginals. It is the Fenchel-Young loss of the entropy,
    less the constant of y, and the cross-entropy on one-of-n: non-negative for a structure y, convex, and
    differentiable to second order. It needs a solver with ``log_partition``.

    Solver calls per row and step: 0 + 0; one log-partition function and its derivative.

    Args:
        solver: A :class:`Solver` with ``log_partition``, or the name of one, whose options are then given as keywords.
        tau: Temperature of the family, in units of theta, above 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        validate: ``"basic"`` or ``"full"``, which verifies that targets are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        theta, target: ``(*batch, *event)``. Output: scalar, or ``(*batch)`` without reduction; theta's dtype.

    Raises:
        MissingCapabilityError: the solver has no exact inference.
        InvalidTargetError: the target is not of theta's shape, not finite, or no mean of structures.

    Reference:
        Blondel, Martins and Niculae (2020), Learning with Fenchel-Young losses, section 3; Wainwright and Jordan
        (2008), Graphical models, exponential families, and variational inference, section 3.6.

    Example:
        >>> import torch, imle_core as imle
        >>> loss = imle.losses.NegativeLogLikelihood("torch.k_subset", k=1)
        >>> loss(torch.zeros(2, 4), torch.eye(4)[:2])
        tensor(1.3863)
    """

    def __init__(
        self,
        solver: Solver | str,
        *,
        tau: float = 1.0,
        reduction: Reduction = "mean",
        validate: Validation = "basic",
        **solver_options: Any,
    ) -> None:
        require_number("NegativeLogLikelihood", "tau", tau, above=0)
        super().__init__(solver, reduction=reduction, validate=validate, **solver_options)
        require_inference("NegativeLogLikelihood", self.solver, sample=False)
        self.tau = tau

    def forward(
        self, theta: Tensor, target: Tensor, *, instances: Sequence[Any] | Tensor | None = None
    ) -> Tensor:
        """Return the loss.

        Args:
            theta: Predicted costs or scores, shape ``(*batch, *event)``.
            target: A structure, or a mean of structures, for each row, of the same shape.
            instances: One instance for each row, for solvers whose rows may differ.
        """
        rows = self._rows(theta, instances, kind="natural")
        y = self._target("target", target, theta, rows, kind="mean")
        prepared = self.layer._binding.instances_of(rows.numbers)
        with in_full(rows.theta):
            log_partition = self.solver.log_partition(rows.theta / self.tau, **prepared)
        return self._reduced(log_partition - inner(rows.scores / self.tau, y, y.ndim - 1), rows)

    def extra_repr(self) -> str:
        """Return the solver, the temperature and the reduction."""
        return f"{self.solver.name}, tau={self.tau}, reduction={self.reduction!r}"
