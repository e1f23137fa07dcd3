"""Whether a value is of an annotated type; annotations are resolved when a value is checked, not before."""

from __future__ import annotations

import collections.abc
import importlib
import numbers
import types
import typing
from typing import Any

_Annotation = Any  # a type, a typing construct, or the text of one
_FALLBACK = {**vars(collections.abc), **vars(typing)}  # names that a plugin may import for type checkers only


def resolve(annotation: _Annotation, names: dict[str, Any]) -> _Annotation:
    """Evaluate a textual annotation such as ``"networkx.Graph | None"``, importing the modules it names.

    Args:
        annotation: A type, or its text.
        names: The globals of the module that holds the annotation.

    Raises:
        NameError, ImportError: a name is neither known in that module nor an importable module.
    """
    while isinstance(annotation, (str, typing.ForwardRef)):
        text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        annotation = _evaluate(text, {**_FALLBACK, **names})
    return annotation


def _evaluate(text: str, names: dict[str, Any]) -> _Annotation:
    try:
        return eval(text, names)  # text of a plugin's source, as in typing.get_type_hints
    except NameError as error:
        name = str(error.name)
        names[name] = importlib.import_module(name)
    except AttributeError as error:
        if not isinstance(error.obj, types.ModuleType):
            raise
        importlib.import_module(f"{error.obj.__name__}.{error.name}")
    return _evaluate(text, names)


def matches(value: Any, annotation: _Annotation, names: dict[str, Any]) -> bool:
    """Return whether a value is of the annotated type; what this function does not know, it accepts.

    An integer is accepted as a float, a bool is not accepted as a number, NumPy's scalars are accepted as
    Python's, and a string is not accepted as a sequence.
    """
    annotation = resolve(annotation, names)
    origin: Any = typing.get_origin(annotation)
    args = typing.get_args(annotation)
    if origin is typing.Annotated:
        return matches(value, args[0], names)
    if origin is typing.Literal:
        return any(type(value) is type(choice) and value == choice for choice in args)
    if origin in (typing.Union, types.UnionType):
        return any(matches(value, arg, names) for arg in args)
    if not _is_instance(value, origin or annotation):
        return False
    return all(matches(item, arg, names) for item, arg in _items(value, origin, args))


def _is_instance(value: Any, kind: Any) -> bool:
    if kind is None:
        return value is None
    if kind in (int, float):
        number = numbers.Integral if kind is int else numbers.Real
        return isinstance(value, number) and not isinstance(value, bool)
    if kind is collections.abc.Hashable:
        return _is_hashable(value)
    if kind is collections.abc.Sequence and isinstance(value, (str, bytes)):
        return False
    try:
        return isinstance(value, kind)
    except TypeError:  # Any, a type variable, a protocol without run-time check
        return True


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _items(value: Any, origin: Any, args: tuple[Any, ...]) -> list[tuple[Any, _Annotation]]:
    """Return what a container holds, each item with the annotation that it must match."""
    if not args or origin is None or not issubclass(origin, collections.abc.Collection):
        return []
    if issubclass(origin, tuple):
        if args[-1] is Ellipsis:
            args = args[:1] * len(value)
        # a tuple of another length has one item, itself, that must match None: it never does
        return list(zip(value, args, strict=True)) if len(value) == len(args) else [(value, None)]
    if issubclass(origin, collections.abc.Mapping):
        return [pair for key in value for pair in ((key, args[0]), (value[key], args[-1]))]
    return [(item, args[0]) for item in value]
