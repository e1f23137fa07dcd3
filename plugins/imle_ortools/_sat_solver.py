"""What the solvers over CP-SAT have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import MissingCapabilityError
from imle_ortools._model_solver import ModelSolver
from imle_ortools._sat_parameters import parameters_of
from imle_ortools._sat_search import Search

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imle_ortools._limits import OnTimeout
    from imle_ortools._sat_model import SatModel

LISTED = 100_000
"""More solutions than these are not listed."""


class SatSolver(ModelSolver):
    """A solver whose problem is a model of CP-SAT, or one for each instance.

    Args:
        model: The problem of rows without an instance.
        time_limit: Seconds for a row; None for no limit.
        on_timeout: ``"use"`` or ``"error"``.
        parameters: Parameters of CP-SAT by name.
        threads: Threads at most.
    """

    def __init__(
        self,
        model: SatModel,
        *,
        time_limit: float | None,
        on_timeout: OnTimeout,
        parameters: Mapping[str, Any] | None,
        threads: int | None,
    ) -> None:
        self._parameters = str(parameters_of(parameters, size=model.size))  # the one form that can be pickled
        super().__init__(model, time_limit=time_limit, on_timeout=on_timeout, threads=threads)

    def _searcher(self) -> Search:
        return Search(self._parameters, self.time_limit)

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return every structure once, shape ``(K, *event)``, sorted; for models of up to 100,000 solutions.

        Raises:
            MissingCapabilityError: there are more, or the objective has terms that theta does not cover, so that
                structures differ by more than <z, theta>.
        """
        model = self._model_of(instance)
        if len(model.others):
            raise MissingCapabilityError(
                f"{self.name}: the objective has terms that theta does not cover, so a list of structures would not "
                "say which is best; `enumerate_support` is for objectives that are <z, theta> alone."
            )
        solutions = self._searcher().every(model, LISTED)
        if solutions is None:
            raise MissingCapabilityError(
                f"{self.name}: the model has more than {LISTED:,} solutions; too many."
            )
        states = np.array(solutions, np.float64).reshape(len(solutions), len(model.keys))
        shape: tuple[Any, ...] = self.event_shape or ()
        return np.unique(states[:, model.columns], axis=0).reshape(-1, *shape)

    def explain(self) -> str:
        """Return in words what CP-SAT is given."""
        limit = "none" if self.time_limit is None else f"{self.time_limit:g} s"
        return (
            f"{self.name}: CP-SAT, costs as integers of 58 bits a sum, in several searches where a row's magnitudes "
            f"need more; time limit for a row: {limit}; parameters: {', '.join(self._parameters.split(chr(10)))}."
        )
