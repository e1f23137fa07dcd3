"""Rows and costs of a programme as integers, for solvers whose arithmetic is in integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._clean import ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

MOST = 61
"""Sums stay below 2^MOST, within what CP-SAT accepts."""

FACTORS = sorted({*(2.0 ** np.arange(21)).tolist(), *(10.0 ** np.arange(1, 13)).tolist()})
"""What a row may be multiplied by to become integral: 2.25 needs 4, 0.1 needs 10."""


def row_factors(program: Program) -> NDArray[np.float64]:
    """Return for each row the least factor that makes its entries integral, shape ``(rows,)``; nan where none does.

    An entry v is a whole number k over the factor f if k / f is v but for rounding: this takes 0.1 for 1/10.
    """
    factors = np.full(program.height, np.nan)
    row_of = program.row_of
    for factor in FACTORS:
        whole = np.rint(program.values * factor)
        away = np.abs(whole / factor - program.values) > 1e-15 * np.abs(program.values)
        fails = np.bincount(row_of, away | (np.abs(whole) >= 2.0**53), program.height) > 0
        factors[np.isnan(factors) & ~fails] = factor
        if not np.isnan(factors).any():
            break
    return factors


def integral_rows(program: Program) -> tuple[NDArray[np.int64], list[int], list[int]]:
    """Return the entries and the limits of the rows as integers; limits that are not whole are rounded inward.

    Limits beyond what a row can reach become ``±2^MOST``: there is none.
    """
    factors = row_factors(program)
    entries = np.repeat(factors, np.diff(program.starts))
    values = np.rint(program.values * entries).astype(np.int64)
    return (
        values,
        [
            _whole(limit, factor, upward=True)
            for limit, factor in zip(program.row_lower, factors, strict=True)
        ],
        [
            _whole(limit, factor, upward=False)
            for limit, factor in zip(program.row_upper, factors, strict=True)
        ],
    )


def _whole(limit: float, factor: float, *, upward: bool) -> int:
    scaled = limit * factor
    if abs(scaled) >= 2.0**MOST:
        return 2**MOST if scaled > 0 else -(2**MOST)
    near = np.rint(scaled)
    if abs(scaled - near) <= min(ROUNDING * max(1.0, abs(scaled)), 1e-6):
        return int(near)
    return int(np.ceil(scaled) if upward else np.floor(scaled))


def cost_bits(program: Program) -> int:
    """Return the bits of the costs that leave every sum of costs times values below 2^MOST; 50 where there is room.

    More bits make nothing exact that is not: doubles have 53.
    """
    reach = np.maximum(np.abs(program.lower), np.abs(program.upper)).sum()
    return int(min(50, MOST - np.ceil(np.log2(max(reach, 1.0))) - 1))


def why_not_integral(program: Program) -> str | None:
    """Return why the programme cannot be given to a solver in integers, or None if it can."""
    if not program.integer.all():
        return f"the variable {program.names[int((~program.integer).argmax())]!r} is continuous"
    free = ~(np.isfinite(program.lower) & np.isfinite(program.upper))
    if free.any():
        return f"the integer {program.names[int(free.argmax())]!r} has no finite bounds"
    factors = row_factors(program)
    if np.isnan(factors).any():
        row = int(np.isnan(factors).argmax())
        return f"the coefficients of the constraint {program.row_names[row]!r} are no multiples of a decimal fraction"
    reach = np.maximum(np.abs(program.lower), np.abs(program.upper))
    entries = np.abs(program.values) * reach[program.columns] * np.repeat(factors, np.diff(program.starts))
    row_of = program.row_of
    if program.height and np.bincount(row_of, entries, program.height).max(initial=0) >= 2.0**MOST:
        return "its sums do not fit in 62 bits"
    if cost_bits(program) < 30:
        return "its integers are so large that costs would keep fewer than 30 bits"
    return None
