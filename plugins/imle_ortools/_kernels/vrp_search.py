"""Vehicle routes by slack induction: remove strings of neighbouring customers, put them back greedily, anneal.

After Christiaens and Vanden Berghe (2020). A plan is an array of routes, shape ``(K, m)``, and their sizes. What it
must respect is asked of :func:`imle_ortools._kernels.vrp_data.is_route`, and only of insertions that would be the best
so far; where order does not matter, the load alone is looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_ortools._kernels.vrp_data import fill_costs, is_route

LONGEST = 10.0
"""Customers of one route that are removed together at most."""
BLINK = 0.01
"""How often an insertion is overlooked, so that the search is not always led the same way."""
MEAN = 10.0
"""Customers that are removed at a time on average, or 0.4 of all if that is less."""
HOT, COLD = 2.0, 0.1
"""First and last temperature, relative to the mean cost of an arc: cooler searches stay in the first good plans."""


@compiled
def search_rows(
    theta: Any, data: Any, hints: Any, iterations: int, seed: int, state: Any, objective: Any
) -> None:
    """Find a good plan for each row, the same for equal rows and seeds.

    Args:
        theta: Costs, shape ``(N, n, n)``, float64.
        data: A :class:`imle_ortools._kernels.vrp_data.Data`.
        hints: Plans to start from, shape ``(N, K, m)``, with -1 behind the last node of a route; or ``(N, 0, 0)``.
        iterations: Removals, and insertions again.
        seed: Of the random numbers.
        state: Filled with 1 for each arc used; zeros, shape of theta.
        objective: Filled with the cost of each plan, infinite where a customer that must be visited is left over.
    """
    nodes = len(data.demand) - 1
    cost = np.empty((nodes + 1, nodes + 1))
    for row in range(len(theta)):
        fill_costs(theta[row], data, cost)
        near = nearest(cost, data)
        plan, facts, numbers, random = begin(cost, data, hints[row], seed)
        anneal(cost, data, near, plan, facts, numbers, random, 0, iterations, iterations)
        objective[row] = write_plan(data, plan[1], facts[1], numbers, state[row])


@compiled
def nearest(cost: Any, data: Any) -> Any:
    """Return the customers by their distance from each, places in ``data.customers``, shape ``(m, m)``."""
    many = len(data.customers)
    near, distance = np.empty((many, many), np.int64), np.empty(many)
    for i in range(many):
        for j in range(many):
            a, b = data.customers[i], data.customers[j]
            distance[j] = -np.inf if i == j else min(cost[a, b], cost[b, a])
        near[i] = np.argsort(distance, kind="mergesort")
    return near


@compiled
def begin(cost: Any, data: Any, hint: Any, seed: int) -> Any:
    """Return the first plan, from a hint, to which the customers that are not in it are added.

    Returns:
        The current, the best and the tried plan, shape ``(3, K, m)``; of each the sizes of routes, then the vehicle of
        each place of a customer (-1: none), shape ``(3, K + m)``; the cost of current and best plan, their weights of
        customers left over, and how often each customer was left over, shape ``(4 + m,)``; the state of the random
        numbers, shape ``(1,)``.
    """
    many, vehicles = len(data.customers), len(data.start)
    plan = np.full((3, vehicles, many), -1, np.int64)
    facts = np.zeros((3, 2 * vehicles + many), np.int64)
    facts[:, vehicles : vehicles + many] = -1
    numbers = np.ones(4 + many)
    random = np.array([np.uint64(seed)], np.uint64)
    tried, fact = plan[2], facts[2]
    for vehicle in range(vehicles):
        size = 0
        while vehicle < hint.shape[0] and size < hint.shape[1] and hint[vehicle, size] >= 0:
            size += 1
        if size and is_route(hint[vehicle], size, vehicle, cost, data):
            tried[vehicle, :size] = hint[vehicle, :size]
            fact[vehicle] = size
            for position in range(size):
                _join(data, hint[vehicle, position], vehicle, fact)
    insert_all(cost, data, tried, fact, random, 2)
    total, over = measure(cost, data, tried, fact, numbers)
    for which in range(2):
        plan[which], facts[which] = tried, fact
        numbers[which], numbers[2 + which] = total, over
    return plan, facts, numbers, random


@compiled
def anneal(
    cost: Any,
    data: Any,
    near: Any,
    plan: Any,
    facts: Any,
    numbers: Any,
    random: Any,
    first: int,
    last: int,
    all_: int,
) -> None:
    """Do the iterations from ``first`` to before ``last`` of ``all_``; the arguments are those of :func:`begin`."""
    vehicles, many = len(data.start), len(data.customers)
    if not many:
        return
    unit = _mean_arc(cost, data, plan[1], facts[1])
    for iteration in range(first, last):
        plan[2], facts[2] = plan[0], facts[0]
        _remove(cost, data, near, plan[2], facts[2], random)
        insert_all(cost, data, plan[2], facts[2], random, -1)
        total, over = measure(cost, data, plan[2], facts[2], numbers)
        heat = HOT * unit * (COLD / HOT) ** (iteration / all_)
        if over < numbers[2] or (over == numbers[2] and total < numbers[0] - heat * np.log(_uniform(random))):
            plan[0], facts[0] = plan[2], facts[2]
            numbers[0], numbers[2] = total, over
        if over > 0:  # customers that are often left over weigh more, until somebody makes room for them
            for i in range(many):
                if facts[2, vehicles + i] < 0 and data.penalty[data.customers[i]] == np.inf:
                    numbers[4 + i] += 1
            _, numbers[2] = measure(cost, data, plan[0], facts[0], numbers)
            _, numbers[3] = measure(cost, data, plan[1], facts[1], numbers)
        if over < numbers[3] or (over == numbers[3] and total < numbers[1]):
            plan[1], facts[1] = plan[2], facts[2]
            numbers[1], numbers[3] = total, over
            unit = _mean_arc(cost, data, plan[1], facts[1])


@compiled
def write_plan(data: Any, plan: Any, fact: Any, numbers: Any, state: Any) -> float:
    """Write the arcs of the best plan; return its cost, infinite if a customer is left over."""
    nodes = len(data.demand) - 1
    for vehicle in range(len(data.start)):
        here = data.start[vehicle]
        for position in range(fact[vehicle]):
            state[here, plan[vehicle, position]] = 1
            here = plan[vehicle, position]
        if fact[vehicle] and data.end[vehicle] < nodes:
            state[here, data.end[vehicle]] = 1
    return np.inf if numbers[3] > 0 else numbers[1]


@compiled
def measure(cost: Any, data: Any, plan: Any, fact: Any, numbers: Any) -> Any:
    """Return the cost of a plan, and the weight of the customers that it must visit and does not."""
    vehicles, total, over = len(data.start), 0.0, 0.0
    for vehicle in range(vehicles):
        if fact[vehicle]:
            here = data.start[vehicle]
            for position in range(fact[vehicle]):
                total += cost[here, plan[vehicle, position]]
                here = plan[vehicle, position]
            total += cost[here, data.end[vehicle]] + data.fixed[vehicle]
    for i in range(len(data.customers)):
        if fact[vehicles + i] < 0:
            if data.penalty[data.customers[i]] == np.inf:
                over += numbers[4 + i]
            else:
                total += data.penalty[data.customers[i]]
    return total, over


@compiled
def _mean_arc(cost: Any, data: Any, plan: Any, fact: Any) -> float:
    """Return the mean magnitude of the costs of a plan's arcs."""
    total, arcs = 0.0, 0
    for vehicle in range(len(data.start)):
        here = data.start[vehicle]
        for position in range(fact[vehicle]):
            total += abs(cost[here, plan[vehicle, position]])
            here = plan[vehicle, position]
            arcs += 1
    return total / max(arcs, 1)


@compiled
def _uniform(random: Any) -> float:
    """Return a random number above 0, up to 1, by Steele, Lea and Flood's splitmix."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = random[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (np.float64(mixed >> np.uint64(11)) + 1.0) * 2.0**-53


@compiled
def _below(random: Any, bound: int) -> int:
    """Return a random integer from 0 to before ``bound``."""
    return min(int(_uniform(random) * bound), bound - 1)


@compiled
def _remove(cost: Any, data: Any, near: Any, plan: Any, fact: Any, random: Any) -> None:
    """Remove a string of customers from each of a few neighbouring routes."""
    vehicles, many = len(data.start), len(data.customers)
    used, visited = 0, 0
    for vehicle in range(vehicles):
        used += fact[vehicle] > 0
        visited += fact[vehicle]
    if not used:
        return
    longest = min(LONGEST, visited / used)
    mean = min(MEAN, max(2.0, 0.4 * many))
    strings = int(1 + _uniform(random) * (4 * mean / (1 + longest) - 1))
    ruined = np.zeros(vehicles, np.bool_)
    seed = _below(random, many)
    for rank in range(many):
        i = near[seed, rank]
        vehicle = fact[vehicles + i]
        if strings <= 0:
            break
        if vehicle < 0 or ruined[vehicle]:
            continue
        ruined[vehicle] = True
        strings -= 1
        size = fact[vehicle]
        taken = min(size, int(1 + _uniform(random) * min(float(size), longest)))
        kept = 1 if taken < size and taken > 1 and _uniform(random) < 0.5 else 0
        position = 0
        while plan[vehicle, position] != data.customers[i]:
            position += 1
        low, high = max(0, position - taken - kept + 1), min(position, size - taken - kept)
        first = low + _below(random, high - low + 1)
        hole = first + 1 + _below(random, taken - 1) if kept else -1
        for position in range(first, first + taken + kept):
            if position != hole:
                _leave(data, plan[vehicle, position], fact)
    _sweep(cost, data, plan, fact)


@compiled
def _leave(data: Any, node: int, fact: Any) -> None:
    """Note that a customer is removed, and the other of its pair with it."""
    vehicles, many = len(data.start), len(data.customers)
    partner = max(data.pickup[node], data.delivery[node])
    while node >= 0:
        vehicle = fact[vehicles + data.place[node]]
        if vehicle >= 0:
            fact[vehicles + data.place[node]] = -1
            fact[vehicles + many + vehicle] -= data.demand[node]
        node, partner = partner, -1


@compiled
def _holds(cost: Any, data: Any, route: Any, size: int, vehicle: int) -> bool:
    """Whether what is left of a feasible route is one; where order does not matter, only the ways are looked at."""
    if not data.plain:
        return bool(is_route(route, size, vehicle, cost, data))
    here = data.start[vehicle]
    for position in range(size):
        if cost[here, route[position]] == np.inf:
            return False
        here = route[position]
    return bool(cost[here, data.end[vehicle]] != np.inf)


@compiled
def _sweep(cost: Any, data: Any, plan: Any, fact: Any) -> None:
    """Close the gaps that removed customers leave, and dissolve a route that is not feasible without them.

    That may be: what one takes up another sets down, and the way past a customer may be longer, or there is none.
    """
    vehicles = len(data.start)
    for vehicle in range(vehicles):
        size = 0
        for position in range(fact[vehicle]):
            node = plan[vehicle, position]
            if fact[vehicles + data.place[node]] >= 0:
                plan[vehicle, size] = node
                size += 1
        if 0 < size < fact[vehicle] and not _holds(cost, data, plan[vehicle], size, vehicle):
            for position in range(size):
                _leave(data, plan[vehicle, position], fact)
            size = 0
        fact[vehicle] = size


@compiled
def _join(data: Any, node: int, vehicle: int, fact: Any) -> None:
    """Note that a customer is on a vehicle."""
    vehicles, many = len(data.start), len(data.customers)
    fact[vehicles + data.place[node]] = vehicle
    fact[vehicles + many + vehicle] += data.demand[node]


@compiled
def insert_all(cost: Any, data: Any, plan: Any, fact: Any, random: Any, order: int) -> None:
    """Insert the customers that no route has, one after the other, each where it costs least.

    Args:
        cost: Costs of arcs.
        data: The problem.
        plan: Routes.
        fact: Their sizes, and the vehicles of customers.
        random: State of the random numbers.
        order: 0: at random, 1: large demands first, 2: those far from the start first, 3: the near ones. -1: any of
            these at random, and insertions are overlooked now and then.
    """
    vehicles, many = len(data.start), len(data.customers)
    waiting, key, count = np.empty(many, np.int64), np.empty(many), 0
    blink = BLINK if order < 0 else 0.0
    if order < 0:
        order = (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3)[_below(random, 11)]
    for i in range(many):
        node = data.customers[i]
        if fact[vehicles + i] < 0 and data.pickup[node] < 0:
            waiting[count] = i
            if order == 0:
                one = _uniform(random)
            elif order == 1:
                one = -float(data.demand[node])
            else:
                one = cost[data.start[0], node] * (-1.0 if order == 2 else 1.0)
            place = count  # they are few: sorted as they come
            while place and key[place - 1] > one:
                key[place], waiting[place] = key[place - 1], waiting[place - 1]
                place -= 1
            key[place], waiting[place] = one, i
            count += 1
    scratch, seen = np.empty(many + 2, np.int64), np.empty(vehicles, np.int64)
    seen[:] = -1
    for rank in range(count):
        node = data.customers[waiting[rank]]
        partner = data.delivery[node]
        vehicle, first, second = _best_place(
            cost, data, plan, fact, node, partner, random, blink, scratch, seen, rank
        )
        if vehicle < 0:
            continue
        _put(plan[vehicle], fact[vehicle], first, node)
        fact[vehicle] += 1
        _join(data, node, vehicle, fact)
        if partner >= 0:
            _put(plan[vehicle], fact[vehicle], second, partner)
            fact[vehicle] += 1
            _join(data, partner, vehicle, fact)


@compiled
def _put(route: Any, size: int, position: int, node: int) -> None:
    for later in range(size, position, -1):
        route[later] = route[later - 1]
    route[position] = node


@compiled
def _best_place(
    cost: Any,
    data: Any,
    plan: Any,
    fact: Any,
    node: int,
    partner: int,
    random: Any,
    blink: float,
    scratch: Any,
    seen: Any,
    call: int,
) -> Any:
    """Return the vehicle, and the place in its route, where a customer costs least; -1 if none can take it.

    For a pair also the place of the delivery, counted with the pickup in the route. ``seen`` has for each kind of
    vehicle the number of the call that last looked at an empty one.
    """
    vehicles, many = len(data.start), len(data.customers)
    best = data.penalty[node] + (data.penalty[partner] if partner >= 0 else 0.0)
    found, first, second = -1, 0, 0
    for vehicle in range(vehicles):
        size, route = fact[vehicle], plan[vehicle]
        if not size:  # of empty vehicles that are alike the first is enough
            if seen[data.kind[vehicle]] == call:
                continue
            seen[data.kind[vehicle]] = call
        if data.plain and fact[vehicles + many + vehicle] + data.demand[node] > data.capacity[vehicle]:
            continue
        start, end = data.start[vehicle], data.end[vehicle]
        for position in range(size + 1):
            before = route[position - 1] if position else start
            after = route[position] if position < size else end
            base = data.fixed[vehicle] if not size else -cost[before, after]
            if partner < 0:
                extra = cost[before, node] + cost[node, after] + base
                if extra < best and (blink == 0.0 or _uniform(random) >= blink):
                    if not data.plain:
                        scratch[:size] = route[:size]
                        _put(scratch, size, position, node)
                        if not is_route(scratch, size + 1, vehicle, cost, data):
                            continue
                    best, found, first = extra, vehicle, position
                continue
            for drop in range(position + 1, size + 2):
                ahead = route[drop - 1] if drop <= size else end
                if drop == position + 1:
                    extra = cost[before, node] + cost[node, partner] + cost[partner, after] + base
                else:
                    behind = route[drop - 2]
                    extra = cost[before, node] + cost[node, after] + base
                    extra += cost[behind, partner] + cost[partner, ahead] - cost[behind, ahead]
                if extra < best and (blink == 0.0 or _uniform(random) >= blink):
                    scratch[:size] = route[:size]
                    _put(scratch, size, position, node)
                    _put(scratch, size + 1, drop, partner)
                    if is_route(scratch, size + 2, vehicle, cost, data):
                        best, found, first, second = extra, vehicle, position, drop
    return found, first, second
