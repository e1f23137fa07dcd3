"""Knapsacks by CP-SAT, for values of any range."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from ortools.sat.python import cp_model

from imle_core.errors import SolverError
from imle_core.parallel import interruptible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DIGIT = 40
"""Bits of one digit, where values have several."""
FLOAT = 900
"""Bits of a value that a float holds, whatever it is divided by."""


class Found(NamedTuple):
    """The items that were chosen, and whether there are proven to be none of greater value."""

    chosen: list[bool]
    proven: bool


def bits_of(items: int) -> int:
    """Return how many bits the values of so many items may have: CP-SAT adds them up, and bounds of theirs."""
    return 57 - items.bit_length()


def pack(
    solver: cp_model.CpSolver,
    values: Sequence[int],
    weights: NDArray[np.int64],
    capacities: NDArray[np.int64],
    *,
    hint: Sequence[bool] | None,
    time_limit: float | None,
) -> Found:
    r"""Return the items of greatest value.

    Values that do not fit into 64 bits are written in digits of a base :math:`\beta`. The total has digits as well,
    which a carry from each to the next makes unique, :math:`\sum_i d_{ik} x_i + q_{k-1} = \beta q_k + r_k` with
    :math:`0 \le r_k < \beta`; so the greatest total has the greatest leading digit, with it the greatest second one,
    and so on: each is maximised, and kept.

    Args:
        solver: Its parameters are set.
        values: Python's integers above 0.
        weights: Of the items, shape ``(dimensions, items)``.
        capacities: Shape ``(dimensions,)``.
        hint: Items to begin with, which must fit; None: those of greatest value for their weight.
        time_limit: In seconds, for everything; None for none.
    """
    deadline = None if time_limit is None else time.monotonic() + time_limit
    model = cp_model.CpModel()
    items = [model.new_bool_var("") for _ in values]
    for row, capacity in zip(weights.tolist(), capacities.tolist(), strict=True):
        model.add(cp_model.LinearExpr.weighted_sum(items, row) <= capacity)
    best = _greedy(values, weights, capacities) if hint is None else list(hint)
    digits = _digits(model, items, values)
    for place, digit in enumerate(digits):
        model.maximize(digit)
        model.clear_hints()  # type: ignore[no-untyped-call]
        for item, is_in in zip(items, best, strict=True):
            model.add_hint(item, is_in)
        status = _solve(solver, model, deadline)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            best = [bool(solver.value(item)) for item in items]
        elif status != cp_model.UNKNOWN:
            raise SolverError(f"CP-SAT ended with {solver.status_name(status)}; please report the problem.")
        if status != cp_model.OPTIMAL:
            return Found(best, proven=False)
        if place < len(digits) - 1:
            model.add(digit == solver.value(digit))
    return Found(best, proven=True)


def _greedy(values: Sequence[int], weights: NDArray[np.int64], capacities: NDArray[np.int64]) -> list[bool]:
    """Return items that fit, taken one after the other by value for their share of the capacities."""
    share = (weights / np.maximum(capacities, 1)[:, None]).sum(0)
    excess = max(0, max(values).bit_length() - FLOAT)
    worth = np.array([float(value >> excess) for value in values]) / np.maximum(share, np.finfo(float).tiny)
    chosen, room = [False] * len(values), capacities.copy()
    for item in np.argsort(-worth, kind="stable").tolist():
        if (weights[:, item] <= room).all():
            chosen[item] = True
            room -= weights[:, item]
    return chosen


def _digits(
    model: cp_model.CpModel, items: list[cp_model.IntVar], values: Sequence[int]
) -> list[cp_model.LinearExpr]:
    """Return the digits of the total value, the leading one first."""
    if max(values).bit_length() <= bits_of(len(values)):
        return [cp_model.LinearExpr.weighted_sum(items, values)]
    base = 1 << DIGIT
    digits: list[cp_model.LinearExpr] = []
    carry: cp_model.LinearExpr | int = 0
    rest = list(values)
    while max(rest) >= base:
        total = cp_model.LinearExpr.weighted_sum(items, [value % base for value in rest]) + carry
        digit = model.new_int_var(0, base - 1, "")
        carry = model.new_int_var(0, len(items), "")
        model.add(total == base * carry + digit)
        digits.append(digit)
        rest = [value // base for value in rest]
    digits.append(cp_model.LinearExpr.weighted_sum(items, rest) + carry)
    return digits[::-1]


def _solve(
    solver: cp_model.CpSolver, model: cp_model.CpModel, deadline: float | None
) -> cp_model.CpSolverStatus:
    parameters = solver.parameters
    parameters.num_workers = 1
    parameters.catch_sigint_signal = False  # it would leave the process without the handler of Python
    parameters.random_seed = 0
    parameters.cp_model_presolve = False
    parameters.linearization_level = 2
    if deadline is not None:
        parameters.max_time_in_seconds = max(0.0, deadline - time.monotonic())
    return interruptible(lambda: solver.solve(model), solver.stop_search)
