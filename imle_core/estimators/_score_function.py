"""The score-function estimator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from imle_core._checks import require_number
from imle_core.errors import MissingCapabilityError
from imle_core.noise import Noise, Normal

from ._base import Backward, Gradient
from ._baseline import Baseline, check_baseline, less_baseline, weighted_score
from ._exact import require_inference
from ._tempered import Tempered

if TYPE_CHECKING:
    from torch import Tensor

    from imle_core._solver import Solver


@dataclass(frozen=True, kw_only=True)
class ScoreFunction(Tempered):
    r"""The score-function estimator (REINFORCE): needs of the loss its values alone.

    Through the noise, for any solver, and through the exponential family (``noise=None``), for solvers with exact
    inference:

    .. math:: z_s = \mathrm{MAP}(\theta + \tau x_s), \quad
       G = \frac{1}{S \tau} \sum_s (\ell_s - b_s)\, \nu(x_s), \quad \nu(x) = -\tfrac{d}{dx} \log p(x)

    .. math:: z_s \sim p(z; \theta) \propto e^{\langle z, \theta \rangle / \tau}, \quad
       G = \frac{1}{S \tau} \sum_s (\ell_s - b_s)\, (z_s - \mu)

    with b_s the mean of the other samples' losses. It is unbiased for any loss, differentiable or not:
    :meth:`SolverLayer.expectation` gives it the values of the loss. In a plain backward pass, which knows of a loss
    only its gradient g_s at the samples, it takes :math:`\langle z_s, g_s \rangle` for the loss.

    Solver calls per row and step: S + 0.

    Args:
        samples: Number S of samples; at least 2 with a baseline.
        noise: A noise whose score is known, or None for exact samples of the family.
        tau: Factor of the noise, or temperature of the family, in units of theta, above 0.
        baseline: ``"loo"``, leave-one-out, or ``"none"``.
        draws: How the samples of a row are coupled: ``"independent"``, ``"antithetic"`` or ``"sobol"``.

    Raises:
        ValueError: an argument is out of range.
        MissingCapabilityError: without noise, the solver has no exact inference.

    Reference:
        Williams (1992), Simple statistical gradient-following algorithms; the baseline: Kool, van Hoof and Welling
        (2019), Buy 4 REINFORCE samples, get a baseline for free.

    Example:
        >>> import torch, imle_core as imle
        >>> layer = imle.SolverLayer("torch.k_subset", imle.ScoreFunction(samples=8), k=1)
        >>> theta = torch.zeros(2, 3, requires_grad=True)
        >>> loss = layer.expectation(lambda z: (z[..., 0] == 1).float(), theta)  # not differentiable
        >>> loss.sum().backward()
        >>> theta.grad.shape
        torch.Size([2, 3])
    """

    samples: int = 4
    noise: Noise | None = field(default_factory=Normal)
    baseline: Baseline = "loo"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("ScoreFunction", "tau", self.tau, above=0)
        check_baseline("ScoreFunction", self.baseline, self.draws, self.samples)
        if self.noise is None:
            if self.draws != "independent":
                raise ValueError(
                    f"ScoreFunction: exact samples (noise=None) are independent; got draws={self.draws!r}."
                )
        else:
            self._require_score()

    @property
    def keeps_draws(self) -> bool:
        """Whether noise is drawn."""
        return self.noise is not None

    @property
    def inference(self) -> Literal["map", "sample"]:
        """Exact samples, if there is no noise."""
        return "map" if self.noise is not None else "sample"

    def check_solver(self, solver: Solver) -> None:
        """Refuse solvers without exact inference, if there is no noise."""
        if self.noise is None:
            require_inference("ScoreFunction(noise=None)", solver, sample=True)

    def expected(self, losses: Tensor, score: Tensor) -> Tensor:
        """Return the gradient of the expected loss, shape ``(N, *event)``.

        Args:
            losses: Of each sample and row, shape ``(S, N)``.
            score: Gradient of the log-probability of each sample, shape ``(S, N, *event)``.
        """
        return weighted_score(less_baseline(losses, self.baseline, self.draws), score)

    def score(self, draws: Tensor) -> Tensor:
        """Return the gradient of the log-probability of draws of the noise, in theta, any shape."""
        assert self.noise is not None
        return self.noise.score(draws) / self.tau

    def gradient(self, backward: Backward) -> Gradient:
        """Return the estimate for the loss taken as linear."""
        z = backward.z
        losses = (z * backward.g).reshape(*z.shape[:2], -1).sum(2)
        if not backward.adapt:
            raise MissingCapabilityError(
                "ScoreFunction has no gradient in eval, where nothing is sampled; call .train() on the layer first."
            )
        if self.noise is not None:
            score = self.score(backward.points)
        else:
            score = (z - backward.family.mean(backward.theta / self.tau)) / self.tau
        return Gradient(self.expected(losses, score))
