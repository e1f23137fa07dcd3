"""The numbers that a user gives for a problem, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import SolverParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def numbers(name: str, given: Any, dimensions: tuple[int, ...]) -> NDArray[np.float64]:
    """Return an array of finite numbers, none below zero.

    Args:
        name: What the user calls it.
        given: A number, nested sequences of them, or an array.
        dimensions: How many axes it may have.

    Raises:
        SolverParameterError: it is no such array; the message names the first entry that is wrong.
    """
    try:
        array = np.array(given)
        if array.dtype.kind in "SU":
            raise TypeError("texts are no numbers")
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise SolverParameterError(f"{name} must be numbers, in rows of one length; got {given!r}.") from None
    if array.ndim not in dimensions:
        raise SolverParameterError(
            f"{name} must have {' or '.join(map(str, dimensions))} axes; got shape {array.shape}."
        )
    for wrong, wanted in ((~np.isfinite(array), "finite"), (array < 0, "at least 0")):
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            where = f" at {place[0] if len(place) == 1 else place}" if place else ""
            raise SolverParameterError(f"{name} must be {wanted}; got {array[place]:g}{where}.")
    return array


def spread(name: str, given: Any, count: int, each: str) -> NDArray[np.float64]:
    """Return one number for each of a count of things: those given, or the one given for all.

    Raises:
        SolverParameterError: there are neither one nor so many, or :func:`numbers` refuses them.
    """
    array = numbers(name, given, (0, 1))
    if array.ndim and len(array) != count:
        raise SolverParameterError(
            f"{name} must be one number, or one for each of {count} {each}; got {len(array)}."
        )
    return np.broadcast_to(array, (count,)).copy()
