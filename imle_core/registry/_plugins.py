"""Discovery and loading of plugins, each on its own: a broken one never takes the others with it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from imle_core.errors import PluginLoadError

from . import _hooks
from ._blame import explained, place
from ._requirements import DISTRIBUTION
from ._spec import API_VERSION, SolverSpec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint

    from pluggy import HookImpl

    from ._switches import Switches

GROUP = "imle.plugins"
LOCAL = "local"
"""Namespace of the solvers that are registered at run time without one; no plugin can have it."""

_logger = logging.getLogger("imle_core.registry")


@dataclass(frozen=True)
class Plugin:
    """A plugin that is installed, and what became of it.

    Attributes:
        name: The namespace of its solvers, which is the name of its entry point.
        target: The module that the entry point names.
        distribution: The distribution that brought it, with its version; empty if unknown.
        shipped: Whether that is imle-core itself.
        status: ``"found"`` until it is first needed, then ``"loaded"`` or ``"failed"``; ``"disabled"`` by an
            environment variable.
        error: Why it failed.
        where: The line of its own code where it failed, if there is one.
        specs: Its solvers, by qualified name; empty until it is loaded.
    """

    name: str
    target: str
    distribution: str
    shipped: bool
    status: Literal["found", "loaded", "failed", "disabled"]
    error: BaseException | None = None
    where: str = ""
    specs: tuple[SolverSpec, ...] = ()
    entry_point: EntryPoint | None = None

    @property
    def cause(self) -> str:
        """Why it failed, in one line; empty if it did not."""
        if self.error is None:
            return ""
        text = " ".join(str(self.error).split())
        return text if isinstance(self.error, PluginLoadError) else f"{type(self.error).__name__}: {text}"

    def failed(self, error: BaseException, where: str = "") -> Plugin:
        """Return this plugin as failed, and log one line about it."""
        plugin = replace(self, status="failed", error=error, where=where)
        origin = f" ({self.distribution})" if self.distribution else ""
        at = f" ({where})" if where else ""
        _logger.warning("imle plugin %r%s is not available: %s%s", self.name, origin, plugin.cause, at)
        return plugin


def new_manager() -> pluggy.PluginManager:
    """Return a plugin manager that knows the hooks of this library."""
    manager = pluggy.PluginManager(_hooks.PROJECT)
    manager.add_hookspecs(_hooks)
    return manager


def discover(entry_points: Iterable[EntryPoint], switches: Switches) -> list[Plugin]:
    """Return the plugins that entry points name, without importing anything.

    Those of imle-core come first and the others by distribution, so that the order of installation decides
    nothing. A name that is taken makes its later holder a failed plugin.
    """
    plugins = sorted(map(_found, entry_points), key=lambda p: (not p.shipped, p.distribution))
    holders: dict[str, str] = {LOCAL: "solvers registered at run time"}
    for index, plugin in enumerate(plugins):
        if switches.disables(plugin.name):
            plugins[index] = replace(plugin, status="disabled")
            continue
        if plugin.name in holders:
            message = f"the name {plugin.name!r} belongs to {holders[plugin.name]}"
            plugins[index] = plugin.failed(PluginLoadError(message))
            continue
        holders[plugin.name] = plugin.distribution or plugin.target
        if not plugin.name.isidentifier():
            plugins[index] = plugin.failed(
                PluginLoadError("the name of its entry point is no Python identifier")
            )
    switches.warn_unknown([plugin.name for plugin in plugins])
    return plugins


def load(plugin: Plugin, manager: pluggy.PluginManager) -> Plugin:
    """Import the module of a plugin and ask it for its solvers; return it as loaded or failed."""
    if plugin.entry_point is None:
        raise ValueError(f"plugin {plugin.name!r} has no entry point to load")
    module = None
    try:
        module = plugin.entry_point.load()
        specs = tuple(_specs(plugin.name, module, manager))
    except (Exception, SystemExit) as error:
        if manager.has_plugin(plugin.name):  # none of its hooks is called
            manager.unregister(name=plugin.name)
        hook = getattr(module, "imle_register_solvers", None)
        return plugin.failed(explained(error), place(error, plugin.target, hook))
    return replace(plugin, status="loaded", specs=specs)


def observers(manager: pluggy.PluginManager) -> list[HookImpl]:
    """Return the implementations of ``imle_after_backward`` among the plugins that are loaded."""
    return manager.hook.imle_after_backward.get_hookimpls()


def _found(entry_point: EntryPoint) -> Plugin:
    dist = entry_point.dist
    name = dist.name if dist is not None else ""
    shipped = name.replace("_", "-").lower() == DISTRIBUTION
    distribution = f"{name} {dist.version}" if dist is not None else ""
    return Plugin(
        entry_point.name, entry_point.value, distribution, shipped, status="found", entry_point=entry_point
    )


def _specs(namespace: str, module: Any, manager: pluggy.PluginManager) -> Iterator[SolverSpec]:
    """Register a plugin and call its hook, its alone; yield its solvers by qualified name."""
    manager.register(module, namespace)
    _check_hooks(module, manager)
    others = [other for other in manager.get_plugins() if other is not module]
    taken: set[str] = set()
    for offer in manager.subset_hook_caller("imle_register_solvers", others)():
        if not isinstance(offer, Iterable):
            raise PluginLoadError(
                f"imle_register_solvers must return a list of SolverSpec; got {type(offer).__name__}"
                + ("; put it in a list: [imle.SolverSpec(...)]" if isinstance(offer, SolverSpec) else "")
            )
        for spec in offer:
            _check_spec(spec, taken)
            taken.update(spec.names)
            yield replace(spec, name=f"{namespace}.{spec.name}")


def _check_hooks(module: Any, manager: pluggy.PluginManager) -> None:
    known = [name for name in vars(_hooks) if name.startswith("imle_")]
    callers = manager.get_hookcallers(module) or []
    for caller in callers:
        optional = all(impl.optionalhook for impl in caller.get_hookimpls() if impl.plugin is module)
        if not caller.has_spec() and not optional:
            raise PluginLoadError(
                f"it implements the unknown hook {caller.name!r}; hooks: {', '.join(known)}"
            )
    marked = {caller.name for caller in callers}
    for name in known:
        if name not in marked and inspect.isfunction(getattr(module, name, None)):
            raise PluginLoadError(f"{name} is there but not marked with @imle.hookimpl")
    if not callers and inspect.isfunction(module):
        raise PluginLoadError(
            "its entry point must name a module, not a function in it: "
            f"write {module.__module__!r} in place of '{module.__module__}:{module.__qualname__}'"
        )
    if not callers:
        raise PluginLoadError(
            f"it implements no hook; hooks, to be marked with @imle.hookimpl: {', '.join(known)}"
        )


def _check_spec(spec: Any, taken: set[str]) -> None:
    if not isinstance(spec, SolverSpec):
        raise PluginLoadError(
            f"imle_register_solvers must return SolverSpec objects; got {type(spec).__name__}"
        )
    if spec.api_version != API_VERSION:
        raise PluginLoadError(
            f"its solver {spec.name!r} is written for version {spec.api_version} of the plugin interface, "
            f"and this imle-core supports version {API_VERSION}; "
            f"upgrade {'imle-core' if spec.api_version > API_VERSION else 'the plugin'}"
        )
    if spec.namespace:
        raise PluginLoadError(f"the name {spec.name!r} must be written without a namespace")
    if repeated := taken.intersection(spec.names):
        raise PluginLoadError(f"two of its solvers go by the name {min(repeated)!r}")
