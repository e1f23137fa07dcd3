"""Which charts a layer and the user's own values get, and what is written around each."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from imle_core.diagnostics._median import median
from imle_core.diagnostics._rules import WINDOW

from ._chart import line_chart, stack_chart
from ._scale import SHARES
from ._series import thin
from ._text import percent, short, time_unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from imle_core.diagnostics._run import Column, LayerRun, Run

    from ._chart import Chart
    from ._series import Span


@dataclass(frozen=True)
class Panel:
    """A chart with its title, the number beside it, one sentence on what it shows, and a legend."""

    title: str
    number: str
    meaning: str
    chart: Chart
    legend: tuple[tuple[str, str], ...] = ()

    @property
    def html(self) -> str:
        """The panel as a figure."""
        legend = "".join(
            f'<li class="s{number}"><i></i>{escape(name)} <b>{escape(value)}</b></li>'
            for number, (name, value) in enumerate(self.legend, start=1)
        )
        remark = f" <em>{escape(self.chart.remark)}</em>" if self.chart.remark else ""
        return (
            f"<figure><figcaption><h3>{escape(self.title)} <b>{escape(self.number)}</b></h3>"
            f"<p>{escape(self.meaning)}{remark}</p></figcaption>"
            f"{f'<ul class=legend>{legend}</ul>' if legend else ''}{self.chart.svg}</figure>"
        )


def value_panels(run: Run, span: Span, bins: int) -> list[Panel]:
    """Return a panel for each of the user's own values."""
    return [
        Panel(
            name,
            _recent(numbers[-max(1, len(numbers) // 10) :], short),
            "",
            line_chart(thin(steps, numbers, span, bins), span, label=name, mark_bad=True),
        )
        for name, (steps, numbers) in run.values.items()
    ]


def layer_panels(layer: LayerRun, span: Span, bins: int) -> list[Panel]:
    """Return the panels of a layer; an estimator without a step has none for lam and agreement."""
    line = functools.partial(_line_panel, layer, span, bins)
    panels = [
        line("gradient norm", "gradient_norm", "of the gradient of theta, all rows together", mark_bad=True),
        line("zero rows", "zero_rows", "share of rows that learn nothing", guides=(0.5,)),
    ]
    if np.isfinite(layer.columns["agreement"]).any():
        meaning = "share of target states equal to the source state"
        panels.append(line("agreement", "agreement", meaning, guides=(0.05, 0.95)))
    if np.isfinite(layer.columns["lam"]).any():
        panels.append(line("lam", "lam", "step to the target parameters, mean over what moved"))
    panels += [_solves_panel(layer, span, bins), _seconds_panel(layer, span, bins)]
    return panels


def _line_panel(
    layer: LayerRun,
    span: Span,
    bins: int,
    title: str,
    figure: str,
    meaning: str,
    *,
    guides: tuple[float, ...] = (),
    mark_bad: bool = False,
) -> Panel:
    column = layer.columns[figure]
    shares = SHARES if guides else None
    series = thin(layer.steps, column, span, bins)
    chart = line_chart(series, span, label=title, scale=shares, guides=guides, mark_bad=mark_bad)
    return Panel(title, _recent(column, percent if shares else short), meaning, chart)


def _solves_panel(layer: LayerRun, span: Span, bins: int) -> Panel:
    columns = {"solved": layer.columns["solves"]}
    columns |= {f"avoided: {cause}": column for cause, column in layer.group("avoided").items()}
    parts = {name: thin(layer.steps, column, span, bins) for name, column in columns.items()}
    return Panel(
        "solves",
        _recent(columns["solved"], short),
        "rows in a pass that went to the solver, or need not",
        stack_chart(parts, span, label="solves"),
        tuple((name, _recent(column, short)) for name, column in columns.items()),
    )


def _seconds_panel(layer: LayerRun, span: Span, bins: int) -> Panel:
    columns = layer.group("seconds") or {"seconds": np.zeros_like(layer.steps)}
    total = layer.solver_seconds
    factor, unit = time_unit(float(np.median(total)))

    def write(seconds: float) -> str:
        return f"{short(seconds / factor)} {unit}" if seconds else "0"

    # Drawn in the unit in which it is written, so that ticks are round.
    parts = {name: thin(layer.steps, column / factor, span, bins) for name, column in columns.items()}
    chart = stack_chart(parts, span, label=f"time in {unit}", write=lambda value: short(value))
    legend = tuple((name, _recent(column, write)) for name, column in columns.items())
    return Panel("time", _recent(total, write), f"{unit} of the host in a pass, by phase", chart, legend)


def _recent(column: Column, write: Callable[[float], str]) -> str:
    """Return the median of the last values; a dash if there are none."""
    finite = column[-WINDOW:][np.isfinite(column[-WINDOW:])]
    return write(median(finite)) if len(finite) else "–"
