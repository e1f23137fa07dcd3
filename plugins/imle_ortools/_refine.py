"""Flows of least cost for costs of any range: digit by digit, where those of one integer do not suffice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import SolverError
from imle_ortools._kernels.potentials import potentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Solve = Callable[[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.bool_]], NDArray[np.int64]]


def refine(
    costs: NDArray[np.object_],
    ends: NDArray[np.int32],
    capacity: NDArray[np.int64],
    *,
    nodes: int,
    bits: int,
    solve: Solve,
) -> NDArray[np.int64]:
    r"""Return a flow of least cost for integers that need not fit into 64 bits.

    The costs are rounded to multiples of 2^k, and the flow x of least cost for these is found, with prices p that
    prove it. Replacing costs c by :math:`c + p_{tail} - p_{head}` changes the cost of every flow by the same constant,
    and leaves an arc of reduced cost r of the rounded problem with a cost in :math:`(r - 1, r + 1) 2^k`. A better flow
    for the exact costs differs from x by cycles of at most n arcs along each of which it is cheaper, while no arc
    costs less than :math:`-2^k` there: so none passes an arc with :math:`|r| \ge n`. Those keep their flow; the costs
    of the others are below :math:`(n + 1) 2^k`, some bits - log2(n) digits fewer than before, and are rounded to more
    digits.

    Args:
        costs: Of the arcs, Python's integers.
        ends: Tails and heads of the arcs, shape ``(2, arcs)``.
        capacity: Of the arcs; one that is implied by others may be larger.
        nodes: Number n of nodes.
        bits: Of costs that ``solve`` can take, more than log2(n) + 2.
        solve: ``(costs, flow, fixed)``: returns a flow of least cost that is as in ``flow`` where ``fixed``.

    Raises:
        SolverError: a flow that was found is not of least cost.
    """
    tail, head = ends
    fixed = np.zeros(len(costs), np.bool_)
    flow = None
    while True:
        largest = max(np.abs(costs[~fixed]), default=0)
        shift = max(0, int(largest).bit_length() - bits)
        digits = np.where(fixed, 0, costs >> shift).astype(np.int64)
        flow = solve(digits, flow, fixed)
        if not shift:
            return flow
        price, proven = potentials(tail, head, digits, ~fixed & (flow < capacity), ~fixed & (flow > 0), nodes)
        if not proven:
            raise SolverError(
                "OR-Tools returned a flow that is not of least cost; please report the problem."
            )
        lowered = price[tail] - price[head]
        costs = costs + (lowered.astype(object) << shift)
        fixed |= np.abs(digits + lowered) >= nodes
