"""Which backends there are, what each needs and can solve; imports none of their libraries."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from imle_core.errors import MissingDependencyError, SolverParameterError, closest

from ._integral import why_not_integral
from ._substitute import Substituted, reduced

if TYPE_CHECKING:
    from collections.abc import Callable

    from imle_pulp._program import Program

    from ._base import Model


@dataclass(frozen=True)
class Backend:
    """One solver library.

    Args:
        factory: Its :class:`Model`, as ``"module:class"``, imported at the first use.
        needs: What must be installed, PEP 508; empty for commands.
        install: What pip is asked to install.
        why_not: Returns why a programme cannot be given to it, or None.
        free: Whether ``auto`` may take it without asking: it never takes a licence.
    """

    factory: str
    needs: str = ""
    install: str = ""
    why_not: Callable[[Program], str | None] | None = None
    free: bool = False


LIBRARIES: dict[str, Backend] = {
    "cp_sat": Backend("cp_sat:CpSat", "ortools>=9.15", "imle-core[ortools]", why_not_integral, free=True),
    "highs": Backend("highs:Highs", "highspy>=1.12,<1.13", "imle-core[pulp]", free=True),
    "scipy": Backend("scipy:Scipy", "scipy>=1.14", "imle-core[pulp]"),
    "gurobi": Backend("gurobi:Gurobi", "gurobipy>=11", "gurobipy"),
    "scip": Backend("scip:Scip", "pyscipopt>=5", "pyscipopt"),
}

COMMANDS = (
    "PULP_CBC_CMD",
    "COIN_CMD",
    "GLPK_CMD",
    "SCIP_CMD",
    "FSCIP_CMD",
    "HiGHS_CMD",
    "GUROBI_CMD",
    "CPLEX_CMD",
    "MIPCL_CMD",
)
"""PuLP's names of the commands that it starts without a shell: those of Choco, COPT and Xpress are left out."""

ALIASES = {"cbc": "PULP_CBC_CMD", "HiGHS": "highs", "GUROBI": "gurobi", "SCIP_PY": "scip"}
"""Other names: the last three are PuLP's for libraries that run in this process."""

NAMES = (*LIBRARIES, *ALIASES, *COMMANDS)


def make(name: str, program: Program) -> Model | Substituted:
    """Return the programme in the solver library of this name.

    Raises:
        SolverParameterError: there is no such backend, or it cannot solve this programme.
        MissingDependencyError: its library or command is not installed.
    """
    name = _known(name)
    if missing := _missing(name):
        raise MissingDependencyError(missing)
    if reason := _unable(name, program):
        raise SolverParameterError(
            f"backend {name!r} cannot solve this problem: {reason}. Take backend='highs'."
        )
    if name in COMMANDS:
        return _load("pulp_command:PulpCommand")(program, name)
    return Substituted(_load(LIBRARIES[name].factory), program)


def can_solve(name: str, program: Program) -> str | None:
    """Return None if the backend is installed and can solve the programme, otherwise the reason in words.

    Raises:
        SolverParameterError: there is no such backend.
    """
    name = _known(name)
    return _missing(name) or _unable(name, program)


def candidates(program: Program) -> list[str]:
    """Return the names of the backends that are installed, free and able, the most promising first."""
    names = [name for name, backend in LIBRARIES.items() if backend.free]
    able = [name for name in names if can_solve(name, program) is None]
    return able if "highs" in able else [*able, *(["scipy"] if can_solve("scipy", program) is None else [])]


def relaxation(program: Program) -> Model | Substituted:
    """Return the programme without its integrality, whose answers are vertices.

    Raises:
        MissingDependencyError: highspy is not installed.
    """
    if missing := _missing("highs"):
        raise MissingDependencyError(missing)
    return Substituted(_load("highs:HighsRelaxation"), program)


def is_command(name: str) -> bool:
    """Return whether the backend is started as a process for each solve, which takes milliseconds."""
    return _known(name) in COMMANDS


def _known(name: str) -> str:
    if name not in NAMES:
        import pulp

        known = name in pulp.listSolvers()
        what = f"PuLP's solver {name!r} is not supported" if known else f"unknown backend {name!r}"
        raise SolverParameterError(
            f"{what}.{closest(name, ('auto', *NAMES))} Backends: auto, {', '.join(LIBRARIES)}, cbc; and by PuLP's own "
            f"names: {', '.join((*(name for name in ALIASES if name != 'cbc'), *COMMANDS))}."
        )
    return ALIASES.get(name, name)


@functools.cache
def _missing(name: str) -> str | None:
    if name in COMMANDS:
        command = _load("pulp_command:find")(name)
        return command and f"backend {name!r} needs the command {command!r}, which is not found."
    backend = LIBRARIES[name]
    requirement = Requirement(backend.needs)
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        version = None
    if version is not None and requirement.specifier.contains(version, prereleases=True):
        return None
    found = "not installed" if version is None else f"installed: {version}"
    return f"backend {name!r} needs {requirement} ({found}). Install with: pip install {backend.install!r}"


def _unable(name: str, program: Program) -> str | None:
    why_not = LIBRARIES[name].why_not if name in LIBRARIES else None
    return why_not(reduced(program)) if why_not else None


def _load(factory: str) -> Any:
    module, _, attribute = factory.partition(":")
    return getattr(importlib.import_module(f"{__package__}.{module}"), attribute)
