"""``imle solvers``: every solver by name."""

from __future__ import annotations

from imle_core.registry import install_command
from imle_core.registry import solvers as installed_solvers

from ._output import AsJson, print_json, print_table


def solvers(as_json: AsJson = False) -> None:
    """List the solvers installed, and what to install for those that are not ready."""
    specs = installed_solvers()
    commands = [install_command(spec) for spec in specs]
    if as_json:
        print_json(
            [
                {"name": spec.name, "sense": spec.sense, "summary": spec.summary, "install": command or None}
                for spec, command in zip(specs, commands, strict=True)
            ]
        )
        return
    rows = [
        (spec.name, spec.sense or "max/min", spec.summary, command or "ready")
        for spec, command in zip(specs, commands, strict=True)
    ]
    print_table(("solver", "sense", "what it solves", "status"), rows, empty="No solvers are installed.")
