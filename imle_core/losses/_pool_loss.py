"""What the losses share that compare a prediction with a pool of solutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from imle_core._checks import require_number
from imle_core._pool import SolutionPool
from imle_core.errors import InvalidTargetError

from ._base import Loss, Rows, in_full

if TYPE_CHECKING:
    from torch import Tensor

    from imle_core._solver import Solver, Validation

    from ._base import Reduction


class PoolLoss(Loss):
    """A loss that looks its structures up in a pool, and solves for new ones now and then.

    In training, each call first adds its targets, if any, and with probability ``solve_ratio`` for each row the
    solution of its prediction. In eval the pool stays as it is.
    """

    def __init__(
        self,
        solver: Solver | str,
        *,
        pool: SolutionPool | None = None,
        solve_ratio: float = 0.05,
        reduction: Reduction = "mean",
        generator: torch.Generator | None = None,
        validate: Validation = "basic",
        **solver_options: Any,
    ) -> None:
        name = type(self).__name__
        require_number(name, "solve_ratio", solve_ratio, at_least=0)
        if solve_ratio > 1:
            raise ValueError(f"{name}: solve_ratio is a probability, at most 1; got {solve_ratio!r}.")
        if not (pool is None or isinstance(pool, SolutionPool)):
            raise TypeError(f"{name}: pool must be an imle_core.SolutionPool or None; got {pool!r}.")
        super().__init__(
            solver, reduction=reduction, generator=generator, validate=validate, **solver_options
        )
        self.pool = SolutionPool() if pool is None else pool
        self.solve_ratio = solve_ratio

    def extra_repr(self) -> str:
        """Return the solver, the pool and the reduction."""
        return (
            f"{self.solver.name}, {self.pool}, solve_ratio={self.solve_ratio}, reduction={self.reduction!r}"
        )

    def _instances(self, rows: Rows) -> list[Any] | None:
        if rows.numbers is None:
            return None
        binding = self.layer._binding
        binding.prepared(rows.numbers)  # which raises where a number is not known
        return [binding._instances[number] for number in rows.numbers.tolist()]

    def _compare(self, rows: Rows, target: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return structures of the pool, ``(P, *event)``, and which of them each row is compared with, ``(N, P)``."""
        instances = self._instances(rows)
        if self.training:
            if target is not None:
                self.pool.add(target, instances=instances)
            self._grow(rows, instances)
        member = self.pool.members(instances, len(rows.theta)).to(rows.theta.device)
        event, pooled = tuple(rows.theta.shape[1:]), tuple(self.pool.states.shape[1:])
        if len(self.pool) and event != pooled:
            raise InvalidTargetError(
                f"{self.solver.name}: the pool has structures of shape {pooled} but theta has rows of shape {event}."
            )
        if len(member) == 0:  # an empty batch is compared with anything
            return rows.theta.new_zeros(1, *event), member.new_zeros(0, 1)
        if not member.any(1).all():
            row = int((~member.any(1)).nonzero()[0])
            of = "" if instances is None else f" of instance {instances[row]!r}"
            raise InvalidTargetError(
                f"{self.solver.name}: row {row}: the pool has no structure{of} to compare with. Begin with "
                "`loss.pool.add(solutions)`, give targets, or raise solve_ratio."
            )
        used = member.any(0)
        return self.pool.states.to(rows.theta)[used], member[:, used]

    def _grow(self, rows: Rows, instances: list[Any] | None) -> None:
        if self.solve_ratio == 0 or len(rows.theta) == 0:
            return
        generator = self.generator
        device = rows.theta.device
        self.layer._binding.check_generator(rows.theta)
        chance = torch.rand(
            len(rows.theta), generator=generator, device=device if generator is not None else "cpu"
        )
        solved = (chance < self.solve_ratio).to(device)
        if not solved.any():
            return
        (z,) = self._solve(rows.scores.unsqueeze(0), rows, ~solved.unsqueeze(0)).unbind()
        which = solved.nonzero().squeeze(1)
        chosen = None if instances is None else [instances[i] for i in which.tolist()]
        self.pool.add(z[which], instances=chosen)


def objectives(scores: Tensor, states: Tensor) -> Tensor:
    """Return ``<z, scores>`` of each row and structure: (N, *event) and (P, *event) to (N, P)."""
    size = scores.shape[1:].numel()
    with in_full(scores):
        return scores.reshape(-1, size) @ states.reshape(-1, size).T


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of each row's own values, shape ``(N,)``; 0 where it has none."""
    return torch.where(mask, values, 0.0).sum(1) / mask.sum(1).clamp(min=1)
