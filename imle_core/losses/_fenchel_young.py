"""The perturbed Fenchel-Young loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from imle_core._checks import require_number
from imle_core.engine import perturb
from imle_core.errors import MissingCapabilityError
from imle_core.estimators import Backward, Estimator
from imle_core.noise import Noise, Normal

from ._base import Loss, inner

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor

    from imle_core._solver import Solver, Validation
    from imle_core.noise import Draws

    from ._base import Reduction


@dataclass(frozen=True, kw_only=True)
class FenchelYoungNoise(Estimator):
    """The points of a perturbed Fenchel-Young loss, whose gradient needs no estimate."""

    noise: Noise | None = field(default_factory=Normal)
    sigma: float = 1.0
    multiplicative: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("FenchelYoung", "sigma", self.sigma, above=0)
        if self.multiplicative and not isinstance(self.noise, Normal):
            raise ValueError(f"FenchelYoung: multiplicative noise is imle.Normal(); got {self.noise!r}.")

    @property
    def factor(self) -> float:
        """Sigma."""
        return self.sigma

    def perturb(self, theta: Tensor, draws: Tensor) -> Tensor:
        """Return the points of draws, shape ``(S, N, *event)``."""
        if self.multiplicative:
            return theta * (self.sigma * draws - self.sigma**2 / 2).exp()
        return super().perturb(theta, draws)

    def gradient(self, backward: Backward) -> NoReturn:
        """Never asked for: the loss is differentiated itself."""
        raise MissingCapabilityError(
            "FenchelYoungNoise is the noise of a loss, and no estimator for a layer."
        )


class FenchelYoung(Loss):
    r"""The perturbed Fenchel-Young loss: how far theta is from making the target its expected perturbed solution.

    .. math:: L(\theta; y) = \frac{1}{S} \sum_s \max_{z \in Z} \langle z, \theta + \sigma x_s \rangle
       - \langle \theta, y \rangle, \qquad
       \nabla_\theta L = \frac{1}{S} \sum_s z_s - y

    for scores; for costs theta is minus the costs, and the gradient changes its sign with it. It is convex, smooth in
    expectation, and what I-MLE is with supervision: explicit maximum likelihood. The full loss adds
    :math:`\Omega(y)`, which does not depend on theta and makes the expected loss zero where the expected solution is
    y; without it the value may be negative, and is no measure of fit on its own. Multiplicative noise keeps the signs
    of theta, as costs that must stay positive need:

    .. math:: L(\theta; y) = \frac{1}{S} \sum_s \max_{z \in Z} \big\langle z,
       \theta \odot e^{\sigma x_s - \sigma^2 / 2} \big\rangle - \langle \theta, y \rangle, \qquad
       \nabla_\theta L = \frac{1}{S} \sum_s z_s \odot e^{\sigma x_s - \sigma^2 / 2} - y

    Without noise it is the structured perceptron: non-negative, and zero where y is a solution.

    Solver calls per row and step: S + 0, in one batch; 1 + 0 without noise.

    Args:
        solver: A :class:`Solver`, or the name of one, whose options are then given as keywords.
        samples: Number S of perturbed points for each row, at least 1. The gradient is unbiased for any.
        sigma: Factor of the noise, above 0: in units of theta, or relative to each entry if multiplicative.
        noise: Any noise, or None for the unperturbed point. Multiplicative: :class:`Normal`.
        multiplicative: Whether noise multiplies theta.
        draws: How the samples of a row are coupled: ``"independent"``, ``"antithetic"`` or ``"sobol"``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        generator: Source of the noise, on theta's device; None takes torch's global one.
        validate: ``"basic"`` or ``"full"``, which verifies that solutions and targets are feasible.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        theta, target: ``(*batch, *event)``. Output: scalar, or ``(*batch)`` without reduction; theta's dtype.

    Raises:
        ValueError: an argument is out of range.
        InvalidTargetError: the target is not of theta's shape, not finite, or no mean of structures.

    Reference:
        Berthet, Blondel, Teboul, Cuturi, Vert and Bach (2020), Learning with differentiable perturbed optimizers,
        section 4; multiplicative: Dalle, Baty, Bouvier and Parmentier (2022), Learning with combinatorial optimization
        layers: a probabilistic approach, section 4.2.

    Example:
        >>> import torch, imle_core as imle
        >>> loss = imle.losses.FenchelYoung("torch.k_subset", samples=10, sigma=0.1, k=1)
        >>> theta = torch.tensor([[3.0, 0.0, 0.0]], requires_grad=True)
        >>> loss(theta, torch.tensor([[0.0, 1.0, 0.0]])).backward()
        >>> theta.grad
        tensor([[ 1., -1.,  0.]])
    """

    def __init__(
        self,
        solver: Solver | str,
        *,
        samples: int = 1,
        sigma: float = 1.0,
        noise: Noise | None = Normal(),  # noqa: B008 - a frozen value
        multiplicative: bool = False,
        draws: Draws = "independent",
        reduction: Reduction = "mean",
        generator: torch.Generator | None = None,
        validate: Validation = "basic",
        **solver_options: Any,
    ) -> None:
        perturbation = FenchelYoungNoise(
            samples=samples, noise=noise, sigma=sigma, multiplicative=multiplicative, draws=draws
        )
        super().__init__(
            solver,
            estimator=perturbation,
            reduction=reduction,
            generator=generator,
            validate=validate,
            **solver_options,
        )

    def forward(
        self, theta: Tensor, target: Tensor, *, instances: Sequence[Any] | Tensor | None = None
    ) -> Tensor:
        """Return the loss.

        Args:
            theta: Predicted costs or scores, shape ``(*batch, *event)``.
            target: A structure, or a mean of structures, for each row, of the same shape.
            instances: One instance for each row, for solvers whose rows may differ.
        """
        rows = self._rows(theta, instances)
        y = self._target("target", target, theta, rows, kind="mean")
        noise, event = self.layer.estimator, rows.scores.ndim - 1
        if noise.noise is None:
            points = rows.scores.unsqueeze(0)
        else:
            draws = perturb(rows.scores.detach(), noise.samples, True, rows.ticket, self.layer._handle)
            points = noise.perturb(rows.scores, draws)
        best = inner(points, self._solve(points, rows), event).mean(0)
        return self._reduced(best - inner(rows.scores, y, event), rows)

    def extra_repr(self) -> str:
        """Return the solver, the noise and the reduction."""
        return f"{self.solver.name}, {self.layer.estimator}, reduction={self.reduction!r}"
