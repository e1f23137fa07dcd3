"""How the variables that theta stands for are read from what a user gives: a list, a dictionary, an array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from imle_core.errors import SolverParameterError

if TYPE_CHECKING:
    from collections.abc import Callable


class Covered(NamedTuple):
    """The variables that theta stands for.

    Attributes:
        shape: The shape of one structure.
        variables: The variables, in the order of the flattened structure.
        entries: What each entry stands for: the keys of a dictionary, else the variables' names.
    """

    shape: tuple[int, ...]
    variables: list[Any]
    entries: list[Any]


def read_variables(given: Any, kind: type[Any], name_of: Callable[[Any], str]) -> Covered:
    """Return the variables in a list, dictionary, array or series of them, or nested lists.

    Args:
        given: What the user gave.
        kind: The class of the library's variables.
        name_of: Returns the name of a variable.

    Raises:
        SolverParameterError: there is none, something in it is no variable, one is there twice, or nested lists have
            different lengths.
    """
    if isinstance(given, Mapping):
        entries, given = list(given), list(given.values())
        shape, variables = _flatten(given, kind)
        if len(shape) != 1:
            raise SolverParameterError("a dictionary of variables has one variable for each key, not a list.")
    else:
        shape, variables = _flatten(given, kind)
        entries = [name_of(variable) for variable in variables]
    if not variables:
        raise SolverParameterError("variables is empty; give the variables whose costs theta stands for.")
    return Covered(shape, variables, entries)


def require_distinct(indices: list[int], entries: list[Any]) -> None:
    """Raise SolverParameterError if a variable is there twice: its cost would be the sum of two entries of theta."""
    seen: dict[int, int] = {}
    for place, index in enumerate(indices):
        if index in seen:
            raise SolverParameterError(
                f"variables has {entries[place]!r} twice, at places {seen[index]} and {place}; give each once."
            )
        seen[index] = place


def sense_of(given: str | None, maximise: bool | None) -> Literal["min", "max"]:
    """Return the sense of a model that maximises, minimises, or has no objective (None) and is told by the user.

    Raises:
        SolverParameterError: what the user says is not what the model does.
    """
    if given not in (None, "min", "max"):
        raise SolverParameterError(f"sense must be 'min' or 'max'; got {given!r}.")
    if maximise is None:
        return "max" if given == "max" else "min"
    own: Literal["min", "max"] = "max" if maximise else "min"
    if given not in (None, own):
        raise SolverParameterError(
            f"sense={given!r}, but the model's objective is {own}imised; leave sense out, or change the "
            "model."
        )
    return own


def _flatten(given: Any, kind: type[Any]) -> tuple[tuple[int, ...], list[Any]]:
    """Return the shape and the items of nested sequences."""
    if isinstance(given, kind):
        return (), [given]
    if isinstance(given, np.ndarray):
        return given.shape, [_item(item, kind) for item in given.ravel().tolist()]
    if not isinstance(given, Iterable) or isinstance(given, (str, bytes)):
        _item(given, kind)
    parts = [_flatten(part, kind) for part in given]
    shapes = {shape for shape, _ in parts}
    if len(shapes) > 1:
        raise SolverParameterError(
            f"variables has nested lists of different shapes, {sorted(shapes)}; give an array, or a flat list."
        )
    return (len(parts), *(shapes.pop() if shapes else ())), [item for _, items in parts for item in items]


def _item(item: Any, kind: type[Any]) -> Any:
    if not isinstance(item, kind):
        raise SolverParameterError(
            f"variables must hold variables of the model; found {item!r}, a {type(item).__name__}."
        )
    return item
