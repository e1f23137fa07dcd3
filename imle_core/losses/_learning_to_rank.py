"""Learning to rank a pool of solutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch

from imle_core._checks import require_choice, require_number

from ._pool_loss import PoolLoss, masked_mean, objectives

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from imle_core._pool import SolutionPool
    from imle_core._solver import Solver, Validation

    from ._base import Reduction


class LearningToRank(PoolLoss):
    r"""Learning to rank: the predicted objective must order the solutions of a pool as the true one does.

    With :math:`\hat f_z = \langle \hat\theta, z \rangle` and :math:`f_z = \langle \theta, z \rangle` for scores (theta
    minus the costs for costs), S the pool and b its best structure by f:

    .. math:: L_{\text{pointwise}} = \frac{1}{|S|} \sum_{z \in S} (\hat f_z - f_z)^2

    .. math:: L_{\text{pairwise}} = \frac{1}{|S_<|} \sum_{z \in S_<} \max(0,\; m + \hat f_z - \hat f_b), \qquad
       S_< = \{z \in S : f_z < f_b\}

    .. math:: L_{\text{listwise}} = -\sum_{z \in S} p_z \log \hat p_z, \qquad
       p_z = \frac{e^{f_z / \tau}}{\sum_{z'} e^{f_{z'} / \tau}}, \quad
       \hat p_z = \frac{e^{\hat f_z / \tau}}{\sum_{z'} e^{\hat f_{z'} / \tau}}

    Pointwise and pairwise are non-negative, and zero at the true parameters (pairwise: where they keep the margin);
    listwise has its minimum there, the entropy of p. In training the pool grows by the targets that are given, and by
    the solution of a prediction with probability ``solve_ratio``. It must have a structure for each row.

    Solver calls per row and step: solve_ratio + 0 on average in training, in one batch; none in eval.

    Args:
        solver: A :class:`Solver`, or the name of one, whose options are then given as keywords.
        kind: ``"pointwise"``, ``"pairwise"`` (the best against each other one) or ``"listwise"``.
        margin: Of pairwise, at least 0, in units of the objective; with 0, theta = 0 is a minimum.
        tau: Temperature of listwise, above 0, in units of the objective.
        pool: The :class:`~imle_core.SolutionPool` S, which losses may share; None makes an empty one.
        solve_ratio: Probability in [0, 1] that the prediction of a row is solved.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        generator: Source of that chance, on theta's device; None takes torch's global one.
        validate: ``"basic"`` or ``"full"``, which verifies that solutions and targets are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        theta, theta_true, target: ``(*batch, *event)``. Output: scalar, or ``(*batch)`` without reduction.

    Raises:
        ValueError: an argument is out of range.
        InvalidTargetError: theta_true or the target is not of theta's shape, or the pool is empty for a row.

    Reference:
        Mandi, Bucarey, Mulamba and Guns (2022), Decision-focused learning: through the lens of learning to rank,
        the pointwise, pairwise (best versus rest) and listwise losses.

    Example:
        >>> import torch, imle_core as imle
        >>> loss = imle.losses.LearningToRank("torch.k_subset", kind="pointwise", solve_ratio=0.0, k=1)
        >>> loss.pool.add(torch.eye(2))
        2
        >>> loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]]))
        tensor(2.)
    """

    def __init__(
        self,
        solver: Solver | str,
        *,
        kind: Literal["pointwise", "pairwise", "listwise"] = "listwise",
        margin: float = 1.0,
        tau: float = 1.0,
        pool: SolutionPool | None = None,
        solve_ratio: float = 0.05,
        reduction: Reduction = "mean",
        generator: torch.Generator | None = None,
        validate: Validation = "basic",
        **solver_options: Any,
    ) -> None:
        require_choice("LearningToRank", "kind", kind, ("pointwise", "pairwise", "listwise"))
        require_number("LearningToRank", "margin", margin, at_least=0)
        require_number("LearningToRank", "tau", tau, above=0)
        super().__init__(
            solver,
            pool=pool,
            solve_ratio=solve_ratio,
            reduction=reduction,
            generator=generator,
            validate=validate,
            **solver_options,
        )
        self.kind = kind
        self.margin = margin
        self.tau = tau

    @torch.compiler.disable  # type: ignore[untyped-decorator]
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
            target: A solution of the true ones, to be added to the pool in training.
            instances: One instance for each row, for solvers whose rows may differ.
        """
        rows = self._rows(theta, instances)
        true = self._true_scores(theta_true, theta, rows)
        if target is not None:
            target = self._target("target", target, theta, rows, kind="structure")
        states, member = self._compare(rows, target)
        predicted, actual = objectives(rows.scores, states), objectives(true, states)
        return self._reduced(self._value(predicted, actual, member), rows)

    def _value(self, predicted: Tensor, actual: Tensor, member: Tensor) -> Tensor:
        if self.kind == "pointwise":
            return masked_mean((predicted - actual) ** 2, member)
        if self.kind == "pairwise":
            best, index = torch.where(member, actual, -torch.inf).max(1, keepdim=True)
            worse = member & (actual < best)
            return masked_mean((self.margin + predicted - predicted.gather(1, index)).clamp(min=0), worse)
        p = torch.where(member, actual / self.tau, -torch.inf).softmax(1)
        log_p = torch.where(member, predicted / self.tau, -torch.inf).log_softmax(1)
        return -(p * torch.where(member, log_p, 0.0)).sum(1)

    def extra_repr(self) -> str:
        """Return the kind of loss and what it is made of."""
        return f"{self.kind}, {super().extra_repr()}"
