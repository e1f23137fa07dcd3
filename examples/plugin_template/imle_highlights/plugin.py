"""What this plugin offers. Whoever lists solvers imports this module, so it imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

import imle_core as imle


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Parameters of the solver, checked before it is made."""

    length: int = imle.parameter(help="Steps of the series.", ge=1)
    count: int = imle.parameter(1, help="How many windows to choose.", ge=1)
    width: int = imle.parameter(1, help="Steps of a window.", ge=1)


@imle.hookimpl
def imle_register_solvers() -> list[imle.SolverSpec]:
    """Return the descriptions of the solvers."""
    return [
        imle.SolverSpec(
            name="highlights",
            factory="imle_highlights._solver:Highlights",
            summary="Disjoint windows of a series with the largest total score.",
            parameters=Parameters,
            requires=("numpy>=1.26",),
            sense="max",
            output="binary",
            batched=True,
            examples="imle_highlights._examples:examples",
        )
    ]
