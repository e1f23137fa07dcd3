"""Vehicle routes by OR-Tools' routing library: any problem, without proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_core import Status
from imle_core.errors import SolverError
from imle_core.integers import to_integers
from imle_ortools._kernels.vrp_data import NEVER
from imle_ortools._routing import Model
from imle_ortools._vrp_costs import narrowed
from imle_ortools._vrp_routes import Route, can_drive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_ortools._kernels.vrp_data import Data
    from imle_ortools._routing import Search
    from imle_ortools._vrp_costs import Costs

BITS = 44
"""Costs are rounded to 2^-44 of the largest; sums of a million of them fit."""


def search_library(
    cost: NDArray[np.float64], data: Data, search: Search, hint: Sequence[Sequence[int]] | None
) -> tuple[list[Route], Status]:
    """Return routes for the costs of one row, and what is known of them.

    Args:
        cost: Costs of arcs, shape ``(n + 1, n + 1)``, infinite where there is no way.
        data: The problem.
        search: How to search.
        hint: The customers of each vehicle's route, to start from.

    Raises:
        SolverError: as :meth:`imle_ortools._routing.Model.search` does.
    """
    status = Status.FEASIBLE

    def find(arcs: Costs, left_out: Costs, fixed: Costs) -> list[Route | None]:
        nonlocal status
        found = _model(arcs, left_out, fixed, data).search(search, hint=hint)
        status = found.status
        return [
            Route(nodes[0], tuple(nodes[1:-1]), nodes[-1]) if len(nodes) > 2 else None
            for nodes in found.nodes
        ]

    routes = narrowed(cost, data, find)
    for vehicle, route in enumerate(routes):
        if route is not None and not can_drive(route, vehicle, data):
            raise SolverError(f"the routing library returned a route that is not feasible: {route}.")
    return [route for route in routes if route is not None], status


def _model(
    costs: NDArray[np.float64], penalty: NDArray[np.float64], fixed: NDArray[np.float64], data: Data
) -> Model:
    """Return the model of one row."""
    nodes = len(costs) - (not (data.end == len(costs) - 1).any())  # the last one is the end of open routes
    parts = np.concatenate(
        [np.where(np.isfinite(each), each, 0.0).ravel() for each in (costs, penalty, fixed)]
    )
    whole = to_integers(parts[None], BITS)[0]
    arcs, left_out, vehicles = np.split(whole, [costs.size, costs.size + penalty.size])
    model = Model(nodes, data.start.tolist(), data.end.tolist())
    routing, index = model.routing, model.manager.NodeToIndex
    model.set_costs(arcs.reshape(costs.shape)[:nodes, :nodes])
    for vehicle, value in enumerate(vehicles.tolist()):
        if value:
            routing.SetFixedCostOfVehicle(value, vehicle)
    visited = set(data.customers.tolist())
    for node in range(nodes):
        if node in visited and np.isfinite(penalty[node]):
            routing.AddDisjunction([index(node)], int(left_out[node]))
    for i, j in np.argwhere(np.isinf(costs[:nodes, :nodes])):
        if i in visited and j in visited:
            routing.NextVar(index(int(i))).RemoveValue(index(int(j)))
        elif i in visited or j in visited:
            _forbid_at_ends(model, int(i), int(j), data)
    _add_limits(model, data, nodes)
    return model


def _forbid_at_ends(model: Model, i: int, j: int, data: Data) -> None:
    """Forbid an arc from a start, or to an end, for each vehicle that has it there."""
    routing, index = model.routing, model.manager.NodeToIndex
    for vehicle in range(len(data.start)):
        if data.start[vehicle] == i:
            routing.NextVar(routing.Start(vehicle)).RemoveValue(index(j))
        if data.end[vehicle] == j and i in data.customers:
            routing.NextVar(index(i)).RemoveValue(routing.End(vehicle))


def _add_limits(model: Model, data: Data, nodes: int) -> None:
    """Add the constraints of a problem."""
    routing, index = model.routing, model.manager.NodeToIndex
    demand = data.demand[:nodes]
    length, travel = (_between_customers(each[:nodes, :nodes], data) for each in (data.length, data.travel))
    if demand.any():
        most = int(np.abs(demand).sum())
        unary = routing.RegisterUnaryTransitVector(demand.tolist())
        routing.AddDimensionWithVehicleCapacity(
            unary, 0, np.minimum(data.capacity, most).tolist(), True, "load"
        )
    if (data.longest < NEVER).any():
        most = int(length.max(1).sum())
        routing.AddDimensionWithVehicleCapacity(
            model.matrix(length), 0, np.minimum(data.longest, most).tolist(), True, "length"
        )
    if (data.late < NEVER).any():
        horizon = int(data.early.max() + travel.max(1).sum())
        routing.AddDimension(model.matrix(travel), horizon, horizon, False, "time")
        time = routing.GetDimensionOrDie("time")
        late = np.minimum(data.late, horizon).tolist()
        for node in data.customers.tolist():
            time.CumulVar(index(node)).SetRange(int(data.early[node]), late[node])
        for vehicle, (start, end) in enumerate(zip(data.start.tolist(), data.end.tolist(), strict=True)):
            first, last = int(data.early[start]), late[end]
            if last < first:  # it stays where it is, which takes no time
                routing.NextVar(routing.Start(vehicle)).SetValue(routing.End(vehicle))
                last = horizon
            time.CumulVar(routing.Start(vehicle)).SetRange(first, horizon)
            time.CumulVar(routing.End(vehicle)).SetRange(int(data.early[end]), last)
    pickups = np.flatnonzero(data.delivery >= 0).tolist()
    if pickups:
        routing.AddConstantDimension(1, nodes + 1, True, "rank")
        rank, solver = routing.GetDimensionOrDie("rank"), routing.solver()
        for node in pickups:
            first, second = index(node), index(int(data.delivery[node]))
            routing.AddPickupAndDelivery(first, second)
            solver.Add(routing.VehicleVar(first) == routing.VehicleVar(second))
            solver.Add(rank.CumulVar(first) <= rank.CumulVar(second))


def _between_customers(steps: NDArray[np.int64], data: Data) -> NDArray[np.int64]:
    """Return lengths or times without those from depot to depot: a vehicle that is not used does not go there."""
    depots = np.ones(len(steps), np.bool_)
    depots[data.customers] = False
    return np.where(depots[:, None] & depots, 0, steps)
