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


def as_rows(solver: Solver, theta: Any) -> Tensor:
    """Return theta of a direct call as a tensor of shape ``(N, *event)``, without a copy where possible."""
    if isinstance(theta, Tensor):
        rows = theta.detach()
    else:
        array = np.asarray(theta)
        if array.dtype.kind != "f":
            raise InvalidThetaError(f"{solver.name}: theta is {array.dtype}; use a floating dtype.")
        rows = torch.from_numpy(array if array.flags.writeable else array.copy())
    check_dtype(solver, rows)
    batch, _ = solver.split_shape(rows.shape)
    if len(batch) != 1:
        raise InvalidThetaError(
            f"{solver.name}: theta {tuple(rows.shape)} has {len(batch)} batch axes; `solve` takes (N, *event)."
        )
    return rows


def check_dtype(solver: Solver, theta: Tensor) -> None:
    """Raise InvalidThetaError unless theta has a real floating dtype."""
    if not theta.is_floating_point():
        dtype = str(theta.dtype).removeprefix("torch.")
        raise InvalidThetaError(f"{solver.name}: theta is {dtype}; use a floating dtype.")


def solve_rows(
    solver: Solver,
    solve: Callable[..., Any],
    theta: Tensor,
    *,
    prepared: Sequence[Any] | None = None,
    sign: int = 1,
    moved: bool = False,
    validate: Validation = "basic",
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

    Returns:
        States, shape ``(N, *event)``, dtype and device of theta.
    """
    if validate not in ("basic", "full"):
        raise ValueError(f"validate must be 'basic' or 'full'; got {validate!r}.")
    if prepared is not None and len(prepared) != len(theta):
        raise InvalidInstanceError(
            f"{solver.name}: {len(prepared)} instances for {len(theta)} rows; give one instance for each row."
        )
    if theta.numel() == 0:
        return torch.zeros_like(theta, memory_format=torch.contiguous_format)
    device, dtype = theta.device, theta.dtype
    if not solver.takes_tensors:
        theta = theta.cpu()
    if dtype in HALF:
        theta = theta.float()

    # From here on `points` is a copy of our own: a solver may scribble on it without touching the caller's theta.
    points = _oriented(solver, theta, sign)
    if solver.negative == "error" and not moved:
        if points.amin() < 0:
            raise _is_negative(solver, theta * sign)
    elif solver.negative != "allow":
        points.clamp_(min=0)

    options: dict[str, Any] = {}
    if _accepts_instances(type(solver)):
        options["instances"] = prepared
    elif prepared is not None:
        raise InvalidInstanceError(
            f"{solver.name}: its `solve` takes no `instances`, so rows cannot have any."
        )
    with torch.no_grad():
        z = _verify(solver, _call(solver, solve, points, options), points, prepared, validate)
    return z.to(device=device, dtype=dtype)


def check_theta(solver: Solver, theta: Tensor, sign: int) -> None:
    """Raise InvalidThetaError unless theta is finite, and not negative where the solver refuses that.

    Args:
        solver: Declares the policy for negative costs.
        theta: Scores or costs, any shape ``(N, *event)``.
        sign: -1 if theta are scores of a minimising solver.
    """
    if theta.numel() == 0:
        return
    low, high = (extreme.item() for extreme in torch.aminmax(theta))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise _not_finite(solver, theta)
    if solver.negative == "error" and (low if sign > 0 else -high) < 0:
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


def _oriented(solver: Solver, theta: Tensor, sign: int) -> Tensor:
    """Return ``sign * theta``, contiguous, each row scaled by a power of two where the solver allows it.

    A power of two, and not the magnitude itself, because it leaves every bit of the mantissas: scaling never
    changes which of two nearly tied structures is the better one.
    """
    # A few numbers, which a check must bring to the host anyway: NaN or inf where the row holds one.
    magnitude = theta.flatten(1).abs().amax(1).cpu().numpy()
    if not np.isfinite(magnitude).all():
        raise _not_finite(solver, theta)
    theta = theta.contiguous()
    if not solver.scale_invariant:
        return theta * sign
    _, exponent = np.frexp(magnitude)
    factor = np.ldexp(magnitude.dtype.type(sign), -exponent.clip(-125, 125))
    return theta * torch.from_numpy(factor).to(theta.device).view(-1, *[1] * (theta.ndim - 1))


@functools.cache
def _accepts_instances(cls: type[Solver]) -> bool:
    return "instances" in inspect.signature(cls.solve).parameters


def _call(solver: Solver, solve: Callable[..., Any], points: Tensor, options: dict[str, Any]) -> Any:
    """Call the author's solve and return what it gave: a tensor or an array."""
    given = points if solver.takes_tensors else points.numpy()
    try:
        z = solve(given, **options)
    except SolverError as error:
        error.solver = error.solver or solver.name
        raise
    except ImleError:
        raise
    except Exception as error:
        _blame(solver, solve, given, options, error)
    if isinstance(z, Tensor):
        return z.detach()
    if not isinstance(z, np.ndarray):
        raise _contract(solver, f"returned {type(z).__name__}; expected a NumPy array or a torch tensor")
    return z


def _blame(
    solver: Solver, solve: Callable[..., Any], given: Any, options: dict[str, Any], error: Exception
) -> NoReturn:
    """Find the row on which the solver fails, and raise SolverError from its exception."""
    advice = ""
    if not solver.takes_tensors and isinstance(error, (TypeError, AttributeError)):
        advice = (
            " (It is given NumPy arrays; annotate its parameter `theta: torch.Tensor` to be given tensors.)"
        )
    failed = SolverError(f"solve raised {type(error).__name__}: {error}{advice}")
    failed.solver = solver.name
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
    if tuple(z.shape) != tuple(points.shape):
        raise _contract(
            solver,
            f"returned shape {tuple(z.shape)}, expected {tuple(points.shape)}: one structure for each row of theta",
        )
    if isinstance(z, np.ndarray):
        if z.dtype.kind not in "fiub":
            raise _contract(solver, f"returned dtype {z.dtype}; expected floating, integer or bool")
        tensor = torch.from_numpy(z if z.flags.writeable else z.copy())
    else:
        tensor = z
        if z.is_complex():
            raise _contract(solver, f"returned dtype {z.dtype}; expected floating, integer or bool")
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
        states = tensor if solver.takes_tensors else tensor.numpy()
        options = {} if prepared is None else {"instances": prepared}
        feasible = torch.as_tensor(solver.is_feasible(states, **options))
        if not feasible.all():
            error = _contract(solver, "returned a state that is not feasible")
            error.row = int((~feasible).nonzero()[0])
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
