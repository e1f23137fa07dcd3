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
"""What is taken for the rounding of a number that was meant to be whole."""


def clean(program: Program) -> Program:
    """Return the programme with whole bounds of its integer columns."""
    lower = np.where(program.integer, np.ceil(program.lower - ROUNDING), program.lower)
    upper = np.where(program.integer, np.floor(program.upper + ROUNDING), program.upper)
    if np.array_equal(lower, program.lower) and np.array_equal(upper, program.upper):
        return program
    return program.with_(lower=lower, upper=upper)


def contradicts_itself(program: Program) -> bool:
    """Whether bounds or limits cross, or a row without entries cannot hold."""
    empty = np.diff(program.starts) == 0
    return bool(
        (program.lower > program.upper).any()
        or (program.row_lower > program.row_upper).any()
        or (empty & ((program.row_lower > FEASIBILITY) | (program.row_upper < -FEASIBILITY))).any()
    )


def tolerances(program: Program) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the largest activity of each row that count as within its limits."""
    size = np.ones(program.height)
    np.maximum.at(size, np.repeat(np.arange(program.height), np.diff(program.starts)), np.abs(program.values))
    low, high = program.row_lower, program.row_upper
    finite_low, finite_high = (np.where(np.isfinite(each), np.abs(each), 0) for each in (low, high))
    # Whole numbers are missed by one at least, however large they are.
    most = np.where(_whole(program), 0.5, np.inf)
    return (
        low - np.minimum(FEASIBILITY * np.maximum(size, finite_low), most),
        high + np.minimum(FEASIBILITY * np.maximum(size, finite_high), most),
    )


def _whole(program: Program) -> NDArray[np.bool_]:
    """Return which rows have integer columns and whole coefficients alone."""
    whole = np.ones(program.height, np.bool_)
    good = program.integer[program.columns] & (program.values == np.rint(program.values))
    np.logical_and.at(whole, np.repeat(np.arange(program.height), np.diff(program.starts)), good)
    return whole
