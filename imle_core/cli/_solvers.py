"""``imle solvers``: every solver by name."""

from __future__ import annotations

from ._output import AsJson, print_code, print_heading, print_json, print_table, print_text


def solvers(as_json: AsJson = False) -> None:
    """List the solvers, and what to install for those not ready."""
    from imle_core.registry import default_registry, install_command

    specs = default_registry().specs()
    commands = [install_command(spec) for spec in specs]
    if as_json:
        print_json(
            [
                {
                    "name": spec.name,
                    "aliases": spec.aliases,
                    "sense": spec.sense,
                    "summary": spec.summary,
                    "install": command or None,
                }
                for spec, command in zip(specs, commands, strict=True)
            ]
        )
        return
    rows = [
        (spec.name, spec.sense or "max/min", spec.summary, "to install" if command else "ready")
        for spec, command in zip(specs, commands, strict=True)
    ]
    print_table(
        ("solver", "sense", "what it solves", "status"),
        rows,
        empty="No solvers are installed.",
        whole=("solver", "sense", "status"),
    )
    if specs:
        print_text("\n`imle show NAME` describes one: its parameters, and how to use it.", style="dim")
    if missing := sorted(filter(None, set(commands))):
        print_heading("To install what is missing")
        print_code(missing)
