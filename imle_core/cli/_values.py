"""From ``--set key=value`` to the parameters of a solver, by the types that it declares."""

from __future__ import annotations

import collections.abc
import json
import pathlib
import types
import typing
from typing import TYPE_CHECKING, Any

from imle_core.errors import SolverParameterError, closest

from ._files import CommandLineError, read_array, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imle_core.registry import Parameter, SolverSpec

_MISSING = object()
_ANYTHING = (Any, object, collections.abc.Hashable)  # what any text stands for something of
_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def parse_parameters(spec: SolverSpec, assignments: Iterable[str]) -> dict[str, Any]:
    """Return the parameters that a user assigned, each parsed as its declared type.

    Args:
        spec: The solver.
        assignments: ``"key=value"``; ``"key=@file"`` takes JSON, or an array, from a file.

    Raises:
        CommandLineError: an assignment has no ``=``, a key is given twice, or a value is not of its type.
        SolverParameterError: the solver has no such parameter, or one that it needs cannot be given here.
        MissingDependencyError: a library that the solver needs is not installed.
    """
    from imle_core.registry import import_factory, parameters_of

    schema = spec.parameters if spec.parameters is not None else import_factory(spec)
    known = {parameter.name: parameter for parameter in parameters_of(schema)}
    values: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key = key.strip()
        if not equals or not key:
            raise CommandLineError(f"--set takes key=value; got {assignment!r}.")
        if key in values:
            raise CommandLineError(f"--set gives {key!r} twice.")
        if key not in known:
            listed = f"Parameters: {', '.join(known)}." if known else "It takes no parameters."
            raise SolverParameterError(
                f"{spec.name}: unknown parameter {key!r}.{closest(key, known)} {listed}"
            )
        values[key] = parse(spec.name, known[key], text.strip())
    _require_settable(spec.name, known.values(), values)
    return values


def parse(solver: str, parameter: Parameter, text: str) -> Any:
    """Return the value of one parameter that a text stands for.

    Raises:
        CommandLineError: the text is not of the parameter's type.
        SolverParameterError: no text is.
    """
    kinds = _alternatives(parameter)
    for kind in kinds:
        try:
            value = _parsed(text, kind)
        except CommandLineError as error:
            raise CommandLineError(f"{solver}: {parameter.name}: {error}") from error
        if value is not _MISSING:
            return value
    if all(_unsettable(kind) for kind in kinds if kind is not None):
        raise _not_here(solver, parameter)
    choices = [choice for kind in kinds for choice in typing.get_args(kind) if isinstance(choice, str)]
    hint = closest(text, choices) or (
        "" if any(map(_is_scalar, kinds)) else " It is written as JSON, such as [1, 2]."
    )
    raise CommandLineError(f"{solver}: {parameter.name} must be {parameter.type}; got {text!r}.{hint}")


def freeze(value: Any) -> Any:
    """Return JSON with tuples in place of lists, so that nodes of a grid can be looked up."""
    if isinstance(value, dict):
        return {key: freeze(item) for key, item in value.items()}
    return tuple(map(freeze, value)) if isinstance(value, list) else value


def _alternatives(parameter: Parameter) -> Sequence[Any]:
    """Return the types that a value may have, one by one, the narrow ones first; none: any."""
    from imle_core.registry._types import resolve

    try:
        annotation = resolve(parameter.annotation, parameter.names)
    except (NameError, ImportError, AttributeError):
        return (Any,)
    origin: Any = typing.get_origin(annotation)
    if origin is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
        origin = typing.get_origin(annotation)
    union = origin in (typing.Union, types.UnionType)
    members = (
        [resolve(each, parameter.names) for each in typing.get_args(annotation)] if union else [annotation]
    )
    members = [None if each is type(None) else each for each in members]
    # A text is never wrong as a str, so what is more particular is tried before.
    return sorted(members, key=lambda kind: kind in (str, *_ANYTHING))


def _parsed(text: str, kind: Any) -> Any:
    """Return what a text is as one type, or ``_MISSING`` if it is not of that type."""
    origin = typing.get_origin(kind) or kind
    if _unsettable(kind):
        return _MISSING
    if kind is None:
        return None if text.lower() in ("none", "null") else _MISSING
    if origin is typing.Literal:
        return next((choice for choice in typing.get_args(kind) if str(choice) == text), _MISSING)
    if kind is bool:
        return _WORDS.get(text.lower(), _MISSING)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return _MISSING
    if _is_graph(kind):
        from ._graphs import read_graph

        return read_graph(text)
    if text.startswith("@"):
        return _from_file(text[1:], origin)
    if kind is str:
        return text
    if isinstance(origin, type) and issubclass(origin, pathlib.PurePath):
        return origin(text)
    return _from_json(text, origin)


def _from_json(text: str, origin: Any) -> Any:
    loose = origin in _ANYTHING or not isinstance(origin, type)
    try:
        value = freeze(json.loads(text))
    except (ValueError, RecursionError):
        return text if loose else _MISSING
    if loose:
        return value
    if _is_array(origin):
        return _array(value)
    if issubclass(origin, collections.abc.Mapping):
        return value if isinstance(value, dict) else _MISSING
    if not isinstance(value, tuple):
        return _MISSING
    return value if issubclass(tuple, origin) else origin(value)


def _from_file(path: str, origin: Any) -> Any:
    if _is_array(origin):
        return read_array(path)
    if path.lower().endswith(".json"):
        return _from_json(json.dumps(read_json(path)), origin)
    array = read_array(path)
    return array.tolist() if isinstance(origin, type) and issubclass(list, origin) else freeze(array.tolist())


def _array(value: Any) -> Any:
    import numpy as np

    return np.asarray(value)


def _is_array(kind: Any) -> bool:
    return isinstance(kind, type) and kind.__name__ == "ndarray"


def _is_scalar(kind: Any) -> bool:
    return kind in (bool, int, float, str) or typing.get_origin(kind) is typing.Literal


def _is_graph(kind: Any) -> bool:
    return isinstance(kind, type) and kind.__module__.partition(".")[0] == "networkx"


def _unsettable(kind: Any) -> bool:
    """Return whether no text stands for a value of a type: an object of some library, or a function."""
    origin = typing.get_origin(kind) or kind
    if origin is collections.abc.Callable:
        return True
    if not isinstance(origin, type) or origin in _ANYTHING:
        return False
    if _is_array(origin) or _is_graph(origin) or issubclass(origin, pathlib.PurePath):
        return False
    plain = (bool, int, float, str, tuple, list, set, frozenset, dict)
    return not (origin in plain or any(issubclass(each, origin) for each in (tuple, dict, set, list)))


def _require_settable(solver: str, known: Iterable[Parameter], values: dict[str, Any]) -> None:
    for parameter in known:
        if parameter.required and parameter.name not in values:
            kinds = _alternatives(parameter)
            if all(_unsettable(kind) for kind in kinds):
                raise _not_here(solver, parameter)


def _not_here(solver: str, parameter: Parameter) -> SolverParameterError:
    return SolverParameterError(
        f"{solver}: parameter {parameter.name!r} is of type {parameter.type}, which cannot be given on a command line. "
        f'In Python: imle_core.solver("{solver}", {parameter.name}=...).'
    )
