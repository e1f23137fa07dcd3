"""What this plugin offers; imports neither OR-Tools nor NumPy."""

from __future__ import annotations

from imle_core import SolverSpec, hookimpl


@hookimpl
def imle_register_solvers() -> list[SolverSpec]:
    """Return the descriptions of the solvers."""
    return []
