"""What ``imle doctor`` looks at, and what it says of it: sections of facts and findings."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imle_core.registry import Plugin, SolverSpec


@dataclass(frozen=True)
class Finding:
    """Something that needs attention.

    Attributes:
        level: ``"problem"``: something does not work. ``"note"``: something is not there, or is worth knowing.
        text: What is the matter.
        remedy: What to do, as a sentence or a command.
    """

    level: Literal["problem", "note"]
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Section:
    """One topic: what was found as it should be, and what was not."""

    title: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Scene:
    """What the sections look at.

    Attributes:
        plugins: The installed plugins, loaded.
        env: The environment variables.
    """

    plugins: Sequence[Plugin]
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def specs(self) -> list[SolverSpec]:
        """The solvers of all plugins that load."""
        return [spec for plugin in self.plugins for spec in plugin.specs]


def causes(error: BaseException) -> list[str]:
    """Return an error and its causes, each in one line, the first cause last; what says nothing new is left out."""
    from imle_core.errors import PluginLoadError
    from imle_core.registry import chain

    lines: list[str] = []
    for each in chain(error):
        text = " ".join(str(each).split()).rstrip(".")
        first = str(each).partition("\n")[0].rstrip(".")
        if not any(first and first in line for line in lines):
            lines.append(text if isinstance(each, PluginLoadError) else f"{type(each).__name__}: {text}")
    return lines
