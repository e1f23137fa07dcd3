"""Assignment on a full matrix of costs: shortest augmenting paths after Jonker and Volgenant, in integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_networkx._kernels.integers import to_integers
from imle_networkx._kernels.integers import width as width_of

UNREACHED = 2**62
"""Above every distance and every reduced cost."""

SWEEPS = 3
"""How often each free agent bids for its best task before paths are searched; a few more or less make no difference."""


def width(agents: int) -> int:
    """Return to how many bits costs may be rounded for so many agents, 52 at most.

    With costs up to C, no potential exceeds (2 agents + 2) C, because it is an alternating sum along a path,
    nor the bids before (2 SWEEPS agents) C; a distance is a sum of four such numbers.
    """
    return min(52, width_of(8 * SWEEPS * (agents + 1)))


@compiled
def solve_dense(
    theta: Any, state: Any, rows: int, columns: int, sign: int, partial: bool, width: int
) -> None:
    """Assign every member of the smaller side to a different one of the other, at the least cost.

    Inner loops run along the longer side, over integers: unlike those over floats, LLVM vectorises the minima.

    Args:
        theta: Costs, shape ``(N, rows * columns)``.
        state: Filled with 1 for each pair; zeros, shape of theta.
        rows: Rows of the matrix.
        columns: Columns of the matrix.
        sign: 1 for the least sum, -1 for the largest.
        partial: Whether to leave out pairs that do not lower the cost.
        width: See :func:`width`.
    """
    turned = rows > columns
    agents, tasks = min(rows, columns), max(rows, columns)
    flat, cost = np.empty(agents * tasks, np.int64), np.empty((agents, tasks), np.int64)
    agent_price, task_price = np.empty(agents, np.int64), np.empty(tasks, np.int64)
    task_of, agent_of = np.empty(agents, np.int64), np.empty(tasks, np.int64)
    free, scanned = np.empty(agents, np.int64), np.empty(agents, np.int64)
    distance, previous, closed = (
        np.empty(tasks, np.int64),
        np.empty(tasks, np.int64),
        np.empty(tasks, np.int64),
    )
    for row in range(theta.shape[0]):
        to_integers(theta[row], width, np.inf, flat)
        for agent in range(agents):
            for task in range(tasks):
                one = sign * flat[task * agents + agent if turned else agent * tasks + task]
                # A pair that does not pay costs nothing, and is left out below.
                cost[agent, task] = min(one, 0) if partial else one
        left = _bid(cost, agent_price, task_price, task_of, agent_of, free, distance)
        for k in range(left):
            _augment(
                free[k],
                cost,
                agent_price,
                task_price,
                task_of,
                agent_of,
                distance,
                previous,
                closed,
                scanned,
            )
        for agent in range(agents):
            task = task_of[agent]
            if not partial or cost[agent, task] < 0:
                state[row, task * agents + agent if turned else agent * tasks + task] = 1


@compiled
def _bid(
    cost: Any, agent_price: Any, task_price: Any, task_of: Any, agent_of: Any, free: Any, reduced: Any
) -> int:
    """Set potentials and a partial assignment that fits them; return how many agents are left in ``free``.

    Each free agent takes its best task, also from another agent, and lowers the price of the task as far as its
    second best allows. With as many tasks as agents, all tasks will be taken, and prices may begin at the
    least cost of each; otherwise those of free tasks must remain 0.
    """
    agents, tasks = cost.shape
    task_of[:] = -1
    agent_of[:] = -1
    task_price[:] = 0
    if agents == tasks:
        task_price[:] = cost[0]
        for agent in range(1, agents):
            for task in range(tasks):
                task_price[task] = min(task_price[task], cost[agent, task])
    left = agents
    for k in range(agents):
        free[k] = k
    for _ in range(SWEEPS):
        bidders, left = left, 0
        for k in range(bidders):
            agent = free[k]
            best = second = np.int64(UNREACHED)
            for task in range(tasks):
                reduced[task] = cost[agent, task] - task_price[task]
                best = min(best, reduced[task])
            task = 0
            while reduced[task] != best:
                task += 1
            reduced[task] = UNREACHED
            for other in range(tasks):
                second = min(second, reduced[other])
            if second == best and agent_of[task] >= 0:  # of equal ones, rather one that is free
                for other in range(tasks):
                    if reduced[other] == best and agent_of[other] < 0:
                        task = other
            loser = agent_of[task]
            if loser >= 0 and second == best:
                free[left] = agent
                left += 1
                continue
            if tasks > 1:
                task_price[task] -= second - best
            task_of[agent], agent_of[task] = task, agent
            if loser >= 0:
                task_of[loser] = -1
                free[left] = loser
                left += 1
        if left == 0:
            break
    for agent in range(agents):
        if task_of[agent] >= 0:
            agent_price[agent] = cost[agent, task_of[agent]] - task_price[task_of[agent]]
    return left


@compiled
def _augment(
    source: int,
    cost: Any,
    agent_price: Any,
    task_price: Any,
    task_of: Any,
    agent_of: Any,
    distance: Any,
    previous: Any,
    closed: Any,
    scanned: Any,
) -> None:
    """Assign one more agent, along the shortest path from it to a free task, by Dijkstra's algorithm."""
    tasks = len(task_price)
    distance[:] = UNREACHED
    closed[:] = 0
    agent_price[source] = (cost[source] - task_price).min()
    agent, count = source, 0
    nearest = np.int64(0)
    while True:
        base = nearest - agent_price[agent]
        nearest = np.int64(UNREACHED)
        for task in range(tasks):
            # A closed task is no nearer, because reduced costs are exactly non-negative.
            through = cost[agent, task] - task_price[task] + base
            nearer = through < distance[task]
            distance[task] = through if nearer else distance[task]
            previous[task] = agent if nearer else previous[task]
            nearest = min(nearest, distance[task] | closed[task])
        last = -1
        for task in range(tasks):
            if distance[task] | closed[task] == nearest and (last < 0 or agent_of[task] < 0):
                last = task
        if agent_of[last] < 0:
            break
        closed[last] = UNREACHED
        scanned[count] = last
        count += 1
        agent = agent_of[last]
    agent_price[source] += nearest
    for k in range(count):
        task = scanned[k]
        agent_price[agent_of[task]] += nearest - distance[task]
        task_price[task] -= nearest - distance[task]
    task = last
    agent = -1
    while agent != source:
        agent = previous[task]
        agent_of[task] = agent
        task_of[agent], task = task, task_of[agent]
