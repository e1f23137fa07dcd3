"""The solvers of MathOpt by name, and their parameters under its own names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ortools.math_opt import parameters_pb2
from ortools.math_opt.core.python import solver as core
from ortools.math_opt.python import mathopt
from pybind11_abseil.status import StatusNotOk

from imle_core.errors import SolverParameterError, closest

__all__ = ["StatusNotOk", "kind_of", "parameters_of", "told"]

_OWN_THREADS = ("highs",)  # sets them for the process, and refuses them for a search


def kind_of(name: str, proto: Any) -> int:
    """Return MathOpt's number of a solver.

    Raises:
        SolverParameterError: there is no such solver, or it does not take the model.
    """
    names = [each.name.lower() for each in mathopt.SolverType]
    if name not in names:
        raise SolverParameterError(
            f"solver_type must be one of {', '.join(map(repr, names))}; got {name!r}.{closest(str(name), names)}"
        )
    refusal = _refusal(name, proto)
    if refusal:
        nothing = mathopt.Model().export_model()
        there = [each for each in names if not _refusal(each, nothing)]
        raise SolverParameterError(
            f"solver_type={name!r} does not take this model: {refusal}."
            if name in there
            else f"solver_type={name!r} is not there, or lacks its library or licence; there are {', '.join(there)}."
        )
    return int(mathopt.SolverType[name.upper()].value)


def _refusal(name: str, proto: Any) -> str:
    """Return why a solver cannot be made for a model; nothing where it can."""
    kind = int(mathopt.SolverType[name.upper()].value)
    try:
        core.new(kind, proto, parameters_pb2.SolverInitializerProto())
    except (RuntimeError, StatusNotOk) as error:
        return str(error)
    return ""


def told(given: bytes) -> str:
    """Return the parameters that are set in words."""
    proto = parameters_pb2.SolveParametersProto.FromString(given)
    for field, value in proto.ListFields():
        if field.type == field.TYPE_MESSAGE and not value.ByteSize():
            proto.ClearField(field.name)  # MathOpt's own, one for each of its solvers
    return ", ".join(_one_line(proto, field) for field, _ in proto.ListFields()) or "none"


def _one_line(proto: Any, field: Any) -> str:
    """Return a field as ``name: value``."""
    alone = type(proto)()
    value = getattr(proto, field.name)
    if field.type == field.TYPE_MESSAGE:
        getattr(alone, field.name).CopyFrom(value)
    else:
        setattr(alone, field.name, value)
    return " ".join(str(alone).split())


def parameters_of(given: Any, solver_type: str, *, integer: bool) -> bytes:
    """Return the parameters of a search as the bytes of their protocol buffer."""
    if isinstance(given, Mapping):
        valid = [field.name for field in dataclasses.fields(mathopt.SolveParameters)]
        for name in given:
            if name not in valid:
                raise SolverParameterError(
                    f"mathopt.SolveParameters has no field {name!r}.{closest(str(name), valid)}"
                )
        given = mathopt.SolveParameters(**given)
    elif given is None:
        given = mathopt.SolveParameters()
    if not isinstance(given, mathopt.SolveParameters):
        raise SolverParameterError(
            f"parameters must be a mathopt.SolveParameters, or a mapping of its fields; got {given!r}."
        )
    if given.time_limit is not None:
        raise SolverParameterError("parameters has a time_limit; use time_limit= (seconds) instead.")
    try:
        proto = given.to_proto()
    except (AttributeError, TypeError, ValueError) as error:
        raise SolverParameterError(f"a field of parameters has a wrong type: {error}") from error
    if not proto.HasField("threads") and solver_type not in _OWN_THREADS:
        proto.threads = 1
    for name in ("absolute_gap_tolerance", "relative_gap_tolerance"):
        if integer and not proto.HasField(name):
            setattr(proto, name, 0.0)
    return bytes(proto.SerializeToString(deterministic=True))
