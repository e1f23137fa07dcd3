"""The plan of one batch of solves: check, scale, clip, solve, verify.

The one way from rows of theta to states, for a direct call of a solver and for a layer alike.
"""

from __future__ import annotations

import functools
import inspect
import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from imle_core._checks import require_choice
from imle_core._outcomes import collector
from imle_core._ragged import without_padding
from imle_core.errors import (
    ImleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    SolverError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imle_core._solver import Solver, Validation

HALF = (torch.float16, torch.bfloat16)
FLOATING = (*HALF, torch.float32, torch.float64)


def as_rows(solver: Solver, theta: Any) -> Tensor:
    """Return theta of a direct call as a tensor of shape ``(N, *event)``, without a copy where possible."""
    solver.check_declarations()
    if not isinstance(theta, Tensor):
        try:
            theta = np.asarray(theta)
        except ValueError as error:
            raise InvalidThetaError(f"{solver.name}: theta is no array of numbers: {error}") from error
        if theta.dtype.kind != "f":
            raise InvalidThetaError(f"{solver.name}: theta is {theta.dtype}; use a floating dtype.")
        theta = _as_tensor(theta)
    check_theta_type(solver, theta)
    batch, _ = solver.split_shape(theta.shape)
    if len(batch) != 1:
        raise InvalidThetaError(
            f"{solver.name}: theta {tuple(theta.shape)} has {len(batch)} batch axes; `solve` takes (N, *event)."
        )
    return theta.detach()


def check_theta_type(solver: Solver, theta: Any) -> None:
    """Raise InvalidThetaError unless theta is a dense tensor of a real floating dtype that solvers can take."""
    if not isinstance(theta, Tensor):
        raise InvalidThetaError(
            f"{solver.name}: a layer takes a torch.Tensor; got {type(theta).__name__}. Use torch.as_tensor(...), or "
            "solver.solve(...) for arrays."
        )
    if theta.dtype not in FLOATING:
        dtype = str(theta.dtype).removeprefix("torch.")
        advice = "float16, bfloat16, float32 or float64" if theta.is_floating_point() else "a floating dtype"
        raise InvalidThetaError(f"{solver.name}: theta is {dtype}; use {advice}.")
    if theta.layout != torch.strided:
        raise InvalidThetaError(f"{solver.name}: theta is {theta.layout}; use theta.to_dense().")


def _as_tensor(array: np.ndarray[Any, Any]) -> Tensor:
    """Return an array as a tensor, copied where torch cannot take it as it is: read-only, reversed, swapped bytes."""
    kind = np.dtype(np.float64) if array.dtype.itemsize > 8 else array.dtype.newbyteorder("=")
    array = np.asarray(array, kind, order="C")
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def solve_rows(
    solver: Solver,
    solve: Callable[..., Any],
    theta: Tensor,
    *,
    prepared: Sequence[Any] | None = None,
    sign: int = 1,
    moved: bool = False,
    validate: Validation = "basic",
    hint: Tensor | None = None,
) -> Tensor:
    """Solve each row of ``sign * theta``.

    Args:
        solver: Declares what is owed to it and expected of it.
        solve: The author's own solve method, bound.
        theta: Rows, shape ``(N, *event)``.
        prepared: What ``solver.prepare`` made of each row's instance, if rows have instances.
        sign: -1 turns scores into the costs of a minimising solver.
        moved: Whether theta are points that noise or a gradient moved, which may be clipped silently.
        validate: ``"basic"`` or ``"full"``.
        hint: A structure for each row to begin at, theta's shape, NaN where none is known; for solvers that take it.

    Returns:
        States, shape ``(N, *event)``, dtype and device of theta.
    """
    require_choice(solver.name, "validate", validate, ("basic", "full"))
    if prepared is not None and len(prepared) != len(theta):
        raise InvalidInstanceError(
            f"{solver.name}: {len(prepared)} instances for {len(theta)} rows; give one instance for each row."
        )
    if len(theta) == 0:
        return torch.zeros_like(theta, memory_format=torch.contiguous_format)
    device, dtype = theta.device, theta.dtype
    if prepared is not None and solver.sizes_differ:
        theta = without_padding(solver, theta, prepared)
    if not solver.takes_tensors:
        theta = theta.cpu()
    if dtype in HALF:
        theta = theta.float()
    points, factor = _points(solver, theta, sign, moved)
    options: dict[str, Any] = {}
    if hint is not None:
        hint = hint.to(points)
        options["hint"] = hint if solver.takes_tensors else hint.numpy()
    if _accepts_instances(type(solver)):
        options["instances"] = prepared
    elif prepared is not None:
        raise InvalidInstanceError(
            f"{solver.name}: its `solve` takes no `instances`, so rows cannot have any."
        )
    with torch.no_grad():
        try:
            z = solve(points if solver.takes_tensors else points.numpy(), **options)
        except SolverError as error:
            error.solver = error.solver or solver.name
            raise
        except ImleError:
            raise
        except Exception as error:
            # The solver may have scribbled on its points.
            _blame(solver, solve, _points(solver, theta, sign, moved)[0], options, error)
        if factor is not None and (outcomes := collector()) is not None:
            outcomes.rescale(factor)
        z = _verify(solver, z, points, prepared, validate)
    # A copy: the solver may keep what it returned, and write over it at its next call.
    if z.dtype == dtype and z.device == device:
        return z.clone()
    given = z.to(device=device, dtype=dtype, copy=True)
    if dtype in HALF and solver.output == "integer":
        _require_precision(solver, z, given)
    return given


def _require_precision(solver: Solver, z: Tensor, given: Tensor) -> None:
    """Raise InvalidThetaError unless whole numbers survive the dtype of theta."""
    lost = given.to(z.device, z.dtype) != z
    if lost.any():
        first = tuple(lost.nonzero()[0].tolist())
        dtype = str(given.dtype).removeprefix("torch.")
        raise InvalidThetaError(
            f"{solver.name}: row {first[0]}: the state has {z[first].item():g} at index {first[1:]}, which {dtype} "
            "cannot hold; give theta in float32 or float64."
        )


def check_theta(solver: Solver, theta: Tensor, sign: int, *, policy: bool = True) -> None:
    """Raise InvalidThetaError unless theta is finite, and not negative where the solver refuses that.

    Args:
        solver: Declares the policy for negative costs.
        theta: Scores or costs, any shape ``(N, *event)``.
        sign: -1 if theta are scores of a minimising solver.
        policy: Whether the policy for negative costs applies.
    """
    if theta.numel() == 0:
        return
    low, high = (extreme.item() for extreme in torch.aminmax(theta))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise _not_finite(solver, theta * sign)
    if policy and solver.negative == "error" and (low if sign > 0 else -high) < 0:
        raise _is_negative(solver, theta * sign)


def _not_finite(solver: Solver, theta: Tensor) -> InvalidThetaError:
    bad = ~torch.isfinite(theta)
    first = tuple(bad.nonzero()[0].tolist())
    return InvalidThetaError(
        f"{solver.name}: theta has {int(bad.sum())} non-finite values, first at row {first[0]}, "
        f"index {first[1:]}: {theta[first].item()}"
    )


def _is_negative(solver: Solver, costs: Tensor) -> InvalidThetaError:
    bad = costs < 0
    first = tuple(bad.nonzero()[0].tolist())
    return InvalidThetaError(
        f"{solver.name}: theta has {int(bad.sum())} negative costs, first at row {first[0]}, index {first[1:]}: "
        f"{costs[first].item():g}. Make the costs non-negative (torch.nn.functional.softplus), or choose "
        "negative='clip' (solves max(cost, 0)) where the solver has that parameter."
    )


def fixed_terms(solver: Solver, z: Tensor, prepared: Sequence[Any] | None) -> Tensor:
    """Return what the solver's objective has beside <z, theta> at states, in its own sense, shape ``(N,)``."""
    return _ask(solver, solver.fixed_terms, z, prepared)


def feasible(solver: Solver, z: Tensor, prepared: Sequence[Any] | None) -> Tensor:
    """Return which states are structures of the solver, bool, shape ``(N,)``."""
    return _ask(solver, solver.is_feasible, z, prepared)


def _ask(solver: Solver, method: Callable[..., Any], z: Tensor, prepared: Sequence[Any] | None) -> Tensor:
    states = z if solver.takes_tensors else z.cpu().numpy()
    options = {} if prepared is None else {"instances": prepared}
    return torch.as_tensor(method(states, **options), device=z.device)


def _points(
    solver: Solver, theta: Tensor, sign: int, moved: bool
) -> tuple[Tensor, np.ndarray[Any, Any] | None]:
    """Return what the solver is given: ``sign * theta``, scaled and clipped as it declares, and the factors of rows.

    It is always a copy. There are no factors where rows are not scaled.

    Rows are scaled by a power of two, and not by the magnitude itself, because that leaves every bit of the mantissas:
    scaling never changes which of two nearly tied structures is the better one.
    """
    if theta.numel() == 0:
        return theta.clone(), None
    factor = None
    # A few numbers, which a check must bring to the host anyway: NaN or inf where the row holds one.
    magnitude = theta.reshape(len(theta), -1).abs().amax(1).cpu().numpy()
    if not np.isfinite(magnitude).all():
        raise _not_finite(solver, theta * sign)
    theta = theta.contiguous()
    if solver.scale_invariant:
        _, exponent = np.frexp(magnitude)
        bound = (
            np.finfo(magnitude.dtype).maxexp - 3
        )  # of powers that are normal numbers, as are their inverses
        factor = np.ldexp(magnitude.dtype.type(1), -np.minimum(np.maximum(exponent, -bound), bound))
        points = theta * torch.from_numpy(factor * sign).to(theta.device).view(-1, *[1] * (theta.ndim - 1))
    else:
        points = theta * sign
    if solver.negative == "error" and not moved:
        if points.amin() < 0:
            raise _is_negative(solver, theta * sign)
    elif solver.negative != "allow":
        points.clamp_(min=0)
    return points, factor


@functools.cache
def _accepts_instances(cls: type[Solver]) -> bool:
    return "instances" in inspect.signature(cls.solve).parameters


def _blame(
    solver: Solver, solve: Callable[..., Any], points: Tensor, options: dict[str, Any], error: Exception
) -> NoReturn:
    """Find the row on which the solver fails, and raise SolverError from its exception."""
    advice = ""
    if not solver.takes_tensors and isinstance(error, (TypeError, AttributeError)):
        advice = (
            " (It is given NumPy arrays; annotate its parameter `theta: torch.Tensor` to be given tensors.)"
        )
    failed = SolverError(f"solve raised {type(error).__name__}: {error}{advice}")
    failed.solver = solver.name
    given = points if solver.takes_tensors else points.numpy()
    for row in range(len(given) if len(given) > 1 else 0):
        one = {key: value[row : row + 1] if value is not None else None for key, value in options.items()}
        try:
            solve(given[row : row + 1], **one)
        except Exception as again:
            if type(again) is type(error):
                failed.row = row
                break
    raise failed from error


def _verify(
    solver: Solver, z: Any, points: Tensor, prepared: Sequence[Any] | None, validate: Validation
) -> Tensor:
    """Return z as a tensor; raise InvalidSolutionError unless it holds a structure for each row."""
    if not isinstance(z, (np.ndarray, Tensor)):
        raise _contract(solver, f"returned {type(z).__name__}; expected a NumPy array or a torch tensor")
    if tuple(z.shape) != tuple(points.shape):
        raise _contract(
            solver,
            f"returned shape {tuple(z.shape)}, expected {tuple(points.shape)}: one structure for each row of theta",
        )
    if z.is_complex() if isinstance(z, Tensor) else z.dtype.kind not in "fiub":
        raise _contract(solver, f"returned dtype {z.dtype}; expected floating, integer or bool")
    tensor = z.detach() if isinstance(z, Tensor) else _as_tensor(z)
    if not _fits(z, solver.output):
        _require(solver, tensor, torch.isfinite(tensor), "a value that is not finite")
        if solver.output != "real":
            _require(
                solver,
                tensor,
                tensor == tensor.round(),
                f"a fractional value, but its output is {solver.output}",
            )
        if solver.output == "binary":
            _require(
                solver,
                tensor,
                (tensor == 0) | (tensor == 1),
                "a value other than 0 and 1, but its output is binary",
            )
    if validate == "full":
        good = feasible(solver, tensor, prepared)
        if not good.all():
            error = _contract(solver, "returned a state that is not feasible")
            error.row = int((~good).nonzero()[0])
            raise error
    return tensor


def _fits(z: Any, output: str) -> bool:
    """Whether all values are finite, and integral or binary where they must be.

    In operators that arrays and tensors share: an array is checked as an array, which is several times faster.
    """
    if output == "binary":
        return bool(((z == 0) | (z == 1)).all())
    # A sum is finite only if every term is; one that overflows is looked at more closely.
    return math.isfinite(z.sum()) and (output == "real" or bool((z == z.round()).all()))


def _require(solver: Solver, z: Tensor, good: Tensor, fault: str) -> None:
    if not good.all():
        first = tuple((~good).nonzero()[0].tolist())
        error = _contract(solver, f"returned {fault}: {z[first].item()} at index {first[1:]}")
        error.row = first[0]
        raise error


def _contract(solver: Solver, fault: str) -> InvalidSolutionError:
    error = InvalidSolutionError(f"solve {fault}.")
    error.solver = solver.name
    return error
