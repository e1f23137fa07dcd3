"""Opaque operators of the exponential family itself: exact samples, marginals, covariance.

Opaque as the solves are: a solver's `log_partition` is differentiated inside, where torch.compile need not follow.
Theta are scores divided by the temperature; the solver is given them in its own sense.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ._binding import Binding
from ._plan import check_theta
from ._vmap import rows_first

if TYPE_CHECKING:
    from collections.abc import Iterator

torch.library.define(
    "imle::family_sample",
    "(Tensor theta, SymInt samples, Tensor? instances, Tensor ticket, Tensor handle) -> Tensor",
    tags=(torch.Tag.nondeterministic_seeded,),
)
torch.library.define(
    "imle::marginals", "(Tensor theta, Tensor? instances, Tensor ticket, Tensor handle) -> Tensor"
)
torch.library.define(
    "imle::covariance", "(Tensor theta, Tensor vector, Tensor? instances, Tensor handle) -> Tensor"
)
family_sample = torch.ops.imle.family_sample.default
marginals = torch.ops.imle.marginals.default
covariance = torch.ops.imle.covariance.default


@torch.library.impl("imle::family_sample", "CompositeExplicitAutograd")
def _family_sample(
    theta: Tensor, samples: int, instances: Tensor | None, ticket: Tensor, handle: Tensor
) -> Tensor:
    """Return exact samples, shape ``(S, N, *event)``.

    Args:
        theta: Scores over temperature, shape ``(N, *event)``.
        samples: Number S of samples.
        instances: Numbers of the rows' instances, shape ``(N,)``, or None.
        ticket: Of the call, see :func:`begin`.
        handle: Of the binding that holds solver and generator, see :meth:`Binding.handle`.
    """
    start = time.perf_counter()
    binding = Binding.of(handle)
    check_theta(binding.solver, theta, binding.sign, policy=False)
    binding.check_generator(theta)
    z = binding.solver.sample(
        theta * binding.sign, samples, generator=binding.generator, **binding.instances_of(instances)
    )
    _note(binding, ticket, start)
    return z.to(theta).contiguous()


@torch.library.register_fake("imle::family_sample")  # type: ignore[untyped-decorator]
def _(theta: Tensor, samples: int, instances: Tensor | None, ticket: Tensor, handle: Tensor) -> Tensor:
    return theta.new_empty((samples, *theta.shape))


@torch.library.register_vmap("imle::family_sample")  # type: ignore[untyped-decorator]
def _(
    info: Any,
    in_dims: tuple[int | None, ...],
    theta: Tensor,
    samples: int,
    instances: Tensor | None,
    ticket: Tensor,
    handle: Tensor,
) -> tuple[Tensor, int]:
    theta, instances = _rows(info, in_dims[0], theta), _rows(info, in_dims[2], instances)
    z = family_sample(theta.flatten(0, 1), samples, _flat(instances), ticket, handle)
    return z.reshape(samples, *theta.shape), 1


@torch.library.impl("imle::marginals", "CompositeExplicitAutograd")
def _marginals(theta: Tensor, instances: Tensor | None, ticket: Tensor, handle: Tensor) -> Tensor:
    """Return the expected states, shape ``(N, *event)``: the gradient of the log-partition function."""
    start = time.perf_counter()
    binding = Binding.of(handle)
    check_theta(binding.solver, theta, binding.sign, policy=False)
    with differentiable():
        mean = _mean(binding, theta.detach().clone().requires_grad_(), instances).detach().contiguous()
    _note(binding, ticket, start)
    return mean


@torch.library.register_fake("imle::marginals")  # type: ignore[untyped-decorator]
def _(theta: Tensor, instances: Tensor | None, ticket: Tensor, handle: Tensor) -> Tensor:
    return torch.empty_like(theta, memory_format=torch.contiguous_format)


@torch.library.register_vmap("imle::marginals")  # type: ignore[untyped-decorator]
def _(
    info: Any,
    in_dims: tuple[int | None, ...],
    theta: Tensor,
    instances: Tensor | None,
    ticket: Tensor,
    handle: Tensor,
) -> tuple[Tensor, int]:
    theta, instances = _rows(info, in_dims[0], theta), _rows(info, in_dims[1], instances)
    return marginals(theta.flatten(0, 1), _flat(instances), ticket, handle).reshape(theta.shape), 0


@torch.library.impl("imle::covariance", "CompositeExplicitAutograd")
def _covariance(theta: Tensor, vector: Tensor, instances: Tensor | None, handle: Tensor) -> Tensor:
    """Return Cov(z) v for each row, shape ``(N, *event)``: the Hessian of the log-partition function times v."""
    binding = Binding.of(handle)
    with differentiable():
        leaf = theta.detach().clone().requires_grad_()
        mean = _mean(binding, leaf, instances)
        if not mean.requires_grad:  # it is the same whatever theta: the set has one structure, say
            return torch.zeros_like(theta)
        (product,) = torch.autograd.grad(mean, leaf, vector.clone())
    return product.contiguous()


@torch.library.register_fake("imle::covariance")  # type: ignore[untyped-decorator]
def _(theta: Tensor, vector: Tensor, instances: Tensor | None, handle: Tensor) -> Tensor:
    return torch.empty_like(theta, memory_format=torch.contiguous_format)


@torch.library.register_vmap("imle::covariance")  # type: ignore[untyped-decorator]
def _(
    info: Any,
    in_dims: tuple[int | None, ...],
    theta: Tensor,
    vector: Tensor,
    instances: Tensor | None,
    handle: Tensor,
) -> tuple[Tensor, int]:
    theta, vector = _rows(info, in_dims[0], theta), _rows(info, in_dims[1], vector)
    instances = _rows(info, in_dims[2], instances)
    product = covariance(theta.flatten(0, 1), vector.flatten(0, 1), _flat(instances), handle)
    return product.reshape(theta.shape), 0


@contextlib.contextmanager
def differentiable() -> Iterator[None]:
    """Record gradients inside an operator, wherever it is called.

    Inside of compiled code, an operator is called where the thread has taken autograd out of torch's dispatch.
    """
    with torch.inference_mode(False), torch._C._ForceDispatchKeyGuard(*_PLAIN), torch.enable_grad():
        yield


_PLAIN = (torch._C._dispatch_tls_local_include_set(), torch._C._dispatch_tls_local_exclude_set())


def _mean(binding: Binding, theta: Tensor, instances: Tensor | None) -> Tensor:
    """Return the gradient of the log-partition function at a leaf, itself differentiable."""
    log_partition = binding.solver.log_partition(theta * binding.sign, **binding.instances_of(instances))
    # Plus nothing, so that there is a gradient also where the set does not depend on theta.
    total = log_partition.sum() + 0 * theta.sum()
    (mean,) = torch.autograd.grad(total, theta, create_graph=True)
    return mean


def _note(binding: Binding, ticket: Tensor, start: float) -> None:
    binding.ledger.entry(ticket, binding.estimator).forward.note(start=start)


def _rows(info: Any, dim: int | None, x: Any) -> Any:
    return None if x is None else rows_first(x, dim, info.batch_size, at=0)


def _flat(instances: Tensor | None) -> Tensor | None:
    return None if instances is None else instances.flatten()
