"""What a layer's passes did, noted by its operators; one report for each backward pass."""

from __future__ import annotations

import contextvars
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch.utils.hooks import RemovableHandle

from ._report import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from torch import Tensor

    from imle_core._solver import Solver
    from imle_core.estimators import Estimator

_timeouts: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar("imle_timeouts", default=None)


def note_timeout(rows: int) -> bool:
    """Count rows of the batch that is being solved as timed out; return whether anybody counts."""
    counted = _timeouts.get()
    if counted is not None:
        counted.append(rows)
    return counted is not None


class CountingTimeouts:
    """Collects what solvers note about time-outs inside the ``with`` block, in :attr:`total`."""

    total = 0

    def __enter__(self) -> CountingTimeouts:
        """Begin to count."""
        self._counted: list[int] = []
        self._token: Token[list[int] | None] = _timeouts.set(self._counted)
        return self

    def __exit__(self, *error: object) -> None:
        """Stop counting."""
        _timeouts.reset(self._token)
        self.total = sum(self._counted)


@dataclass
class _Pass:
    """The batches that one forward or backward pass solved."""

    solves: int = 0
    timeouts: int = 0
    seconds: float = 0.0
    avoided: dict[str, int] = field(default_factory=dict)


class Ledger:
    """Of one binding: what its last forward pass did, what the backward pass does, and who wants to know.

    A report is of one backward pass and the forward pass before it: of the last one, where a layer is called several
    times before. Validation in between leaves no trace.
    """

    def __init__(self) -> None:
        self.report: Report | None = None
        self.hooks: OrderedDict[int, Callable[[Report], object]] = OrderedDict()
        self._step = 0
        self._noise = 0.0
        self._forward = _Pass()
        self._forward_noise = 0.0
        self._backward = _Pass()
        self._samples = 1

    def add_hook(self, hook: Callable[[Report], object]) -> RemovableHandle:
        """Call ``hook(report)`` after each backward pass, until the handle is removed."""
        handle = RemovableHandle(self.hooks)
        self.hooks[handle.id] = hook
        return handle

    def note_noise(self, seconds: float) -> None:
        """Note a draw of noise, with which a forward pass begins."""
        self._noise = seconds

    def note_solve(
        self,
        *,
        forward: bool,
        samples: int,
        solves: int,
        avoided: int,
        cause: str,
        timeouts: int,
        seconds: float,
    ) -> None:
        """Note one batch of solves."""
        if forward:
            self._forward, self._backward = _Pass(), _Pass()
            self._forward_noise, self._noise = self._noise, 0.0
            self._samples = samples
        made = self._forward if forward else self._backward
        made.solves += solves
        made.timeouts += timeouts
        made.seconds += seconds
        if avoided:
            made.avoided[cause] = made.avoided.get(cause, 0) + avoided

    def conclude(
        self,
        gradient: Tensor,
        weight: Tensor | None,
        change: Tensor | None,
        solver: Solver,
        estimator: Estimator,
    ) -> None:
        """Make the report of a backward pass from what it ended in, and hand it on."""
        forward, backward = self._forward, self._backward
        self._backward = _Pass()
        self._step += 1
        self.report = report = Report(
            step=self._step,
            solver=solver.name,
            estimator=estimator,
            rows=gradient.shape[0],
            samples=self._samples,
            solves=forward.solves + backward.solves,
            avoided=forward.avoided | backward.avoided,
            timeouts=forward.timeouts + backward.timeouts,
            seconds={
                "noise": self._forward_noise,
                "forward": forward.seconds,
                "backward": backward.seconds,
            },
            # float64, so that squares of the smallest and largest float32 neither vanish nor overflow
            gradient_norms=torch.linalg.vector_norm(
                gradient.reshape(gradient.shape[0], -1), dim=1, dtype=torch.float64
            ),
            steps=None if weight is None else weight.reshape(weight.shape[:2]).reciprocal(),
            changes=None if change is None else change.reshape(*change.shape[:2], -1).abs().amax(2),
        )
        for hook in list(self.hooks.values()):
            hook(report)
        from imle_core.registry import default_registry  # of the process, which may be replaced in between

        default_registry().notify(report)
