"""A column over steps, thinned to as many points as a chart can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imle_core.diagnostics._median import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_core.diagnostics._run import Column


class Span(NamedTuple):
    """The steps that an axis shows."""

    first: float
    last: float


@dataclass(frozen=True)
class Series:
    """What a chart shows of a column: for each bin of steps the least, the middle and the largest value.

    Where a bin holds no finite value, all three are NaN. Each attribute has one entry a bin.

    Attributes:
        first, last: The first and last step in the bin that has a record.
        low, mid, high: Minimum, median and maximum.
        mean: Mean, for what is stacked.
        bad: Number of values that are not finite.
    """

    first: Column
    last: Column
    low: Column
    mid: Column
    high: Column
    mean: Column
    bad: Column

    @property
    def centre(self) -> Column:
        """The middle of each bin, in steps."""
        return (self.first + self.last) / 2

    @property
    def thinned(self) -> bool:
        """Whether a bin holds more than one value."""
        return bool((self.first != self.last).any() or (self.low < self.high).any())


def thin(steps: Column, values: Column, span: Span, bins: int) -> Series:
    """Gather values into at most ``bins`` bins of equal width in steps; none is lost from the envelope.

    Args:
        steps: Never decreasing, within the span.
        values: One for each step.
        span: The steps that the chart shows, the same for all charts that are compared.
        bins: The largest number of bins; fewer values than that are left as they are.
    """
    if len(steps) <= bins:
        edges = np.arange(len(steps))
    else:
        where = ((steps - span.first) / max(span.last - span.first, 1) * bins).astype(int).clip(0, bins - 1)
        edges = np.flatnonzero(np.diff(where, prepend=-1))
    ends = np.append(edges[1:], len(steps))
    table = np.full((5, len(edges)), np.nan)
    for i, (begin, end) in enumerate(zip(edges, ends, strict=True)):
        chunk = values[begin:end]
        finite = chunk[np.isfinite(chunk)]
        table[4, i] = len(chunk) - len(finite)
        if len(finite):
            with np.errstate(
                over="ignore"
            ):  # of counts and times, which alone are stacked, the mean is in range
                table[:4, i] = finite.min(), median(finite), finite.max(), finite.mean()
    low, mid, high, mean, bad = table
    return Series(steps[edges], steps[ends - 1], low, mid, high, mean, bad)


def stretches(present: NDArray[np.bool_]) -> list[slice]:
    """Return the longest stretches of neighbours that are all present."""
    padded = np.concatenate([[False], present, [False]])
    bounds = np.flatnonzero(padded[1:] != padded[:-1])
    return [slice(int(a), int(b)) for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
