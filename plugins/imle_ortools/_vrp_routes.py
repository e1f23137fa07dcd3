"""Routes and states: what a matrix of arcs says, which vehicle drives which route, and all plans of a small problem."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_ortools._kernels.vrp_data import is_route

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from imle_ortools._kernels.vrp_data import Data

MOST_CUSTOMERS = 7
"""All plans are listed for so many customers at most."""
MOST_PLANS = 200_000
"""And so many plans."""


class Route(NamedTuple):
    """A route: its start, its customers in order, and its end, which is n where it is open."""

    start: int
    nodes: tuple[int, ...]
    end: int


def routes_of(z: NDArray[Any], data: Data) -> list[Route] | None:
    """Return the routes that a matrix of arcs is made of, by start and first customer; None if it is no such matrix."""
    nodes = len(data.demand) - 1
    if ((z != 0) & (z != 1)).any():
        return None
    customers = np.zeros(nodes, np.bool_)
    customers[data.customers] = True
    into, out = z.sum(0), z.sum(1)
    if (into[customers] > 1).any() or (out[customers] > into[customers]).any():
        return None
    routes = []
    for start in sorted(set(data.start.tolist())):
        for first in np.flatnonzero(z[start]).tolist():
            here, path = first, []
            while here < nodes and customers[here]:
                path.append(here)
                after = np.flatnonzero(z[here])
                here = int(after[0]) if len(after) else nodes
            routes.append(Route(start, tuple(path), here))
    # Each arc belongs to some route, or the rest goes round in circles, or starts where no vehicle does.
    arcs = sum(len(route.nodes) + (route.end < nodes) for route in routes)
    return routes if arcs == z.sum() and all(route.nodes for route in routes) else None


def drivers(routes: Sequence[Route], data: Data) -> list[int] | None:
    """Return the vehicle of each route, at the least cost of vehicles; None if too few can drive them.

    Which sets of vehicles can each take a route of their own is a matroid, so that the cheapest set is found by adding
    vehicles, cheap ones first, for as long as each still finds a route, whose driver may move on to another one.
    """
    able: dict[int, list[int]] = {}
    for kind in set(data.kind.tolist()):
        vehicle = int(np.argmax(data.kind == kind))
        able[kind] = [number for number, route in enumerate(routes) if can_drive(route, vehicle, data)]
    driver: dict[int, int] = {}

    def find(vehicle: int, seen: set[int]) -> bool:
        routes_able = able[int(data.kind[vehicle])]
        for number in routes_able:
            if number not in driver:
                driver[number] = vehicle
                return True
        for number in routes_able:
            if number not in seen:
                seen.add(number)
                if find(driver[number], seen):
                    driver[number] = vehicle
                    return True
        return False

    for vehicle in np.argsort(data.fixed, kind="stable").tolist():
        if len(driver) < len(routes):
            find(vehicle, set())
    return [driver[number] for number in range(len(routes))] if len(driver) == len(routes) else None


def can_drive(route: Route, vehicle: int, data: Data) -> bool:
    """Whether a route begins and ends where the vehicle does, and respects what there is to respect."""
    if (route.start, route.end) != (data.start[vehicle], data.end[vehicle]):
        return False
    return bool(is_route(np.array(route.nodes, np.int64), len(route.nodes), vehicle, data.offset, data))


def is_plan(z: NDArray[Any], data: Data) -> bool:
    """Whether a matrix of arcs is a feasible plan."""
    routes = routes_of(z, data)
    if routes is None:
        return False
    visited = {node for route in routes for node in route.nodes}
    left_out = [node for node in data.customers.tolist() if node not in visited]
    return not np.isinf(data.penalty[left_out]).any() and drivers(routes, data) is not None


def fixed_costs(z: NDArray[Any], data: Data) -> float:
    """Return what a feasible plan costs beside theta: offsets, customers left out, vehicles."""
    routes = routes_of(z, data) or []
    visited = [node for route in routes for node in route.nodes]
    left_out = np.setdiff1d(data.customers, visited)
    used = drivers(routes, data) or []
    own = data.offset[:-1, :-1]
    return float(own[z != 0].sum() + data.penalty[left_out].sum() + data.fixed[used].sum())


def write(routes: Sequence[Route], state: NDArray[Any]) -> None:
    """Set the arcs of routes to 1."""
    for start, path, end in routes:
        stops = [start, *path, *([end] if end < len(state) else [])]
        state[stops[:-1], stops[1:]] = 1


def plans_of(data: Data) -> Iterator[list[Route]]:
    """Yield all feasible plans of a small problem, some of them several times."""
    by_lowest: dict[int, list[Route]] = {}
    for kind in set(data.kind.tolist()):
        vehicle = int(np.argmax(data.kind == kind))
        for size in range(1, len(data.customers) + 1):
            for path in itertools.permutations(data.customers.tolist(), size):
                route = Route(int(data.start[vehicle]), path, int(data.end[vehicle]))
                if can_drive(route, vehicle, data):
                    routes = by_lowest.setdefault(min(path), [])
                    if route not in routes:
                        routes.append(route)

    def extend(rest: tuple[int, ...], routes: list[Route]) -> Iterator[list[Route]]:
        if not rest:
            if drivers(routes, data) is not None:
                yield routes
            return
        lowest, *others = rest
        if np.isfinite(data.penalty[lowest]):
            yield from extend(tuple(others), routes)
        for route in by_lowest.get(lowest, ()):
            if set(route.nodes) <= set(rest):
                yield from extend(tuple(n for n in rest if n not in route.nodes), [*routes, route])

    yield from extend(tuple(data.customers.tolist()), [])
