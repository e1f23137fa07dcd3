"""What this plugin offers; imports neither PuLP nor NumPy."""

from __future__ import annotations

from imle_core import SolverSpec, hookimpl


@hookimpl
def imle_register_solvers() -> list[SolverSpec]:
    """Return the descriptions of the solvers."""
    return []
