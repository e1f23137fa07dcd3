"""The environment variables that decide which plugins are used."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imle_core.errors import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOAD = "IMLE_LOAD_PLUGINS"
DISABLED = "IMLE_DISABLED_PLUGINS"
STRICT = "IMLE_STRICT_PLUGINS"


@dataclass(frozen=True)
class Switches:
    """Which plugins are used, and whether a broken one is an error.

    Attributes:
        only: The plugins to use, from ``IMLE_LOAD_PLUGINS=a,b`` (empty: none); ``None`` if it is not set.
        disabled: The plugins not to use, from ``IMLE_DISABLED_PLUGINS=c``.
        strict: Whether a plugin that fails raises, from ``IMLE_STRICT_PLUGINS=1``.
    """

    only: frozenset[str] | None
    disabled: frozenset[str]
    strict: bool

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Switches:
        """Read the switches from environment variables."""
        only = _names(env[LOAD]) if LOAD in env else None
        strict = env.get(STRICT, "").strip().lower() not in ("", "0", "false", "no")
        return cls(only, _names(env.get(DISABLED, "")), strict)

    def disables(self, name: str) -> str:
        """Return the variable that disables a plugin; empty if none does."""
        if name in self.disabled:
            return DISABLED
        return LOAD if self.only is not None and name not in self.only else ""

    def warn_unknown(self, installed: Iterable[str]) -> None:
        """Log a line for each plugin that a variable names and that is not installed."""
        installed = sorted(set(installed))
        for variable, names in ((LOAD, self.only or ()), (DISABLED, self.disabled)):
            for name in sorted(set(names).difference(installed)):
                logging.getLogger("imle_core.registry").warning(
                    "%s names %r, which is not installed.%s", variable, name, closest(name, installed)
                )


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
