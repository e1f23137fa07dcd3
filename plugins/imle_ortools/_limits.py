"""Time limits: their parameters, checked in one way."""

from __future__ import annotations

from typing import Literal

from imle_core.errors import SolverParameterError

OnTimeout = Literal["use", "error"]


def require_limits(time_limit: float | None, on_timeout: str) -> None:
    """Raise SolverParameterError unless the limit and what happens at it are valid."""
    if time_limit is not None and not time_limit > 0:
        raise SolverParameterError(
            f"time_limit must be above 0 (seconds for a row), or None; got {time_limit!r}."
        )
    if on_timeout not in ("use", "error"):
        raise SolverParameterError(f"on_timeout must be 'use' or 'error'; got {on_timeout!r}.")
