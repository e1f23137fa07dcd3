"""Vehicle routes by a dynamic programme over sets of customers: exact, for few customers."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_ortools._kernels.vrp_data import fill_costs


@compiled
def solve_exact(theta: Any, data: Any, state: Any, objective: Any) -> None:
    r"""Find the plan of least cost for each row.

    First the cheapest route r(S) of each kind of vehicle through each set S of customers, by labels: for each S and
    last customer the cost, time and length of ways, of which those are dropped that are no better in any of the three
    (without windows and limits of length that leaves one, as in Held and Karp's method). Kinds that start at one depot
    share them, unless loads may fall. Then the cheapest way to split the customers:

    .. math:: g_k(S) = \min\Bigl(g_{k-1}(S), \min_{T \subseteq S} g_{k-1}(S \setminus T) + r_k(T)\Bigr)

    All is sums and comparisons of floats, smallest sets first: an enormous cost harms no sum that it is not in.

    Args:
        theta: Costs, shape ``(N, n, n)``, float64.
        data: A :class:`imle_ortools._kernels.vrp_data.Data`.
        state: Filled with 1 for each arc used; zeros, shape of theta.
        objective: Filled with the cost of each plan, infinite where there is none; shape ``(N,)``.
    """
    nodes, many = len(data.demand) - 1, len(data.customers)
    cost = np.empty((nodes + 1, nodes + 1))
    sets = 1 << many
    load, skipped = np.zeros(sets, np.int64), np.zeros(sets)
    for one in range(1, sets):
        last = 0
        while not (one >> last) & 1:
            last += 1
        rest = one & (one - 1)
        load[one] = load[rest] + data.demand[data.customers[last]]
        skipped[one] = skipped[rest] + data.penalty[data.customers[last]]
    kinds = data.kind.max() + 1
    price, final = np.empty((kinds, sets)), np.empty((kinds, sets), np.int64)
    first, group = _groups(data)
    for row in range(len(theta)):
        fill_costs(theta[row], data, cost)
        costs, facts = np.empty(4 * sets + 64), np.empty((4 * sets + 64, 5), np.int64)
        used = 0
        for number in range(group.max() + 1):
            mates = np.flatnonzero(group == number)
            used, costs, facts = _price(cost, data, mates, first, load, costs, facts, used, price, final)
        routes, objective[row] = _split(data, price, skipped)
        if objective[row] == np.inf:
            continue
        for vehicle in range(len(data.start)):
            if routes[vehicle]:
                after, label = data.end[vehicle], final[data.kind[vehicle], routes[vehicle]]
                while label >= 0:
                    node = data.customers[facts[label, 2]]
                    if after < nodes:
                        state[row, node, after] = 1
                    after, label = node, facts[label, 3]
                state[row, data.start[vehicle], after] = 1


@compiled
def _groups(data: Any) -> Any:
    """Return the first vehicle of each kind, and a number for each kind, the same for those with the same labels.

    They start at one depot. What a vehicle can carry at most does not matter on the way where loads only rise: then
    the load of the whole set is the largest.
    """
    rising = (data.demand >= 0).all()
    kinds = data.kind.max() + 1
    first, group, groups = np.empty(kinds, np.int64), np.full(kinds, -1), 0
    for vehicle in range(len(data.start) - 1, -1, -1):
        first[data.kind[vehicle]] = vehicle
    for kind in range(kinds):
        mine = first[kind]
        for other in range(kind):
            its = first[other]
            if data.start[mine] == data.start[its] and (rising or data.capacity[mine] == data.capacity[its]):
                group[kind] = group[other]
        if group[kind] < 0:
            group[kind] = groups
            groups += 1
    return first, group


@compiled
def _price(
    cost: Any,
    data: Any,
    mates: Any,
    first: Any,
    load: Any,
    costs: Any,
    facts: Any,
    used: int,
    price: Any,
    final: Any,
) -> Any:
    """Find the cheapest route of each kind of vehicle in a group through each set of customers.

    Labels, from ``used`` on, are rows of ``costs`` and of ``facts``: time, length, last customer, label before, and
    the next label of the same set and last customer. Both arrays are replaced by larger ones when they are full.

    Returns:
        The number of labels, and both arrays.
    """
    customers, many, sets = data.customers, len(data.customers), price.shape[1]
    start = data.start[first[mates[0]]]
    capacity, longest = data.capacity[first[mates]].max(), data.longest[first[mates]].max()
    head = np.full((sets, many), -1, np.int64)
    pickup, delivery = np.full(many, -1), np.full(many, -1)
    for i in range(many):
        for j in range(many):
            if data.delivery[customers[i]] == customers[j]:
                delivery[i], pickup[j] = j, i
    for kind in mates:
        price[kind], final[kind] = np.inf, -1
        price[kind, 0] = 0.0
    for before in range(sets):
        if before and (load[before] < 0 or load[before] > capacity):
            continue
        closed = True
        for i in range(many):
            closed &= not ((before >> i) & 1 and delivery[i] >= 0 and not (before >> delivery[i]) & 1)
        for last in range(many if before else 1):
            label = head[before, last] if before else -1
            while label >= 0 or before == 0:
                node = customers[last] if before else start
                time = facts[label, 0] if before else data.early[node]
                walked = facts[label, 1] if before else 0
                paid = costs[label] if before else 0.0
                if closed and before:
                    for kind in mates:
                        end, total = data.end[first[kind]], paid + cost[node, data.end[first[kind]]]
                        if (
                            total < price[kind, before]
                            and load[before] <= data.capacity[first[kind]]
                            and time + data.travel[node, end] <= data.late[end]
                            and walked + data.length[node, end] <= data.longest[first[kind]]
                        ):
                            price[kind, before], final[kind, before] = total, label
                for i in range(many):
                    after = before | (1 << i)
                    if after == before or load[after] < 0 or load[after] > capacity:
                        continue
                    if pickup[i] >= 0 and not (before >> pickup[i]) & 1:
                        continue
                    there = customers[i]
                    new = paid + cost[node, there]
                    when = max(time + data.travel[node, there], data.early[there])
                    far = walked + data.length[node, there]
                    if new == np.inf or when > data.late[there] or far > longest:
                        continue
                    if not _drop_worse(head, after, i, costs, facts, new, when, far):
                        continue
                    if used == len(costs):
                        more_costs, more_facts = np.empty(2 * used), np.empty((2 * used, 5), np.int64)
                        more_costs[:used], more_facts[:used] = costs, facts
                        costs, facts = more_costs, more_facts
                    costs[used] = new
                    facts[used, 0], facts[used, 1], facts[used, 2] = when, far, i
                    facts[used, 3], facts[used, 4] = label, head[after, i]
                    head[after, i] = used
                    used += 1
                if not before:
                    break
                label = facts[label, 4]
    return used, costs, facts


@compiled
def _drop_worse(
    head: Any, after: int, last: int, costs: Any, facts: Any, new: float, when: int, far: int
) -> bool:
    """Drop the labels of a set and last customer that a new one beats; False if one of them beats it."""
    label, previous = head[after, last], -1
    while label >= 0:
        following = facts[label, 4]
        if costs[label] <= new and facts[label, 0] <= when and facts[label, 1] <= far:
            return False
        if costs[label] >= new and facts[label, 0] >= when and facts[label, 1] >= far:
            if previous < 0:
                head[after, last] = following
            else:
                facts[previous, 4] = following
        else:
            previous = label
        label = following
    return True


@compiled
def _split(data: Any, price: Any, skipped: Any) -> Any:
    """Split the customers among vehicles; return the set of each vehicle, as bits, and the cost of all."""
    vehicles, sets = len(data.start), price.shape[1]
    routes = np.zeros(vehicles, np.int64)
    if len(price) == 1:
        best, choice, used = _cover(price[0], data.fixed[0], skipped)
        if best < 0:
            return routes, np.inf
        if used > vehicles:  # more than there are: count them
            return _limited(data, price, skipped, True)
        left, vehicle = best, 0
        while left:
            routes[vehicle] = choice[left]
            left &= ~choice[left]
            vehicle += 1
        total = skipped[(sets - 1) & ~best]
        for vehicle in range(vehicles):
            if routes[vehicle]:
                total += price[0, routes[vehicle]] + data.fixed[vehicle]
        return routes, total
    return _limited(data, price, skipped, False)


@compiled
def _cover(price: Any, fixed: float, skipped: Any) -> Any:
    """Split the customers among as many equal vehicles as it takes; the route with the lowest customer goes first.

    Returns:
        The set of the customers that are visited (-1 if there is no plan), the route of each set to take first, and
        how many routes there are.
    """
    sets = len(price)
    value, choice = np.full(sets, np.inf), np.zeros(sets, np.int64)
    value[0] = 0.0
    for one in range(1, sets):
        lowest = one & -one
        rest = one ^ lowest
        part = rest
        while True:
            route = part | lowest
            if price[route] < np.inf:
                total = value[one ^ route] + price[route] + fixed
                if total < value[one]:
                    value[one], choice[one] = total, route
            if part == 0:
                break
            part = (part - 1) & rest
    best, least = -1, np.inf
    for one in range(sets):
        total = value[one] + skipped[sets - 1 - one]
        if total < least:
            best, least = one, total
    used, left = 0, max(best, 0)
    while left:
        left &= ~choice[left]
        used += 1
    return best, choice, used


@compiled
def _limited(data: Any, price: Any, skipped: Any, alike: bool) -> Any:
    """Split the customers among the vehicles one by one; if all are alike, in the order of their lowest customers."""
    vehicles, sets = len(data.start), price.shape[1]
    value = np.full((vehicles + 1, sets), np.inf)
    choice = np.zeros((vehicles + 1, sets), np.int64)
    value[0, 0] = 0.0
    for vehicle in range(vehicles):
        route_price, fixed = price[data.kind[vehicle]], data.fixed[vehicle]
        before, after, chosen = value[vehicle], value[vehicle + 1], choice[vehicle + 1]
        after[:] = before
        for one in range(1, sets):
            always = one & -one if alike else 0
            rest = one ^ always
            part = rest
            while True:
                route = part | always
                if route and route_price[route] < np.inf:
                    total = before[one ^ route] + route_price[route] + fixed
                    if total < after[one]:
                        after[one], chosen[one] = total, route
                if part == 0:
                    break
                part = (part - 1) & rest
    routes = np.zeros(vehicles, np.int64)
    best, least = -1, np.inf
    for one in range(sets):
        total = value[vehicles, one] + skipped[sets - 1 - one]
        if total < least:
            best, least = one, total
    left = max(best, 0)
    for vehicle in range(vehicles, 0, -1):
        routes[vehicle - 1] = choice[vehicle, left]
        left ^= choice[vehicle, left]
    return routes, least
