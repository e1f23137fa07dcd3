"""What this plugin offers, described without importing torch."""

from __future__ import annotations

from dataclasses import dataclass

import imle_core as imle


@dataclass(frozen=True, kw_only=True)
class KSubsetParameters:
    """Parameters of ``torch.k_subset``."""

    k: int = imle.parameter(help="How many entries a subset has.", ge=0)
    n: int | None = imle.parameter(
        None, help="How many entries to choose from; None takes the last axis of theta as it comes.", ge=1
    )


@imle.hookimpl
def imle_register_solvers() -> list[imle.SolverSpec]:
    """Return the solvers native to torch."""
    return [
        imle.SolverSpec(
            name="k_subset",
            factory="imle_torch._k_subset:KSubset",
            summary="The k entries with the largest scores.",
            parameters=KSubsetParameters,
            sense="max",
            output="binary",
            batched=True,
            devices="any",
            references=("Niepert, Minervini and Franceschi (2021), Implicit MLE, section 5.1",),
            examples="imle_torch.examples:k_subset",
        )
    ]
