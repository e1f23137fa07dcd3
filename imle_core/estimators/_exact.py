"""Exact marginals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from imle_core._checks import require_choice, require_number

from ._base import Backward, Gradient
from ._tempered import Tempered

if TYPE_CHECKING:
    from imle_core._solver import Solver
    from imle_core.noise import Draws, Noise


@dataclass(frozen=True, kw_only=True)
class Exact(Tempered):
    r"""Exact marginals: the Jacobian of the expected state, without noise and without variance of its own.

    .. math:: z_s \sim p(z; \theta) \propto e^{\langle z, \theta \rangle / \tau}
       \quad \text{or} \quad z = \mu(\theta) = \mathbb{E}_p[z], \qquad
       G = \frac{\partial \mu}{\partial \theta}^{\top} \frac{1}{S} \sum_s g_s
         = \frac{1}{\tau} \mathrm{Cov}_p(z) \frac{1}{S} \sum_s g_s

    Exact for losses that are linear in z. It needs a solver with ``log_partition``, and with ``sample`` unless the
    output are the marginals; docs/sets.md lists the sets. In eval the layer is the plain solver.

    Solver calls per row and step: 0 + 0.

    Args:
        output: What the forward pass returns in training: ``"sample"``, exact samples, or ``"marginals"``, the expected
            state itself, which is no structure.
        samples: Number S of samples; 1 with marginals.
        tau: Temperature of the family, in units of theta, above 0.

    Raises:
        ValueError: an argument is out of range.
        MissingCapabilityError: the solver has no exact inference.

    Reference:
        Ahmed, Zeng, Niepert and Van den Broeck (2023), SIMPLE: a gradient estimator for k-subset sampling, for any set.

    Example:
        >>> import torch, imle_core as imle
        >>> layer = imle.SolverLayer("torch.k_subset", imle.Exact(output="marginals"), k=1)
        >>> layer(torch.zeros(1, 4))
        tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    noise: Noise | None = field(default=None, init=False, repr=False)
    draws: Draws = field(default="independent", init=False, repr=False)
    output: Literal["sample", "marginals"] = "sample"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("Exact", "tau", self.tau, above=0)
        require_choice("Exact", "output", self.output, ("sample", "marginals"))
        if self.output == "marginals" and self.samples != 1:
            raise ValueError(f"Exact: output='marginals' has samples=1; got {self.samples}.")

    @property
    def inference(self) -> Literal["sample", "marginals"]:
        """Its output."""
        return self.output

    def check_solver(self, solver: Solver) -> None:
        """Refuse solvers without exact inference."""
        require_inference("Exact", solver, sample=self.output == "sample")

    def gradient(self, backward: Backward) -> Gradient:
        """Return the covariance of the state times the loss gradient, over tau."""
        g = backward.g.mean(0)
        return Gradient(backward.family.covariance(backward.theta / self.tau, g) / self.tau)


def require_inference(owner: str, solver: Solver, *, sample: bool) -> None:
    """Raise MissingCapabilityError unless the solver has exact inference."""
    from imle_core.errors import MissingCapabilityError

    for method in ("log_partition", "sample") if sample else ("log_partition",):
        if not solver.implements(method):
            raise MissingCapabilityError(
                f"{owner} needs a solver with `{method}`; {solver.name} has none. Sets that have it are those of the "
                "plugin torch, such as torch.k_subset; for any solver there are IMLE and Perturbed."
            )
