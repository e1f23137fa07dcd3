"""Costs for solvers that need integers of at least 0: none below zero, and none that drowns the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from imle_ortools._kernels.vrp_data import Data
    from imle_ortools._vrp_routes import Route

    Costs = NDArray[np.float64]

WIDE = 2.0**12
"""Where some cost is so much larger than the whole plan, small ones would be rounded too coarsely."""


def narrowed(
    cost: Costs, data: Data, find: Callable[[Costs, Costs, Costs], Sequence[Route | None]]
) -> Sequence[Route | None]:
    """Return the plan that a solver finds, with costs at least 0 and none far above those of the plan.

    Args:
        cost: Costs of arcs, shape ``(n + 1, n + 1)``, infinite where there is no way.
        data: The problem.
        find: Returns the route of each vehicle for costs of arcs, penalties and costs of vehicles.
    """
    costs, penalty = without_negative(cost, data)
    limit, best = np.inf, None
    while True:
        arcs = np.where(np.isinf(costs), np.inf, np.minimum(costs, limit))
        left_out = np.where(np.isinf(penalty), np.inf, np.minimum(penalty, limit))
        fixed = np.minimum(data.fixed, limit)
        routes = find(arcs, left_out, fixed)
        total = _cost_of(routes, costs, penalty, data)
        if best is None or total < limit:
            best = routes
        parts = np.concatenate([each[np.isfinite(each)].ravel() for each in (arcs, left_out, fixed)])
        # What costs more than this plan is in no better one: with a smaller largest cost, search again more finely.
        if parts.max(initial=0.0) <= WIDE * total or not 0 < total < limit:
            return best
        limit = total


def without_negative(
    cost: NDArray[np.float64], data: Data
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return costs and penalties of at least 0 by which the same plans are best.

    What is added to all arcs into a customer, and to leaving it out, is added to every plan; so is what is added to all
    arcs out of a customer. (A constant for every arc would not do: plans differ in how many arcs they have.)
    """
    penalty, here = data.penalty.copy(), data.customers
    costs = np.where(_used(data), cost, 0.0)
    for axis in (0, 1):
        for node in here:
            line = costs[:, node] if axis == 0 else costs[node]  # a view
            others = np.arange(len(line)) != node
            least = line[others].min()
            if np.isfinite(least) and least < 0:
                line[others] -= least
                penalty[node] -= least
    return np.where(_used(data), costs, 0.0), penalty


def _used(data: Data) -> NDArray[np.bool_]:
    """Return which arcs some route may have; those of others, which theta holds as well, count for nothing."""
    tails, heads = np.zeros((2, len(data.demand)), np.bool_)
    tails[data.start] = heads[data.end] = True
    depots = np.ones(len(data.demand), np.bool_)
    depots[data.customers] = False
    used = (tails | ~depots)[:, None] & (heads | ~depots)
    used &= ~(depots[:, None] & depots)
    np.fill_diagonal(used, False)
    return used


def _cost_of(routes: Sequence[Route | None], costs: NDArray[Any], penalty: NDArray[Any], data: Data) -> float:
    total, left_out = 0.0, set(data.customers.tolist())
    for vehicle, route in enumerate(routes):
        if route is not None:
            stops = [route.start, *route.nodes, route.end]
            total += costs[stops[:-1], stops[1:]].sum() + data.fixed[vehicle]
            left_out -= set(route.nodes)
    return float(total + penalty[list(left_out)].sum())
