"""The opaque operators: begin a call, perturb theta, solve a batch of points, and conclude a backward pass.

Opaque to torch.compile, export and torch.func, which see tensors in and a tensor of known shape out. Everything that
needs Python values, such as a check that raises, happens inside.

Defined by torch.library's plain `define` and `impl`, not by `custom_op`, whose wrappers cost 20 us a call and import
the compiler at the first one, for a second or more. What they add is not needed here: no output is an input, and no
operator is called on a tensor whose gradient is tracked.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from imle_core.errors import SolverError

from ._binding import Binding
from ._lookup import solve_with_pool
from ._plan import check_theta
from ._vmap import rows_first

torch.library.define("imle::begin_call", "(SymInt samples, Tensor fresh, Tensor handle) -> Tensor")
torch.library.define(
    "imle::map_solve",
    "(Tensor points, Tensor? instances, Tensor? skip, bool moved, bool training, Tensor ticket, "
    "Tensor handle) -> Tensor",
)
torch.library.define(
    "imle::perturb",
    "(Tensor theta, SymInt samples, bool raw, Tensor ticket, Tensor handle) -> Tensor",
    tags=(torch.Tag.nondeterministic_seeded,),
)
torch.library.define(
    "imle::conclude",
    "(Tensor gradient, Tensor? weight, Tensor? change, Tensor ticket, Tensor handle) -> Tensor",
)
_begin_call = torch.ops.imle.begin_call.default
map_solve = torch.ops.imle.map_solve.default
perturb = torch.ops.imle.perturb.default
conclude = torch.ops.imle.conclude.default


def begin(samples: int, handle: Tensor) -> Tensor:
    """Begin the entry of one call of a layer in its ledger; return its ticket, int64 without dimensions.

    An operator, so that each run of a compiled graph has an entry of its own. It takes a fresh empty tensor, because
    the compiler merges operators with the same arguments, random ones too, but never two empty tensors: what depends
    on the ticket, such as the noise, is then each call's own.
    """
    return _begin_call(samples, torch.empty((), device="cpu"), handle)


@torch.library.impl("imle::begin_call", "CompositeExplicitAutograd")
def _(samples: int, fresh: Tensor, handle: Tensor) -> Tensor:
    binding = Binding.of(handle)
    return torch.tensor(binding.ledger.open(binding.estimator, samples), device="cpu")


@torch.library.register_fake("imle::begin_call")  # type: ignore[untyped-decorator]
def _(samples: int, fresh: Tensor, handle: Tensor) -> Tensor:
    return torch.empty((), dtype=torch.int64, device="cpu")


@torch.library.impl("imle::map_solve", "CompositeExplicitAutograd")
def _map_solve(
    points: Tensor,
    instances: Tensor | None,
    skip: Tensor | None,
    moved: bool,
    training: bool,
    ticket: Tensor,
    handle: Tensor,
) -> Tensor:
    """Return argmax over the set of <z, point> for a batch of points, all of them in one call of the solver.

    Args:
        points: Shape ``(K, N, *event)``: K points for each of N rows, as scores (costs negated).
        instances: Shape ``(N,)``, the numbers of the rows' instances; None where all rows share one.
        skip: Shape ``(K, N)``, bool: points that are not solved and give zeros. None in the forward pass, which
            solves all.
        moved: Whether noise or a gradient moved the points away from theta.
        training: Whether a pool of solutions may answer.
        ticket: Of the call, see :func:`begin`.
        handle: Of the binding that holds the solver, see :meth:`Binding.handle`.

    Returns:
        States, shape ``(K, N, *event)``, dtype and device of the points.
    """
    start = time.perf_counter()
    binding = Binding.of(handle)
    forward, wanted = skip is None, points.shape[:2].numel()
    samples = points.shape[0]
    if not moved and samples > 1:  # samples without noise are one point
        points, skip = points[:1], None if skip is None else skip[:1]
    k, n = points.shape[:2]
    rows = points.reshape(k * n, *points.shape[2:])
    numbers = None if instances is None else binding.numbers(instances) * k
    which: Tensor | None = None
    if skip is not None and bool(skip.any()):
        which = (~skip).flatten().nonzero().squeeze(1)
        rows = rows[which]
        if numbers is not None:
            numbers = [numbers[i] for i in which.tolist()]
    try:
        z, outcomes, looked_up = solve_with_pool(binding, rows, numbers, moved=moved, training=training)
    except SolverError as error:
        if error.row is not None:
            error.row = (error.row if which is None else int(which[error.row])) % n
        raise
    if which is not None:
        z = torch.zeros(k * n, *points.shape[2:], dtype=z.dtype, device=z.device).index_copy_(0, which, z)
    z = z.reshape(points.shape).expand(samples, *points.shape[1:]).contiguous()
    entry = binding.ledger.entry(ticket, binding.estimator)
    entry.pass_of(forward=forward).note(
        start=start,
        solves=len(rows) - looked_up,
        avoided={"equal points" if forward else "zero gradient": wanted - len(rows), "pool": looked_up},
        timeouts=outcomes.timeouts,
        outcomes=outcomes.of_points(k) if forward else None,
    )
    return z


@torch.library.register_fake("imle::map_solve")  # type: ignore[untyped-decorator]
def _(
    points: Tensor,
    instances: Tensor | None,
    skip: Tensor | None,
    moved: bool,
    training: bool,
    ticket: Tensor,
    handle: Tensor,
) -> Tensor:
    return torch.empty_like(points, memory_format=torch.contiguous_format)


@torch.library.register_vmap("imle::map_solve")  # type: ignore[untyped-decorator]
def _(
    info: Any,
    in_dims: tuple[int | None, ...],
    points: Tensor,
    instances: Tensor | None,
    skip: Tensor | None,
    moved: bool,
    training: bool,
    ticket: Tensor,
    handle: Tensor,
) -> tuple[Tensor, int]:
    size = info.batch_size
    points = rows_first(points, in_dims[0], size, at=1)
    shape = points.shape
    points = points.flatten(1, 2)
    if instances is not None:
        instances = rows_first(instances, in_dims[1], size, at=0).flatten()
    if skip is not None:
        skip = rows_first(skip, in_dims[2], size, at=1).flatten(1)
    return map_solve(points, instances, skip, moved, training, ticket, handle).reshape(shape), 1


@torch.library.impl("imle::perturb", "CompositeExplicitAutograd")
def _perturb(theta: Tensor, samples: int, raw: bool, ticket: Tensor, handle: Tensor) -> Tensor:
    """Return theta + factor * noise: one draw and one addition for all samples and rows, on theta's device.

    Args:
        theta: Scores, shape ``(N, *event)``, float32 or float64.
        samples: Number S of samples.
        raw: Whether to return the draws of the noise themselves.
        ticket: Of the call, see :func:`begin`.
        handle: Of the binding that holds estimator and generator, see :meth:`Binding.handle`.

    Returns:
        Points, or draws, shape ``(S, N, *event)``.
    """
    start = time.perf_counter()
    binding = Binding.of(handle)
    estimator = binding.estimator
    assert estimator.noise is not None
    check_theta(binding.solver, theta, binding.sign)
    binding.check_generator(theta)
    shape = (samples, *theta.shape)
    noise = estimator.noise.sample(
        shape, estimator.draws, generator=binding.generator, device=theta.device, dtype=theta.dtype
    )
    points = noise if raw else noise.mul_(estimator.factor).add_(theta)
    binding.ledger.entry(ticket, estimator).noise += time.perf_counter() - start
    return points


@torch.library.register_fake("imle::perturb")  # type: ignore[untyped-decorator]
def _(theta: Tensor, samples: int, raw: bool, ticket: Tensor, handle: Tensor) -> Tensor:
    return theta.new_empty((samples, *theta.shape))


@torch.library.register_vmap("imle::perturb")  # type: ignore[untyped-decorator]
def _(
    info: Any,
    in_dims: tuple[int | None, ...],
    theta: Tensor,
    samples: int,
    raw: bool,
    ticket: Tensor,
    handle: Tensor,
) -> tuple[Tensor, int]:
    theta = rows_first(theta, in_dims[0], info.batch_size, at=0)
    points = perturb(theta.flatten(0, 1), samples, raw, ticket, handle)
    return points.reshape(samples, *theta.shape), 1


@torch.library.impl("imle::conclude", "CompositeExplicitAutograd")
def _conclude(
    gradient: Tensor, weight: Tensor | None, change: Tensor | None, ticket: Tensor, handle: Tensor
) -> Tensor:
    """Return the gradient, and hand out the report of the backward pass that made it.

    An operator, so that a compiled backward pass reports as well; a copy, because an operator may not return what it
    was given.

    Args:
        gradient: With respect to theta, shape ``(N, *event)``.
        weight: 1 / lam, shape ``(S, N, 1, ...)``, of estimators that have such a step.
        change: Difference of source and target states, shape ``(S, N, *event)``, of the same.
        ticket: Of the call, see :func:`begin`.
        handle: Of the binding that reports, see :meth:`Binding.handle`.
    """
    binding = Binding.of(handle)
    entry = binding.ledger.entry(ticket, binding.estimator)
    binding.ledger.conclude(gradient, weight, change, entry, binding.solver)
    return gradient.clone(memory_format=torch.contiguous_format)


@torch.library.register_fake("imle::conclude")  # type: ignore[untyped-decorator]
def _(
    gradient: Tensor, weight: Tensor | None, change: Tensor | None, ticket: Tensor, handle: Tensor
) -> Tensor:
    return torch.empty_like(gradient, memory_format=torch.contiguous_format)


@torch.library.register_vmap("imle::conclude")  # type: ignore[untyped-decorator]
def _(
    info: Any,
    in_dims: tuple[int | None, ...],
    gradient: Tensor,
    weight: Tensor | None,
    change: Tensor | None,
    ticket: Tensor,
    handle: Tensor,
) -> tuple[Tensor, int]:
    size = info.batch_size
    gradient = rows_first(gradient, in_dims[0], size, at=0)
    if weight is not None:
        weight = rows_first(weight, in_dims[1], size, at=1).flatten(1, 2)
    if change is not None:
        change = rows_first(change, in_dims[2], size, at=1).flatten(1, 2)
    return conclude(gradient.flatten(0, 1), weight, change, ticket, handle).reshape(gradient.shape), 0
