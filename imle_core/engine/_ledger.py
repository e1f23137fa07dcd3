"""What a layer's passes did, noted by its operators; one report for each backward pass."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.hooks import RemovableHandle

from ._report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from imle_core._outcomes import Rows
    from imle_core._solver import Solver
    from imle_core.estimators import Estimator

_KEPT = 256  # calls of a layer between a forward pass and its backward pass, or without one


@dataclass(slots=True)
class Pass:
    """The batches that one forward or backward pass solved."""

    solves: int = 0
    timeouts: int = 0
    seconds: float = 0.0
    avoided: dict[str, int] = field(default_factory=dict)
    outcomes: Rows | None = None

    def note(
        self,
        *,
        start: float,
        solves: int = 0,
        timeouts: int = 0,
        avoided: Mapping[str, int] | None = None,
        outcomes: Rows | None = None,
    ) -> None:
        """Note one batch, begun at ``start`` by the performance counter."""
        self.solves += solves
        self.timeouts += timeouts
        self.seconds += time.perf_counter() - start
        self.outcomes = outcomes
        for cause, rows in (avoided or {}).items():
            if rows:
                self.avoided[cause] = self.avoided.get(cause, 0) + rows


@dataclass(slots=True)
class Entry:
    """One call of a layer, and the backward passes through it."""

    estimator: Estimator
    samples: int
    noise: float = 0.0
    forward: Pass = field(default_factory=Pass)
    backward: Pass = field(default_factory=Pass)

    def pass_of(self, *, forward: bool) -> Pass:
        """Return the pass that is under way."""
        return self.forward if forward else self.backward


class Ledger:
    """Of one binding: what each call of its layer did, and who wants to know after the backward pass.

    A call goes by a ticket, a tensor that a graph of any kind keeps for its backward pass. So calls do not mix:
    validation in between, calls in several threads, a layer that a model uses twice. Entries whose backward pass never
    comes are forgotten after a while.
    """

    def __init__(self) -> None:
        self.report: Report | None = None
        self.hooks: OrderedDict[int, Callable[[Report], object]] = OrderedDict()
        self._steps = itertools.count(1)
        self._tickets = itertools.count()
        self._entries: OrderedDict[int, Entry] = OrderedDict()

    def add_hook(self, hook: Callable[[Report], object]) -> RemovableHandle:
        """Call ``hook(report)`` after each backward pass, until the handle is removed."""
        handle = RemovableHandle(self.hooks)
        self.hooks[handle.id] = hook
        return handle

    def open(self, estimator: Estimator, samples: int) -> int:
        """Begin an entry; return its ticket."""
        ticket = next(self._tickets)
        self._entries[ticket] = Entry(estimator, samples)
        if len(self._entries) > _KEPT:
            self._entries.popitem(last=False)
        return ticket

    def entry(self, ticket: Tensor, estimator: Estimator) -> Entry:
        """Return the entry of a ticket; a new one in place of one that was forgotten."""
        key = int(ticket)
        found = self._entries.get(key)
        if found is None:
            found = self._entries[key] = Entry(estimator, estimator.samples)
        return found

    def conclude(
        self, gradient: Tensor, weight: Tensor | None, change: Tensor | None, entry: Entry, solver: Solver
    ) -> None:
        """Make the report of a backward pass from what it ended in, and hand it on."""
        forward, backward, noise = entry.forward, entry.backward, entry.noise
        # A second backward pass through the same graph repeats neither the draw nor the solves of the forward pass.
        entry.forward, entry.backward, entry.noise = Pass(), Pass(), 0.0
        self.report = report = Report(
            step=next(self._steps),
            solver=solver.name,
            estimator=entry.estimator,
            rows=gradient.shape[0],
            samples=entry.samples,
            solves=forward.solves + backward.solves,
            avoided=_sums(forward.avoided, backward.avoided),
            timeouts=forward.timeouts + backward.timeouts,
            seconds={"noise": noise, "forward": forward.seconds, "backward": backward.seconds},
            # float64, so that squares of the smallest and largest float32 neither vanish nor overflow
            gradient_norms=torch.linalg.vector_norm(
                gradient.reshape(gradient.shape[0], gradient[:1].numel()), dim=1, dtype=torch.float64
            ),
            steps=None if weight is None else weight.reshape(weight.shape[:2]).reciprocal(),
            changes=None if change is None else change.reshape(*change.shape[:2], -1).abs().amax(2),
            **_columns(forward.outcomes, gradient.shape[0]),
        )
        for hook in list(self.hooks.values()):
            hook(report)
        from imle_core.registry import default_registry  # of the process, which may be replaced in between

        default_registry().notify(report)


def _sums(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {cause: first.get(cause, 0) + second.get(cause, 0) for cause in (*first, *second)}


def _columns(outcomes: Rows | None, rows: int) -> dict[str, Any]:
    """Return the outcomes of a forward pass as the report has them, shape ``(S, N)``."""
    if outcomes is None or rows == 0:
        return {}
    # A vmapped backward pass, as of jacrev, has the rows of the forward pass several times.
    times = rows // outcomes.statuses.shape[1]
    return {name: np.tile(column, (1, times)) for name, column in outcomes._asdict().items()}
