"""Which of OR-Tools' algorithms packs a knapsack, and how exactly."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from ortools.algorithms.python.knapsack_solver import KnapsackSolver, SolverType

from imle_core.errors import SolverParameterError
from imle_ortools._pack_by_digits import bits_of

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from imle_ortools._packing import Packing

Method = Literal[
    "auto", "64_items", "dynamic_programming", "divide_and_conquer", "branch_and_bound", "cp_sat"
]

TYPES = {
    "64_items": SolverType.KNAPSACK_64ITEMS_SOLVER,
    "dynamic_programming": SolverType.KNAPSACK_DYNAMIC_PROGRAMMING_SOLVER,
    "divide_and_conquer": SolverType.KNAPSACK_DIVIDE_AND_CONQUER_SOLVER,
    "branch_and_bound": SolverType.KNAPSACK_MULTIDIMENSION_BRANCH_AND_BOUND_SOLVER,
}
"""The algorithms of OR-Tools' KnapsackSolver."""

TABLES = ("dynamic_programming", "divide_and_conquer")
ONE_DIMENSION = ("64_items", *TABLES)

LARGEST_TABLE = 40_000_000
"""Items times capacity at most for a dynamic programme, which takes about 60 ms then."""

LARGEST_ROOM = 100_000_000
"""Capacity at most of a dynamic programme, which takes 16 bytes and 2 ns an item for each unit of it."""

MOST_BRANCHED = 15
"""Items in several dimensions at most for branch and bound, whose time doubles with every one or two more."""


class Task(NamedTuple):
    """What one row asks.

    Attributes:
        packing: What may be packed.
        contested: Numbers of the items that fit and take room from others: the only ones that need a solver.
        weights: Their weights, a list for each dimension.
        capacities: A number for each dimension.
        method: What solves it.
        bits: How many bits values may have.
    """

    packing: Packing
    contested: NDArray[np.intp]
    weights: list[list[int]]
    capacities: list[int]
    method: str
    bits: int

    def pack(self, values: NDArray[np.int64], time_limit: float | None) -> tuple[NDArray[np.bool_], bool]:
        """Return which contested items KnapsackSolver packs, none of value 0, and whether nothing better is proven."""
        useful = (values > 0).tolist()
        listed, weights = values.tolist(), self.weights
        if not all(useful):
            listed = list(compress(listed, useful))
            weights = [list(compress(row, useful)) for row in weights]
        solver = KnapsackSolver(TYPES[self.method], "knapsack")
        solver.init(listed, weights, self.capacities)
        if time_limit is not None:
            solver.set_time_limit(time_limit)
        solver.solve()
        chosen = values > 0
        chosen[chosen] = list(map(solver.best_solution_contains, range(len(listed))))
        return chosen, solver.is_solution_optimal()


def make_task(packing: Packing, method: Method) -> Task:
    """Return the task of packing items by a method.

    Raises:
        SolverParameterError: the method is not for such a knapsack.
    """
    contested = np.flatnonzero(packing.fits & packing.weights.any(0))
    items, dimensions = len(contested), len(packing.capacities)
    room = int(packing.capacities.max(initial=0))
    if method in ONE_DIMENSION and dimensions > 1:
        raise SolverParameterError(
            f"method {method!r} is for one dimension; {dimensions} of these exclude something. Take 'branch_and_bound' "
            "or 'cp_sat'."
        )
    if method == "64_items" and items > 64:
        raise SolverParameterError(f"method '64_items' is for up to 64 items; got {items}.")
    if method in TABLES and room > LARGEST_ROOM:
        raise SolverParameterError(
            f"method {method!r} has a table as long as the capacity, which is {room:,} in the largest unit that all "
            f"weights are multiples of; at most {LARGEST_ROOM:,}. Take 'auto', or round the weights."
        )
    chosen = _best_method(items, dimensions, room) if method == "auto" else method
    weights = packing.weights[:, contested].tolist()
    bits = _bits(chosen, items, room)
    return Task(packing, contested, weights, packing.capacities.tolist(), chosen, bits)


def _best_method(items: int, dimensions: int, room: int) -> str:
    if dimensions > 1:
        return "branch_and_bound" if items <= MOST_BRANCHED else "cp_sat"
    if items <= 64:
        return "64_items"
    return "divide_and_conquer" if items * room <= LARGEST_TABLE else "cp_sat"


def _bits(method: str, items: int, room: int) -> int:
    """Return how many bits values may have for sums, and the bounds that a search prunes by, to be exact."""
    if method == "cp_sat":
        return bits_of(items)
    spare = 62 - items.bit_length()
    if method in TABLES:
        return spare
    # Bounds are products of a value and a capacity, which OR-Tools rounds where they overflow, and it sorts items by
    # the ratio of value and weight, in double precision.
    return max(1, min(50, spare, 62 - room.bit_length()))


def explain(task: Task, method: Any) -> str:
    """Return which algorithm runs and why, in words."""
    how = (
        "CP-SAT, rows shared by threads"
        if task.method == "cp_sat"
        else f"OR-Tools' KnapsackSolver ({task.method}), row by row in one thread, as it holds the GIL"
    )
    why = "by the number of items and the capacities" if method == "auto" else "as asked"
    return (
        f"{how}, {why}; {len(task.contested):,} items that fit and take room, in {len(task.capacities)} dimensions "
        f"that exclude anything; values rounded to {task.bits} bits, rows of wider range by CP-SAT in several digits."
    )
