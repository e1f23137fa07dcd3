"""How long a call takes: the median of repeats, and their spread."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST, MOST = 3, 200  # repeats


@dataclass(frozen=True)
class Timing:
    """Seconds of one call.

    Attributes:
        median: Of all repeats.
        low: Their lower quartile.
        high: Their upper quartile.
        repeats: How many there were.
    """

    median: float
    low: float
    high: float
    repeats: int

    @property
    def spread(self) -> float:
        """Half the distance of the quartiles, as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0


def measure(call: Callable[[], object], *, seconds: float) -> Timing:
    """Time a call after one that warms it up, for about so many seconds, at least three times.

    Args:
        call: What to time.
        seconds: How long to go on, above 0.
    """
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < LEAST or (len(times) < MOST and time.perf_counter() < end):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    low, median, high = statistics.quantiles(times, n=4, method="inclusive")
    return Timing(median, low, high, len(times))
