"""Identity with projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from imle_core._checks import require_choice
from imle_core.errors import SolverParameterError

from ._base import Backward, Gradient
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
        """Return P(theta), row by row, shape ``(N, *event)``; zeros of a row without variation or norm."""
        rows = theta.reshape(theta.shape[0], theta.shape[1:].numel())
        return self._parts(rows)[0].reshape(theta.shape)

    def gradient(self, backward: Backward) -> Gradient:
        """Return the transposed Jacobian of the projection times the mean loss gradient.

        With y = P(theta) = c / n, c = theta or theta less its mean, and n its norm or standard deviation, which is
        ``scale`` times the norm: P'^T g = (g - y <y, g> scale^2) / n, less its mean where a mean was taken.
        """
        shape = backward.theta.shape
        g = backward.g.mean(0).reshape(shape[0], shape[1:].numel())
        y, size, scale = self._parts(backward.theta.reshape(g.shape))
        if size is not None:
            g = (g - y * (y * g).sum(1, keepdim=True) * scale**2) / size
        if self.projection in ("mean", "std"):
            g = g - g.mean(1, keepdim=True)
        return Gradient(g.reshape(shape))

    def _parts(self, rows: Tensor) -> tuple[Tensor, Tensor | None, float]:
        """Return the projected rows, what they were divided by, and what part of the norm that is."""
        count = max(rows.shape[1], 1)
        unit = None
        if self.projection in ("norm", "std") and rows.numel():
            # In units of the largest entry, so that squares neither vanish nor overflow.
            unit = rows.abs().amax(1, keepdim=True)
            unit = torch.where(unit > 0, unit, 1.0)
            rows = rows / unit
        centred = rows - rows.mean(1, keepdim=True) if self.projection in ("mean", "std") else rows
        if self.projection in ("none", "mean"):
            return centred, None, 1.0
        norm = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
        # What rounding leaves of a constant row has no direction to be divided along.
        rounding = 8 * torch.finfo(rows.dtype).eps * count**0.5 * rows.abs().sum(1, keepdim=True) / count
        nothing = norm <= (rounding if self.projection == "std" else 0.0)
        scale = count**-0.5 if self.projection == "std" else 1.0
        size = torch.where(nothing, 1.0, norm * scale)
        projected = torch.where(nothing, 0.0, centred / size)
        if unit is not None:
            size = torch.where(nothing, 1.0, size * unit)
        return projected, size, scale
