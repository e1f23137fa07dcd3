"""What every gradient estimator is: a frozen value that tells which points to solve, and what they give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import torch

from imle_core._checks import require_choice, require_count
from imle_core.errors import MissingCapabilityError
from imle_core.noise import Draws, Gumbel, Noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from imle_core._solver import Solver


Inference = Literal["map", "sample", "marginals", "sparsemap"]


class Solve(Protocol):
    """Solve points that an estimator chose: ``(K, N, *event)`` to states of the same shape, in one batch."""

    def __call__(self, points: Tensor, skip: Tensor) -> Tensor:
        """Return the states; those where ``skip``, shape ``(K, N)``, is true are not solved and zero."""


class Family(NamedTuple):
    """Exact inference in the exponential family, of solvers that have it; theta are scores over temperature.

    Attributes:
        mean: Expected states of theta, ``(N, *event)`` to the same shape.
        covariance: ``covariance(theta, v)``: Cov(z) v for each row, shape ``(N, *event)``.
    """

    mean: Callable[[Tensor], Tensor]
    covariance: Callable[[Tensor, Tensor], Tensor]


class Backward(NamedTuple):
    """What an estimator makes a gradient of.

    Attributes:
        theta: Scores, shape ``(N, *event)``.
        points: The S points that the forward pass solved for each row, shape ``(S, N, *event)``; of an estimator that
            keeps draws, their draws; with SparseMAP, the active structures.
        z: Their states, shape ``(S, N, *event)``.
        g: Gradient of the loss of one sample, shape ``(S, N, *event)``: S times dL/dz_s, so that S does not change its
            size.
        solve: Solves further points.
        family: Exact inference, where the solver has it.
        state: What :meth:`Estimator.initial_state` began, as the layer holds it now.
        perturbed: Whether noise was drawn (training, with a noise).
        adapt: Whether the state may be updated (training) or is frozen (eval).
    """

    theta: Tensor
    points: Tensor
    z: Tensor
    g: Tensor
    solve: Solve
    family: Family
    state: Tensor | None
    perturbed: bool
    adapt: bool


class Gradient(NamedTuple):
    """What an estimator made, and what of its making the layer's report tells.

    Attributes:
        value: Vector-Jacobian product with respect to theta, shape ``(N, *event)``.
        weight: 1 / lam, shape ``(S, N, 1, ...)``, 0 where there was no step; None for an estimator without.
        change: Difference of source and target states, shape ``(S, N, *event)``; None for an estimator without.
    """

    value: Tensor
    weight: Tensor | None = None
    change: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Estimator(ABC):
    """A gradient estimator: noise for the forward pass, and a vector-Jacobian product for the backward pass.

    Args:
        samples: Number S of perturbed points for each row, at least 1.
        noise: Their noise, or None for the unperturbed point.
        draws: How the samples of a row are coupled, which takes variance from their mean: ``"independent"``,
            ``"antithetic"`` (pairs at the probabilities u and 1 - u) or ``"sobol"`` (a scrambled Sobol sequence,
            randomly shifted in each row). Each sample alone has the same law.

    Raises:
        ValueError: an argument is out of range.
    """

    samples: int = 1
    noise: Noise | None = field(default_factory=Gumbel)
    draws: Draws = "independent"

    def __post_init__(self) -> None:
        name = type(self).__name__
        require_count(name, "samples", self.samples)
        if not (self.noise is None or isinstance(self.noise, Noise)):
            raise ValueError(
                f"{name}: noise must be a noise such as imle.Gumbel(), or None; got {self.noise!r}."
            )
        require_choice(name, "draws", self.draws, ("independent", "antithetic", "sobol"))
        if self.noise is not None and self.draws != "independent":
            try:
                self.noise.sample((1, 1), self.draws)
            except MissingCapabilityError as error:
                raise ValueError(f"{name}: {error}") from None

    @property
    @abstractmethod
    def factor(self) -> float:
        """What the noise is multiplied by, in units of theta; the temperature."""

    @property
    def inference(self) -> Inference:
        """What the forward pass makes in training: best states of points, or something of the family or its hull."""
        return "map"

    @property
    def keeps_draws(self) -> bool:
        """Whether the gradient needs the draws of the noise, which are then kept instead of the points."""
        return False

    @property
    def noise_scale(self) -> float:
        """Standard deviation of the perturbation of one entry of theta."""
        return self.factor * self.noise.std if self.noise is not None else 0.0

    def _require_score(self) -> None:
        if self.noise is not None:
            try:
                self.noise.score(torch.zeros(1))
            except MissingCapabilityError as error:
                raise ValueError(f"{type(self).__name__}: {error}") from None

    def check_solver(self, solver: Solver) -> None:  # noqa: B027 - most estimators accept any
        """Raise SolverParameterError if a gradient through this solver would be wrong."""

    def project(self, theta: Tensor) -> Tensor:
        """Return the scores to be perturbed and solved; theta itself by default. The gradient is to undo it."""
        return theta

    def perturb(self, theta: Tensor, draws: Tensor) -> Tensor:
        """Return the points of draws of the noise, ``theta + factor * draws``, shape ``(S, N, *event)``."""
        return torch.add(theta, draws, alpha=self.factor)

    def initial_state(self) -> torch.Tensor | None:
        """Return what adapts during training, float32, to be kept by the layer as a buffer; None if nothing."""
        return None

    @abstractmethod
    def gradient(self, backward: Backward) -> Gradient:
        """Return the vector-Jacobian product with respect to theta."""
