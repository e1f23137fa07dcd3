"""Identity with projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from imle_core._checks import require_choice
from imle_core.errors import SolverParameterError

from ._straight_through import StraightThrough

if TYPE_CHECKING:
    from torch import Tensor

    from imle_core._solver import Solver

Projection = Literal["none", "mean", "norm", "std"]


@dataclass(frozen=True, kw_only=True)
class Identity(StraightThrough):
    r"""Identity with projection: straight-through, after theta has been freed of what the solver cannot see.

    .. math:: z_s = \mathrm{MAP}(P(\theta) + \epsilon_s), \qquad
       G = P'(\theta)^\top \frac{1}{S} \sum_s g_s

    Each row is projected on its own: ``"mean"`` subtracts the mean of its entries, ``"norm"`` divides by its Euclidean
    norm, ``"std"`` does the first and divides by the standard deviation. The derivative of a projection takes the
    useless direction out of the gradient, which otherwise lets theta collapse or drift.

    A projection must not change the solution: ``"norm"`` never does; ``"mean"`` and ``"std"`` do not where all
    structures have the same number of ones (k-subsets, assignments, trees), and do elsewhere (paths). The layer solves
    the projected theta in training and in eval alike.

    Solver calls per row and step: S + 0.

    Args:
        samples: Number S of samples.
        noise: Noise of the perturbation, or None.
        draws: How the samples of a row are coupled: ``"independent"``, ``"antithetic"`` or ``"sobol"``.
        tau: Temperature, the factor of the noise, in units of the projected theta.
        projection: ``"none"``, ``"mean"``, ``"norm"`` or ``"std"``.

    Raises:
        ValueError: an argument is out of range.
        SolverParameterError: the solver refuses or clips negative costs, and the projection makes some.

    Reference:
        Sahoo, Paulus, Vlastelica, Musil, Kuleshov and Martius (2023), Backpropagation through combinatorial algorithms:
        identity with projection works, section 3.

    Example:
        >>> Identity(projection="mean").project(torch.tensor([[1.0, 2.0, 6.0]]))
        tensor([[-2., -1.,  3.]])
    """

    projection: Projection = "std"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_choice("Identity", "projection", self.projection, ("none", "mean", "norm", "std"))

    def check_solver(self, solver: Solver) -> None:
        """Refuse projections to negative costs where the solver does not take them."""
        if self.projection in ("mean", "std") and solver.negative != "allow":
            raise SolverParameterError(
                f"{solver.name}: Identity(projection={self.projection!r}) makes costs negative, and the solver has "
                f"negative={solver.negative!r}. Use projection='norm', or negative='allow' where the solver has it."
            )

    def project(self, theta: Tensor) -> Tensor:
        """Return P(theta), row by row, shape ``(N, *event)``; a row without variation or norm stays as it is."""
        rows = theta.reshape(theta.shape[0], -1)
        if self.projection in ("mean", "std"):
            rows = rows - rows.mean(1, keepdim=True)
        if self.projection in ("norm", "std"):
            norm = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
            if self.projection == "std":
                norm = norm / max(rows.shape[1], 1) ** 0.5
            # Where the norm is zero so is the row, and it has no direction to be divided along.
            rows = rows / torch.where(norm > 0, norm, 1.0)
        return rows.reshape(theta.shape)
