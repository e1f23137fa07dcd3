"""What every loss over the structures of a solver shares: its inputs, its solves, its reduction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from imle_core._checks import require_choice
from imle_core._layer import SolverLayer
from imle_core._solver import Solver
from imle_core.engine import begin, map_solve
from imle_core.engine._plan import HALF, check_theta_type
from imle_core.errors import InvalidTargetError, SolverParameterError
from imle_core.estimators import BlackBox

from ._operators import check_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_core._solver import Validation
    from imle_core.estimators import Estimator

Reduction = Literal["mean", "sum", "none"]


class Rows(NamedTuple):
    """A batch of predictions.

    Attributes:
        theta: Predicted parameters in the solver's own sense, float32 or float64, shape ``(N, *event)``.
        scores: The same as scores: costs negated.
        numbers: Of the rows' instances, int64, shape ``(N,)``; None where rows have none.
        ticket: Of this call, in the ledger of what solvers do.
        batch: Shape of the batch, of N rows.
        dtype: Of the predictions, and of the loss.
    """

    theta: Tensor
    scores: Tensor
    numbers: Tensor | None
    ticket: Tensor
    batch: tuple[int, ...]
    dtype: torch.dtype


class Loss(nn.Module):
    """Base of the losses over the structures of a solver.

    Predicted parameters are in the solver's own sense, costs for a minimising solver and scores for a maximising one,
    and of any batch shape; the objective is ``<z, theta>`` and nothing beside it. A loss is the same in training and in
    eval. Points that a loss moves below zero are clipped at zero for solvers that refuse negative costs, as in a layer.

    Args:
        solver: A :class:`Solver`, or the name of an installed one, whose options are then given as keywords.
        estimator: Holds the noise of losses that draw some.
        reduction: ``"mean"`` or ``"sum"`` over all rows, or ``"none"``: one value for each, shape ``(*batch)``.
        generator: Source of randomness, on theta's device; None takes torch's global one.
        validate: ``"basic"`` verifies shape, dtype, finiteness and integrality of targets and solutions, ``"full"``
            also that each is feasible.
        **solver_options: Parameters of the solver, where it is given by name.
    """

    def __init__(
        self,
        solver: Solver | str,
        *,
        estimator: Estimator | None = None,
        reduction: Reduction = "mean",
        generator: torch.Generator | None = None,
        validate: Validation = "basic",
        **solver_options: Any,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if solver_options and isinstance(solver, Solver):
            raise SolverParameterError(
                f"{name}: unknown keywords {', '.join(sorted(solver_options))}. Options of a solver go with its "
                "name; this solver is already made."
            )
        require_choice(name, "reduction", reduction, ("mean", "sum", "none"))
        require_choice(name, "validate", validate, ("basic", "full"))
        self.reduction = reduction
        # It makes the solver of a name, draws the noise, numbers the instances, and is copied and saved with them.
        self.layer = SolverLayer(
            solver, estimator or BlackBox(), generator=generator, validate=validate, **solver_options
        )

    @property
    def solver(self) -> Solver:
        """The solver."""
        return self.layer.solver

    @property
    def generator(self) -> torch.Generator | None:
        """The source of randomness; None for torch's global one."""
        return self.layer.generator

    @generator.setter
    def generator(self, generator: torch.Generator | None) -> None:
        self.layer.generator = generator

    def prepare(self, instances: Sequence[Any]) -> Tensor:
        """Return numbers, int64, that stand for instances in calls of this loss; see :meth:`SolverLayer.prepare`."""
        return self.layer.prepare(instances)

    def extra_repr(self) -> str:
        """Return the solver and the reduction."""
        return f"{self.solver.name}, reduction={self.reduction!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    def _rows(
        self, theta: Tensor, instances: Sequence[Any] | Tensor | None, *, kind: str = "parameters"
    ) -> Rows:
        solver = self.solver
        check_theta_type(solver, theta)
        batch, event = solver.split_shape(theta.shape)
        working = torch.float32 if theta.dtype in HALF else theta.dtype
        rows = theta.to(working).reshape(math.prod(batch), *event)
        numbers = self.layer._numbers(instances, rows.shape[0])
        plain = rows.detach()
        checked = check_input(plain, numbers, "theta", kind, self.layer._handle)
        rows = rows + (checked - plain)  # nothing, but for a compiler, which would remove an unused check
        ticket = begin(self.layer.estimator.samples, self.layer._handle)
        return Rows(rows, rows if solver.sense == "max" else -rows, numbers, ticket, batch, theta.dtype)

    def _target(self, name: str, target: Tensor, theta: Tensor, rows: Rows, *, kind: str) -> Tensor:
        """Return an argument of theta's shape as rows, ``(N, *event)``, of the working dtype."""
        solver = self.solver
        if not isinstance(target, Tensor):
            raise InvalidTargetError(
                f"{solver.name}: {name} must be a torch.Tensor; got {type(target).__name__}."
            )
        if target.shape != theta.shape:
            raise InvalidTargetError(
                f"{solver.name}: {name} {tuple(target.shape)} but theta is {tuple(theta.shape)}; give one of the same "
                "shape."
            )
        if target.device != theta.device:
            raise InvalidTargetError(
                f"{solver.name}: {name} is on {target.device} but theta is on {theta.device}; move one of them."
            )
        if target.is_complex() or target.layout != torch.strided:
            raise InvalidTargetError(
                f"{solver.name}: {name} is {target.dtype}, {target.layout}; use a dense tensor of real numbers."
            )
        if target.requires_grad:
            raise InvalidTargetError(
                f"{solver.name}: {name} requires a gradient, which {type(self).__name__} has for theta alone. Use "
                f"{name}.detach(), or exchange the arguments."
            )
        plain = target.to(rows.theta.dtype).reshape(rows.theta.shape)
        return check_input(plain, rows.numbers, name, kind, self.layer._handle)

    def _true_scores(self, theta_true: Tensor, theta: Tensor, rows: Rows) -> Tensor:
        true = self._target("theta_true", theta_true, theta, rows, kind="parameters")
        return true if self.solver.sense == "max" else -true

    def _solve(self, points: Tensor, rows: Rows, skip: Tensor | None = None) -> Tensor:
        """Return the structures with the largest scores, ``(K, N, *event)``, in one batch of solves."""
        layer = self.layer
        return map_solve(
            points.detach(), rows.numbers, skip, True, layer.training, rows.ticket, layer._handle
        )

    def _reduced(self, values: Tensor, rows: Rows) -> Tensor:
        """Return one value for each row, shape ``(N,)``, as the reduction says."""
        if self.reduction == "none":
            return values.reshape(rows.batch).to(rows.dtype)
        return (values.mean() if self.reduction == "mean" else values.sum()).to(rows.dtype)


def in_full(x: Tensor) -> torch.autocast:
    """Return a context in which autocast leaves matrix products in the dtype of x."""
    return torch.autocast(x.device.type, enabled=False)


def inner(points: Tensor, z: Tensor, event_ndim: int) -> Tensor:
    """Return ``<z, point>`` over the trailing dimensions of an event.

    With z the solver's answer, and so piecewise constant, it is the support function max_z <z, point>, and autograd
    gives the gradient of that: z (Danskin's theorem).
    """
    product = points * z
    return product.flatten(product.ndim - event_ndim).sum(-1) if event_ndim else product
