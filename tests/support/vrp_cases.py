"""Small vehicle-routing problems of every kind, and their optima by brute force, from the definitions alone."""

import itertools
import math

import numpy as np
from imle_ortools.routing_problem import RoutingProblem


def random_problem(rng):
    """Return a problem with some constraints, drawn at random, and no more than five customers."""
    depots = int(rng.integers(1, 3))
    n = depots + int(rng.integers(1, 6))
    vehicles = int(rng.integers(1, 4))
    options = {"nodes": n, "vehicles": vehicles, "starts": rng.integers(0, depots, vehicles).tolist()}
    if depots > 1 and rng.random() < 0.8:
        options["starts"] = list(range(depots)) * 2
        options["starts"] = options["starts"][:vehicles] if vehicles > 1 else [0]
    kind = rng.integers(0, 4)
    if kind == 0:
        options["ends"] = None
    elif kind == 1:
        options["ends"] = [None if end < 0 else int(end) for end in rng.integers(-1, depots, vehicles)]
    used = set(options["starts"])
    if isinstance(options.get("ends"), list):
        used |= {end for end in options["ends"] if end is not None}
    customers = [node for node in range(n) if node not in used]

    def some(share):
        return rng.random() < share

    if some(0.6):
        low = -2 if some(0.2) else 0
        options["demands"] = [0 if node in used else int(rng.integers(low, 4)) for node in range(n)]
        options["capacities"] = (
            rng.integers(3, 8, vehicles).tolist() if some(0.5) else float(rng.integers(3, 8))
        )
    if some(0.4):
        options["travel_times"] = rng.integers(1, 6, (n, n)).tolist()
        early = rng.integers(0, 8, n)
        options["windows"] = [
            None if some(0.4) else (int(e), int(e + w))
            for e, w in zip(early, rng.integers(2, 12, n), strict=True)
        ]
        if some(0.5):
            options["service_times"] = rng.choice([0, 0.5, 1], n).tolist()
    if some(0.3):
        lengths = rng.integers(1, 5, (n, n)).astype(float)
        if some(0.3):
            lengths[rng.random((n, n)) < 0.1] = np.inf
        options["lengths"] = lengths.tolist()
        options["max_length"] = rng.integers(8, 16, vehicles).tolist()
    pair = some(0.3) and len(customers) > 1
    if pair:
        options["pickups"] = [tuple(rng.permutation(customers)[:2].tolist())]
    if some(0.3):
        penalties = [round(float(rng.random()), 3) if some(0.6) else None for _ in range(n)]
        for a, b in options.get("pickups", ()):
            penalties[b] = penalties[a]
        options["penalties"] = penalties
    if some(0.3):
        options["vehicle_costs"] = rng.random(vehicles).round(2).tolist()
    if some(0.2):
        options["offsets"] = rng.normal(size=(n, n)).round(3).tolist()
    return options


def brute_force(options, theta):
    """Return the least cost of any plan, infinite if there is none; and the number of feasible plans of arcs."""
    problem = RoutingProblem(**options)
    n = problem.size
    cost = theta + (0 if problem.offsets is None else np.array(problem.offsets))
    customers = [node for node in range(n) if node not in problem.depots]
    capacity = problem.per_vehicle("capacities", math.inf)
    longest = problem.per_vehicle("max_length", math.inf)
    fixed = problem.per_vehicle("vehicle_costs", 0.0)
    cheapest = {}

    def route_cost(vehicle, nodes):
        if not nodes:
            return 0.0
        key = (vehicle, nodes)
        if key not in cheapest:
            costs = [
                sum(cost[a, b] for a, b in itertools.pairwise(stops))
                for path in itertools.permutations(nodes)
                for stops in [_stops(problem, vehicle, path)]
                if _respects(problem, vehicle, stops, capacity[vehicle], longest[vehicle])
            ]
            cheapest[key] = min(costs, default=math.inf) + fixed[vehicle]
        return cheapest[key]

    best = math.inf
    for owner in itertools.product(range(-1, len(problem.fleet)), repeat=len(customers)):
        total = 0.0
        for node, vehicle in zip(customers, owner, strict=True):
            if vehicle < 0:
                total += _penalty(problem, node)
        for vehicle in range(len(problem.fleet)):
            if total == math.inf:
                break
            total += route_cost(
                vehicle, tuple(n for n, v in zip(customers, owner, strict=True) if v == vehicle)
            )
        best = min(best, total)
    return best


def _penalty(problem, node):
    penalty = problem.penalties
    if isinstance(penalty, tuple):
        penalty = penalty[node]
    return math.inf if penalty is None else penalty


def _stops(problem, vehicle, path):
    start, end = problem.fleet[vehicle]
    return [start, *path] if end is None else [start, *path, end]


def _respects(problem, vehicle, stops, capacity, longest):
    windows = problem.windows or [None] * problem.size
    service = problem.service_times
    if not isinstance(service, tuple):
        service = [service or 0.0] * problem.size
    load = length = 0.0
    time = windows[stops[0]][0] if windows[stops[0]] else 0.0
    for a, b in itertools.pairwise(stops):
        time += service[a] + (problem.travel_times[a][b] if problem.travel_times else 0.0)
        length += problem.lengths[a][b] if problem.lengths else 0.0
        if problem.demands:
            load += problem.demands[b]
        early, late = windows[b] or (0.0, math.inf)
        time = max(time, early)
        if time > late or not 0 <= load <= capacity or length > longest or math.isinf(length):
            return False
    for pickup, delivery in problem.pickups:
        if (pickup in stops) != (delivery in stops):
            return False
        if pickup in stops and stops.index(pickup) > stops.index(delivery):
            return False
    return True
