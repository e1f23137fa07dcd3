"""Bias and variance of estimators, measured against the exact gradient."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from imle_core._checks import require_count, require_number
from imle_core._family import ExponentialFamily
from imle_core._layer import SolverLayer
from imle_core.errors import MissingCapabilityError
from imle_core.estimators import Estimator, resolve

from ._comparison import Comparison, Comparisons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from imle_core._solver import Solver

_ROWS = 4_000  # of a batch that is estimated at once, over its samples
_NOTHING = 1e-12  # of what the rounding of float64 leaves of a gradient that is zero
_WARM_UP = 200  # steps of an estimator that adapts


def compare(
    solver: Solver | str,
    loss: Callable[[Tensor], Tensor],
    estimators: Mapping[str, Estimator | str] | Iterable[Estimator | str] | Estimator | str,
    theta: Tensor,
    *,
    tau: float = 1.0,
    repeats: int = 1000,
    seed: int = 0,
    **solver_options: Any,
) -> Comparisons:
    r"""Measure the gradients of estimators against the exact gradient of an expected loss.

    .. math:: g = \nabla_\theta\, \mathbb{E}_{z \sim p(\cdot\,; \theta)}[\ell(z)], \qquad
       p(z; \theta) \propto e^{s \langle z, \theta \rangle / \tau}

    found by enumerating the structures of the solver. The estimates are of the loss averaged over an estimator's
    samples, as a training step has it; one that adapts, such as :class:`~imle_core.AIMLE`, does so at these points for
    up to 200 steps before it is measured.

    Args:
        solver: A solver whose set can be listed (``enumerate_support``), or the name of one.
        loss: Takes structures, shape ``(..., *event)``, and returns one value each, ``(...)``; differentiable.
        estimators: By label, or in any order, labelled by what they print as; names stand for their defaults. They
            have temperatures of their own.
        theta: Points to compare at, shape ``(*event)`` or ``(N, *event)``.
        tau: Temperature of the family.
        repeats: Estimates for each row, at least 2.
        seed: Of everything random.
        **solver_options: Parameters of the solver, where it is given by name.

    Returns:
        One comparison for each estimator; printed, a table.

    Raises:
        MissingCapabilityError: the solver cannot list its set.
        ValueError: the exact gradient is zero, so that nothing can be compared with it; or the loss does not return
            one value for each structure, or has no gradient and an estimator needs one.

    Example:
        >>> import torch, imle_core as imle
        >>> from imle_core.diagnostics import compare
        >>> w = torch.tensor([1.0, 0.0, 0.0, -1.0])
        >>> estimators = {"exact": imle.Exact(output="marginals"), "blackbox": imle.BlackBox()}
        >>> found = compare("torch.k_subset", lambda z: z @ w, estimators, torch.zeros(4), repeats=10, k=2, n=4)
        >>> [(one.label, one.bias < 1e-6, one.calls) for one in found]
        [('exact', True, 0.0), ('blackbox', False, 2.0)]
    """
    require_count("compare", "repeats", repeats)
    if repeats < 2:
        raise ValueError("compare: repeats must be at least 2, because one estimate has no variance; got 1.")
    probe = SolverLayer(solver, **solver_options)
    solver = probe.solver
    event = solver.split_shape(theta.shape)[1]
    rows = theta.detach().reshape(-1, *event)
    if not len(rows):
        raise ValueError(f"compare: theta of shape {tuple(theta.shape)} has no rows to compare at.")
    exact, size = _enumerated(solver, loss, rows, tau)
    zero = torch.linalg.vector_norm(exact.flatten(1), dim=1) <= _NOTHING * size
    if bool(zero.any()):
        raise ValueError(
            f"{solver.name}: the exact gradient is zero at row {int(zero.nonzero()[0])} of theta: the loss is "
            "the same for all structures, or the temperature too low."
        )
    if isinstance(estimators, (Estimator, str)):
        estimators = [estimators]
    if isinstance(estimators, Mapping):
        named = {label: resolve(given) for label, given in estimators.items()}
    else:
        named = {str(estimator): estimator for estimator in map(resolve, estimators)}
    # All layers first, so that one that does not fit the solver is told before anything is measured.
    layers = {
        label: SolverLayer(
            solver,
            estimator,
            reduction="none",
            generator=torch.Generator(rows.device).manual_seed(seed),
        )
        for label, estimator in named.items()
    }
    return Comparisons(_measure(label, layer, loss, rows, exact, repeats) for label, layer in layers.items())


def grid(factory: Callable[..., Estimator], **values: Sequence[Any]) -> dict[str, Estimator]:
    """Return estimators of all combinations of values, by a label that names what varies.

    Args:
        factory: Such as :class:`~imle_core.IMLE`.
        **values: For each keyword its values; a keyword with one value does not go into the label.

    Example:
        >>> import imle_core as imle
        >>> list(grid(imle.IMLE, lam=[0.5, 1.0], samples=[4]))
        ['IMLE lam=0.5', 'IMLE lam=1.0']
    """
    estimators = {}
    for combination in itertools.product(*values.values()):
        options = dict(zip(values, combination, strict=True))
        varying = [f"{key}={value}" for key, value in options.items() if len(values[key]) > 1]
        estimators[" ".join([factory.__name__, *varying])] = factory(**options)
    return estimators


def exact_gradient(
    solver: Solver, loss: Callable[[Tensor], Tensor], theta: Tensor, tau: float = 1.0
) -> Tensor:
    """Return the gradient of the expected loss of each row, shape ``(N, *event)``, by enumeration in float64.

    Args:
        solver: A solver whose set can be listed.
        loss: Takes structures, shape ``(K, *event)``, and returns one value each, ``(K,)``.
        theta: Shape ``(N, *event)``.
        tau: Temperature of the family.

    Raises:
        MissingCapabilityError: the solver cannot list its set.
        ValueError: the loss does not return one value for each structure.
    """
    return _enumerated(solver, loss, theta, tau)[0]


def _enumerated(
    solver: Solver, loss: Callable[[Tensor], Tensor], theta: Tensor, tau: float
) -> tuple[Tensor, float]:
    """Return the exact gradient of each row, and the size of what it is a difference of."""
    require_number("compare", "tau", tau, above=0)
    if not solver.implements("enumerate_support"):
        raise MissingCapabilityError(
            f"{solver.name} has no `enumerate_support`, so there is no exact gradient to compare with."
        )
    sign = 1 if solver.sense == "max" else -1
    with torch.enable_grad():
        leaf = theta.detach().double().requires_grad_()
        family = ExponentialFamily(leaf, solver, tau, validate_args=False)
        vertices = family.enumerate_support(expand=False)[:, 0]
        logits = leaf.flatten(1) @ vertices.flatten(1).T * (sign / tau)
        losses = loss(vertices.to(theta.dtype))
        found = tuple(losses.shape) if isinstance(losses, Tensor) else type(losses).__name__
        if found != (len(vertices),):
            raise ValueError(
                f"{solver.name}: the loss returned {found} for structures {tuple(vertices.shape)}, expected "
                f"{(len(vertices),)}: one value for each structure."
            )
        losses = losses.detach().double()
        (gradient,) = torch.autograd.grad((logits.softmax(1) @ losses).sum(), leaf)
    return gradient, float(losses.abs().max() * vertices.abs().max()) / tau


def _measure(
    label: str,
    layer: SolverLayer,
    loss: Callable[[Tensor], Tensor],
    rows: Tensor,
    exact: Tensor,
    repeats: int,
) -> Comparison:
    estimator, n = layer.estimator, len(rows)
    if layer.state is not None:
        for _ in range(min(_WARM_UP, repeats)):
            _estimate(label, layer, loss, rows)
    total = torch.zeros_like(exact).flatten(1)
    squares, cosines, zeros, solves, seconds = torch.zeros(n).to(exact), 0.0, 0.0, 0, math.inf
    g = exact.flatten(1)
    size = g.square().sum(1)
    for count in _chunks(repeats, max(1, _ROWS // (n * estimator.samples))):
        theta = rows.repeat(count, *[1] * (rows.ndim - 1))
        start = time.perf_counter()
        gradient = _estimate(label, layer, loss, theta)
        seconds = min(seconds, (time.perf_counter() - start) / (count * n))  # machines are noisy
        assert layer.last_report is not None
        solves += layer.last_report.solves
        estimate = gradient.double().reshape(count, n, -1)
        total += estimate.sum(0)
        squares += (estimate - g).square().sum((0, 2))
        norms = torch.linalg.vector_norm(estimate, dim=2)
        cosines += float(((estimate * g).sum(2) / (norms * size.sqrt()).clamp(min=1e-300)).sum())
        zeros += float((norms == 0).sum())
    bias = (total / repeats - g).square().sum(1)
    error = squares / repeats
    variance = (error - bias).clamp(min=0)

    def relative(square: Tensor) -> float:
        return float((square / size).sqrt().mean())

    return Comparison(
        label=label,
        estimator=estimator,
        bias=relative(bias),
        bias_error=relative(variance / repeats),
        deviation=relative(variance),
        error=relative(error),
        cosine=cosines / (repeats * n),
        zero=zeros / (repeats * n),
        calls=solves / (repeats * n),
        seconds=seconds,
    )


def _estimate(label: str, layer: SolverLayer, loss: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """Return an estimate of the gradient of each row."""
    with torch.enable_grad():
        theta = rows.detach().requires_grad_()
        value = layer.expectation(loss, theta).sum()
        if not value.requires_grad:
            raise ValueError(
                f"{label}: the loss has no gradient with respect to the structures, which all estimators but "
                "ScoreFunction need. Is it rounded, compared, or detached?"
            )
        (gradient,) = torch.autograd.grad(value, theta)
    return gradient


def _chunks(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)
