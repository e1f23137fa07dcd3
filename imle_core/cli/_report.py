"""``imle report FILE``: a training run as one page of HTML."""

from __future__ import annotations

import dataclasses
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import Annotated

import typer

from ._output import AsJson, print_json, print_table


def report(
    records: Annotated[
        Path, typer.Argument(help="File of records, which imle_core.diagnostics.JSONLines wrote.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where to write the page; by default beside the records, as .html.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading; by default from the name of the file.")] = None,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Show the page in the browser.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of a training run, one HTML file, and list what to look at."""
    # numpy is imported here, and no torch.
    from imle_core.diagnostics._findings import run_findings
    from imle_core.diagnostics._html._page import check_out, write_page
    from imle_core.diagnostics._reading import read_run
    from imle_core.errors import RecordError

    if records.is_dir():
        raise RecordError(f"{records} is a folder; give the file of records in it.")
    page = check_out(out or records.with_suffix(".html"), records)
    run = read_run(records)
    found = run_findings(run)
    write_page(run, found, page, title=title, source=records.name)
    if open_page:
        typer.launch(str(page))
    if as_json:
        print_json(
            {
                "page": str(page),
                "steps": run.steps,
                "seconds": run.wall,
                "layers": [layer.name for layer in run.layers],
                "notes": run.notes,
                "findings": [dataclasses.asdict(finding) for finding in found],
            }
        )
        return
    names = ", ".join(layer.name for layer in run.layers)
    typer.echo(f"wrote {typer.format_filename(page)}: {run.steps:,} steps, layers: {names}")
    for note in run.notes:
        typer.echo(note)
    rows = [(finding.level, finding.layer or "", finding.title) for finding in found]
    print_table(("look at", "layer", "what was found"), rows, empty="Nothing stands out.")
