"""What ``imle doctor`` finds in plugins: those that fail or are not found, and solvers that cannot be imported."""

from __future__ import annotations

import difflib
import importlib.metadata
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from ._factories import clashing, import_error, remedy
from ._scene import Finding, Section, causes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imle_core.registry import Plugin, SolverSpec

    from ._scene import Scene


def plugins(scene: Scene) -> Section:
    """Return the plugins, those that failed with all causes, and what their solvers lack."""
    facts = []
    for plugin in scene.plugins:
        content = ", ".join(spec.names[0] for spec in plugin.specs)
        facts.append((plugin.name, f"{plugin.status}  {plugin.distribution}  {content}".rstrip()))
    findings = [_failure(plugin, scene.plugins) for plugin in scene.plugins if plugin.error is not None]
    findings += [finding for spec in scene.specs for finding in _missing(spec)]
    return Section("Plugins", tuple(facts), (*findings, *_misnamed_groups(), *_ambiguous(scene)))


def solvers(scene: Scene) -> Section:
    """Return the solvers that cannot be imported; imports the libraries of all, where they are installed."""
    from imle_core.registry import unmet_requirements

    facts: list[tuple[str, str]] = []
    failed: dict[tuple[str, str], list[SolverSpec]] = defaultdict(list)
    tried: list[SolverSpec] = []
    for spec in scene.specs:
        if unmet_requirements(spec):
            continue  # told among the plugins
        if other := clashing(spec, tried):
            facts.append((spec.name, f"not tried: it cannot be in one process with {other}"))
            continue
        tried.append(spec)
        if error := import_error(spec):
            # One finding where one cause keeps all solvers of a plugin from being imported.
            failed[remedy(spec, error, scene.plugins), " <- ".join(causes(error))].append(spec)
    number = len(tried) - sum(map(len, failed.values()))
    findings = [
        Finding("problem", f"{_factories(specs)} cannot be imported: {cause}", todo)
        for (todo, cause), specs in failed.items()
    ]
    return Section("Solvers", (("importable", f"{number} of {len(tried)}"), *facts), tuple(findings))


def _factories(specs: Sequence[SolverSpec]) -> str:
    return ", ".join(f"{spec.name} ({spec.factory})" for spec in specs)


def _failure(plugin: Plugin, plugins: Sequence[Plugin]) -> Finding:
    assert plugin.error is not None
    where = f", in {plugin.where}" if plugin.where else ""
    return Finding(
        "problem",
        f"plugin {plugin.name!r}{where}: {' <- '.join(causes(plugin.error))}",
        _repair(plugin, plugins),
    )


def _repair(plugin: Plugin, plugins: Sequence[Plugin]) -> str:
    from imle_core.registry._plugins import LOCAL

    owner = plugin.distribution.rpartition(" ")[0] or plugin.target
    holder = next(each for each in plugins if each.name == plugin.name)
    if holder is not plugin or plugin.name == LOCAL:  # a switch would leave out the rightful holder
        return f"uninstall {owner}; if it is yours, give its entry point another name"
    missing = _missing_module(plugin.error)
    if missing and missing != plugin.target.partition(":")[0].partition(".")[0]:
        return f"pip install {missing}  (or upgrade or uninstall {owner})"
    return (
        f"upgrade, reinstall or uninstall {owner}; or leave it out: IMLE_DISABLED_PLUGINS={plugin.name}\n"
        f"if it is yours: IMLE_STRICT_PLUGINS=1 IMLE_LOAD_PLUGINS={plugin.name} imle solvers  prints the traceback"
    )


def _missing_module(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            return error.name.partition(".")[0]
        error = error.__cause__ or error.__context__
    return ""


def _missing(spec: SolverSpec) -> Iterator[Finding]:
    from imle_core.registry import install_command, unmet_requirements

    for text, version in unmet_requirements(spec).items():
        state = f"{version} is installed" if version else "it is not installed"
        level: Literal["problem", "note"] = "problem" if version else "note"
        yield Finding(level, f"{spec.name} needs {text}; {state}", install_command(spec))


def _misnamed_groups() -> Iterator[Finding]:
    """Yield the entry points that were probably meant as plugins and are in a group that nobody reads."""
    from imle_core.registry._plugins import GROUP

    seen = set()
    for distribution in importlib.metadata.distributions():
        needs_core = any(
            text.replace("_", "-").lower().startswith("imle-core") for text in distribution.requires or ()
        )
        for group in sorted({each.group for each in distribution.entry_points} - {GROUP}):
            close = difflib.SequenceMatcher(None, group.lower(), GROUP).ratio() > 0.7
            meant = group.lower().startswith("imle") or (needs_core and close)
            if meant and (distribution.name, group) not in seen:
                seen.add((distribution.name, group))
                yield Finding(
                    "problem",
                    f"{distribution.name} has entry points in the group {group!r}, which nothing reads",
                    f"upgrade it; if it is yours, write [project.entry-points.{GROUP!r}] in pyproject.toml, "
                    "and install it again",
                )


def _ambiguous(scene: Scene) -> Iterator[Finding]:
    """Yield bare names that several plugins offer; not those that the shipped ones share by design."""
    shipped = {plugin.name for plugin in scene.plugins if plugin.shipped}
    offers: dict[str, list[SolverSpec]] = defaultdict(list)
    for spec in scene.specs:
        for name in spec.names:
            offers[name].append(spec)
    for name, specs in offers.items():
        full = [f"{spec.namespace}.{name}" for spec in specs]
        if len(full) > 1 and not {spec.namespace for spec in specs} <= shipped:
            text = f"{name!r} alone is ambiguous, because {len(full)} plugins offer it"
            yield Finding("note", text, f"use a full name: {', '.join(full)}")
