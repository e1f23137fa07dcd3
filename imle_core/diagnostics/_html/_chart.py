"""Charts as SVG: a line with its envelope, and stacked areas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ._scale import Scale, fit, step_ticks
from ._series import Series, Span, stretches
from ._text import percent, short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imle_core.diagnostics._run import Column

WIDTH, HEIGHT = 360, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 10, 24


@dataclass(frozen=True)
class Chart:
    """A drawn chart.

    Attributes:
        svg: The drawing, with what the script shows at the pointer in ``data-points``.
        remark: What must be said about it, or an empty text.
    """

    svg: str
    remark: str


def line_chart(
    series: Series,
    span: Span,
    *,
    label: str,
    scale: Scale | None = None,
    guides: Sequence[float] = (),
    mark_bad: bool = False,
) -> Chart:
    """Draw the median of each bin as a line over the band from its least to its largest value.

    Args:
        series: What to draw; the line has gaps where it is missing.
        span: The steps of the horizontal axis.
        label: What it is, for readers who do not see it and for the pointer.
        scale: The vertical axis, by default one that fits.
        guides: Values at which a dashed line helps to judge.
        mark_bad: Whether values that are not finite are marked at the upper end.
    """
    shares = scale is not None
    write = percent if shares else short
    scale = scale or fit(np.concatenate([series.low, series.high]))
    x, bad = _x(series.centre, span), series.bad > 0
    low, mid, high = (_y(column, scale) for column in (series.low, series.mid, series.high))
    parts = [_frame(scale, span, write)]
    parts += [
        f'<path class="guide" d="M{_LEFT} {g:.1f}H{WIDTH - _RIGHT}"/>' for g in _y(np.array(guides), scale)
    ]
    for part in stretches(np.isfinite(mid)):
        if (series.low[part] < series.high[part]).any():
            parts.append(f'<path class="band" d="{_outline(x[part], high[part], low[part])}"/>')
        parts.append(_line(x[part], mid[part]))
    if mark_bad and bad.any():
        parts += [f'<path class="bad" d="M{at:.1f} {_TOP}l-3.5 -7h7z"/>' for at in x[bad]]
    remarks = []
    if scale.log:
        zero = bool((series.low <= 0).any())
        remarks.append("logarithmic axis" + (", zeros at its lower end" if zero else ""))
    if scale.cut:
        remarks.append(_cut_remark(series.high, series.first, scale, write))
    if mark_bad and bad.any():
        remarks.append(f"▼ not finite, {int(series.bad.sum()):,} times")
    rows = [(label, [_values(series, i, write, mark_bad) for i in range(len(x))])]
    about = _about(label, series, write)
    return Chart(_svg(parts, about, x, series, rows), "; ".join(remarks))


def stack_chart(
    parts: dict[str, Series], span: Span, *, label: str, write: Callable[[float], str] = short
) -> Chart:
    """Draw the mean of each bin of several series as areas on top of each other.

    Args:
        parts: At least one series by name, over the same steps, from the bottom up.
        span: The steps of the horizontal axis.
        label: What it is.
        write: Makes a value text.
    """
    series = next(iter(parts.values()))
    layers = np.nan_to_num(np.array([part.mean for part in parts.values()]))
    tops = np.cumsum(layers, axis=0)
    scale = fit(np.append(tops[-1], 0.0), log=False)
    x = _x(series.centre, span)
    drawn = [_frame(scale, span, write)]
    # One bin alone would be an area without width.
    wide = x if len(x) > 1 else np.array([x[0] - 8, x[0] + 8])
    floor = np.zeros(len(wide))
    for number, top in enumerate(tops, start=1):
        top = np.broadcast_to(top, wide.shape)
        drawn.append(f'<path class="area s{number}" d="{_outline(wide, _y(top, scale), _y(floor, scale))}"/>')
        floor = top
    remark = _cut_remark(tops[-1], series.first, scale, write) if scale.cut else ""
    rows = [(name, [write(v) for v in values]) for name, values in zip(parts, layers, strict=True)]
    if len(rows) > 1:
        rows.append(("together", [write(v) for v in tops[-1]]))
    about = f"{label}: {', '.join(f'{name} {values[-1]}' for name, values in rows)} at the end"
    return Chart(_svg(drawn, about, x, series, rows), remark)


def _x(steps: Column, span: Span) -> Column:
    if span.last <= span.first:
        return np.full(len(steps), (_LEFT + WIDTH - _RIGHT) / 2)
    return _LEFT + (steps - span.first) / (span.last - span.first) * (WIDTH - _LEFT - _RIGHT)


def _y(values: Column, scale: Scale) -> Column:
    return HEIGHT - _BOTTOM - scale.at(values) * (HEIGHT - _TOP - _BOTTOM)


def _frame(scale: Scale, span: Span, write: Callable[[float], str]) -> str:
    """Draw grid lines and tick labels."""
    parts = []
    for tick, y in zip(scale.ticks, _y(np.array(scale.ticks), scale), strict=True):
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{write(tick)}</text>')
    ticks = step_ticks(*span)
    for tick, x in zip(ticks, _x(np.array(ticks), span), strict=True):
        anchor = "end" if x > WIDTH - _RIGHT - 12 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 7}" text-anchor="{anchor}">{short(tick)}</text>')
    return "".join(parts)


def _line(x: Column, y: Column) -> str:
    if len(x) == 1:
        return f'<circle class="dot" cx="{x[0]:.1f}" cy="{y[0]:.1f}" r="2.2"/>'
    return f'<path class="line" d="M{_points(x, y)}"/>'


def _outline(x: Column, top: Column, bottom: Column) -> str:
    return f"M{_points(x, top)}L{_points(x[::-1], bottom[::-1])}z"


def _points(x: Column, y: Column) -> str:
    return " ".join(f"{_trim(a)} {_trim(b)}" for a, b in zip(x, y, strict=True))


def _trim(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _values(series: Series, i: int, write: Callable[[float], str], mark_bad: bool) -> str:
    """Return what the pointer shows of a bin: its middle, its range, and what is not finite."""
    if not np.isfinite(series.mid[i]):
        return "not finite" if mark_bad else "–"
    text = write(series.mid[i])
    if series.low[i] < series.high[i]:
        text += f" ({write(series.low[i])} to {write(series.high[i])})"
    return text + (f", {int(series.bad[i])} not finite" if mark_bad and series.bad[i] else "")


def _cut_remark(values: Column, steps: Column, scale: Scale, write: Callable[[float], str]) -> str:
    most = int(np.nanargmax(values))
    return f"cut at {write(scale.high)}; the highest is {write(float(values[most]))} at step {int(steps[most]):,}"


def _about(label: str, series: Series, write: Callable[[float], str]) -> str:
    finite = np.flatnonzero(np.isfinite(series.mid))
    if not len(finite):
        return f"{label}: no values"
    first, last = finite[0], finite[-1]
    return (
        f"{label}: {write(series.mid[first])} at step {int(series.first[first]):,}, "
        f"{write(series.mid[last])} at step {int(series.last[last]):,}"
    )


def _svg(parts: list[str], about: str, x: Column, series: Series, rows: list[tuple[str, list[str]]]) -> str:
    points: dict[str, Any] = {
        "x": [round(float(at), 1) for at in x],
        "step": [
            f"{int(a):,}" if a == b else f"{int(a):,} to {int(b):,}"
            for a, b in zip(series.first, series.last, strict=True)
        ],
        "rows": rows,
    }
    text = escape(json.dumps(points, ensure_ascii=False, separators=(",", ":")))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" tabindex="0" aria-label="{escape(about)}" '
        f'data-points="{text}">{"".join(parts)}</svg>'
    )
