"""Tours as states: matrices of the arcs that are used, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled


@compiled
def write_states(tours: Any, nodes: Any, counts: Any, undirected: bool, states: Any) -> None:
    """Write a 1 for each arc of each row's tour, and for the arc back if it is undirected.

    Args:
        tours: Places among the nodes of a row, in the order of its tour, shape ``(N, n)``.
        nodes: The nodes that each row visits, shape ``(N, n)``.
        counts: How many these are, shape ``(N,)``.
        undirected: Whether tours are.
        states: Zeros, shape ``(N, n, n)``.
    """
    for row in range(len(tours)):
        count = counts[row]
        for place in range(count if count > 1 else 0):
            tail, head = nodes[row, tours[row, place - 1]], nodes[row, tours[row, place]]
            if place == 0:
                tail = nodes[row, tours[row, count - 1]]
            states[row, tail, head] = 1
            if undirected:
                states[row, head, tail] = 1


@compiled
def read_tours(states: Any, nodes: Any, counts: Any, undirected: bool, tours: Any) -> Any:
    """Read the tour of each state, beginning with the row's first node, and, if undirected, its smaller neighbour.

    Args:
        states: Shape ``(N, n, n)``.
        nodes: The nodes that each row visits, ascending, shape ``(N, n)``.
        counts: How many these are, shape ``(N,)``.
        undirected: Whether states are of undirected tours.
        tours: Filled with places among the nodes of the row, shape ``(N, n)``, where there is a tour.

    Returns:
        Whether each state is one of a tour through exactly these nodes, shape ``(N,)``.
    """
    good = np.zeros(len(states), np.bool_)
    for row in range(len(states)):
        good[row] = _read(states[row], nodes[row, : counts[row]], undirected, tours[row])
    return good


@compiled
def _read(state: Any, nodes: Any, undirected: bool, tour: Any) -> bool:
    count, used = len(nodes), 0
    for i in range(len(state)):
        for j in range(len(state)):
            if state[i, j] != 0:
                if state[i, j] != 1 or i == j or (undirected and state[j, i] != 1):
                    return False
                used += 1
    arcs = 0 if count == 1 else count
    if used != (2 * arcs if undirected and count > 2 else arcs):
        return False
    here = before = 0
    for place in range(count):
        tour[place] = here
        if place == count - 1:
            return count == 1 or state[nodes[here], nodes[0]] == 1
        after = -1
        for other in range(count):
            if other != before and state[nodes[here], nodes[other]] == 1:
                after = other
                break
        if after <= 0:  # nowhere, or back too early
            return False
        before, here = (here if undirected else -1), after
    return False
