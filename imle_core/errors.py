"""Every error that this library raises on purpose.

All derive from :class:`ImleError`; each also derives from the built-in that a user would catch without
knowing this library. A message says what was asked, what was found, and what to do.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ImleError(Exception):
    """Root of all errors of this library."""


class PluginLoadError(ImleError, ImportError):
    """A plugin could not be loaded; the cause is kept as ``__cause__``."""


class RegistrationError(ImleError, ValueError):
    """A solver's description is not valid, does not fit its solver, or asks for a name that is taken."""


class MissingDependencyError(ImleError, ImportError):
    """A solver needs a library that is not installed, or not in a version that works."""


class UnknownNameError(ImleError, LookupError):
    """No object goes by this name; the message gives the closest match and the valid names."""


class SolverNotFoundError(UnknownNameError):
    """No installed solver goes by this name."""


class AmbiguousSolverError(SolverNotFoundError):
    """A bare name that several plugins offer; the message lists the qualified names."""


class SolverParameterError(ImleError, TypeError, ValueError):
    """A solver was given an unknown, missing, mistyped or out-of-range parameter."""

    unknown: str | None = None
    """The parameter that the solver does not have, where that is what is wrong."""


class InvalidThetaError(ImleError, ValueError):
    """The parameters handed to a solver are not finite, or have the wrong shape, dtype or device."""


class InvalidInstanceError(ImleError, ValueError):
    """The per-row instances handed to a solver are not valid for it, or do not match the rows."""


class InvalidTargetError(ImleError, ValueError):
    """What a loss compares with, a target or a pool of solutions, is not valid for its solver or its prediction."""


class MissingCapabilityError(ImleError, NotImplementedError):
    """A solver does not implement an optional method; the message names both."""


class SolverError(ImleError, RuntimeError):
    """A solver failed on a row.

    A plugin raises it (or a subclass) with the row of the batch that it was given; the core adds the name of
    the solver and translates the row to the user's batch, because a plugin sees only a part of that batch.

    Args:
        message: What went wrong and what to do.
        row: Index of the row in the batch that the solver was given, if one row is to blame.
    """

    def __init__(self, message: str, *, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row
        self.solver: str | None = None

    def __str__(self) -> str:
        """Return ``solver: row 3: message``, leaving out what is not known."""
        prefix = f"{self.solver}: " if self.solver else ""
        where = f"row {self.row}: " if self.row is not None else ""
        return f"{prefix}{where}{self.args[0]}"


class InfeasibleError(SolverError):
    """No structure satisfies the constraints of an instance (no path, empty feasible set)."""


class UnboundedError(SolverError):
    """The objective is unbounded (a negative cycle, an unbounded ray)."""


class SolverTimeoutError(SolverError, TimeoutError):
    """A search ended at its time limit: without a structure, or with one that is not proven optimal."""


class InvalidSolutionError(SolverError):
    """A solver returned something that is no structure: wrong shape, dtype, not finite, not integral, infeasible."""


class CheckpointMismatchError(ImleError, ValueError):
    """A checkpoint was saved by a layer over another solver."""


class RecordError(ImleError, ValueError):
    """Records of a training run cannot be taken, written or read; the message says where and why."""


def closest(name: str, valid: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the valid name closest to ``name``, or an empty string."""
    match = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return f" Did you mean {match[0]!r}?" if match else ""
