"""From a description and parameters to a solver: the only place that imports solver libraries."""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Any, cast

from imle_core.errors import PluginLoadError, RegistrationError, SolverParameterError

from ._check import check_parameters, with_defaults
from ._requirements import check_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from imle_core._solver import Solver

    from ._spec import SolverSpec


def create(spec: SolverSpec, parameters: Mapping[str, Any]) -> Solver:
    """Build the solver that a description describes.

    Args:
        spec: The description, with its qualified name.
        parameters: Keyword parameters of the solver.

    Raises:
        MissingDependencyError: a library is not installed, or not in a version that works.
        SolverParameterError: a parameter is unknown, missing, of the wrong type or out of range.
        PluginLoadError: the factory cannot be imported.
        RegistrationError: what the factory returned is not what the description says.
    """
    check_requirements(spec)
    if spec.parameters is not None:  # checked before the factory is imported, because that may be slow
        check_parameters(spec.name, spec.parameters, parameters)
        parameters = with_defaults(spec.name, spec.parameters, parameters)
        factory = import_factory(spec)
    else:
        factory = import_factory(spec)
        check_parameters(spec.name, factory, parameters)
    try:
        solver = factory(**parameters)
    except SolverParameterError as error:  # a constructor does not know the name by which it was called
        if not str(error).startswith(f"{spec.name}: "):
            error.args = (f"{spec.name}: {error}",)
        raise
    return _checked(solver, spec)


def import_factory(spec: SolverSpec) -> Callable[..., Any]:
    """Return the factory of a solver, importing it where it is given by name."""
    if not isinstance(spec.factory, str):
        return spec.factory
    try:
        factory = pkgutil.resolve_name(spec.factory)
    except (Exception, SystemExit) as error:
        raise PluginLoadError(
            f"{spec.name}: importing its factory {spec.factory!r} failed: {type(error).__name__}: {error}"
        ) from error
    if not callable(factory):
        raise PluginLoadError(
            f"{spec.name}: its factory {spec.factory!r} is neither a class nor a function; it is {factory!r}."
        )
    return cast("Callable[..., Any]", factory)


def _checked(solver: Any, spec: SolverSpec) -> Solver:
    from imle_core._solver import Solver

    if not isinstance(solver, Solver):
        raise RegistrationError(
            f"{spec.name}: its factory returned {type(solver).__name__}, not an imle_core.Solver. "
            "A bare function becomes a solver with imle_core.FunctionSolver."
        )
    sense = getattr(solver, "sense", None)
    if sense not in ("max", "min"):
        raise RegistrationError(
            f"{spec.name}: the solver must declare sense 'max' or 'min'; it has {sense!r}."
        )
    if spec.sense not in (None, sense):
        raise RegistrationError(
            f"{spec.name}: described with sense {spec.sense!r}, but the solver has {sense!r}."
        )
    object.__setattr__(solver, "name", spec.name)  # a solver may be a frozen dataclass
    return solver
