"""Checking the parameters that a user gave against the schema of a solver."""

from __future__ import annotations

import numbers
import operator
import reprlib
import typing
from typing import TYPE_CHECKING, Any

from imle_core.errors import RegistrationError, SolverParameterError, closest

from ._parameters import parameters_of
from ._types import matches, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._parameters import Parameter


def check_parameters(name: str, schema: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Say what is wrong with the parameters that a user gave, if anything is.

    Args:
        name: The qualified name of the solver; every message begins with it.
        schema: A frozen dataclass, or a factory.
        given: What the user gave.

    Raises:
        SolverParameterError: a parameter is unknown, missing, of the wrong type or out of range.
        RegistrationError: the schema names a type that cannot be resolved.
    """
    parameters = {parameter.name: parameter for parameter in parameters_of(schema)}
    # A registered function that solves, instead of returning a solver, shows as one whose array is missing.
    untyped = [p for p in parameters.values() if p.required and p.annotation is Any]
    solves = not isinstance(schema, type) and len(untyped) == 1
    hint = (
        " If it is a function that solves, not one that returns a solver: "
        "imle_core.differentiable(sense=...) makes a layer of it."
    )
    _check_names(name, parameters, given, hint if solves else "")
    for key, value in given.items():
        _check_type(name, parameters[key], value)
        _check_range(name, parameters[key], value)


def with_defaults(name: str, schema: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked parameters with the defaults of a dataclass, whose ``__post_init__`` may check further.

    Raises:
        SolverParameterError: the dataclass refuses the values.
    """
    try:
        values = schema(**given)
    except (TypeError, ValueError) as error:
        raise SolverParameterError(f"{name}: {error}") from error
    return {parameter.name: getattr(values, parameter.name) for parameter in parameters_of(schema)}


def _check_names(name: str, parameters: Mapping[str, Parameter], given: Mapping[str, Any], hint: str) -> None:
    for key in given:
        if key not in parameters:
            valid = f"Parameters: {', '.join(parameters)}." if parameters else "It takes no parameters."
            error = SolverParameterError(
                f"{name}: unknown parameter {key!r}.{closest(key, parameters)} {valid}"
            )
            error.unknown = key
            raise error
    missing = [p for p in parameters.values() if p.required and p.name not in given]
    if missing:
        wanted = ", ".join(f"{p.name!r} ({p.help.rstrip('.') or p.type})" for p in missing)
        raise SolverParameterError(f"{name}: missing parameter{'s' * (len(missing) > 1)} {wanted}.{hint}")


def _check_type(name: str, parameter: Parameter, value: Any) -> None:
    try:
        annotation = resolve(parameter.annotation, parameter.names)
        ok = matches(value, annotation, parameter.names)
    except (NameError, ImportError, AttributeError) as error:
        raise RegistrationError(
            f"{name}: the type {parameter.type!r} of parameter {parameter.name!r} cannot be resolved "
            f"({error}); name a class of another library by its full path, such as 'networkx.Graph'."
        ) from error
    if not ok:
        choices = [choice for choice in typing.get_args(annotation) if isinstance(choice, str)]
        hint = closest(value, choices) if isinstance(value, str) else ""
        if hasattr(value, "tolist") and matches(value.tolist(), annotation, parameter.names):
            hint = f" Give it as Python's own, {parameter.name}.tolist()."
        raise SolverParameterError(
            f"{name}: parameter {parameter.name!r} must be {parameter.type}; "
            f"got {reprlib.repr(value)} ({type(value).__name__}).{hint}"
        )


def _check_range(name: str, parameter: Parameter, value: Any) -> None:
    if not isinstance(value, numbers.Real):
        return
    if not all(getattr(operator, key)(value, bound) for key, bound in parameter.bounds.items()):
        raise SolverParameterError(
            f"{name}: parameter {parameter.name!r} must be {parameter.range}; got {value!r}."
        )
