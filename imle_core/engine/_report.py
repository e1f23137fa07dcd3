"""What one backward pass of a layer did, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from imle_core.estimators import Estimator


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    r"""What one backward pass of a :class:`~imle_core.SolverLayer` did, with the forward pass before it.

    Figures that need a reduction are made of a few small tensors when they are first read, so that a report that
    nobody reads costs neither time nor a transfer from the device.

    Args:
        step: Number of the backward pass of this layer, from 1.
        solver: Name of the solver.
        estimator: The estimator.
        rows: Number N of rows of theta.
        samples: Number S of samples.
        solves: Rows that the solver was asked for, forward and backward.
        avoided: Rows that it was not asked for, by cause: ``"zero gradient"`` (the loss does not depend on the row, so
            the answer is known), ``"equal points"`` (samples without noise are one point), ``"pool"`` (the best
            structure of the layer's pool is the answer).
        timeouts: Rows whose search ended at its time limit, see :meth:`~imle_core.Solver.note_outcomes`.
        seconds: Time of the host by phase: ``"noise"`` (draw and addition), ``"forward"`` and ``"backward"`` (the
            solves, with checks and transfers).
        gradient_norms: Euclidean norm of each row of the gradient, shape ``(N,)``.
        steps: lam of each sample of each row, shape ``(S, N)``; not finite where there was none. None for an
            estimator without.
        changes: Largest difference between source and target state, shape ``(S, N)``. None for an estimator without.
        statuses: :class:`imle_core.Status` of each solve of the forward pass, int8, shape ``(S, N)`` (``(1, N)`` where
            samples are one point). None of a solver that does not tell, as for the next two.
        objectives: Value that each of them reached, in the solver's own sense, shape ``(S, N)``; nan where not told.
        gaps: Proven relative gap to the optimum, shape ``(S, N)``; nan where not told.

    Example:
        >>> import torch, imle_core as imle
        >>> layer = imle.SolverLayer("torch.k_subset", k=1)
        >>> theta = torch.tensor([[0.1, 0.9], [0.4, 0.2]], requires_grad=True)
        >>> layer(theta)[0].sum().backward()
        >>> layer.last_report.zero_rows, layer.last_report.avoided
        (1.0, {'zero gradient': 1})
    """

    step: int
    solver: str
    estimator: Estimator
    rows: int
    samples: int
    solves: int
    avoided: Mapping[str, int] = field(default_factory=dict)
    timeouts: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    gradient_norms: Tensor
    steps: Tensor | None = None
    changes: Tensor | None = None
    statuses: NDArray[np.int8] | None = None
    objectives: NDArray[np.float64] | None = None
    gaps: NDArray[np.float64] | None = None

    @cached_property
    def gradient_norm(self) -> float:
        """Euclidean norm of the gradient with respect to theta, all rows together."""
        return float(self.gradient_norms.double().norm())

    @cached_property
    def zero_rows(self) -> float:
        """Share of the rows whose gradient is zero, in [0, 1]: near 1, nothing is learnt."""
        return float((self.gradient_norms == 0).double().mean()) if self.rows else 0.0

    @cached_property
    def lam(self) -> float | None:
        """Mean of lam over the samples and rows that moved; None if none did, or the estimator has no such step."""
        if self.steps is None:
            return None
        moved = self.steps[self.steps.isfinite()]
        return float(moved.double().mean()) if moved.numel() else None

    @cached_property
    def agreement(self) -> float | None:
        """Share of the samples and rows that moved whose target state is the source state; None without any.

        1: the step is too short to change a structure. 0: it changes all of them.
        """
        if self.steps is None or self.changes is None:
            return None
        moved = self.steps.isfinite()
        return float((self.changes == 0)[moved].double().mean()) if moved.any() else None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as a flat dict of plain values, ready for JSON or a table.

        Causes and phases become keys of their own: ``"avoided/zero gradient"``, ``"seconds/forward"``.
        """
        figures: dict[str, Any] = {
            "step": self.step,
            "solver": self.solver,
            "estimator": str(self.estimator),
            "rows": self.rows,
            "samples": self.samples,
            "lam": self.lam,
            "zero_rows": self.zero_rows,
            "gradient_norm": self.gradient_norm,
            "agreement": self.agreement,
            "solves": self.solves,
            "timeouts": self.timeouts,
        }
        figures |= {f"avoided/{cause}": count for cause, count in self.avoided.items()}
        figures |= {f"seconds/{phase}": seconds for phase, seconds in self.seconds.items()}
        return figures

    def __str__(self) -> str:
        """Return the figures in one line."""
        figures = [
            f"step {self.step}",
            f"{self.solver}",
            f"gradient {self.gradient_norm:.3g}",
            f"zero rows {self.zero_rows:.0%}",
        ]
        if self.lam is not None:
            figures.append(f"lam {self.lam:.3g}")
        if self.agreement is not None:
            figures.append(f"agreement {self.agreement:.0%}")
        figures.append(f"{self.solves} solves")
        figures += [f"{count} avoided ({cause})" for cause, count in self.avoided.items()]
        if self.timeouts:
            figures.append(f"{self.timeouts} time-outs")
        figures += [f"{phase} {seconds * 1e3:.2f} ms" for phase, seconds in self.seconds.items()]
        return ", ".join(figures)
