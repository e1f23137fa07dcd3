"""The options of a routing problem, one by one: turned into numbers and tuples, or refused with the reason."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from imle_core.errors import SolverParameterError


def whole(name: str, value: Any) -> int:
    """Return a whole number."""
    try:
        if not isinstance(value, (bool, np.bool_)):
            return operator.index(value)
    except TypeError:
        pass
    raise SolverParameterError(f"{name} must be whole numbers; got {value!r}.")


def number(name: str, value: Any) -> float:
    """Return a number, which may be infinite where that means no limit, or no way."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise SolverParameterError(f"{name} must be numbers; got {value!r}.") from None
    if math.isnan(found) or found == -math.inf or (found == math.inf and name not in _MAY_BE_INFINITE):
        raise SolverParameterError(f"{name} must be finite; got {found}.")
    return found


_MAY_BE_INFINITE = ("capacities", "max_length", "travel_times", "lengths", "windows")


def numbers(name: str, value: Any, *, optional: bool = False) -> Any:
    """Return a number, or a tuple of them; some may be None if they are optional."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, np.ndarray)):
        return number(name, value)
    return tuple(None if optional and each is None else number(name, each) for each in value)


def matrix(name: str, value: Any) -> tuple[tuple[float, ...], ...] | None:
    """Return a square matrix as tuples."""
    if value is None:
        return None
    try:
        given = [list(row) for row in value]
    except TypeError:
        raise SolverParameterError(f"{name} must be a square matrix; got {type(value).__name__}.") from None
    rows = tuple(tuple(number(name, each) for each in row) for row in given)
    if any(len(row) != len(rows) for row in rows):
        raise SolverParameterError(
            f"{name} must be a square matrix; got {len(rows)} rows of {sorted({len(row) for row in rows})} numbers."
        )
    return rows


def windows(value: Any) -> tuple[tuple[float, float] | None, ...] | None:
    """Return a window or None for each node."""
    if value is None:
        return None
    found: list[tuple[float, float] | None] = []
    for node, window in enumerate(_several("windows", value, "a pair or None for each node")):
        if window is None:
            found.append(None)
            continue
        try:
            early, late = window
        except (TypeError, ValueError):
            raise SolverParameterError(
                f"the window of node {node} must be a pair or None; got {window!r}."
            ) from None
        early, late = number("windows", early), number("windows", late)
        if not 0 <= early <= late or early == math.inf:
            raise SolverParameterError(
                f"the window of node {node} must be 0 <= earliest <= latest; got ({early:g}, {late:g})."
            )
        found.append((early, late))
    return tuple(found)


def pairs(value: Any) -> tuple[tuple[int, int], ...]:
    """Return pairs of nodes."""
    found = []
    for pair in _several("pickups", value, "pairs of nodes"):
        try:
            pickup, delivery = pair
        except (TypeError, ValueError):
            raise SolverParameterError(f"pickups must be pairs of nodes; got {pair!r}.") from None
        found.append((whole("pickups", pickup), whole("pickups", delivery)))
    return tuple(found)


def _several(name: str, value: Any, what: str) -> list[Any]:
    try:
        return list(value)
    except TypeError:
        raise SolverParameterError(f"{name} must be {what}; got {value!r}.") from None


def nodes(name: str, value: Any) -> Any:
    """Return a node, or a tuple of them; None where there is none."""
    if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
        return tuple(None if node is None else whole(name, node) for node in value)
    return None if value is None else whole(name, value)
