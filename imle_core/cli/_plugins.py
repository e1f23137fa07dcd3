"""``imle plugins``: what is installed, and what is broken and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._completion import quiet_registry
from ._output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from imle_core.registry import Plugin


def plugins(as_json: AsJson = False) -> None:
    """List the plugins installed; a broken one with its cause."""
    from imle_core.registry import default_registry

    with quiet_registry():  # what it would say is in the table
        installed = default_registry().plugins(load=True)
    if as_json:
        print_json([_as_dict(plugin) for plugin in installed])
        return
    rows = [(p.name, p.distribution, p.status, _content(p)) for p in installed]
    print_table(("plugin", "from", "status", "solvers"), rows, empty="No plugins are installed.")


def _content(plugin: Plugin) -> str:
    return plugin.cause or ", ".join(spec.names[0] for spec in plugin.specs)


def _as_dict(plugin: Plugin) -> dict[str, object]:
    return {
        "name": plugin.name,
        "module": plugin.target,
        "distribution": plugin.distribution,
        "shipped": plugin.shipped,
        "status": plugin.status,
        "error": plugin.cause or None,
        "solvers": [spec.name for spec in plugin.specs],
    }
