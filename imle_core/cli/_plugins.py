"""``imle plugins``: what is installed, and what is broken and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ._completion import quiet_registry
from ._output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from imle_core.registry import Plugin


def plugins(as_json: AsJson = False) -> None:
    """List the plugins installed; a broken one with its cause.

    The exit code is 1 if one is broken.
    """
    from imle_core.registry import default_registry

    with quiet_registry():  # what it would say is in the table
        installed = default_registry().plugins(load=True)
    if as_json:
        print_json([as_dict(plugin) for plugin in installed])
    else:
        print_table(
            ("plugin", "from", "status", "solvers"),
            [(p.name, p.distribution, p.status, _content(p)) for p in installed],
            empty="No plugins are installed.",
            whole=("plugin", "status"),
        )
    if any(plugin.status == "failed" for plugin in installed):
        raise typer.Exit(1)


def _content(plugin: Plugin) -> str:
    where = f" ({plugin.where})" if plugin.where else ""
    return f"{plugin.cause}{where}" if plugin.cause else ", ".join(spec.names[0] for spec in plugin.specs)


def as_dict(plugin: Plugin) -> dict[str, object]:
    """Return what is known about a plugin in plain types."""
    return {
        "name": plugin.name,
        "module": plugin.target,
        "distribution": plugin.distribution,
        "shipped": plugin.shipped,
        "status": plugin.status,
        "error": plugin.cause or None,
        "where": plugin.where or None,
        "solvers": [spec.name for spec in plugin.specs],
    }
