"""Weights and capacities of a knapsack as integers, and what they say of the items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import SolverParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 2**60
"""Weights of one dimension together are at most so much."""


@dataclass(frozen=True, eq=False)
class Packing:
    """What may be packed.

    Attributes:
        weights: Integers, shape ``(dimensions, items)``, of the dimensions that exclude anything.
        capacities: Integers, shape ``(dimensions,)``.
        fits: Whether each item fits on its own, shape ``(items,)``.
    """

    weights: NDArray[np.int64]
    capacities: NDArray[np.int64]
    fits: NDArray[np.bool_]


def read_packing(weights: Any, capacities: Any) -> Packing:
    """Return weights and capacities as integers, each dimension in a unit of its own.

    Real numbers are taken as the decimals that they are written as: three weights of 0.1 fit into 0.3, though the sum
    of the binary fractions is larger.

    Args:
        weights: Shape ``(dimensions, items)``, or ``(items,)``.
        capacities: Shape ``(dimensions,)``, or a number; infinity is no limit.

    Raises:
        SolverParameterError: shapes do not fit, a number is negative or nan, or has too many digits.
    """
    table, limits = read_numbers(weights, "weights"), read_numbers(capacities, "capacities")
    if table.ndim == 1:
        table = table[None]
    limits = limits.reshape(-1) if limits.ndim < 2 else limits
    if table.ndim != 2 or not table.size or limits.shape != (len(table),):
        raise SolverParameterError(
            "weights must have shape (dimensions, items) or (items,), and capacities one number a dimension; got "
            f"shapes {table.shape} and {limits.shape}."
        )
    rows = [_dimension(*row, place) for place, row in enumerate(zip(table, limits, strict=True))]
    matrix = np.array([row for row, _ in rows], np.int64)
    room = np.array([limit for _, limit in rows], np.int64)
    fits: NDArray[np.bool_] = np.all(matrix <= room[:, None], axis=0)
    binding = (matrix * fits).sum(1) > room
    return Packing(matrix[binding], room[binding], fits)


def read_numbers(values: Any, what: str) -> NDArray[Any]:
    """Return an array of numbers, whatever their type.

    Raises:
        SolverParameterError: it is none; the message begins with ``what``.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise SolverParameterError(f"{what} must be an array of numbers: {error}") from None
    if array.dtype.kind not in "iufO":
        raise SolverParameterError(f"{what} must be an array of numbers; got {array.dtype}.")
    return array


def _dimension(weights: NDArray[Any], capacity: Any, place: int) -> tuple[list[int], int]:
    """Return weights and capacity of one dimension as integers; what is too heavy weighs one more than fits."""
    where = f" of dimension {place}"
    exact = [_fraction(weight, f"the weight of item {item}{where}") for item, weight in enumerate(weights)]
    if isinstance(capacity, float) and capacity == math.inf:
        return [0] * len(exact), 0
    limit = _fraction(capacity, f"the capacity{where}")
    unit = math.lcm(*(weight.denominator for weight in exact))
    whole = [int(weight * unit) for weight in exact]
    unit_room = math.floor(limit * unit)
    common = math.gcd(*whole) or 1
    room = min(unit_room // common, sum(whole) // common)
    scaled = [min(weight // common, room + 1) for weight in whole]
    if sum(scaled) > MOST:
        raise SolverParameterError(
            f"the weights{where} have too many digits: as integers of one unit they add up to "
            f"{float(sum(scaled)):.3g}, more than 2^60. Round them, weights up and capacities down."
        )
    return scaled, room


def _fraction(number: Any, what: str) -> Fraction:
    if isinstance(number, (int, np.integer)) and number >= 0:
        return Fraction(int(number))
    try:
        exact = Fraction(str(number))
    except (ValueError, ZeroDivisionError):
        exact = Fraction(-1)
    if exact < 0:
        raise SolverParameterError(f"{what} is {number}; it must be a finite number of at least 0.")
    return exact
