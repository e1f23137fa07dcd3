"""Small solvers to test and to time: few enough structures for the conformance kit to try them all."""

from __future__ import annotations

from imle_core.testing import Example


def examples() -> list[Example]:
    """Return one for each way in which the windows can lie."""
    return [
        Example(parameters={"length": 7, "count": 2, "width": 2}, label="two windows"),
        Example(parameters={"length": 6, "count": 3, "width": 2}, label="no choice"),
        Example(parameters={"length": 5, "count": 2}, label="single steps"),
    ]
