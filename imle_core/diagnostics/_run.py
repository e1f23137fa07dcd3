"""A training run in columns: what its records tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class LayerRun:
    """The reports of one layer.

    Attributes:
        name: Its path in the model.
        solver: Its solver.
        estimators: The estimators that it had, as text, in order; more than one if it was annealed.
        steps: Number of each report's backward pass, over the whole run.
        columns: Each figure over the reports; NaN where an optional one is missing, 0 where a count or a time is.
    """

    name: str
    solver: str
    estimators: tuple[str, ...]
    steps: Column
    columns: dict[str, Column]

    def group(self, prefix: str) -> dict[str, Column]:
        """Return the columns under a prefix, by the rest of their names: ``"seconds"``, ``"avoided"``."""
        start = f"{prefix}/"
        return {
            name.removeprefix(start): column
            for name, column in self.columns.items()
            if name.startswith(start)
        }

    @property
    def solver_seconds(self) -> Column:
        """Seconds in all phases together, for each report."""
        return np.sum([np.zeros_like(self.steps), *self.group("seconds").values()], axis=0)


@dataclass(frozen=True)
class Run:
    """A training run.

    Attributes:
        layers: The reports, a layer each.
        values: The user's own values by name: steps and numbers.
        began: Time of the first record, seconds since 1970.
        wall: Seconds from the first to the last record of each part, added up; the time between an interruption and
            its continuation is no part of the run.
        steps: Number of training steps: the last step of any layer.
        covered: Number of steps that happened within ``wall``.
        parts: 1, and one more for each time that the steps began anew (a continued run).
        records: Number of records.
        notes: What a reader should know about the reading.
    """

    layers: tuple[LayerRun, ...]
    values: dict[str, tuple[Column, Column]]
    began: float
    wall: float
    steps: int
    covered: int
    parts: int
    records: int
    notes: tuple[str, ...] = ()

    def passes_a_step(self, layer: LayerRun) -> float:
        """Return how many backward passes a layer had for each step of the run."""
        return float(layer.steps[-1]) / self.steps if self.steps else 1.0

    @property
    def solver_share(self) -> float | None:
        """Share of the wall time that was spent in the layers; None if it is not known.

        Per step on both sides, because the records of a run may be thinned.
        """
        if self.wall <= 0 or self.covered <= 0:
            return None
        spent = 0.0
        for layer in self.layers:
            # Without each layer's first report: kernels are compiled and caches filled in it, mostly before the clock
            # of the records begins.
            seconds = layer.solver_seconds[1:]
            if len(seconds):
                spent += float(seconds.mean()) * self.passes_a_step(layer)
        return min(spent / (self.wall / self.covered), 1.0)
