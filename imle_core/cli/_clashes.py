"""Libraries that cannot be in one process, told from package metadata."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imle_core.registry import SolverSpec


@dataclass(frozen=True)
class Clash:
    """Libraries that work alone and not together.

    Attributes:
        libraries: Requirements; all installed, they clash.
        effect: What happens in a process that imports them.
        remedy: What to do.
    """

    libraries: tuple[str, ...]
    effect: str
    remedy: str


_PIN = "pip install 'highspy>=1.12,<1.13'"
KNOWN = (
    Clash(
        ("ortools>=9.15", "highspy>=1.15"),
        "both bring their own libhighs, and whichever is imported second fails",
        _PIN,
    ),
    Clash(
        ("pulp>=3.3", "highspy>=1.14,<1.15", "ortools>=9.15"),
        "PuLP loads the symbols of highspy for the whole process, and HiGHS in OR-Tools then crashes it",
        _PIN,
    ),
)
"""Clashes found by running the libraries together; a solver declares its own in ``SolverSpec.conflicts``."""


@dataclass(frozen=True)
class Found:
    """A clash of what is installed.

    Attributes:
        libraries: The distributions, with their versions.
        effect: What happens, and to which solver.
        remedy: What to do.
    """

    libraries: tuple[str, ...]
    effect: str
    remedy: str


def find_clashes(specs: Iterable[SolverSpec]) -> list[Found]:
    """Return the clashes among installed distributions: those known, and those that solvers declare.

    A solver whose own libraries are missing clashes with nothing. Two solvers that declare the same conflict, and a
    conflict that is known already, are reported once.
    """
    from imle_core.registry import unmet_requirements

    found = []
    for clash in KNOWN:
        present = [version for each in clash.libraries if (version := installed(each))]
        if len(present) == len(clash.libraries):
            found.append(Found(tuple(present), clash.effect, clash.remedy))
    declared: dict[tuple[str, str], list[str]] = {}
    for spec in specs:
        if spec.conflicts and not unmet_requirements(spec):
            own = {installed(text) for text in spec.requires}
            for text in spec.conflicts:
                version = installed(text)
                known = any(version in each.libraries and own.intersection(each.libraries) for each in found)
                if version and not known:
                    declared.setdefault((version, text), []).append(spec.name)
    for (version, text), names in declared.items():
        remedy = f"install a version of {version.split()[0]} that is not {text}, or use two processes"
        found.append(Found((version,), f"it cannot be in one process with {', '.join(names)}", remedy))
    return found


def installed(requirement: str) -> str | None:
    """Return the distribution, with its version, that meets a requirement; ``None`` if none does."""
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return None
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return None
    return f"{wanted.name} {version}" if wanted.specifier.contains(version, prereleases=True) else None
