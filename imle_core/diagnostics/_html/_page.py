"""The page: facts, findings and charts of a run, put together."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imle_core.diagnostics._findings import run_findings
from imle_core.diagnostics._reading import read_run
from imle_core.diagnostics._rules import WINDOW
from imle_core.errors import RecordError

from ._facts import facts, overview
from ._panels import layer_panels, value_panels
from ._series import Span
from ._text import moment

if TYPE_CHECKING:
    from imle_core.diagnostics._reading import Records
    from imle_core.diagnostics._rules import Finding
    from imle_core.diagnostics._run import LayerRun, Run

    from ._panels import Panel

_POINTS = 3600  # of all charts together, which keeps a page below 500 kB
_LEAST, _MOST = 20, 160  # points of one chart
_WORDS = {"problem": "Problem", "warning": "Warning", "note": "Note"}


def write_html(records: Records, out: str | os.PathLike[str], *, title: str | None = None) -> Path:
    """Write a training run as one page of HTML: headline facts, what to look at, and a chart for each figure.

    The page needs nothing else: no network, no fonts, no scripts but its own, and it reads without those as well. A
    long run is thinned: a chart shows the median of each bin of steps over a band from its least to its largest value,
    so that no spike is lost.

    Args:
        records: The records of a run, such as a :class:`Memory`; or the path of a file that :class:`JSONLines` wrote.
        out: Where to write, a path that ends in ``.html``; what is there is replaced.
        title: The heading; by default from the name of the file.

    Returns:
        The path of the page.

    Raises:
        RecordError: there are no records, or something else than records; or the page cannot be written.

    Example:
        >>> import tempfile, torch, imle_core as imle
        >>> from imle_core.diagnostics import Memory, watch, write_html
        >>> layer, memory = imle.SolverLayer("torch.k_subset", k=2), Memory()
        >>> with watch(layer, memory):
        ...     for _ in range(5):
        ...         (layer(torch.rand(8, 5, requires_grad=True)) * torch.randn(5)).sum().backward()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_html(memory, f"{folder}/run.html").stat().st_size < 100_000
        True
    """
    out = check_out(out, records)
    source = Path(records).name if isinstance(records, (str, os.PathLike)) else ""
    run = read_run(records)
    write_page(run, run_findings(run), out, title=title, source=source)
    return out


def check_out(out: str | os.PathLike[str], records: Records) -> Path:
    """Return where a page goes; what is there is replaced, so refuse the records, and what is not named as a page."""
    out = Path(out)
    if out.suffix.lower() not in (".html", ".htm"):
        raise RecordError(f"{out} does not end in .html; a page written there might replace something else.")
    if isinstance(records, (str, os.PathLike)) and _same_file(out, records):
        raise RecordError(
            f"{out} is the file of the records, which the page would replace. Give another path for the page."
        )
    return out


def _same_file(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> bool:
    try:
        return os.path.samefile(a, b)  # through links of both kinds
    except OSError:  # one of them does not exist
        return False


def write_page(run: Run, found: list[Finding], out: Path, *, title: str | None, source: str) -> None:
    """Write the page of a run that was read."""
    page = render(run, found, title=title or _default_title(source), source=source)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8", errors="backslashreplace")  # file names need not be text
    except OSError as error:
        raise RecordError(f"{out} cannot be written: {error.strerror or error}.") from error


def render(run: Run, found: list[Finding], *, title: str, source: str = "") -> str:
    """Return the page."""
    charts = 6 * len(run.layers) + len(run.values)
    bins = int(np.clip(_POINTS // charts, _LEAST, _MOST))
    every_step = [*(layer.steps for layer in run.layers), *(steps for steps, _ in run.values.values())]
    span = Span(min(float(steps[0]) for steps in every_step), max(float(steps[-1]) for steps in every_step))
    sections = [_Section("What to look at", _findings(found))]
    if run.values:
        sections.append(_Section("Your values", _grid(value_panels(run, span, bins))))
    if len(run.layers) > 1:
        sections.append(_Section("Layers", overview(run)))
    sections += [_layer_section(number, layer, span, bins) for number, layer in enumerate(run.layers)]
    head = f'<h1>{escape(title)}</h1><p class="lead">{_lead(run, source)}</p>{facts(run)}'
    body = "".join(section.html for section in sections)
    here = files(__package__)
    return _PAGE.format(
        title=escape(title),
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=(here / "page.js").read_text(encoding="utf-8"),
        body=f"<header>{head}</header><main>{body}</main><footer>{_foot(run, bins)}</footer>",
    )


@dataclass(frozen=True)
class _Section:
    title: str
    content: str
    anchor: str = ""
    lead: str = ""

    @property
    def html(self) -> str:
        anchor = f' id="{self.anchor}"' if self.anchor else ""
        lead = f'<p class="lead">{self.lead}</p>' if self.lead else ""
        return f"<section{anchor}><h2>{escape(self.title)}</h2>{lead}{self.content}</section>"


def _layer_section(number: int, layer: LayerRun, span: Span, bins: int) -> _Section:
    estimator = f"<code>{escape(layer.estimators[-1])}</code>"
    if len(layer.estimators) > 1:
        estimator += f" (the last of {len(layer.estimators)})"
    lead = f"<code>{escape(layer.solver)}</code> with {estimator}"
    return _Section(layer.name, _grid(layer_panels(layer, span, bins)), f"layer-{number}", lead)


def _findings(found: list[Finding]) -> str:
    if not found:
        return (
            '<p class="calm">Nothing stands out: all gradients are finite, fewer than half of the rows have a zero '
            "gradient, source and target states agree sometimes but not always, and no search ended at its time "
            "limit.</p>"
        )
    items = []
    for finding in found:
        where = f" <code>{escape(finding.layer)}</code>" if finding.layer else ""
        items.append(
            f'<li class="{finding.level}"><p><strong class="level">{_WORDS[finding.level]}</strong>{where} '
            f"<strong>{escape(finding.title)}</strong></p><p>{escape(finding.advice)}</p>"
            f'<p class="rule">Rule: {escape(finding.rule)}</p></li>'
        )
    return f'<ul class="findings">{"".join(items)}</ul>'


def _grid(panels: list[Panel]) -> str:
    return f'<div class="grid">{"".join(panel.html for panel in panels)}</div>'


def _default_title(source: str) -> str:
    return f"Training run: {Path(source).stem}" if source else "Training run"


def _lead(run: Run, source: str) -> str:
    parts = [f"began {escape(moment(run.began))}", f"{run.records:,} records"]
    if source:
        parts.append(f"<code>{escape(source)}</code>")
    return " · ".join(parts)


def _foot(run: Run, bins: int) -> str:
    notes = [
        *run.notes,
        f"The number beside a title is the median of the last {WINDOW} reports; of your own values, of the last tenth. "
        "The axis below a chart counts steps. "
        f"Up to {bins} points a chart: a line is the median of what falls on its point, the band around it goes from "
        "the least to the largest value; stacked areas are means.",
        f"Written by imle-core {importlib.metadata.version('imle-core')}.",
    ]
    return "".join(f"<p>{escape(note)}</p>" for note in notes)


# The policy forbids every connection: what is shown is in the file.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
{body}
<script>
{script}</script>
</body>
</html>
"""
