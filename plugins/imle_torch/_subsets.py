"""What sets of indicators of n entries share: their Python form is the list of indices."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import MissingCapabilityError, SolverParameterError
from imle_torch._checks import no_structure, require_structure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Subsets(imle.Solver):
    """A family of subsets of n entries, scored by the sum over the entries chosen.

    Args:
        n: Number of entries; None takes the last axis of theta as it comes.
        what: What a state is, such as ``"an indicator of 2 entries"``.
    """

    sense = "max"
    output = "binary"
    scale_invariant = True

    def __init__(self, n: int | None, what: str) -> None:
        self.n = n
        self.event_shape = (n,)
        self._what = what

    @abstractmethod
    def is_feasible(self, z: Any, *, instances: Sequence[Any] | None = None) -> Any:
        """Return for each row, shape ``(N, n)``, whether it belongs to the family."""

    def decode(self, z: Any, *, instance: Any = None) -> list[int]:  # type: ignore[override]
        """Return the indices of the chosen entries, ascending.

        Raises:
            InvalidSolutionError: the state does not belong to the family.
        """
        require_structure(self, z, self._what)
        return np.flatnonzero(z).tolist()

    def encode(self, structure: Iterable[int]) -> np.ndarray:
        """Return the indicator, shape ``(n,)``, of distinct indices; ``n`` must have been given.

        Raises:
            InvalidSolutionError: the indices are not distinct, out of range, or not in the family.
        """
        if self.n is None:
            raise SolverParameterError(
                f"{self.name}: encode needs the number of entries; make the solver with n=."
            )
        indices = list(structure)
        z = np.zeros(self.n)
        if len(set(indices)) == len(indices) and all(0 <= i < self.n for i in indices):
            z[indices] = 1
            if bool(self.is_feasible(torch.from_numpy(z)[None])):
                return z
        raise no_structure(self, f"the indices {indices} of {self.n} entries are not those of {self._what}")

    def _known_n(self) -> int:
        """Return the number of entries for a listing of the set, which depends on it."""
        if self.n is None:
            raise MissingCapabilityError(
                f"{self.name}: its set depends on the number of entries; make the solver with n=."
            )
        return self.n
