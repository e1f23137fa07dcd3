"""Moves that improve a tour: 2-opt, or-opt, and 3-opt without turning anything round."""

from __future__ import annotations

from typing import Any

from imle_core.kernels import compiled

LONGEST = 3
"""How many nodes or-opt moves at once."""


@compiled
def number(cost: Any, symmetric: bool, tour: Any, place: Any, extra: Any) -> None:
    """Set the place of each node, and what it costs more to go back from each place to the first than to come there."""
    for i in range(len(tour)):
        place[tour[i]] = i
    if not symmetric:
        for i in range(1, len(tour)):
            extra[i] = extra[i - 1] + cost[tour[i], tour[i - 1]] - cost[tour[i - 1], tour[i]]


@compiled
def _turned(cost: Any, tour: Any, extra: Any, first: int, last: int) -> int:
    """Return what it costs more to go through the places from first on to last (round the end) the other way."""
    if first <= last:
        return extra[last] - extra[first]
    end, start = tour[-1], tour[0]
    return extra[-1] - extra[first] + extra[last] + cost[start, end] - cost[end, start]


@compiled
def exchange(
    cost: Any, symmetric: bool, near: Any, tour: Any, place: Any, extra: Any, node: int, ends: Any
) -> int:
    """Make the first 2-opt move that joins a node to a near one at less cost; return the change, or 0."""
    n = len(tour)
    here = place[node]
    after, before = tour[(here + 1) % n], tour[here - 1]
    for other in near[node]:
        between = min(cost[node, other], cost[other, node])
        if symmetric and between >= max(cost[node, after], cost[before, node]):
            break
        there = place[other]
        # ... node after ... other beyond ...: to go on to other, through the part between them the other way.
        beyond = tour[(there + 1) % n]
        delta = cost[node, other] + cost[after, beyond] - cost[node, after] - cost[other, beyond]
        if not symmetric and other != after:
            delta += _turned(cost, tour, extra, (here + 1) % n, there)
        if delta < 0 and other != after and beyond != node:
            _reverse(tour, place, (here + 1) % n, there, symmetric)
            ends[0], ends[1], ends[2], ends[3] = node, after, other, beyond
            if not symmetric:
                number(cost, symmetric, tour, place, extra)
            return delta
        # ... before node ... beyond other ...
        beyond = tour[there - 1]
        delta = cost[before, beyond] + cost[node, other] - cost[before, node] - cost[beyond, other]
        if not symmetric and other != before:
            delta += _turned(cost, tour, extra, here, (there - 1) % n)
        if delta < 0 and other != before and beyond != node:
            _reverse(tour, place, here, (there - 1) % n, symmetric)
            ends[0], ends[1], ends[2], ends[3] = node, before, other, beyond
            if not symmetric:
                number(cost, symmetric, tour, place, extra)
            return delta
    return 0


@compiled
def _reverse(tour: Any, place: Any, first: int, last: int, symmetric: bool) -> None:
    """Turn the part of a tour from one place on to another round; where it is all one, rather the rest of it."""
    n = len(tour)
    length = (last - first) % n + 1
    if symmetric and 2 * length > n:
        first, last, length = (last + 1) % n, (first - 1) % n, n - length
    for _ in range(length // 2):
        tour[first], tour[last] = tour[last], tour[first]
        place[tour[first]], place[tour[last]] = first, last
        first = first + 1 if first + 1 < n else 0
        last = last - 1 if last > 0 else n - 1


@compiled
def shift(
    cost: Any,
    symmetric: bool,
    near: Any,
    tour: Any,
    place: Any,
    extra: Any,
    node: int,
    ends: Any,
    part: Any,
) -> int:
    """Make the first or-opt move that brings a node beside a near one at less cost; return the change, or 0.

    Up to three nodes move, of which the node is the first or the last, either way round.
    """
    n = len(tour)
    here = place[node]
    for length in range(1, min(LONGEST, n - 3) + 1):
        for side in range(2 if length > 1 else 1):
            start = here if side == 0 else (here - length + 1) % n
            stop = (start + length - 1) % n
            first, last = tour[start], tour[stop]
            before, after = tour[start - 1], tour[(stop + 1) % n]
            gain = cost[before, first] + cost[last, after] - cost[before, after]
            turned = 0 if symmetric else _turned(cost, tour, extra, start, stop)
            for other in near[node]:
                if symmetric and cost[node, other] >= gain:
                    break
                there = place[other]
                if (there - start) % n < length:
                    continue
                for way in range(2):  # behind the other node, or in front of it
                    u = other if way == 0 else tour[there - 1]
                    v = tour[(there + 1) % n] if way == 0 else other
                    if v == first or u == last:
                        continue  # where they are already
                    arc = cost[u, v]
                    onward = cost[u, first] + cost[last, v] - arc - gain
                    back = cost[u, last] + cost[first, v] + turned - arc - gain
                    delta = min(onward, back)
                    if delta < 0:
                        _move(tour, place, start, length, place[u], back < onward, part)
                        if not symmetric:
                            number(cost, symmetric, tour, place, extra)
                        ends[0], ends[1], ends[2] = before, first, last
                        ends[3], ends[4], ends[5] = after, u, v
                        return delta
    return 0


@compiled
def _move(tour: Any, place: Any, start: int, length: int, behind: int, turned: bool, part: Any) -> None:
    """Move the part of a tour that begins at a place behind another place, over the shorter way."""
    n = len(tour)
    for i in range(length):
        part[i] = tour[(start + i) % n]
    ahead = (behind - start - length) % n + 1  # nodes that come to stand in front of the part
    if ahead <= n - length - ahead:
        for i in range(ahead):
            node, to = tour[(start + length + i) % n], (start + i) % n
            tour[to], place[node] = node, to
        to = (start + ahead) % n
    else:
        back = n - length - ahead  # or that come to stand behind it
        for i in range(back):
            node, to = tour[(start - 1 - i) % n], (start + length - 1 - i) % n
            tour[to], place[node] = node, to
        to = (start - back) % n
    for i in range(length):
        node = part[length - 1 - i] if turned else part[i]
        tour[(to + i) % n], place[node] = node, (to + i) % n


@compiled
def swap(cost: Any, onward: Any, tour: Any, place: Any, extra: Any, node: int, ends: Any, part: Any) -> int:
    """Make the first 3-opt move after a node that turns nothing round, at less cost; return the change, or 0.

    It exchanges two neighbouring parts of the tour, which suits costs that depend on the direction.
    """
    n = len(tour)
    begin = (place[node] + 1) % n
    after = tour[begin]
    for other in onward[node]:
        gain = cost[node, after] - cost[node, other]
        if gain <= 0:
            break
        one = (place[other] - begin) % n  # the length of the first part, which ends in front of other
        if one == 0:
            continue
        last = tour[place[other] - 1]
        for beyond in onward[last]:
            more = gain + cost[last, other] - cost[last, beyond]
            if more <= 0:
                break
            two = (place[beyond] - begin) % n - one
            if two <= 0:
                continue
            end = tour[place[beyond] - 1]
            delta = cost[end, after] - cost[end, beyond] - more
            if delta < 0:
                exchange_parts(tour, begin, one, two, part)
                number(cost, False, tour, place, extra)
                ends[0], ends[1], ends[2] = node, after, other
                ends[3], ends[4], ends[5] = last, beyond, end
                return delta
    return 0


@compiled
def exchange_parts(tour: Any, begin: int, one: int, two: int, part: Any) -> None:
    """Exchange two neighbouring parts of a tour, of so many nodes, of which the first begins at a place."""
    n = len(tour)
    for i in range(one + two):
        part[i] = tour[(begin + i) % n]
    for i in range(one + two):
        tour[(begin + i) % n] = part[one + i] if i < two else part[i - two]
