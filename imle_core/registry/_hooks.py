"""What a plugin can implement, one function a hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imle_core.engine import Report

    from ._spec import SolverSpec

PROJECT = "imle"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def imle_register_solvers() -> Iterable[SolverSpec]:  # type: ignore[empty-body]
    """Return the descriptions of the solvers that this plugin offers."""


@hookspec
def imle_after_backward(report: Report) -> None:
    """Take note of what a backward pass of a solver layer did; called once after each."""
