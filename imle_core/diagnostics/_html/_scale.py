"""The axes of a chart: their ends, their ticks, and where a value lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imle_core.diagnostics._run import Column

_LOG_FROM = 50.0  # span of values, as a factor, from which on a logarithmic axis shows more
_OUTLIER = 4.0  # times what 98 % of values stay below


@dataclass(frozen=True)
class Scale:
    """One axis.

    Attributes:
        low, high: Its ends.
        log: Whether it is logarithmic.
        ticks: Where it is labelled.
        cut: Whether values lie above its upper end.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False
    cut: bool = False

    def at(self, values: Column) -> Column:
        """Return where values lie between the ends, from 0 to 1; what lies beyond an end is put there."""
        if self.log:
            start = math.log(self.low)
            share = (np.log(np.maximum(values, self.low)) - start) / (math.log(self.high) - start)
        else:  # in halves, because the difference of two numbers may overflow
            share = (values / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return share.clip(0.0, 1.0)


SHARES = Scale(0.0, 1.0, (0.0, 0.5, 1.0))


def fit(values: Column, *, log: bool | None = None) -> Scale:
    """Return the scale that shows values best.

    Logarithmic where they are positive (or zero, which is then at the lower end) and span more than a factor of 50;
    else linear, from zero unless they are far from it, and cut where a few values are several times all others.

    Args:
        values: Any numbers; those that are not finite are left out.
        log: False where sums are shown, which need a linear axis.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return SHARES
    least, most = float(finite.min()), float(finite.max())
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # between numbers of both signs, where it is not needed
        usual = float(np.quantile(finite, 0.98))
    positive = finite[finite > 0]
    if log is not False and least >= 0 and len(positive):
        smallest = float(np.quantile(positive, 0.02))
        if max(usual, smallest) / smallest > _LOG_FROM:
            return _log_scale(float(positive.min()), most)
    cut = least >= 0 and usual > 0 and most > _OUTLIER * usual
    if cut:
        most = 1.3 * usual
    return _linear_scale(least, most, cut=cut)


def nice_step(span: float, count: int) -> float:
    """Return the round step (1, 2 or 5 times a power of ten) that divides a span into about ``count`` parts."""
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999) * power


def step_ticks(first: float, last: float) -> tuple[float, ...]:
    """Return the round steps, whole numbers, to label between two steps."""
    if last <= first:
        return (first,)
    step = max(1.0, nice_step(last - first, 5))
    return tuple(float(tick) for tick in np.arange(math.ceil(first / step) * step, last + 1e-9, step))


def _linear_scale(least: float, most: float, *, cut: bool) -> Scale:
    if least == most:
        least, most = min(least, 0.0), max(most, 0.0)
        if least == most:
            most = 1.0
    if cut or 0 <= least < 0.6 * most:
        least = 0.0
    if most - least > 1e300 or most - least < 1e-300:  # steps would overflow or vanish
        return Scale(least, max(most, least + 1e-300), (least, most), cut=cut)
    step = nice_step(most - least, 3)
    low, high = math.floor(least / step + 1e-9) * step, math.ceil(most / step - 1e-9) * step
    ticks = tuple(low + i * step for i in range(round((high - low) / step) + 1))
    return Scale(low, high, tuple(0.0 if abs(tick) < step * 1e-9 else tick for tick in ticks), cut=cut)


def _log_scale(least: float, most: float) -> Scale:
    low = max(math.floor(math.log10(least)), -323)  # the powers of ten that float64 has
    high = min(max(math.ceil(math.log10(most)), low + 1), 308)
    stride = math.ceil((high - low) / 4)
    ticks = tuple(10.0**power for power in range(low, high + 1, stride))
    return Scale(10.0**low, 10.0**high, ticks, log=True)
