"""What is done to a programme before a library sees it, and what tells a point of it from others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

FEASIBILITY = 1e-6
"""By how much a constraint of unit size may be missed; what solvers in floating point can promise."""

ROUNDING = 1e-9
"""What is taken for the rounding of a number that was meant to be whole, and of sums of whole columns."""

SWITCH = 16.0
"""A coefficient that is so many times larger than it need be only switches its row off."""


CANCELLED = 1e-10
"""How much of a coefficient may be rounding where it is a difference of large numbers."""


def clean(program: Program) -> Program:
    """Return the programme with whole bounds of its integer columns."""
    lower = np.where(program.integer, np.ceil(program.lower - ROUNDING), program.lower)
    upper = np.where(program.integer, np.floor(program.upper + ROUNDING), program.upper)
    if not (np.array_equal(lower, program.lower) and np.array_equal(upper, program.upper)):
        return program.with_(lower=lower, upper=upper)
    return program


def without_large_switches(program: Program) -> Program:
    r"""Return the programme with the least coefficients that switch rows off as well.

    .. math:: \sum_{j \ne k} a_j x_j + a_k x_k \le b, \quad x_k \in \{0, 1\}, \quad a_k < 0:
       \quad a_k \to b - \max \sum_{j \ne k} a_j x_j

    (and alike for other bounds, signs and limits). No integer point is won or lost. But within the tolerances of a
    library a binary of 5e-7 is 0, and 1e6 times as much allows what 0 forbids.
    """
    entries = _switches(program)
    if not len(entries):
        return program
    values, row_lower, row_upper = program.values.copy(), program.row_lower.copy(), program.row_upper.copy()
    for entry in entries.tolist():
        row, k = int(program.row_of[entry]), int(program.columns[entry])
        sign = 1.0 if np.isfinite(row_upper[row]) else -1.0  # of the row as one with an upper limit
        limit = sign * (row_upper[row] if sign > 0 else row_lower[row])
        others = np.arange(program.starts[row], program.starts[row + 1])
        others = others[others != entry]
        ends = _largest(sign * values[others], program, others)
        most, own = float(ends.sum()), sign * float(values[entry])
        # Where the row binds, at the lower or the upper bound of x_k, what it leaves to the others stays.
        binding, free = program.lower[k], program.upper[k]
        if own > 0:
            binding, free = free, binding
        left = limit - own * binding
        least = min(left - most, 0.0) if own < 0 else max(most - left, 0.0)
        error = np.finfo(float).eps * (abs(limit) + abs(own * binding) + float(np.abs(ends).sum()))
        exact = error <= CANCELLED * abs(least)
        if SWITCH * abs(least) > abs(own) or own * free + most > limit or not exact:
            continue
        values[entry] = sign * least
        changed = sign * (left + least * binding)
        if sign > 0:
            row_upper[row] = changed
        else:
            row_lower[row] = changed
    return program.with_(values=values, row_lower=row_lower, row_upper=row_upper)


def _switches(program: Program) -> NDArray[np.intp]:
    """Return the entries that may be needlessly large, by a rough look at all of them at once."""
    one_sided = np.isfinite(program.row_lower) != np.isfinite(program.row_upper)
    sign = np.where(np.isfinite(program.row_upper), 1.0, -1.0)
    limit = np.where(sign > 0, program.row_upper, -program.row_lower)[program.row_of]
    own = sign[program.row_of] * program.values
    lower, upper = program.lower[program.columns], program.upper[program.columns]
    flips = program.integer[program.columns] & (upper - lower == 1) & one_sided[program.row_of]
    if not flips.any():
        return np.flatnonzero(flips)
    ends = _largest(own, program, np.arange(len(own)))
    with np.errstate(invalid="ignore"):
        most = np.bincount(program.row_of, ends, program.height)[program.row_of] - ends
        room = limit - own * np.where(own < 0, upper, lower) - most  # where x_k lets all others through
        large: NDArray[np.bool_] = flips & (room >= (1 - 1.1 / SWITCH) * np.abs(own)) & (own != 0)
    return np.flatnonzero(large)


def _largest(values: NDArray[np.float64], program: Program, entries: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the largest value of each term, infinity where there is none."""
    columns = program.columns[entries]
    with np.errstate(invalid="ignore"):
        return np.where(values > 0, values * program.upper[columns], values * program.lower[columns]) + 0.0


def contradicts_itself(program: Program) -> bool:
    """Whether bounds or limits cross, or a row without entries cannot hold."""
    empty = np.diff(program.starts) == 0
    return bool(
        (program.lower > program.upper).any()
        or (program.row_lower > program.row_upper).any()
        or (empty & ((program.row_lower > FEASIBILITY) | (program.row_upper < -FEASIBILITY))).any()
    )


def broken(program: Program, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows points do not keep to, whose integer columns are whole: shapes ``(N, columns)``, ``(N, rows)``.

    What counts as kept is what the continuous terms may be off by: 1e-6 of them, or of their coefficients. The terms
    of integer columns are exact but for the rounding of sums, however large their coefficients are.
    """
    activity, integer = program.activity(x), program.integer
    slack = ROUNDING * np.maximum(program.sizes(np.where(integer, x, 0.0)), 1.0)
    real = ~integer[program.columns]
    if real.any():
        coefficient, row_of = np.zeros(program.height), program.row_of[real]
        np.maximum.at(coefficient, row_of, np.maximum(np.abs(program.values[real]), 1.0))
        moved = np.maximum(program.sizes(np.where(integer, 0.0, x)), coefficient)
        slack = slack + FEASIBILITY * np.where(coefficient > 0, moved, 0.0)
    # Whole numbers are missed by one at least, however large they are.
    slack = np.minimum(slack, np.where(program.whole_rows, 0.5, np.inf))
    missed: NDArray[np.bool_] = (activity < program.row_lower - slack) | (
        activity > program.row_upper + slack
    )
    return missed
