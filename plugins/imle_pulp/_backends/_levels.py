"""Costs of which some are so large that the others vanish beside them, as where a user forbids entries by 1e17."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from imle_core.integers import to_integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

WIDE = 2.0**-20
"""Costs below this part of the largest may deserve a look of their own; libraries resolve about 2^-40 of it."""

SPAN = 2.0**40
"""How far columns without a bound are taken to reach; a unit of a larger cost is lost beside more."""

BITS = 40
"""Of the large costs where they become a constraint: 13 digits, which also files of PuLP carry."""


def small_part(cost: NDArray[np.float64], program: Program) -> NDArray[np.bool_] | None:
    r"""Return which costs are negligible beside all others, or None where none are.

    .. math:: S = \{j : |c_j| \le t\} \text{ with } \sum_{j \in S} |c_j| (u_j - l_j) < \min_{j \notin S} |c_j|
       \text{ and } t < 2^{-20} \max_j |c_j|

    for the largest such t: then no change of the columns of S outweighs a unit of any other.
    """
    size = np.abs(cost)
    if np.min(size, initial=1.0, where=size > 0) >= WIDE * size.max():
        return None
    order = np.argsort(size)
    order = order[size[order] > 0]
    span = np.minimum(program.upper - program.lower, SPAN)
    reach = np.cumsum(size[order] * span[order])
    sizes = size[order]
    cuts = np.flatnonzero((sizes[:-1] < WIDE * sizes[-1]) & (reach[:-1] < sizes[1:]))
    return size <= sizes[cuts[-1]] if len(cuts) else None


def face(
    program: Program, cost: NDArray[np.float64], x: NDArray[np.float64], small: NDArray[np.bool_]
) -> Program | None:
    """Return the programme among whose points the small costs decide, the others being settled by x.

    Where each large cost is at the better of its bounds, the column stays there. Otherwise no worse total of the large
    costs is allowed; of integer columns only, as others would use the tolerance of that constraint. None for those.
    """
    large = ~small & (cost != 0)
    best = np.where(cost > 0, program.lower, program.upper)
    if np.array_equal(x[large], best[large]):
        return program.with_(lower=np.where(large, x, program.lower), upper=np.where(large, x, program.upper))
    if not program.integer[large].all():
        return None
    columns = np.flatnonzero(large).astype(np.int32)
    reach = np.maximum(np.abs(program.lower), np.abs(program.upper))[columns].sum()
    bits = BITS if np.isinf(reach) else min(BITS, 60 - int(np.ceil(np.log2(reach))))
    whole = to_integers(cost[columns], bits)
    # Costs are often equal, or one: small coefficients are what floating point takes.
    values = (whole // np.gcd.reduce(whole)).astype(np.float64)
    return replace(
        program,
        starts=np.append(program.starts, program.starts[-1] + len(columns)).astype(np.int32),
        columns=np.append(program.columns, columns),
        values=np.append(program.values, values),
        row_lower=np.append(program.row_lower, -np.inf),
        row_upper=np.append(program.row_upper, values @ x[columns]),
        row_names=(*program.row_names, "large costs"),
    )


def unsettled(program: Program, cost: NDArray[np.float64], x: NDArray[np.float64]) -> bool:
    """Return whether small costs may have been lost beside large ones at x, an optimum of the linear relaxation."""
    _, exponent = np.frexp(np.abs(cost).max(initial=0.0))
    small = small_part(np.ldexp(cost, -exponent), program)
    if small is None:
        return False
    relaxed = replace(program, integer=np.zeros_like(program.integer))
    return face(relaxed, cost, x, small) is None
