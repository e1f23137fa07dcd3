"""The checks that there are: each a function, in the order in which they run."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from imle_core.errors import UnknownNameError, closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LEVELS = (
    "api",
    "contract",
    "mathematics",
    "robustness",
    "declared traits",
    "exact inference",
    "gradient",
    "speed",
)
"""The levels of checks, in the order in which they run."""

_F = TypeVar("_F", bound="Callable[[Any], None]")
_checks: list[Check] = []


@dataclass(frozen=True)
class Check:
    """One property that a solver must have.

    Attributes:
        name: The name of its function, ``"check_monotonicity"``.
        level: One of :data:`LEVELS`.
        function: Takes a case, or the subject if it looks at the description alone; raises if it fails.
        once: Whether it runs once for a solver, not once for each of its examples.
    """

    name: str
    level: str
    function: Callable[[Any], None]
    once: bool

    @property
    def summary(self) -> str:
        """The property, in one line."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


def check(level: str, *, once: bool = False) -> Callable[[_F], _F]:
    """Enter a function into the catalogue, under its own name."""
    assert level in LEVELS

    def enter(function: _F) -> _F:
        _checks.append(Check(function.__name__, level, function, once))
        return function

    return enter


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """Return every check, by level and within a level in the order of its file."""
    from imle_core.testing import _checks as _  # noqa: F401 - importing them enters them

    return tuple(sorted(_checks, key=lambda each: LEVELS.index(each.level)))


def select_checks(
    checks: Iterable[str] | None = None, levels: Iterable[str] | None = None
) -> tuple[Check, ...]:
    """Return the checks of these names and levels, all where neither is given.

    Raises:
        UnknownNameError: there is no such check or level; the message has the closest match.
    """
    names = None if checks is None else require_checks("checks", checks)
    chosen = LEVELS if levels is None else _known("levels", levels, LEVELS)
    found = tuple(c for c in all_checks() if c.level in chosen and (names is None or c.name in names))
    if not found:
        raise UnknownNameError(f"none of the checks {names} is of the levels {list(chosen)}.")
    return found


def require_checks(owner: str, names: Iterable[str]) -> list[str]:
    """Return the names as a list; raise UnknownNameError unless each is the name of a check."""
    return _known(owner, names, [each.name for each in all_checks()])


def _known(owner: str, names: Iterable[str], valid: Iterable[str]) -> list[str]:
    names, valid = [names] if isinstance(names, str) else list(names), list(valid)
    for name in names:
        if name not in valid:
            raise UnknownNameError(
                f"{owner}: no {name!r}.{closest(str(name), valid)} There are: {', '.join(valid)}."
            )
    return names
