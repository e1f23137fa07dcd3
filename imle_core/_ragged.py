"""Rows of different sizes in one batch: padding and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from imle_core.errors import InvalidInstanceError, InvalidThetaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_core._solver import Solver

__all__ = ["pad"]


def pad(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return rows of different sizes as one tensor, filled up with zeros, and the mask of what belongs to them.

    Args:
        rows: One tensor a row, all with as many dimensions, of one dtype and device; at least one.

    Returns:
        Theta, shape ``(N, *event)`` with the largest size in each dimension, and a mask of that shape, bool. Gradients
        flow back to the rows.

    Raises:
        InvalidThetaError: there are no rows, or they differ in more than their sizes.

    Example:
        >>> theta, mask = pad([torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0])])
        >>> theta
        tensor([[1., 2., 3.],
                [4., 0., 0.]])
        >>> mask.sum(1)
        tensor([3, 1])
    """
    if not rows or not all(isinstance(row, Tensor) for row in rows):
        raise InvalidThetaError(f"rows of different sizes are one tensor each, at least one; got {rows!r}.")
    kinds = {(row.ndim, row.dtype, row.device) for row in rows}
    if len(kinds) > 1:
        shown = ", ".join(f"{ndim}-dimensional {dtype} on {device}" for ndim, dtype, device in kinds)
        raise InvalidThetaError(f"rows must differ in their sizes alone; got {shown}.")
    shape = [max(sizes) for sizes in zip(*(row.shape for row in rows), strict=True)]

    def fill(row: Tensor) -> Tensor:
        missing = [
            size for n, m in zip(reversed(shape), reversed(row.shape), strict=True) for size in (0, n - m)
        ]
        return torch.nn.functional.pad(row, missing)

    mask = torch.stack([fill(torch.ones_like(row, dtype=torch.bool)) for row in rows])
    return torch.stack([fill(row) for row in rows]), mask


def unpad(z: Tensor, rows: Sequence[Tensor], axis: int) -> list[Tensor]:
    """Return the part of each row without its padding; ``axis`` is that of the rows in z."""
    parts: list[tuple[Any, ...]] = [(..., *map(slice, row.shape)) for row in rows]
    return [z.select(axis, i)[part] for i, part in enumerate(parts)]


def without_padding(solver: Solver, theta: Tensor, prepared: Sequence[Any]) -> Tensor:
    """Return theta with zeros in place of padding, which then counts neither for its scale nor for any check.

    Args:
        solver: Says by ``shape_of`` what shape a row has.
        theta: Rows, shape ``(N, *event)``.
        prepared: The prepared instance of each row.
    """
    shapes = [tuple(solver.shape_of(each)) for each in prepared]
    if all(shape == theta.shape[1:] for shape in shapes):
        return theta
    own = _places(shapes, tuple(theta.shape[1:])).to(theta.device)
    return torch.where(own, theta, torch.zeros((), dtype=theta.dtype, device=theta.device))


def _places(shapes: Sequence[tuple[int, ...]], event: tuple[int, ...]) -> Tensor:
    """Return which entries of padded rows belong to rows of these shapes, bool, shape ``(N, *event)``."""
    own = torch.ones(len(shapes), *event, dtype=torch.bool)
    for axis, size in enumerate(event):
        limits = torch.tensor([shape[axis] for shape in shapes]).view(-1, *[1] * len(event))
        places = torch.arange(size).view(*[1] * (axis + 1), -1, *[1] * (len(event) - axis - 1))
        own &= places < limits
    return own


def check_sizes(
    solver: Solver, prepared: Sequence[Any], event: tuple[int, ...], mask: Tensor | None = None
) -> None:
    """Raise unless theta has exactly the entries that the instances of its rows have.

    Args:
        solver: Says by ``shape_of`` what shape a row has.
        prepared: The prepared instance of each row.
        event: Shape of the rows of theta.
        mask: What belongs to each row, shape ``(N, *event)``; None: the largest row has no padding.

    Raises:
        InvalidThetaError: theta is too small or too large.
        InvalidInstanceError: the mask is another one.
    """
    if not prepared:
        return
    shapes = [tuple(solver.shape_of(each)) for each in prepared]
    largest = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
    for row, shape in enumerate(shapes):
        if any(n > m for n, m in zip(shape, event, strict=True)):
            raise InvalidThetaError(
                f"{solver.name}: row {row} of theta has shape {event}, but its instance has shape {shape}."
            )
    if mask is None:
        if largest != event:
            raise InvalidThetaError(
                f"{solver.name}: theta has rows of shape {event}, but the largest instance has shape {largest}, as "
                "it was when it was first used. Pad no further, or say what is padding by mask=..., see imle_core.pad."
            )
        return
    expected = _places(shapes, event)
    if not torch.equal(mask.cpu(), expected):
        row = int((mask.cpu() != expected).flatten(1).any(1).nonzero()[0])
        raise InvalidInstanceError(
            f"{solver.name}: the mask of row {row} has {int(mask[row].sum())} entries, but its instance has shape "
            f"{shapes[row]}; these come first, and the padding behind."
        )
