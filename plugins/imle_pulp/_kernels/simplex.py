"""The primal simplex method on a dense tableau: one small linear programme, many costs, from one feasible basis.

Unknowns are the n columns and the m activities of the rows, s = A x, each with bounds. A basis names m of them; the
others are at a bound, and the basic ones are then -T x_N with the tableau T = B^-1 N of [A, -I].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled

AT_LOWER, AT_UPPER, FREE = 0, 1, 2
"""Where an unknown outside of the basis is; free ones are at 0."""

DUAL = 1e-10
"""A reduced cost this close to 0 is none; costs have a magnitude of 1/2 to 1."""
PIVOT = 1e-9
"""The least magnitude of an entry of the tableau that bounds a step."""
STALLED = 30
"""Steps of no length in a row after which the first candidate enters in the place of the best, which cannot cycle."""


@compiled
def solve_rows(
    costs: Any,
    table: Any,
    basis: Any,
    outside: Any,
    where: Any,
    inside_values: Any,
    lower: Any,
    upper: Any,
    starts: Any,
    columns: Any,
    values: Any,
    limit: int,
    x: Any,
    bound: Any,
) -> None:
    """Minimise each row of costs; rows that are not solved, and certified, have the bound -inf.

    Args:
        costs: Costs of the columns, shape (N, n).
        table: The tableau of the basis that each row begins at, (m, n).
        basis: The unknown that is basic in each of the m rows: columns are 0 to n - 1, activities n to n + m - 1.
        outside: The n unknowns outside of the basis.
        where: Where each of them is.
        inside_values: Values of the basic ones.
        lower: Lower bounds of all unknowns.
        upper: Upper bounds of all unknowns.
        starts: Where each constraint begins in the next two.
        columns: The column of each entry of the constraints.
        values: The entries.
        limit: Steps at most.
        x: Output, the vertices, (N, n).
        bound: Output, for each row a proven lower bound of its costs, computed from the constraints anew.
    """
    m, n = table.shape
    point = np.empty(n + m)
    for k in range(len(costs)):
        cost = costs[k]
        t, inside, out, at, b = table.copy(), basis.copy(), outside.copy(), where.copy(), inside_values.copy()
        d = reduced(cost, t, inside, out)
        bound[k] = -np.inf
        if not optimise(t, d, inside, out, at, b, lower, upper, limit):
            continue
        for j in range(n):
            point[out[j]] = value_of(at[j], lower[out[j]], upper[out[j]])
        for i in range(m):
            point[inside[i]] = b[i]
        x[k] = point[:n]
        bound[k] = certificate(cost, d, out, lower, upper, starts, columns, values)


@compiled
def reduced(cost: Any, t: Any, inside: Any, out: Any) -> Any:
    m, n = t.shape
    d = np.zeros(n)
    for j in range(n):
        if out[j] < n:
            d[j] = cost[out[j]]
    for i in range(m):
        if inside[i] < n and cost[inside[i]] != 0.0:
            c = cost[inside[i]]
            for j in range(n):
                d[j] -= c * t[i, j]
    return d


@compiled
def optimise(
    t: Any, d: Any, inside: Any, out: Any, at: Any, b: Any, lower: Any, upper: Any, limit: int
) -> bool:
    """Take steps until no reduced cost promises more; return whether that was reached."""
    m, _ = t.shape
    stalled = 0
    for _step in range(limit):
        j = entering(d, out, at, lower, upper, stalled > STALLED)
        if j < 0:
            return True
        up = d[j] < 0
        i, length = leaving(t, b, j, up, inside, lower, upper)
        span = upper[out[j]] - lower[out[j]]
        if span <= length:
            i, length = -1, span  # from bound to bound
        if not np.isfinite(length):
            return False
        stalled = stalled + 1 if length <= 0.0 else 0
        move = length if up else -length
        begin = value_of(at[j], lower[out[j]], upper[out[j]])
        for r in range(m):
            b[r] -= move * t[r, j]
        if i < 0:
            at[j] = AT_UPPER if up else AT_LOWER
            continue
        left, falls = inside[i], (t[i, j] > 0) == up
        inside[i], out[j] = out[j], left
        at[j] = AT_LOWER if falls else AT_UPPER
        pivot(t, d, i, j)
        b[i] = begin + move
    return False


@compiled
def entering(d: Any, out: Any, at: Any, lower: Any, upper: Any, first: bool) -> int:
    """Return the place of the unknown with the most promising reduced cost, or of the first by number; -1 for none."""
    best, chosen = DUAL, -1
    for j in range(len(d)):
        size = abs(d[j])
        if size <= DUAL or (at[j] != FREE and (d[j] < 0) != (at[j] == AT_LOWER)):
            continue
        if lower[out[j]] == upper[out[j]]:
            continue
        if first:
            if chosen < 0 or out[j] < out[chosen]:
                chosen = j
        elif size > best:
            best, chosen = size, j
    return chosen


@compiled
def leaving(t: Any, b: Any, j: int, up: bool, inside: Any, lower: Any, upper: Any) -> tuple[int, float]:
    """Return the row whose unknown meets a bound first, and how far that is; of equals that of the largest entry."""
    chosen, length, entry = -1, np.inf, 0.0
    for i in range(len(b)):
        a = t[i, j] if up else -t[i, j]
        if a > PIVOT:
            room = (b[i] - lower[inside[i]]) / a
        elif a < -PIVOT:
            room = (b[i] - upper[inside[i]]) / a
        else:
            continue
        room = max(room, 0.0)
        if room < length - 1e-12 or (room <= length + 1e-12 and abs(a) > entry):
            chosen, length, entry = i, min(room, length), abs(a)
    return chosen, length


@compiled
def pivot(t: Any, d: Any, row: int, column: int) -> None:
    m, n = t.shape
    inverse = 1.0 / t[row, column]
    for j in range(n):
        t[row, j] *= inverse
    t[row, column] = inverse
    for i in range(m):
        factor = t[i, column]
        if i != row and factor != 0.0:
            for j in range(n):
                t[i, j] -= factor * t[row, j]
            t[i, column] = -factor * inverse
    factor = d[column]
    for j in range(n):
        d[j] -= factor * t[row, j]
    d[column] = -factor * inverse


@compiled
def value_of(at: int, lower: float, upper: float) -> float:
    return 0.0 if at == FREE else (lower if at == AT_LOWER else upper)


@compiled
def certificate(
    cost: Any, d: Any, out: Any, lower: Any, upper: Any, starts: Any, columns: Any, values: Any
) -> float:
    """Return the bound of weak duality, with the reduced costs of the activities as multipliers of the rows.

    Whatever the multipliers are, cost @ x = (cost - y A) x + y (A x), and either part is bounded by the bounds. So
    rounding in the tableau can make the bound weak, but never wrong.
    """
    n = len(cost)
    multipliers, rest = np.zeros(len(starts) - 1), cost.copy()
    for j in range(n):
        if out[j] >= n:
            multipliers[out[j] - n] = d[j]
    bound = 0.0
    for i in range(len(multipliers)):
        y = multipliers[i]
        for e in range(starts[i], starts[i + 1]):
            rest[columns[e]] -= y * values[e]
        bound += least(y, lower[n + i], upper[n + i])
    for j in range(n):
        bound += least(rest[j], lower[j], upper[j])
    return bound


@compiled
def least(price: float, lower: float, upper: float) -> float:
    """Return the least of price * v over the bounds of v; prices that are rounding errors count for nothing."""
    end = lower if price > 0 else upper
    if not np.isfinite(end):
        return 0.0 if abs(price) <= DUAL else -np.inf
    return price * end
