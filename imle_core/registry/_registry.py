"""The registry: which solvers there are, and how a name becomes one."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import reprlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from imle_core.errors import AmbiguousSolverError, PluginLoadError

from . import _create, _plugins
from ._listing import SolverListing
from ._local import describe
from ._not_found import solver_not_found
from ._switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from importlib.metadata import EntryPoint

    from pluggy import HookImpl

    from imle_core._solver import Solver
    from imle_core.engine import Report

    from ._plugins import Plugin
    from ._spec import SolverSpec

_logger = logging.getLogger("imle_core.registry")

_T = TypeVar("_T", bound="Callable[..., Any] | SolverSpec")


class PluginRegistry:
    """The installed plugins, the solvers that they offer, and those registered at run time.

    Lazy at three levels: :meth:`plugins` reads package metadata, :meth:`find` imports the light module of one
    plugin, and :meth:`create` imports the solver. A plugin that fails is kept with its error, and one line
    is logged to ``imle_core.registry``.

    Environment variables, read when the registry is built: ``IMLE_LOAD_PLUGINS=a,b`` uses only these (empty:
    none), ``IMLE_DISABLED_PLUGINS=c`` leaves one out, ``IMLE_STRICT_PLUGINS=1`` raises where a plugin fails.

    Args:
        entry_points: The plugins; by default those installed, of the entry-point group ``imle.plugins``.
        env: The environment variables; by default those of the process.

    Example:
        >>> registry = PluginRegistry(entry_points=())
        >>> registry.specs()
        no solvers
    """

    def __init__(
        self, entry_points: Iterable[EntryPoint] | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self._entry_points = entry_points
        self._switches = Switches.read(os.environ if env is None else env)
        self._manager = _plugins.new_manager()
        self._found: list[Plugin] | None = None
        self._registered: dict[str, SolverSpec] = {}
        self._observers: list[HookImpl] | None = None
        self._lock = threading.RLock()

    def plugins(self, *, load: bool = False) -> tuple[Plugin, ...]:
        """Return the plugins installed, each with its status and, if it failed, its error.

        Args:
            load: Whether to import the light module of each; without it, nothing is imported.

        Raises:
            PluginLoadError: a plugin fails to load, under ``IMLE_STRICT_PLUGINS=1``.
        """
        with self._lock:
            if self._found is None:
                entry_points = self._entry_points
                if entry_points is None:
                    entry_points = importlib.metadata.entry_points(group=_plugins.GROUP)
                self._found = _plugins.discover(entry_points, self._switches)
            return tuple(self._load(index) if load else plugin for index, plugin in enumerate(self._found))

    def specs(self) -> SolverListing:
        """Return the descriptions of all solvers, by qualified name, sorted; a broken plugin has none."""
        offered = [spec for plugin in self.plugins(load=True) for spec in plugin.specs]
        return SolverListing(sorted([*offered, *self._registered.values()], key=lambda spec: spec.name))

    def find(self, name: str) -> SolverSpec:
        """Return the description of one solver; a qualified name loads its own plugin alone.

        Args:
            name: ``"plugin.solver"``, or ``"solver"`` where only one plugin offers it; or an alias of either.

        Raises:
            SolverNotFoundError: no solver goes by this name.
            AmbiguousSolverError: several plugins offer this bare name.
            PluginLoadError: the plugin that the name asks for failed to load; its error is the ``__cause__``.
            TypeError: the name is no string.
        """
        if not isinstance(name, str):
            raise TypeError(
                "the name of a solver is a string such as 'networkx.shortest_path', as imle_core.solvers() lists "
                f"them; got {reprlib.repr(name)} ({type(name).__name__})."
            )
        namespace, _, bare = name.rpartition(".")
        candidates = self._specs_in(namespace) if namespace else self.specs()
        found = [spec for spec in candidates if bare in spec.names]
        if not found:
            raise solver_not_found(name, self.specs(), self.plugins(load=True), self._switches)
        if len(found) > 1:
            names = ", ".join(repr(spec.name) for spec in found)
            raise AmbiguousSolverError(f"{name!r} is ambiguous; give one of the full names: {names}.")
        return found[0]

    def create(self, name: str, /, **parameters: Any) -> Solver:
        """Build a solver by name.

        Args:
            name: See :meth:`find`.
            **parameters: The solver's own parameters; ``imle show NAME`` lists them.

        Raises:
            SolverNotFoundError, AmbiguousSolverError, PluginLoadError: see :meth:`find`.
            MissingDependencyError: a library is not installed, or not in a version that works.
            SolverParameterError: a parameter is unknown, missing, of the wrong type or out of range.
            RegistrationError: the plugin's description does not fit what its factory returned.
        """
        return _create.create(self.find(name), parameters)

    def register(self, obj: _T, name: str | None = None) -> _T:
        """Register a solver at run time, for as long as this registry lives.

        A name that was registered at run time before is replaced, so that a notebook's cell can be run again.
        The namespace of an installed plugin cannot be used.

        Args:
            obj: A :class:`~imle_core.Solver` class, a function that returns a solver, or a description.
            name: ``"namespace.solver"``, or ``"solver"`` for the namespace ``local``; by default that of the
                description, or the name of the class or function in snake case.

        Returns:
            ``obj``, so that this works as a decorator.

        Raises:
            RegistrationError: the name is not valid or belongs to a plugin, or the object is no such thing: a
                function of ``theta`` solves, it does not return a solver.
        """
        reserved = {plugin.name: plugin.distribution or plugin.target for plugin in self.plugins()}
        spec = describe(obj, name, reserved)
        with self._lock:
            self._registered[spec.name] = spec
        return obj

    def notify(self, report: Report) -> None:
        """Hand the report of a backward pass to the plugins that implement ``imle_after_backward``.

        One that raises is logged and not called again: an observer never ends a training run, except under
        ``IMLE_STRICT_PLUGINS=1``.
        """
        if self._observers is None:
            self.plugins(load=True)
            self._observers = _plugins.observers(self._manager)
        for observer in tuple(self._observers):
            try:
                # with as many arguments as it asks for, as pluggy allows
                observer.function(*[report][: len(observer.argnames)])
            except Exception:
                if self._switches.strict:
                    raise
                self._observers.remove(observer)
                _logger.exception(
                    "imle plugin %r: imle_after_backward failed, and is left out", observer.plugin_name
                )

    def _specs_in(self, namespace: str) -> Iterable[SolverSpec]:
        for index, plugin in enumerate(self.plugins()):
            if (
                plugin.name == namespace and namespace != _plugins.LOCAL
            ):  # the first of this name is its holder
                with self._lock:
                    plugin = self._load(index)
                if plugin.error is not None:
                    raise _load_error(plugin) from plugin.error
                return plugin.specs
        return [spec for spec in self._registered.values() if spec.namespace == namespace]

    def _load(self, index: int) -> Plugin:
        assert self._found is not None
        plugin = self._found[index]
        if plugin.status == "found":
            plugin = self._found[index] = _plugins.load(plugin, self._manager)
        if plugin.error is not None and self._switches.strict:
            raise _load_error(plugin) from plugin.error
        return plugin


def _load_error(plugin: Plugin) -> PluginLoadError:
    origin = f" ({plugin.distribution})" if plugin.distribution else ""
    return PluginLoadError(f"plugin {plugin.name!r}{origin} failed to load: {plugin.cause}")
