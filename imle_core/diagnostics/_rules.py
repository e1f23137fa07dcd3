"""The rules that say what to look at in a training run, each with its threshold in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ._median import median

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._run import Column, LayerRun, Run

WINDOW = 100
_MANY_ZERO_ROWS, _MOST_ZERO_ROWS = 0.5, 0.9
_SHORT_STEP, _LONG_STEP = 0.95, 0.05
_MANY_TIMEOUTS = 0.01
_GREAT_CHANGE = 100.0
_SHRINKING = 10.0
_UNCHANGED = 0.1  # difference of shares
_SOLVER_BOUND = 0.7


@dataclass(frozen=True)
class Finding:
    """Something in a run that deserves a look.

    Attributes:
        level: ``"problem"`` (training suffers), ``"warning"`` (it may), ``"note"`` (good to know).
        layer: Name of the layer, or None for the run as a whole.
        title: What was found, in numbers.
        advice: What it means, and what to do.
        rule: When this is said.
    """

    level: Literal["problem", "warning", "note"]
    layer: str | None
    title: str
    advice: str
    rule: str


def _not_finite(layer: LayerRun) -> Iterator[Finding]:
    norms = layer.columns["gradient_norm"]
    bad = ~np.isfinite(norms)
    if bad.any():
        yield Finding(
            "problem",
            layer.name,
            f"gradient not finite in {_share(bad.mean())} of reports, first at step {int(layer.steps[bad][0]):,}",
            "The gradient of the loss was NaN or infinite for a row, or overflowed. With AMP the scaler skips such "
            "steps, and a few are normal at its start; otherwise look at the loss (log of 0, division) and the "
            "learning rate.",
            "Any report whose gradient norm is NaN or infinite.",
        )


def _zero_rows(layer: LayerRun) -> Iterator[Finding]:
    share = _mean(_tail(layer.columns["zero_rows"]))
    if share is None or share < _MANY_ZERO_ROWS:
        return
    still = _share_without_loss_gradient(layer)
    if still >= 0.8 * share:
        advice = (
            f"{_share(still)} of rows had no gradient of the loss to begin with: the loss does not depend on them. If "
            "they are solved, all is well; else look at what follows the layer (a mask, a saturated activation, a "
            "clipped loss)."
        )
    elif layer.estimators[-1].startswith("AIMLE"):
        advice = (
            "The target state is mostly the source state. Raise target_norm or tau, or take more samples."
        )
    else:
        advice = (
            "The target state is mostly the source state, so these rows learn nothing. Raise tau or lam, take more "
            "samples, or use AIMLE, which adapts its step."
        )
    yield Finding(
        "problem" if share >= _MOST_ZERO_ROWS else "warning",
        layer.name,
        f"{_share(share)} of rows had a zero gradient in {_window(layer)}",
        advice,
        f"A warning from {_share(_MANY_ZERO_ROWS)} of rows on, a problem from {_share(_MOST_ZERO_ROWS)} on, on average "
        f"over the last {WINDOW} reports.",
    )


def _agreement(layer: LayerRun) -> Iterator[Finding]:
    share = _mean(_tail(layer.columns["agreement"]))
    if share is None:
        return
    if share >= _SHORT_STEP:
        yield Finding(
            "warning",
            layer.name,
            f"agreement {_share(share)} in {_window(layer)}: the step is too short",
            "The target parameters almost never change a structure. Raise lam, say tenfold; raise target_norm with "
            "AIMLE.",
            f"Source and target state are equal in {_share(_SHORT_STEP)} or more of samples that moved, on average "
            f"over the last {WINDOW} reports.",
        )
    elif share <= _LONG_STEP:
        yield Finding(
            "note",
            layer.name,
            f"agreement {_share(share)} in {_window(layer)}: the step may be too long",
            "The target parameters change nearly every structure. That has little variance but bias; if training "
            "stalls, try half of lam (of target_norm with AIMLE), or difference='central'. Large structures change "
            "somewhere at almost any step: there it means little.",
            f"Source and target state are equal in {_share(_LONG_STEP)} or fewer of samples that moved, on average "
            f"over the last {WINDOW} reports.",
        )


def _timeouts(layer: LayerRun) -> Iterator[Finding]:
    timeouts, solves = layer.columns["timeouts"].sum(), layer.columns["solves"].sum()
    if timeouts:
        share = timeouts / max(solves, timeouts)
        yield Finding(
            "problem" if share >= _MANY_TIMEOUTS else "warning",
            layer.name,
            f"{int(timeouts):,} time-outs, {_share(share)} of solves",
            "The search ended at its time limit with a state that may not be the best one, which biases the gradient. "
            "Raise time_limit, or make the instances easier.",
            f"Any time-out; a problem from {_share(_MANY_TIMEOUTS)} of solves on.",
        )


def _changed_norm(layer: LayerRun) -> Iterator[Finding]:
    norms = layer.columns["gradient_norm"]
    if len(norms) < 2 * WINDOW:
        return
    first, last = _positive_median(norms[:WINDOW]), _positive_median(norms[-WINDOW:])
    if not first or not last:
        return
    ratio = last / first
    if _is_shrinking(layer, ratio):
        yield _shrinking(layer, ratio)
        return
    rule = (
        f"The medians of the first and last {WINDOW} reports differ by a factor of {_GREAT_CHANGE:g} or more."
    )
    if ratio >= _GREAT_CHANGE:
        yield Finding(
            "warning",
            layer.name,
            f"gradient norm grew {_fold(ratio)}, from {first:.2g} to {last:.2g}",
            "Training may diverge: lower the learning rate, clip the gradient, or look at the loss.",
            rule,
        )
    elif ratio <= 1 / _GREAT_CHANGE:
        yield Finding(
            "note",
            layer.name,
            f"gradient norm fell {_fold(first / last)}, from {first:.2g} to {last:.2g}",
            "As it should be where the loss came near its minimum; else it vanishes: see the zero rows, and what the "
            "optimiser's epsilon makes of small gradients.",
            rule,
        )


def _is_shrinking(layer: LayerRun, growth: float) -> bool:
    """Whether theta shrinks: of G = (z - z') / lam, lam = beta rms(theta) / rms(g), the numerator alone stays.

    Noise would hold lam up, because its scale takes the place of rms(theta) where that is smaller.
    """
    if growth < _SHRINKING or "noise=None" not in layer.estimators[-1]:
        return False
    first, last = (
        _positive_median(part) for part in (layer.columns["lam"][:WINDOW], _tail(layer.columns["lam"]))
    )
    if not first or not last or first / last < growth**0.5:  # lam falls as the norm grows, roughly
        return False
    for figure in ("zero_rows", "agreement"):
        before, after = _mean(layer.columns[figure][:WINDOW]), _mean(_tail(layer.columns[figure]))
        if before is None or after is None or abs(after - before) > _UNCHANGED:
            return False
    return True


def _shrinking(layer: LayerRun, growth: float) -> Finding:
    return Finding(
        "warning",
        layer.name,
        f"gradient norm grew {_fold(growth)} while structures changed as before: theta may be shrinking",
        "Without noise nothing holds the scale of theta: the solver does not see it, and the gradient of a relative "
        "step is in proportion to 1 / rms(theta), so that small theta get ever rougher updates. Look at rms(theta). "
        "Noise, a normalisation before the layer, an offset (softplus(x) + 0.1), or less weight decay holds it; "
        "step='absolute' does not depend on it. If rms(theta) is steady, the gradient of the loss grows.",
        f"Without noise, the medians of the first and last {WINDOW} reports grew by a factor of {_SHRINKING:g} or more "
        "and lam fell with it, with zero rows and agreement as they were.",
    )


def _time(run: Run) -> Iterator[Finding]:
    share = run.solver_share
    if share is not None and share >= _SOLVER_BOUND:
        yield Finding(
            "note",
            None,
            f"{_share(share)} of the time went into the solver layers",
            "Fewer samples, a forward difference, an executor with several workers, or a solver that runs on theta's "
            "device pay off most.",
            f"Noise and solves take {_share(_SOLVER_BOUND)} or more of the time between the first and last record.",
        )


def _values(run: Run) -> Iterator[Finding]:
    for name, (steps, numbers) in run.values.items():
        bad = ~np.isfinite(numbers)
        if bad.any():
            yield Finding(
                "problem",
                None,
                f"{name} not finite in {int(bad.sum()):,} of {len(numbers):,} records, first at step "
                f"{int(steps[bad][0]):,}",
                "What was logged was NaN or infinite. Look at the records just before that step.",
                "Any logged value that is NaN or infinite.",
            )


def _share_without_loss_gradient(layer: LayerRun) -> float:
    """Return the share of the last reports' rows and samples that needed no second solve: their g was zero."""
    zero = _tail(layer.columns.get("avoided/zero gradient", np.zeros_like(layer.steps))).sum()
    equal = _tail(layer.columns.get("avoided/equal points", np.zeros_like(layer.steps))).sum()
    forward = (_tail(layer.columns["samples"]) * _tail(layer.columns["rows"])).sum() - equal
    wanted = _tail(layer.columns["solves"]).sum() - forward + zero
    return float(zero / wanted) if wanted > 0 else 0.0


def _tail(column: Column) -> Column:
    return column[-WINDOW:]


def _mean(column: Column) -> float | None:
    finite = column[np.isfinite(column)]
    return float(finite.mean()) if len(finite) else None


def _positive_median(column: Column) -> float | None:
    positive = column[np.isfinite(column) & (column > 0)]
    return median(positive) if len(positive) else None


def _fold(ratio: float) -> str:
    return f"{ratio:,.0f}-fold" if ratio < 1e6 else f"{ratio:.0e}-fold"


def _window(layer: LayerRun) -> str:
    count = min(WINDOW, len(layer.steps))
    return f"the last {count} reports" if count > 1 else "the one report"


def _share(share: float) -> str:
    """Return a share in percent, never rounded to none or to all."""
    percent = 100 * share
    if 0 < percent < 1:
        return f"{percent:.1g} %"
    return f"{min(round(percent), 99) if percent < 100 else 100} %"


LAYER_RULES: tuple[Callable[[LayerRun], Iterator[Finding]], ...] = (
    _not_finite,
    _zero_rows,
    _agreement,
    _timeouts,
    _changed_norm,
)
RUN_RULES: tuple[Callable[[Run], Iterator[Finding]], ...] = (_values, _time)
