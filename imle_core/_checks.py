"""Checks of parameters that estimators and noise share."""

from __future__ import annotations

import math
from numbers import Integral, Real


def require_number(
    owner: str, name: str, value: object, *, at_least: float | None = None, above: float | None = None
) -> None:
    """Raise ValueError unless value is a finite real number, of at least or above a bound."""
    fits = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if fits and at_least is not None:
        fits = value >= at_least  # type: ignore[operator]
    if fits and above is not None:
        fits = value > above  # type: ignore[operator]
    if not fits:
        bound = f"of at least {at_least}" if at_least is not None else f"above {above}"
        raise ValueError(f"{owner}: {name} must be a finite number {bound}; got {value!r}.")


def require_count(owner: str, name: str, value: object) -> None:
    """Raise ValueError unless value is an integer of at least 1."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{owner}: {name} must be an integer of at least 1; got {value!r}.")


def require_choice(owner: str, name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(map(repr, choices))
        raise ValueError(f"{owner}: {name} must be one of {listed}; got {value!r}.")


def require_probability(owner: str, name: str, value: object) -> None:
    """Raise ValueError unless value is a number from 0 to 1."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{owner}: {name} must be a number from 0 to 1; got {value!r}.")
