"""What the solvers of this plugin ask of theta and of states, and say where it is not so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from imle_core.errors import InvalidSolutionError, InvalidThetaError, MissingCapabilityError

if TYPE_CHECKING:
    import imle_core as imle

MAX_SUPPORT = 1_000_000
"""Structures at most that are listed."""


def as_scores(solver: imle.Solver, theta: torch.Tensor) -> torch.Tensor:
    """Return theta ``(N, *event)`` oriented so that larger is better.

    Raises:
        InvalidThetaError: theta has another shape.
    """
    batch, _ = solver.split_shape(theta.shape)
    if len(batch) != 1:
        raise InvalidThetaError(
            f"{solver.name}: theta {tuple(theta.shape)} has {len(batch)} batch axes; it must be (N, *event)."
        )
    return theta if solver.sense == "max" else -theta


def is_binary(z: Any) -> Any:
    """Return for each row, of an array or a tensor, whether all its entries are 0 or 1."""
    return ((z == 0) | (z == 1)).reshape(len(z), math.prod(z.shape[1:])).all(1)


def require_structure(solver: imle.Solver, z: Any, what: str) -> None:
    """Raise InvalidSolutionError unless one state, shape ``event``, belongs to the solver's set.

    Args:
        solver: Says what is feasible.
        z: The state.
        what: What states are, such as ``"the indicator of a path"``.
    """
    if not bool(solver.is_feasible(torch.as_tensor(z)[None])):
        raise no_structure(solver, f"the state is not {what}: {z}")


def no_structure(solver: imle.Solver, fault: str) -> InvalidSolutionError:
    """Return the error of a state or structure that does not belong to a solver's set."""
    error = InvalidSolutionError(f"{fault}.")
    error.solver = solver.name
    return error


def require_listable(solver: imle.Solver, size: float, what: str) -> None:
    """Raise MissingCapabilityError if a set has too many structures to be listed.

    Args:
        solver: Whose set it is.
        size: How many structures it has.
        what: What they are, in the plural.
    """
    if size > MAX_SUPPORT:
        count = f"{size:,}" if isinstance(size, int) else f"{size:.3g}"
        raise MissingCapabilityError(
            f"{solver.name}: {count} {what} are too many to be listed (at most {MAX_SUPPORT:,})."
        )
