"""The registry of the process, behind the functions that users call."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from ._registry import PluginRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imle_core._solver import Solver

    from ._listing import SolverListing
    from ._spec import SolverSpec

_T = TypeVar("_T", bound="Callable[..., Any] | SolverSpec")

_current: PluginRegistry | None = None


def default_registry() -> PluginRegistry:
    """Return the registry of the process, built at the first call."""
    global _current
    if _current is None:
        _current = PluginRegistry()
    return _current


@contextlib.contextmanager
def use_registry(registry: PluginRegistry) -> Iterator[PluginRegistry]:
    """Put another registry in place of the process's own, for the length of a ``with`` block."""
    global _current
    previous, _current = _current, registry
    try:
        yield registry
    finally:
        _current = previous


def solvers() -> SolverListing:
    """Return the descriptions of all installed solvers; printed, a table of name, sense and summary.

    Example:
        >>> [spec.name for spec in solvers() if spec.sense == "max"]  # doctest: +SKIP
        ['torch.k_subset']
    """
    return default_registry().specs()


def solver(name: str, /, **parameters: Any) -> Solver:
    """Build a solver by name.

    Args:
        name: ``"plugin.solver"``, or ``"solver"`` where only one plugin offers it; aliases count as names.
        **parameters: The solver's own parameters; ``imle show NAME`` lists them.

    Raises:
        SolverNotFoundError, AmbiguousSolverError: the name is unknown, or several plugins offer it.
        PluginLoadError: the plugin that the name asks for failed to load.
        MissingDependencyError: a library is not installed, or not in a version that works.
        SolverParameterError: a parameter is unknown, missing, of the wrong type or out of range.

    Example:
        >>> solver("torch.k_subset", k=3)  # doctest: +SKIP
    """
    return default_registry().create(name, **parameters)


def register(obj: _T, name: str | None = None) -> _T:
    """Register a solver for this process: a Solver class, a function that returns a solver, or a SolverSpec.

    Args:
        obj: What to register; it is returned, so that this works as a decorator.
        name: ``"namespace.solver"``, or ``"solver"`` for the namespace ``local``; by default the name of the
            class or function in snake case. A name registered before is replaced.

    Raises:
        RegistrationError: the name is not valid or belongs to an installed plugin.

    Example:
        >>> import imle_core as imle
        >>> @imle.register
        ... class TopK(imle.Solver):  # becomes "local.top_k"
        ...     sense = "max"
        ...     def solve(self, theta): ...
    """
    return default_registry().register(obj, name)
