"""A median over the whole range of float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ._run import Column


def median(values: Column) -> float:
    """Return the median of finite values; that of NumPy overflows where it adds the two in the middle."""
    with np.errstate(over="ignore"):
        middle = float(np.median(values))
    return middle if np.isfinite(middle) else 2 * float(np.median(values / 2))
