"""The argument `theta`: variables in a list, a dictionary or an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pulp

from imle_core.errors import SolverParameterError, closest

Shaped = tuple[tuple[int, ...], list[Any]]


def variables_of(theta: Any) -> Shaped:
    """Return the shape and the entries, in row-major order, of what a user gives as theta.

    Args:
        theta: A variable or the name of one; a list or array of them, of any shape; or a dictionary with them as
            values, nested for each further axis, as ``LpVariable.dicts`` makes it. Keys give the order.

    Raises:
        SolverParameterError: it is none of these, is empty, or its parts differ in shape.
    """
    if isinstance(theta, (pulp.LpVariable, str)):
        return (), [theta]
    if isinstance(theta, Mapping):
        theta = list(theta.values())
    elif isinstance(theta, np.ndarray):
        theta = theta.tolist()
    if not isinstance(theta, Sequence):
        raise SolverParameterError(
            "theta must be variables of the problem, or their names, in a list, a dict or an array; got "
            f"{theta!r}."
        )
    parts = [variables_of(part) for part in theta]
    if not parts:
        raise SolverParameterError("theta is empty; name the variables whose costs are predicted.")
    shapes = {shape for shape, _ in parts}
    if len(shapes) > 1:
        raise SolverParameterError(
            f"theta is no array: its parts have the shapes {', '.join(map(str, sorted(shapes)))}. Give a flat list."
        )
    return (len(parts), *shapes.pop()), [entry for _, entries in parts for entry in entries]


def columns_of(entries: Sequence[Any], names: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the columns of variables, or of their names.

    Raises:
        SolverParameterError: there is no such column, or one is given twice.
    """
    column = {name: j for j, name in enumerate(names)}
    found: dict[int, str] = {}
    for entry in entries:
        name = entry if isinstance(entry, str) else entry.name
        if name not in column:
            raise SolverParameterError(
                f"theta names the variable {name!r}, which the problem does not have.{closest(name, names)}"
            )
        if column[name] in found:
            raise SolverParameterError(f"theta names the variable {name!r} twice.")
        found[column[name]] = name
    return np.array(list(found), np.int64)
