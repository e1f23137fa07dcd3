"""``imle show NAME``: all that is known about one solver, or one estimator."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_core.errors import AmbiguousSolverError, ImleError, SolverNotFoundError, closest

from ._completion import complete_name
from ._output import AsJson, print_code, print_facts, print_heading, print_json, print_table, print_text

if TYPE_CHECKING:
    from imle_core.registry import Parameter, SolverSpec

_TRAITS = (
    "devices",
    "batched",
    "exact",
    "deterministic",
    "time_limit",
    "releases_gil",
    "picklable",
    "negative",
)
_LISTS = ("aliases", "requires", "conflicts")
_SENSES = {
    "max": "max: theta are scores",
    "min": "min: theta are costs",
    None: "max or min, as the problem says",
}


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="'plugin.solver', or 'solver' where only one plugin offers it; or an estimator.",
            autocompletion=complete_name,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Describe a solver or an estimator, with its parameters."""
    from imle_core.estimators import CATALOGUE
    from imle_core.registry import default_registry

    entry = next((e for e in CATALOGUE.values() if name.lower() in (e.name, e.target.lower())), None)
    if entry is not None:
        from ._estimators import as_dict, describe

        if as_json:
            print_json(as_dict(entry))
        else:
            describe(entry)
        return
    try:
        spec = default_registry().find(name)
    except AmbiguousSolverError:
        raise
    except SolverNotFoundError as error:
        if "." not in name and name not in {spec.namespace for spec in default_registry().specs()}:
            hint = closest(name.lower(), CATALOGUE)
            error.args = (f"{error}{hint} Estimators: {', '.join(CATALOGUE)}.",)
        raise
    parameters = _parameters(spec)
    if as_json:
        print_json(_as_dict(spec, parameters))
    else:
        _describe(spec, parameters)


def _describe(spec: SolverSpec, parameters: tuple[Parameter, ...] | None) -> None:
    from imle_core.registry import install_command

    install = install_command(spec)
    print_heading(spec.name, "solver")
    print_text(spec.summary)
    print_heading("What it is")
    facts = [
        ("sense", _SENSES[spec.sense]),
        ("output", spec.output or "binary, integer or real, as the problem says"),
    ]
    facts += [
        (trait.replace("_", " ").replace("gil", "GIL"), _text(getattr(spec, trait, None)))
        for trait in _TRAITS
    ]
    facts += [(field, ", ".join(getattr(spec, field))) for field in _LISTS if getattr(spec, field)]
    facts.append(("status", "to install" if install else "ready"))
    print_facts(fact for fact in facts if fact[1])
    if install:
        print_heading("To install what is missing")
        print_code([install])
    if parameters is None:
        print_heading("Parameters")
        print_text("They are not known before its libraries are installed.", indent=2)
        return
    rows = [(p.name, _type(p), "required" if p.required else repr(p.default), p.help) for p in parameters]
    print_table(
        ("parameter", "type", "default", "meaning"),
        rows,
        empty="It takes no parameters.",
        heading="Parameters",
        whole=("parameter",),
    )
    if spec.references:
        print_heading("References")
        for reference in spec.references:
            print_text(reference, indent=2)
    print_heading("To use it")
    print_code(_calls(spec, parameters))


def _parameters(spec: SolverSpec) -> tuple[Parameter, ...] | None:
    """Return its parameters; without a schema the factory is imported, and ``None`` if that is not possible."""
    from imle_core.registry import import_factory, install_command, parameters_of

    if spec.parameters is not None:
        return parameters_of(spec.parameters)
    try:
        return parameters_of(import_factory(spec))
    except ImleError:
        if install_command(spec):
            return None
        raise


def _calls(spec: SolverSpec, parameters: tuple[Parameter, ...]) -> list[str]:
    """Return lines of Python that use the solver, with its required parameters."""
    given = "".join(f", {p.name}={_placeholder(p)}" for p in parameters if p.required)
    theta = "costs" if spec.sense == "min" else "scores" if spec.sense == "max" else "theta"
    return [
        "import imle_core as imle",
        f'layer = imle.SolverLayer("{spec.name}"{given})',
        f"z = layer({theta})",
    ]


def _placeholder(parameter: Parameter) -> str:
    """Return a number in its range for an integer, and else its name as that of a variable."""
    if parameter.type != "int":
        return parameter.name
    low = max(parameter.bounds.get("ge", 3), parameter.bounds.get("gt", 2) + 1)
    high = min(parameter.bounds.get("le", low), parameter.bounds.get("lt", low + 1) - 1)
    return f"{min(low, high):.0f}"


def _type(parameter: Parameter) -> str:
    """Return its type and range; the choices of a plain ``Literal`` alone, where a line may be broken after each."""
    text = parameter.type
    if text.startswith("Literal[") and text.count("[") == 1:
        text = text.replace("Literal[", "").replace("]", "")
    return f"{text}, {parameter.range}" if parameter.range else text


def _text(value: object) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _as_dict(spec: SolverSpec, parameters: tuple[Parameter, ...] | None) -> dict[str, Any]:
    from imle_core.registry import install_command

    described = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    for field in ("factory", "examples"):
        value = described[field]
        if callable(value):
            described[field] = f"{value.__module__}:{getattr(value, '__qualname__', repr(value))}"
    described |= {"install": install_command(spec) or None}
    described["parameters"] = parameters and [
        {
            "name": parameter.name,
            "type": parameter.type,
            "required": parameter.required,
            **({} if parameter.required else {"default": parameter.default}),
            **parameter.bounds,
            "help": parameter.help,
        }
        for parameter in parameters
    ]
    return described
