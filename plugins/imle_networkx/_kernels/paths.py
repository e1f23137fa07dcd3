"""One batch of rows: which compiled algorithm, and how many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.parallel import share
from imle_networkx._kernels.heap import solve_heap
from imle_networkx._kernels.lanes import solve_lanes
from imle_networkx._kernels.pull import LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_networkx._kernels.arcs import Arcs

FEW_ROWS = 4
"""Up to so many rows Dijkstra is the faster one: lanes that no row fills cost as much as the others."""

LARGE = 16 * 2**20
"""Bytes for one block of lanes from which on sweeps wait for memory, and Dijkstra is the faster one."""

PARALLEL = 100_000
"""Rows times arcs from which on threads are worth their start."""


def outgrows_cache(arcs: Arcs) -> bool:
    """Whether the distances and costs of one block of lanes, in single precision, are ``LARGE``."""
    numbers = len(arcs.in_ptr) - 1 + len(arcs.slot_column)
    return numbers * LANES * np.dtype(np.float32).itemsize > LARGE


def solve_batch(
    costs: NDArray[Any],
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    arcs: Arcs,
    *,
    nonnegative: bool,
    threads: int,
) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """Solve every row.

    Args:
        costs: Shape ``(rows, entries)``, contiguous, float32 or float64.
        sources: First node of each row.
        targets: Last node of each row.
        arcs: The graph.
        nonnegative: Whether no cost is below zero, which Dijkstra's algorithm needs.
        threads: Threads at most.

    Returns:
        States, shape ``(rows, entries)``, and the status of each row, see :mod:`imle_networkx._kernels.lanes`. Both
        algorithms give the same states, so that neither the size of a batch nor the threads make a difference.
    """
    state, status = np.zeros_like(costs), np.empty(len(costs), np.int8)
    by_heap = nonnegative and (len(costs) <= FEW_ROWS or outgrows_cache(arcs))

    def work(start: int, stop: int) -> None:
        rows = slice(start, stop)
        part = costs[rows], sources[rows], targets[rows], state[rows], status[rows]
        if by_heap:
            solve_heap(*part, arcs)
        else:
            solve_lanes(*part, arcs, nonnegative)

    worthwhile = len(costs) * len(arcs.in_tail) >= PARALLEL
    share(work, len(costs), block=1 if by_heap else LANES, threads=threads if worthwhile else 1)
    return state, status
