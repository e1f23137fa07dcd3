"""Time limits: their parameters, checked in one way."""

from __future__ import annotations

from typing import Literal

from imle_core.errors import SolverParameterError

OnTimeout = Literal["use", "error"]

LARGEST_SEED = 2**31 - 1
"""OR-Tools keeps seeds in 32 bits."""


LONGEST = 1e8
"""Seconds at most, three years: clocks and OR-Tools overflow where there are many more."""


def require_time_limit(time_limit: float | None) -> None:
    """Raise SolverParameterError unless a limit of time is one that clocks can hold."""
    if time_limit is not None and not 0 < time_limit <= LONGEST:
        raise SolverParameterError(
            f"time_limit must be above 0 and at most {LONGEST:,.0f} (seconds for a row), or None for no limit; got "
            f"{time_limit!r}."
        )


def require_limits(time_limit: float | None, on_timeout: str) -> None:
    """Raise SolverParameterError unless the limit and what happens at it are valid."""
    require_time_limit(time_limit)
    if on_timeout not in ("use", "error"):
        raise SolverParameterError(f"on_timeout must be 'use' or 'error'; got {on_timeout!r}.")


def require_seed(seed: int) -> None:
    """Raise SolverParameterError unless OR-Tools can take a seed."""
    if not 0 <= seed <= LARGEST_SEED:
        raise SolverParameterError(f"seed must be from 0 to {LARGEST_SEED:,}; got {seed!r}.")
