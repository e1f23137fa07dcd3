"""The look-up in a layer's pool of solutions: the hint of each row, and rows that the pool answers."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Literal

import torch

from imle_core._outcomes import Outcomes
from imle_core._pool import SolutionPool
from imle_core.errors import InfeasibleError, SolverError

from ._plan import feasible, fixed_terms, solve_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from imle_core._solver import Solver

    from ._binding import Binding

_POOL_ENTRIES = 1 << 22  # of a pool that nobody asked for, which checkpoints hold as well


def solve_with_pool(
    binding: Binding, rows: Tensor, numbers: Sequence[int] | None, *, moved: bool, training: bool
) -> tuple[Tensor, Outcomes, int]:
    """Solve rows of scores; in training, a share of them by the best structure of the pool.

    Args:
        binding: Holds the solver, the pool and the share.
        rows: Scores, shape ``(N, *event)``.
        numbers: Number of each row's instance, if rows have instances.
        moved: See :func:`solve_rows`.
        training: Whether the pool may answer.

    Returns:
        States, shape ``(N, *event)``; how the searches ended; how many rows the pool answered.
    """
    pool = binding.pool
    if pool is None or len(rows) == 0:
        return *_solve(binding, rows, numbers, None, moved), 0
    given = binding.given(numbers)
    if training and binding.solve_ratio < 1:
        pool.tell_offsets(functools.partial(_offsets, binding), given)
    best, known = pool.best(rows, given, binding.sign)
    looked_up = torch.zeros_like(known)
    if training and binding.solve_ratio < 1:
        binding.check_generator(rows)
        draws = torch.rand(known.shape, generator=binding.generator, device=known.device)
        looked_up = known & (draws >= binding.solve_ratio)
    hint = None
    if binding.solver.takes_hint:
        unknown = known.logical_not().view(-1, *[1] * (rows.ndim - 1))
        hint = best.masked_fill(unknown, torch.nan)
    count, which = int(looked_up.sum()), None
    if count:
        which = looked_up.logical_not().nonzero().squeeze(1)
        rows = rows[which]
        numbers = None if numbers is None else [numbers[row] for row in which.tolist()]
        hint = None if hint is None else hint[which]
    try:
        z, outcomes = _solve(binding, rows, numbers, hint, moved)
    except SolverError as error:
        if error.row is not None and which is not None:
            error.row = int(which[error.row])
        raise
    # What a solver has found need not be asked about again, where <z, theta> is its whole objective.
    known_terms = None if binding.solver.implements("fixed_terms") else z.new_zeros(len(z))
    pool.add(z, instances=binding.given(numbers), offsets=known_terms)
    if which is not None:
        z = best.index_copy_(0, which, z)
        outcomes.spread(len(z), which.numpy(force=True))
    return z, outcomes, count


def _solve(
    binding: Binding, rows: Tensor, numbers: Sequence[int] | None, hint: Tensor | None, moved: bool
) -> tuple[Tensor, Outcomes]:
    solver = binding.solver
    solve = type(solver).solve.__wrapped__.__get__(solver)  # type: ignore[attr-defined]
    with Outcomes() as outcomes:
        z = solve_rows(
            solver,
            solve,
            rows,
            prepared=binding.prepared_at(numbers),
            sign=binding.sign,
            moved=moved,
            validate=binding.validate,
            hint=hint,
        )
    return z, outcomes


def _offsets(binding: Binding, states: Tensor, instances: Sequence[Any]) -> Tensor:
    """Return what the objective of structures has beside <z, theta>.

    Raises:
        InfeasibleError: one is none of the solver's: an answer of the pool would be wrong.
    """
    solver, numbers = binding.solver, None if instances[0] is None else binding.prepare(instances).tolist()
    prepared = binding.prepared_at(numbers)
    try:
        if solver.implements("fixed_terms"):
            return fixed_terms(solver, states, prepared)
        if solver.implements("is_feasible") and not feasible(solver, states, prepared).all():
            raise InfeasibleError("`is_feasible` refuses it.")
    except InfeasibleError as error:
        raise InfeasibleError(
            f"{solver.name}: the pool has a structure that is not one of this solver's: of another problem, "
            "perhaps, or added by hand. Begin with an empty pool."
        ) from error
    return states.new_zeros(len(states))


def resolve_pool(
    solver: Solver, pool: SolutionPool | int | Literal["auto"] | None, solve_ratio: float
) -> SolutionPool | None:
    """Return the pool that a layer over the solver has, of what its owner asked for.

    Raises:
        TypeError, ValueError: it is no pool, or one that the solver cannot have.
    """
    if isinstance(pool, str) and pool == "auto":
        wanted = solver.takes_hint or solve_ratio < 1
        pool = _pool_of(solver) if wanted and not solver.sizes_differ else None
    elif isinstance(pool, int) and not isinstance(pool, bool):
        pool = SolutionPool(pool)
    if not (pool is None or isinstance(pool, SolutionPool)):
        raise TypeError(
            f"SolverLayer: pool must be an imle_core.SolutionPool, its capacity, 'auto' or None; got {pool!r}."
        )
    if pool is None and solve_ratio < 1:
        raise ValueError(
            f"SolverLayer: solve_ratio={solve_ratio} takes the other answers from a pool of solutions, but "
            + (
                f"rows of {solver.name} differ in size, and have none; use 1."
                if solver.sizes_differ
                else "pool=None."
            )
        )
    if pool is not None and solver.sizes_differ:
        raise ValueError(
            f"SolverLayer: rows of {solver.name} differ in size, so they have no pool; use pool=None."
        )
    return pool


def _pool_of(solver: Solver) -> SolutionPool:
    """Return the pool that nobody asked for: 1000 structures an instance, or as many as fit into some megabytes."""
    entries = math.prod(size or 1 for size in solver.event_shape or ())
    total = max(16, min(100_000, _POOL_ENTRIES // max(1, entries)))
    return SolutionPool(min(1000, total), total=total)
