"""Assignment in a bipartite graph: shortest augmenting paths with potentials, in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.events import drop, push
from imle_networkx._kernels.hall import by_row
from imle_networkx._kernels.integers import to_integers
from imle_networkx._kernels.lap import SWEEPS, UNREACHED

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Pairs(NamedTuple):
    """The pairs of agents and tasks that are allowed, by agent. Any set of agents has at least as many tasks.

    Attributes:
        pointer: First pair of each agent, and their number at the end.
        agent, task: Of each pair.
        entry: Column of each pair; -1 for the task of an agent to do nothing.
    """

    pointer: NDArray[np.int64]
    agent: NDArray[np.int32]
    task: NDArray[np.int32]
    entry: NDArray[np.int32]


def pairs(agent: NDArray[np.int64], task: NDArray[np.int64], entry: NDArray[np.int64], agents: int) -> Pairs:
    """Return pairs as arrays.

    Args:
        agent: Of each pair.
        task: Of each pair.
        entry: Of each pair.
        agents: How many there are.
    """
    pointer, order = by_row(agent, agents)
    return Pairs(pointer, *(each[order].astype(np.int32) for each in (agent, task, entry)))


@compiled
def solve_sparse(theta: Any, state: Any, pairs: Any, tasks: int, sign: int, idle: bool, width: int) -> None:
    """Give every agent a different task, at the least cost.

    Args:
        theta: Costs, shape ``(N, entries)``.
        state: Filled with 1 for each pair; zeros, shape of theta.
        pairs: See :class:`Pairs`.
        tasks: How many there are.
        sign: 1 for the least sum, -1 for the largest.
        idle: Whether agents may do nothing; a pair is then left out unless it lowers the cost.
        width: See :func:`imle_networkx._kernels.lap.width`.
    """
    agents = len(pairs.pointer) - 1
    flat, cost = np.empty(theta.shape[1], np.int64), np.zeros(len(pairs.task), np.int64)
    agent_price, task_price = np.empty(agents, np.int64), np.empty(tasks, np.int64)
    pair_of, agent_of = np.empty(agents, np.int64), np.empty(tasks, np.int64)
    free, scanned = np.empty(agents, np.int64), np.empty(agents, np.int64)
    distance, previous = np.full(tasks, UNREACHED), np.empty(tasks, np.int64)
    touched = np.empty(tasks, np.int64)
    keys, items = np.empty(len(pairs.task), np.int64), np.empty(len(pairs.task), np.int64)
    for row in range(theta.shape[0]):
        to_integers(theta[row], width, np.inf, flat)
        for pair in range(len(cost)):
            if pairs.entry[pair] >= 0:
                cost[pair] = sign * flat[pairs.entry[pair]]
        left = _bid(pairs, cost, agent_price, task_price, pair_of, agent_of, free)
        for k in range(left):
            _augment(
                free[k],
                pairs,
                cost,
                agent_price,
                task_price,
                pair_of,
                agent_of,
                distance,
                previous,
                scanned,
                touched,
                keys,
                items,
            )
        for agent in range(agents):
            pair = pair_of[agent]
            if not idle or cost[pair] < 0:
                state[row, pairs.entry[pair]] = 1


@compiled
def _bid(
    pairs: Any, cost: Any, agent_price: Any, task_price: Any, pair_of: Any, agent_of: Any, free: Any
) -> int:
    """Set potentials and a partial assignment as :mod:`imle_networkx._kernels.lap` does."""
    agents, tasks = len(agent_price), len(task_price)
    pair_of[:] = -1
    agent_of[:] = -1
    task_price[:] = 0
    if agents == tasks:
        task_price[:] = UNREACHED
        for pair in range(len(cost)):
            task = pairs.task[pair]
            task_price[task] = min(task_price[task], cost[pair])
    left = agents
    for k in range(agents):
        free[k] = k
    for _ in range(SWEEPS):
        bidders, left = left, 0
        for k in range(bidders):
            agent = free[k]
            best = second = np.int64(UNREACHED)
            chosen = -1
            for pair in range(pairs.pointer[agent], pairs.pointer[agent + 1]):
                task = pairs.task[pair]
                reduced = cost[pair] - task_price[task]
                if reduced < best or (
                    reduced == best and agent_of[task] < 0 and agent_of[pairs.task[chosen]] >= 0
                ):
                    best, second = reduced, best
                    chosen = pair
                elif reduced < second:
                    second = reduced
            task = pairs.task[chosen]
            loser = agent_of[task]
            if (
                second == UNREACHED
            ):  # the only pair: take a free task at its price, and leave others to the search
                second = best
            if loser >= 0 and second == best:
                free[left] = agent
                left += 1
                continue
            task_price[task] -= second - best
            pair_of[agent], agent_of[task] = chosen, agent
            if loser >= 0:
                pair_of[loser] = -1
                free[left] = loser
                left += 1
        if left == 0:
            break
    for agent in range(agents):
        if pair_of[agent] >= 0:
            agent_price[agent] = cost[pair_of[agent]] - task_price[pairs.task[pair_of[agent]]]
    return left


@compiled
def _augment(
    source: int,
    pairs: Any,
    cost: Any,
    agent_price: Any,
    task_price: Any,
    pair_of: Any,
    agent_of: Any,
    distance: Any,
    previous: Any,
    scanned: Any,
    touched: Any,
    keys: Any,
    items: Any,
) -> None:
    """Assign one more agent, along the shortest path from it to a free task, by Dijkstra's algorithm.

    Whatever is no nearer than the nearest free task known is left aside. ``distance`` is ``UNREACHED`` everywhere
    before and after.
    """
    least = np.int64(UNREACHED)
    for pair in range(pairs.pointer[source], pairs.pointer[source + 1]):
        least = min(least, cost[pair] - task_price[pairs.task[pair]])
    agent_price[source] = least
    agent, nearest, bound = source, np.int64(0), np.int64(UNREACHED)
    size = count = reached = 0
    last = -1
    while True:
        base = nearest - agent_price[agent]
        for pair in range(pairs.pointer[agent], pairs.pointer[agent + 1]):
            task = pairs.task[pair]
            through = cost[pair] - task_price[task] + base
            if through >= bound or through >= distance[task]:
                continue
            if distance[task] == UNREACHED:
                touched[reached] = task
                reached += 1
            distance[task], previous[task] = through, pair
            if agent_of[task] < 0:
                bound, last = through, task
            else:
                size = push(keys, items, size, through, task)
        while size and distance[items[0]] != keys[0]:  # found nearer since
            size = drop(keys, items, size)
        if size == 0 or keys[0] >= bound:
            break
        nearest, task = keys[0], items[0]
        size = drop(keys, items, size)
        scanned[count] = task
        count += 1
        agent = agent_of[task]
    agent_price[source] += bound
    for k in range(count):
        task = scanned[k]
        agent_price[agent_of[task]] += bound - distance[task]
        task_price[task] -= bound - distance[task]
    for k in range(reached):
        distance[touched[k]] = UNREACHED
    agent = -1
    while agent != source:
        pair = previous[last]
        agent = pairs.agent[pair]
        agent_of[last] = agent
        old = pair_of[agent]
        pair_of[agent] = pair
        if agent != source:
            last = pairs.task[old]
