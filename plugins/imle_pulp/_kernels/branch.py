"""Branch and bound on dense tableaux: small integer programmes, many costs, from one feasible basis.

Depth first. A node is the tableau of its parent with one bound tightened; the dual simplex method goes on from there.
Nodes are cut off by a bound that is computed from the constraints anew, as the certificate of the relaxation is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imle_core.kernels import compiled
from imle_pulp._kernels.simplex import (
    AT_LOWER,
    AT_UPPER,
    FREE,
    PIVOT,
    certificate,
    optimise,
    pivot,
    reduced,
    value_of,
)

WHOLE = 1e-7
"""An integer's value this close to a whole number is that number."""
EQUAL = 1e-9
"""Values this close are equal, where costs have a magnitude of 1/2 to 1."""
INSIDE = 1e-9
"""A basic unknown may be outside of its bounds by this much."""

NOTHING = 1e-12
"""An entry of the tableau this small is a rounding error."""

DONE, UNSOLVED, GIVEN_UP = 0, 1, 2
"""How a row ended: with a proven optimum (of all points, or the start); with none; unknown."""


@compiled
def search_rows(
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
    integer: Any,
    steps: int,
    nodes: int,
    depths: int,
    known: Any,
    x: Any,
    status: Any,
) -> None:
    """Minimise each row of costs over the integers.

    Args:
        costs: Costs of the columns, shape (N, n).
        table: As for :func:`imle_pulp._kernels.simplex.solve_rows`; so are the following up to ``values``.
        basis: The basic unknowns.
        outside: The others.
        where: Where these are.
        inside_values: Values of the basic ones.
        lower: Lower bounds of all unknowns.
        upper: Upper bounds of all unknowns.
        starts: Where each constraint begins.
        columns: The columns of the entries.
        values: The entries.
        integer: Which columns are integers.
        steps: Steps of the simplex method at most, for a node.
        nodes: Nodes at most, for a row.
        depths: Branchings at most, one below the other.
        known: Costs of a known point of each row, which x holds; infinity where there is none.
        x: Input and output, the best points, (N, n).
        status: Output, how each row ended.
    """
    m, n = table.shape
    ts, ds = np.empty((depths + 1, m, n)), np.empty((depths + 1, n))
    ins, outs = np.empty((depths + 1, m), np.int64), np.empty((depths + 1, n), np.int64)
    ats, bs = np.empty((depths + 1, n), np.int8), np.empty((depths + 1, m))
    lows, highs = np.empty((depths + 1, n + m)), np.empty((depths + 1, n + m))
    branched, turns = np.empty(depths + 1, np.int64), np.empty(depths + 1, np.int64)
    point = np.empty(n + m)
    for k in range(len(costs)):
        cost = costs[k]
        ts[0], ins[0], outs[0], ats[0], bs[0] = table, basis, outside, where, inside_values
        lows[0], highs[0] = lower, upper
        ds[0] = reduced(cost, ts[0], ins[0], outs[0])
        status[k] = GIVEN_UP
        if not optimise(ts[0], ds[0], ins[0], outs[0], ats[0], bs[0], lower, upper, steps):
            continue
        best, found = known[k], known[k] < np.inf
        depth, used, fresh, good = 0, 0, True, True
        while depth >= 0:
            if fresh:
                used += 1
                if used > nodes:
                    good = False
                    break
                bound = certificate(
                    cost, ds[depth], outs[depth], lows[depth], highs[depth], starts, columns, values
                )
                turns[depth] = 2
                if bound < best - EQUAL:
                    gather(point, ats[depth], outs[depth], ins[depth], bs[depth], lows[depth], highs[depth])
                    j = fractional(point, integer)
                    if j < 0:
                        total = 0.0
                        for c in range(n):
                            total += cost[c] * (np.rint(point[c]) if integer[c] else point[c])
                        if total - bound > 1e-6:  # the tableau and the constraints disagree
                            good = False
                            break
                        if total < best:
                            best, found = total, True
                            for c in range(n):
                                x[k, c] = np.rint(point[c]) if integer[c] else point[c]
                    else:
                        branched[depth], turns[depth] = j, 0
                        tighten(
                            ds[depth],
                            outs[depth],
                            ats[depth],
                            lows[depth],
                            highs[depth],
                            integer,
                            best - bound,
                        )
                fresh = False
            if turns[depth] == 2:
                depth -= 1
                continue
            if depth == depths:
                good = False
                break
            i = place_of(ins[depth], branched[depth])
            if i < 0:
                good = False
                break
            value = bs[depth, i]
            down = (value - np.floor(value) < 0.5) == (turns[depth] == 0)
            turns[depth] += 1
            new = depth + 1
            ts[new], ds[new], ins[new], outs[new] = ts[depth], ds[depth], ins[depth], outs[depth]
            ats[new], bs[new], lows[new], highs[new] = ats[depth], bs[depth], lows[depth], highs[depth]
            if down:
                highs[new, branched[depth]] = np.floor(value)
            else:
                lows[new, branched[depth]] = np.ceil(value)
            end = restore(
                ts[new], ds[new], ins[new], outs[new], ats[new], bs[new], lows[new], highs[new], steps
            )
            if end == GIVEN_UP:
                good = False
                break
            if end == DONE:
                depth, fresh = new, True
        if good:
            status[k] = DONE if found else UNSOLVED


@compiled
def gather(point: Any, at: Any, out: Any, inside: Any, b: Any, lower: Any, upper: Any) -> None:
    """Write the values of all unknowns."""
    for j in range(len(out)):
        point[out[j]] = value_of(at[j], lower[out[j]], upper[out[j]])
    for i in range(len(inside)):
        point[inside[i]] = b[i]


@compiled
def fractional(point: Any, integer: Any) -> int:
    """Return the integer column that is farthest from a whole number, or -1 if all are whole."""
    chosen, most = -1, WHOLE
    for j in range(len(integer)):
        if integer[j]:
            off = abs(point[j] - np.rint(point[j]))
            if off > most:
                chosen, most = j, off
    return chosen


@compiled
def place_of(inside: Any, unknown: int) -> int:
    """Return the row in which an unknown is basic."""
    for i in range(len(inside)):
        if inside[i] == unknown:
            return i
    return -1


@compiled
def tighten(d: Any, out: Any, at: Any, lower: Any, upper: Any, integer: Any, gap: float) -> None:
    """Fix the integers whose first step away from their bound would cost more than a better point may."""
    for j in range(len(d)):
        v = out[j]
        if v < len(integer) and integer[v] and at[j] != FREE and abs(d[j]) > gap + EQUAL:
            if at[j] == AT_LOWER:
                upper[v] = lower[v]
            else:
                lower[v] = upper[v]


@compiled
def restore(
    t: Any, d: Any, inside: Any, out: Any, at: Any, b: Any, lower: Any, upper: Any, steps: int
) -> int:
    """Go on by the dual simplex method until all basic unknowns are within their bounds."""
    m, n = t.shape
    for _step in range(steps):
        i, worst, target, falls = -1, INSIDE, 0.0, False
        for r in range(m):
            below, above = lower[inside[r]] - b[r], b[r] - upper[inside[r]]
            if below > worst:
                i, worst, target, falls = r, below, lower[inside[r]], True
            elif above > worst:
                i, worst, target, falls = r, above, upper[inside[r]], False
        if i < 0:
            return DONE
        chosen, least, entry, missed = -1, np.inf, 0.0, 0.0
        for j in range(n):
            # An unknown that rises changes the basic one by -a, seen from the bound that this one broke.
            a = t[i, j] if falls else -t[i, j]
            if abs(a) <= NOTHING or lower[out[j]] == upper[out[j]]:
                continue
            if abs(a) <= PIVOT:
                missed += abs(a) * (upper[out[j]] - lower[out[j]])
                continue
            if at[j] != FREE and (a > 0) == (at[j] == AT_LOWER):
                continue
            ratio = abs(d[j]) / abs(a)
            if ratio < least - 1e-12 or (ratio <= least + 1e-12 and abs(a) > entry):
                chosen, least, entry = j, min(ratio, least), abs(a)
        if chosen < 0:
            return UNSOLVED if worst > WHOLE + missed else GIVEN_UP  # what no unknown can mend is infeasible
        j = chosen
        move = (b[i] - target) / t[i, j]
        begin = value_of(at[j], lower[out[j]], upper[out[j]])
        for r in range(m):
            b[r] -= move * t[r, j]
        inside[i], out[j] = out[j], inside[i]
        at[j] = AT_LOWER if falls else AT_UPPER
        pivot(t, d, i, j)
        b[i] = begin + move
    return GIVEN_UP
