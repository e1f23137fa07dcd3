"""The constraints of a routing problem in integers: loads, lengths and times, each in a unit of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import SolverParameterError
from imle_ortools._kernels.vrp_data import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_ortools.routing_problem import RoutingProblem

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

_DECIMALS = 6
_BITS = 50
_SHARE = 1e-6
"""A number of which rounding would take or add more than this share is refused."""


def loads(problem: RoutingProblem) -> tuple[Integers, Integers]:
    """Return demands and capacities, NEVER for those that no load comes up to."""
    demand = by_node(problem.demands, problem.size, 0.0)
    capacity = _binding(np.array(problem.per_vehicle("capacities", np.inf)), demand.clip(0).sum())
    # Where some demands are set down, it matters how far another one is above a capacity.
    largest = np.inf if (demand < 0).any() else _largest(capacity)
    unit = Unit({"demands": demand, "capacities": capacity}, largest, problem.size)
    return unit.whole(demand), unit.whole(capacity)


def lengths(problem: RoutingProblem) -> tuple[Integers, Integers]:
    """Return the lengths of arcs, NEVER where there is no way, and of the longest routes."""
    length = by_arc(problem.lengths, problem.size)
    np.fill_diagonal(length, 0.0)  # no route has it
    longest = _binding(np.array(problem.per_vehicle("max_length", np.inf)), _most(length))
    unit = Unit({"lengths": length, "max_length": longest}, _largest(longest), problem.size)
    return unit.whole(length), unit.whole(longest)


def times(problem: RoutingProblem) -> tuple[Integers, Integers, Integers]:
    """Return the times of service and way, NEVER where there is none, and when windows open and close.

    Times are counted from when the first vehicle may start, or a window closes before: dates are large numbers.
    """
    n = problem.size
    windows = [(0.0, np.inf) if window is None else window for window in problem.windows or (None,) * n]
    early, late = np.array(windows).T
    service, travel = by_node(problem.service_times, n, 0.0), by_arc(problem.travel_times, n)
    np.fill_diagonal(travel, 0.0)
    origin = float(min(early[[start for start, _ in problem.fleet]].min(), late.min()))
    early = np.maximum(early, origin)
    late = _binding(late, early.max() + _most(travel + service[:, None]))
    numbers = {"travel_times": travel, "service_times": service, "windows": np.append(early, late)}
    unit = Unit(numbers, _largest(late) - origin, n, since={"windows": origin})
    way = unit.whole(travel)
    step = np.where(way < NEVER, np.minimum(way + unit.whole(service)[:, None], unit.above), NEVER)
    return step, unit.whole(early, origin), unit.whole(late, origin)


def by_node(value: Any, n: int, default: float) -> Floats:
    """Return a number for each node."""
    if not isinstance(value, tuple):
        return np.full(n, default if value is None else value)
    return np.array([default if each is None else each for each in value], np.float64)


def by_arc(value: Any, n: int) -> Floats:
    """Return a number for each arc."""
    return np.zeros((n, n)) if value is None else np.array(value, np.float64).reshape(n, n)


def _binding(limits: Floats, most: float) -> Floats:
    """Return limits, infinite where nothing exceeds them: these must not make the unit of all others coarse."""
    return np.where(limits >= most * (1 + 1e-9), np.inf, limits)


def _largest(limits: Floats) -> float:
    """Return the largest limit there is, -inf without any."""
    return float(limits[np.isfinite(limits)].max(initial=-np.inf))


def _most(steps: Floats) -> float:
    """Return what the arcs of a route come to at most: one out of each node."""
    return float(np.where(np.isfinite(steps), steps, 0.0).max(1).sum())


class Unit:
    """In what unit numbers that are compared with each other become integers.

    Decimals up to the sixth are exact up to 2^51 units; otherwise the unit is 2^-50 of the largest number.

    Args:
        numbers: By option.
        largest: The largest limit; whatever is above twice of it is too much, and how much does not matter. -inf
            where there is no limit, and no number matters.
        nodes: How many numbers are summed at most.
        since: From where the numbers of an option are counted, if not from 0.

    Attributes:
        above: An integer that is above the largest limit; 0 without any.

    Raises:
        SolverParameterError: a number is so small beside others that it would be lost.
    """

    def __init__(
        self, numbers: dict[str, Floats], largest: float, nodes: int, *, since: dict[str, float] | None = None
    ) -> None:
        since = since or {}
        self._cut, self.above = 2 * largest, 0
        matter = {name: self._matter(each, since.get(name, 0.0)) for name, each in numbers.items()}
        values = np.concatenate([*matter.values(), list(since.values())])
        moved = {name: each - since.get(name, 0.0) for name, each in matter.items()}
        extent = max(np.abs(each).max(initial=0.0) for each in moved.values())
        most = min(2.0**_BITS, 2.0**58 / (nodes + 1))  # the sum of all, and twice that, stays below NEVER
        self._decimals = _decimals(values, extent, most)
        self._unit = 10.0 ** (self._decimals or 0)
        if self._decimals is None:
            self._unit = 2.0 ** np.floor(np.log2(most / (extent or 1.0)))
            for name, each in moved.items():
                _refuse_lost(name, each, self._unit, extent)
        if np.isfinite(largest):
            self.above = 2 * int(np.rint(largest * self._unit)) + 1

    def whole(self, values: Floats, since: float = 0.0) -> Integers:
        """Return numbers as integers, NEVER where they are infinite."""
        matters = np.isfinite(values) & (values - since <= self._cut)
        numbers = np.where(matters, values, since)
        if self._decimals is None:
            units = np.rint((numbers - since) * self._unit)
        else:
            units = np.rint(numbers * self._unit) - np.rint(since * self._unit)
        whole: Integers = np.where(matters, units, self.above).astype(np.int64)
        return np.where(np.isinf(values), NEVER, whole)

    def _matter(self, values: Floats, since: float) -> Floats:
        return values[np.isfinite(values) & (values - since <= self._cut)]


def _decimals(values: Floats, extent: float, most: float) -> int | None:
    """Return how many decimals numbers have; None if they are more than six, or too many to sum."""
    for digits in range(_DECIMALS + 1):
        unit = 10.0**digits
        if np.abs(values).max(initial=0.0) * unit >= 2.0 ** (_BITS + 1) or extent * unit >= most:
            return None
        # A few units in the last place are left to sums and products of decimals.
        slack = np.minimum(4 * np.finfo(np.float64).eps * np.abs(values), 0.1 / unit)
        if (np.abs(np.rint(values * unit) / unit - values) <= slack).all():
            return digits
    return None


def _refuse_lost(name: str, values: Floats, unit: float, extent: float) -> None:
    """Raise SolverParameterError where rounding would change a number by more than a small share of itself."""
    lost = np.abs(np.rint(values * unit) / unit - values) > _SHARE * np.abs(values)
    if lost.any():
        raise SolverParameterError(
            f"{name} has {values[lost][0]:g} beside {extent:g}, and would be rounded too coarsely: numbers that are "
            "compared with each other may differ by a factor of about 1e9."
        )
