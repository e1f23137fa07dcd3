"""SparseMAP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch

from imle_core._checks import require_count, require_number
from imle_core.errors import SolverParameterError

from ._base import Backward, Gradient
from ._tempered import Tempered

if TYPE_CHECKING:
    from imle_core._solver import Solver
    from imle_core.noise import Draws, Noise


@dataclass(frozen=True, kw_only=True)
class SparseMAP(Tempered):
    r"""SparseMAP: a sparse mixture of structures instead of one, differentiable almost everywhere.

    .. math:: z = \arg\min_{\mu \in \mathrm{conv}(Z)} \tfrac{1}{2} \| \mu - \theta / \tau \|^2, \qquad
       G = \tfrac{1}{\tau}\, P_A\, g

    with P_A the projection on the directions between the active structures A, those that z is a mixture of. It needs
    the MAP oracle alone, and no noise. In training the layer returns the mixture, in eval the plain solution. Small
    tau: one structure, and no gradient; large tau: many.

    Solver calls per row and step: as many as there are rounds, at least 2, + 0; all open rows of a round in one batch.

    Args:
        tau: Temperature, in units of theta over structures, above 0.
        iterations: Rounds at most; a row that needs more stays short of its optimum, and a warning is logged.
        tolerance: Duality gap at which a row is done, relative to the square of the size of a structure.

    Raises:
        ValueError: an argument is out of range.
        SolverParameterError: the solver refuses or clips negative costs, which the directions of the search have.

    Reference:
        Niculae, Martins, Blondel and Cardie (2018), SparseMAP: differentiable sparse structured inference, sections 2
        and 3.

    Example:
        >>> import torch, imle_core as imle
        >>> layer = imle.SolverLayer("torch.k_subset", imle.SparseMAP(), k=1)  # on one-of-n: sparsemax
        >>> layer(torch.tensor([[1.0, 0.5, -1.0]]))
        tensor([[0.7500, 0.2500, 0.0000]])
    """

    samples: int = field(default=1, init=False, repr=False)
    noise: Noise | None = field(default=None, init=False, repr=False)
    draws: Draws = field(default="independent", init=False, repr=False)
    iterations: int = 100
    tolerance: float = 1e-9

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("SparseMAP", "tau", self.tau, above=0)
        require_count("SparseMAP", "iterations", self.iterations)
        require_number("SparseMAP", "tolerance", self.tolerance, above=0)

    @property
    def inference(self) -> Literal["sparsemap"]:
        """SparseMAP."""
        return "sparsemap"

    def check_solver(self, solver: Solver) -> None:
        """Refuse solvers that do not take negative costs."""
        if solver.negative != "allow":
            raise SolverParameterError(
                f"{solver.name}: SparseMAP searches in directions with negative costs, and the solver has "
                f"negative={solver.negative!r}. Use negative='allow' where the solver has it."
            )

    def gradient(self, backward: Backward) -> Gradient:
        """Return the loss gradient projected on the directions between the active structures, over tau."""
        if not backward.adapt:  # one structure alone: there is no direction
            return Gradient(torch.zeros_like(backward.theta))
        active, g = backward.points, backward.g[0]
        rows = active.reshape(*active.shape[:2], -1)
        directions = (rows[1:] - rows[:1]).transpose(0, 1).double()  # (N, K - 1, d)
        gram = directions @ directions.transpose(1, 2)
        along = directions @ g.reshape(*g.shape[:1], -1, 1).double()
        # Slots that are not used are zero rows, which the pseudo-inverse leaves out.
        weights = torch.linalg.pinv(gram, hermitian=True, rtol=1e-10) @ along
        projected = (directions.transpose(1, 2) @ weights).reshape(g.shape)
        return Gradient((projected / self.tau).to(g))
