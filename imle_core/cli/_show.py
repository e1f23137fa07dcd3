"""``imle show NAME``: all that is known about one solver."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_core.errors import ImleError
from imle_core.registry import default_registry, import_factory, install_command, parameters_of

from ._output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from imle_core.registry import Parameter, SolverSpec

_TRAITS = ("output", "devices", "batched", "exact", "deterministic", "releases_gil", "negative")
_LISTS = ("aliases", "requires", "conflicts", "references")


def show(
    name: Annotated[
        str, typer.Argument(help="'plugin.solver', or 'solver' where only one plugin offers it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Describe a solver: what it solves, its parameters and what it needs."""
    spec = default_registry().find(name)
    parameters = _parameters(spec)
    if as_json:
        print_json(_as_dict(spec, parameters))
        return
    typer.secho(spec.name, fg=typer.colors.CYAN, bold=True)
    typer.echo(spec.summary)
    facts: list[tuple[str, str]] = [("sense", spec.sense or "max/min, as the problem says")]
    facts += [(trait.replace("_", " "), _text(getattr(spec, trait))) for trait in _TRAITS]
    facts += [(field, "; ".join(getattr(spec, field))) for field in _LISTS if getattr(spec, field)]
    facts.append(("status", install_command(spec) or "ready"))
    print_table(("trait", "value"), facts, empty="")
    if parameters is None:
        typer.echo(f"Its parameters are not known before its libraries are there: {install_command(spec)}")
        return
    rows = [
        (p.name, p.type, "required" if p.required else repr(p.default), p.range, p.help) for p in parameters
    ]
    print_table(("parameter", "type", "default", "range", "meaning"), rows, empty="It takes no parameters.")


def _parameters(spec: SolverSpec) -> tuple[Parameter, ...] | None:
    """Return its parameters; without a schema the factory is imported, and ``None`` if that is not possible."""
    if spec.parameters is not None:
        return parameters_of(spec.parameters)
    try:
        return parameters_of(import_factory(spec))
    except ImleError:
        if install_command(spec):
            return None
        raise


def _text(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _as_dict(spec: SolverSpec, parameters: tuple[Parameter, ...] | None) -> dict[str, Any]:
    described = dataclasses.asdict(spec)
    factory = spec.factory if isinstance(spec.factory, str) else f"{spec.factory.__module__}:{spec.factory!r}"
    described |= {"factory": factory, "install": install_command(spec) or None}
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
