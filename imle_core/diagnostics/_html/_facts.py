"""The headline: a run in eight numbers, and its layers in a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from imle_core.diagnostics._median import median
from imle_core.diagnostics._rules import WINDOW

from ._text import duration, percent, short, time_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imle_core.diagnostics._run import LayerRun, Run


def facts(run: Run) -> str:
    """Return the headline facts as a list of definitions."""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<span>{escape(detail)}</span></dd></div>"
        for name, value, detail in _facts(run)
    )
    return f'<dl class="facts">{items}</dl>'


def overview(run: Run) -> str:
    """Return a table of the layers, each with a link to its section."""
    head = (
        "layer",
        "solver",
        "reports",
        "rows × samples",
        "gradient norm",
        "zero rows",
        "agreement",
        "time a pass",
    )
    rows = "".join(
        f'<tr><th scope="row"><a href="#layer-{number}">{escape(layer.name)}</a></th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(layer))
        + "</tr>"
        for number, layer in enumerate(run.layers)
    )
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    return f'<div class="table"><table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>'


def _facts(run: Run) -> Iterator[tuple[str, str, str]]:
    parts = f"in {run.parts} parts" if run.parts > 1 else ""
    yield "steps", f"{run.steps:,}", parts
    yield "layers", f"{len(run.layers)}", ""
    rate = run.covered / run.wall if run.wall > 0 and run.covered else None
    yield (
        "wall time",
        duration(run.wall) if run.wall > 0 else "–",
        f"{_time(1 / rate)} a step" if rate else "",
    )
    share = run.solver_share
    yield "solver's share", percent(share) if share is not None else "–", "of the wall time"
    rows = sum(float(layer.columns["rows"].mean()) * run.passes_a_step(layer) for layer in run.layers)
    yield "rows a second", short(rows * rate) if rate else "–", f"{short(rows)} a step"
    solves = sum(float(layer.columns["solves"].sum()) for layer in run.layers)
    avoided = sum(float(column.sum()) for layer in run.layers for column in layer.group("avoided").values())
    seconds = sum(
        float(column[1:].sum())
        for layer in run.layers
        for phase, column in layer.group("seconds").items()
        if phase != "noise"
    )
    later = sum(float(layer.columns["solves"][1:].sum()) for layer in run.layers)
    yield "time a solve", _time(seconds / later) if later and seconds else "–", "after the first pass"
    yield (
        "solves avoided",
        percent(avoided / (avoided + solves)) if avoided + solves else "–",
        f"{short(avoided)} of {short(avoided + solves)}",
    )
    timeouts = sum(float(layer.columns["timeouts"].sum()) for layer in run.layers)
    yield (
        "time-outs",
        f"{int(timeouts):,}",
        f"{percent(timeouts / max(solves, timeouts))} of solves" if timeouts else "",
    )


def _cells(layer: LayerRun) -> Iterator[str]:
    yield layer.solver
    yield f"{len(layer.steps):,}"
    yield f"{short(layer.columns['rows'][-1])} × {short(layer.columns['samples'][-1])}"
    for figure, write in (("gradient_norm", short), ("zero_rows", percent), ("agreement", percent)):
        column = layer.columns[figure][-WINDOW:]
        finite = column[np.isfinite(column)]
        yield write(median(finite)) if len(finite) else "–"
    yield _time(median(layer.solver_seconds[-WINDOW:]))


def _time(seconds: float) -> str:
    factor, unit = time_unit(seconds)
    return f"{short(seconds / factor)} {unit}"
