"""The description of a solver that is registered at run time."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from imle_core.errors import RegistrationError

from ._parameters import parameters_of
from ._plugins import LOCAL
from ._spec import Negative, Output, SolverSpec

if TYPE_CHECKING:
    from collections.abc import Mapping


def describe(obj: Any, name: str | None, reserved: Mapping[str, str]) -> SolverSpec:
    """Return the description, with its qualified name, of a class, a factory or a description.

    Args:
        obj: What the user registers.
        name: The name that the user gave it, if any.
        reserved: The namespaces of plugins, each with its holder.

    Raises:
        RegistrationError: the object or the name cannot be registered.
    """
    if name is None:
        name = obj.name if isinstance(obj, SolverSpec) else _snake_case(getattr(obj, "__name__", ""))
    spec = replace(obj, name=name) if isinstance(obj, SolverSpec) else _from_callable(obj, name)
    if not spec.namespace:
        spec = replace(spec, name=f"{LOCAL}.{spec.name}")
    if spec.namespace in reserved and spec.namespace != LOCAL:
        raise RegistrationError(
            f"{spec.name!r} cannot be registered: the namespace {spec.namespace!r} belongs to the plugin of "
            f"{reserved[spec.namespace]}. Without a namespace it becomes '{LOCAL}.{spec.names[0]}'."
        )
    return spec


def _from_callable(obj: Any, name: str) -> SolverSpec:
    if not callable(obj):
        raise RegistrationError(
            f"register takes a Solver class, a function that returns a solver, or a SolverSpec; got {obj!r}."
        )
    if isinstance(obj, type) and not _is_solver(obj):
        raise RegistrationError(
            f"the class {obj.__name__!r} is no solver; derive it from imle_core.Solver, declare its sense and write "
            "`solve`."
        )
    if not name.isidentifier() and "." not in name:
        raise RegistrationError(f"{name!r} is no name for a solver; give one, as in register(obj, 'top_k').")
    parameters = parameters_of(obj)  # a factory that cannot be checked is refused here, not at its first use
    if not isinstance(obj, type) and any(p.name == "theta" and p.required for p in parameters):
        raise RegistrationError(
            f"{name!r} takes 'theta', so it solves; what is registered returns a solver. "
            "A bare function becomes a layer by imle_core.differentiable(sense=...), and a solver by "
            "imle_core.FunctionSolver(function, sense=...)."
        )
    return SolverSpec(
        name=name,
        factory=obj,
        summary=((obj.__doc__ or "").strip().splitlines() or ["Registered at run time."])[0],
        sense=_one_of(getattr(obj, "sense", None), ("max", "min")),
        output=_one_of(getattr(obj, "output", None), get_args(Output)) or "real",
        negative=_one_of(getattr(obj, "negative", None), get_args(Negative)) or "allow",
    )


def _is_solver(kind: type[Any]) -> bool:
    module = sys.modules.get("imle_core._solver")  # who has made a solver has imported it, and with it torch
    return module is not None and issubclass(kind, module.Solver)


def _one_of(value: Any, choices: tuple[str, ...]) -> Any:
    return value if value in choices else None


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
