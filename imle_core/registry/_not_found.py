"""The message for a name that no solver goes by: everything that may be the reason."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

from imle_core.errors import SolverNotFoundError, closest

from ._requirements import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ._plugins import Plugin
    from ._spec import SolverSpec
    from ._switches import Switches


def solver_not_found(
    name: str, specs: Sequence[SolverSpec], plugins: Iterable[Plugin], switches: Switches
) -> SolverNotFoundError:
    """Return the error for an unknown name.

    It gives the closest match, what is installed, the plugins that failed or are disabled and why, and the
    extra that would bring the plugin.
    """
    plugins = list(plugins)
    namespace, _, bare = name.rpartition(".")
    qualified = [f"{spec.namespace}.{each}" for spec in specs for each in spec.names]
    elsewhere = [spec.name for spec in specs if bare in spec.names]
    parts = [f"no solver named {name!r}."]
    if own := [spec.name for spec in specs if spec.namespace == name.rstrip("*").rstrip(".")]:
        parts.append(f"It is a plugin; give one of its solvers: {', '.join(own)}.")
        return SolverNotFoundError(" ".join(parts))
    if elsewhere:
        parts.append(f"Did you mean {elsewhere[0]!r}?")
    else:
        parts.append(
            closest(name, qualified if namespace else [full.rpartition(".")[2] for full in qualified]).strip()
        )
    parts.append(f"Installed: {', '.join(spec.name for spec in specs) or 'none'}.")
    if failed := [
        f"{plugin.name} ({plugin.cause.rstrip('.')})" for plugin in plugins if plugin.status == "failed"
    ]:
        parts.append(f"Failed to load: {', '.join(failed)}.")
    disabled = [plugin.name for plugin in plugins if plugin.status == "disabled"]
    if named := [f"{each} ({switches.disables(each)})" for each in disabled]:
        parts.append(f"Disabled: {', '.join(named)}.")
    if namespace not in {plugin.name for plugin in plugins} and namespace in _extras():
        parts.append(f"To install it: pip install '{DISTRIBUTION}[{namespace}]'.")
    return SolverNotFoundError(" ".join(filter(None, parts)))


def _extras() -> list[str]:
    try:
        return importlib.metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    except importlib.metadata.PackageNotFoundError:
        return []
