"""How a check ends: it returns, it fails with a finding, or it does not apply."""

from __future__ import annotations

from typing import NoReturn

from imle_core.errors import ImleError


class ConformanceError(ImleError, AssertionError):
    """A solver does not do what its contract says; the message lists what was asked and what was found."""


class CheckSkipped(ImleError):  # noqa: N818 - no error
    """A check does not apply to a solver; the message is the reason."""


def fail(*, asked: str, found: str, usually: str) -> NoReturn:
    """End a check with a finding.

    Args:
        asked: The property, as a sentence or a formula.
        found: What the solver did instead, with the numbers.
        usually: What is usually wrong, and what to do.
    """
    raise ConformanceError(f"asked: {asked}\nfound: {found}\nusually: {usually}")


def skip(reason: str) -> NoReturn:
    """End a check that does not apply."""
    raise CheckSkipped(reason)
