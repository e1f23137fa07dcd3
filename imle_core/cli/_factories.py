"""Whether the factory of a solver can be imported, and what to do where it cannot."""

from __future__ import annotations

import contextlib
import pkgutil
import sys
from typing import TYPE_CHECKING

from imle_core.errors import ImleError, closest

from ._clashes import find_clashes, installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imle_core.registry import Plugin, SolverSpec


def import_error(spec: SolverSpec) -> BaseException | None:
    """Import the factory of a solver; return what went wrong, if anything did."""
    from imle_core.registry import import_factory

    try:
        with contextlib.redirect_stdout(sys.stderr):  # a library that greets must not do so amid JSON
            import_factory(spec)
    except ImleError as error:
        return error.__cause__ or error
    return None


def clashing(spec: SolverSpec, imported: Iterable[SolverSpec]) -> str | None:
    """Return the library, or the solver, in this process that a solver's libraries cannot be imported beside."""
    from imle_core.registry._requirements import conflict_in_process

    if other := conflict_in_process(spec):
        return other
    own = {name.split()[0] for text in spec.requires if (name := installed(text))}
    for solver in imported:
        if any((name := installed(text)) and name.split()[0] in own for text in solver.conflicts):
            return solver.name
    for clash in find_clashes(()):
        names = {library.split()[0] for library in clash.libraries}
        there = sorted(name for name in names - own if name.replace("-", "_") in sys.modules)
        if own & names and there:
            return there[0]
    return None


def remedy(spec: SolverSpec, error: BaseException, plugins: Sequence[Plugin]) -> str:
    """Return what to do about a factory that cannot be imported."""
    plugin = next((each for each in plugins if each.name == spec.namespace), None)
    owner = (plugin.distribution.rpartition(" ")[0] if plugin else "") or spec.namespace
    module = str(spec.factory).partition(":")[0]
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if name and name.partition(".")[0] != module.partition(".")[0]:
        missing = name.partition(".")[0]
        return f"pip install {missing}; if the plugin is yours, name it in `requires` and in pyproject.toml"
    hint = ""
    if name:
        hint = closest(name, _siblings(name))
    elif isinstance(error, AttributeError) and error.obj is sys.modules.get(module):
        hint = closest(str(error.name), vars(error.obj))
    describing = plugin.target if plugin else "the plugin"
    if hint or name or isinstance(error, AttributeError):
        return f"upgrade {owner}; if it is yours, correct `factory` in {describing}.{hint}"
    return f"upgrade or reinstall {owner}; for the traceback: python -c 'import {module}'"


def _siblings(module: str) -> list[str]:
    """Return the modules of the package that a module would be in."""
    parent = module.rpartition(".")[0]
    found = pkgutil.iter_modules(getattr(sys.modules.get(parent), "__path__", ()))
    return [f"{parent}.{each.name}" for each in found]
