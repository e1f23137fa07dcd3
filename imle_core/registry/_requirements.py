"""What a solver needs to be installed, read from package metadata and never by importing."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING

from imle_core.errors import MissingDependencyError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from ._spec import SolverSpec

DISTRIBUTION = "imle-core"


def unmet_requirements(spec: SolverSpec) -> dict[str, str | None]:
    """Return the requirements that are not met, each with the version installed or ``None``."""
    unmet: dict[str, str | None] = {}
    for requirement in _requirements(spec.requires):
        version = _installed(requirement)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            unmet[str(requirement)] = version
    return unmet


def install_command(spec: SolverSpec) -> str:
    """Return the pip command that installs what is missing; empty if nothing is."""
    unmet = unmet_requirements(spec)
    targets = [f"{DISTRIBUTION}[{spec.extra}]"] if spec.extra and unmet else unmet
    return f"pip install {' '.join(map(repr, targets))}" if targets else ""


def conflict_in_process(spec: SolverSpec) -> str | None:
    """Return the conflicting library, with its version, that this process has already imported."""
    for requirement in _requirements(spec.conflicts):
        version = _installed(requirement)
        imported = requirement.name.replace("-", "_") in sys.modules
        if version and imported and requirement.specifier.contains(version, prereleases=True):
            return f"{requirement.name} {version}"
    return None


def check_requirements(spec: SolverSpec) -> None:
    """Raise if a library is missing, or clashes with one that this process has imported.

    Raises:
        MissingDependencyError: naming what is installed, what is needed and the command that installs it.
    """
    if unmet := unmet_requirements(spec):
        needs = ", ".join(
            f"{text} ({f'installed: {version}' if version else 'not installed'})"
            for text, version in unmet.items()
        )
        raise MissingDependencyError(f"{spec.name} needs {needs}. Install with: {install_command(spec)}")
    if found := conflict_in_process(spec):
        raise MissingDependencyError(
            f"{spec.name} cannot be in one process with {found}, which is already imported "
            f"(conflicts: {', '.join(spec.conflicts)}). Install another version of it, or use two processes."
        )


def _requirements(texts: tuple[str, ...]) -> list[Requirement]:
    if not texts:
        return []
    from packaging.requirements import Requirement

    requirements = [Requirement(text) for text in texts]
    return [r for r in requirements if r.marker is None or r.marker.evaluate()]


def _installed(requirement: Requirement) -> str | None:
    try:
        return importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return None
