"""From a RoutingProblem to arrays, and what can be said about it without searching."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import SolverParameterError
from imle_ortools._kernels.vrp_data import NEVER, Data
from imle_ortools._vrp_units import by_arc, by_node, lengths, loads, times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_ortools.routing_problem import RoutingProblem


def data_of(problem: RoutingProblem) -> Data:
    """Return a problem as arrays.

    Raises:
        SolverParameterError: no plan can be feasible: a demand above every capacity, a window that is closed before the
            node can be reached, and the like.
    """
    n, fleet = problem.size, problem.fleet
    depots = problem.depots
    customers = np.array([node for node in range(n) if node not in depots], np.int64)
    place = np.full(n + 1, -1)
    place[customers] = np.arange(len(customers))
    numbers: dict[str, NDArray[Any]] = {}
    numbers["demand"], numbers["capacity"] = loads(problem)
    numbers["travel"], numbers["early"], numbers["late"] = times(problem)
    numbers["length"], numbers["longest"] = lengths(problem)
    penalty = by_node(problem.penalties, n, np.inf).astype(np.float64)
    pairs = np.array(problem.pickups, np.int64).reshape(-1, 2)
    delivery, pickup = np.full(n + 1, -1), np.full(n + 1, -1)
    delivery[pairs[:, 0]], pickup[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    fixed = np.array(problem.per_vehicle("vehicle_costs", 0.0))
    ends = np.array([(start, n if end is None else end) for start, end in fleet], np.int64)
    no_way = (numbers["travel"] >= NEVER) | (numbers["length"] >= NEVER)
    offset = np.where(no_way, np.inf, by_arc(problem.offsets, n))
    columns = np.stack([*ends.T, numbers["capacity"], numbers["longest"], fixed], axis=1)
    alike: dict[bytes, int] = {}
    kind = np.array([alike.setdefault(row.tobytes(), len(alike)) for row in columns], np.int64)
    plain = problem.windows is None and problem.max_length is None and not len(pairs)
    data = Data(
        customers=customers,
        place=place,
        start=ends[:, 0].copy(),
        end=ends[:, 1].copy(),
        kind=kind,
        capacity=numbers["capacity"],
        longest=numbers["longest"],
        fixed=fixed,
        demand=np.append(numbers["demand"], 0),
        travel=np.pad(np.where(no_way, 0, numbers["travel"]), (0, 1)),
        early=np.append(numbers["early"], 0),
        late=np.append(numbers["late"], NEVER),
        length=np.pad(np.where(no_way, 0, numbers["length"]), (0, 1)),
        delivery=delivery,
        pickup=pickup,
        penalty=np.append(penalty, 0.0),
        offset=np.pad(offset, (0, 1)),
        plain=bool(plain and (numbers["demand"] >= 0).all()),
    )
    _check(data, problem)
    return data


def _check(data: Data, problem: RoutingProblem) -> None:
    """Raise SolverParameterError where some customer cannot be served by any vehicle."""
    demands, windows = problem.demands or (), problem.windows or ()
    must = [int(node) for node in data.customers if np.isinf(data.penalty[node])]
    for node in must:
        if abs(int(data.demand[node])) > data.capacity.max():
            raise SolverParameterError(
                f"node {node} has the demand {demands[node]:g}, above the capacity of every vehicle, "
                f"{max(problem.per_vehicle('capacities', np.inf)):g}."
            )
    if data.plain:
        asked, able = sum(int(data.demand[node]) for node in must), sum(int(each) for each in data.capacity)
        if asked > able:
            raise SolverParameterError(
                f"the demands of all nodes are together {sum(demands):g}, above the "
                f"{sum(problem.per_vehicle('capacities', np.inf)):g} that {len(data.start)} vehicles can carry."
            )
    for pickup, delivery in problem.pickups:
        if np.isinf(data.penalty[pickup]) != np.isinf(data.penalty[delivery]):
            raise SolverParameterError(
                f"pickup {pickup} and delivery {delivery} are left out together: give both a penalty, or none."
            )
    arrival = _earliest(data)
    back = _can_return(data)
    for node in must:
        if arrival[node] is None:
            late = _earliest(data._replace(late=np.full_like(data.late, NEVER)))[node]
            raise SolverParameterError(
                f"node {node} cannot be reached from any start: there is no way."
                if late is None
                else f"the window of node {node} ends at {_late(windows[node]):g}, before it can be reached."
            )
        if not back[node]:
            raise SolverParameterError(f"from node {node} no end can be reached: there is no way.")


def _late(window: tuple[float, float] | None) -> float:
    return np.inf if window is None else window[1]


def _earliest(data: Data) -> list[int | None]:
    """Return when each node can be reached at the earliest, by any way, or None."""
    n = len(data.demand) - 1
    first: list[int | None] = [None] * n
    waiting = [(int(data.early[node]), int(node)) for node in sorted(set(data.start.tolist()))]
    heapq.heapify(waiting)
    through = set(data.start.tolist()) | set(data.customers.tolist())
    while waiting:
        time, node = heapq.heappop(waiting)
        if first[node] is not None:
            continue
        first[node] = time
        if node not in through:
            continue
        for other in range(n):
            if first[other] is None and other != node and np.isfinite(data.offset[node, other]):
                then = max(time + int(data.travel[node, other]), int(data.early[other]))
                if then <= data.late[other]:
                    heapq.heappush(waiting, (then, other))
    return first


def _can_return(data: Data) -> NDArray[np.bool_]:
    """Return from which nodes some end can be reached, by any way."""
    n = len(data.demand) - 1
    way = np.isfinite(data.offset)
    home = np.zeros(n + 1, np.bool_)
    home[data.end] = True
    for _ in range(n):
        home[:-1] |= (way[:-1] & home).any(axis=1)
    return home
