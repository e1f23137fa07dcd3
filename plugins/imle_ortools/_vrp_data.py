"""From a RoutingProblem to arrays, and what can be said about it without searching."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import SolverParameterError
from imle_ortools._kernels.vrp_data import NEVER, Data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_ortools.routing_problem import RoutingProblem

_DECIMALS = 6
_BITS = 40


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
    numbers["demand"], numbers["capacity"] = _integers(
        [_by_node(problem.demands, n, 0.0), np.array(problem.per_vehicle("capacities", np.inf))]
    )
    windows = np.array([(0.0, np.inf) if w is None else w for w in problem.windows or (None,) * n]).reshape(
        n, 2
    )
    service, travel, early, late = _integers(
        [_by_node(problem.service_times, n, 0.0), _by_arc(problem.travel_times, n), *windows.T]
    )
    numbers["early"], numbers["late"] = early, late
    numbers["travel"] = np.minimum(travel + service[:, None], NEVER)
    numbers["length"], numbers["longest"] = _integers(
        [_by_arc(problem.lengths, n), np.array(problem.per_vehicle("max_length", np.inf))]
    )
    penalty = _by_node(problem.penalties, n, np.inf).astype(np.float64)
    pairs = np.array(problem.pickups, np.int64).reshape(-1, 2)
    delivery, pickup = np.full(n + 1, -1), np.full(n + 1, -1)
    delivery[pairs[:, 0]], pickup[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    fixed = np.array(problem.per_vehicle("vehicle_costs", 0.0))
    ends = np.array([(start, n if end is None else end) for start, end in fleet], np.int64)
    no_way = (numbers["travel"] >= NEVER) | (numbers["length"] >= NEVER)
    offset = np.where(no_way, np.inf, _by_arc(problem.offsets, n))
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


def _by_node(value: Any, n: int, default: float) -> NDArray[Any]:
    if not isinstance(value, tuple):
        return np.full(n, default if value is None else value)
    return np.array([default if each is None else each for each in value])


def _by_arc(value: Any, n: int) -> NDArray[Any]:
    return np.zeros((n, n)) if value is None else np.array(value, np.float64).reshape(n, n)


def _integers(arrays: list[NDArray[Any]]) -> list[NDArray[np.int64]]:
    """Return numbers that are compared with each other as integers of one unit; infinity becomes NEVER.

    Decimals up to the sixth are exact; other numbers are rounded to 2^-40 of the largest.
    """
    finite = np.concatenate([array[np.isfinite(array)].ravel() for array in arrays])
    largest = np.abs(finite).max(initial=0.0)
    unit = 2.0 ** (_BITS - int(np.frexp(largest)[1])) if largest else 1.0
    for digits in range(_DECIMALS + 1):
        scaled = finite * 10.0**digits
        if largest * 10.0**digits >= 2.0**_BITS:
            break
        if (np.abs(scaled - np.rint(scaled)) <= 1e-9 * np.maximum(1.0, np.abs(scaled))).all():
            unit = 10.0**digits
            break
    return [
        np.where(np.isfinite(array), np.rint(np.where(np.isfinite(array), array, 0.0) * unit), NEVER).astype(
            np.int64
        )
        for array in arrays
    ]


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
