"""What the vmap rules of the operators share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def rows_first(x: Tensor, dim: int | None, size: int, *, at: int) -> Tensor:
    """Move the vmapped dimension of x to ``at``, in front of its rows; make it if x has none."""
    if dim is None:
        return x.unsqueeze(at).expand(*x.shape[:at], size, *x.shape[at:])
    return x.movedim(dim, at)
