"""Small instances of this plugin's solvers, to test them with."""

from __future__ import annotations

from imle_core.testing import Example


def k_subset() -> list[Example]:
    """Return subsets of every kind: some, one, none and all of a few entries, and of any number."""
    sizes = [(2, 6), (1, 5), (4, 5), (0, 4), (4, 4)]
    given = [Example(parameters={"k": k, "n": n}) for k, n in sizes]
    return [*given, Example(parameters={"k": 2}, event_shape=(7,), label="k=2,n=any")]
