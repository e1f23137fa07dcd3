"""``imle check NAME``: whether a solver does what its contract says."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from ._completion import complete_solver
from ._output import AsJson, console, print_heading, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from imle_core.testing import CheckResult

_SHOWN = {
    "failed": ("FAIL", "bold red"),
    "expected": ("xfail", "yellow"),
    "passed": ("pass", "green"),
    "skipped": ("skip", "dim"),
}
"""How an outcome is shown; of the outcomes of several examples, the first one here."""


def check(
    names: Annotated[
        list[str],
        typer.Argument(
            help="'plugin.solver', or 'plugin.*' for all of a plugin.", autocompletion=complete_solver
        ),
    ],
    level: Annotated[
        list[str] | None, typer.Option(help="Only checks of this level, such as mathematics; repeatable.")
    ] = None,
    check: Annotated[
        list[str] | None, typer.Option(help="Only this check, such as check_ties; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that solvers do what their contract says: some forty properties, on small examples.

    The exit code is 1 if a check fails, or if all are skipped, which shows nothing.
    """
    from imle_core.testing import ConformanceReport, solver_checks

    selected = solver_checks(names, checks=check or None, levels=level or None)
    results: list[CheckResult] = []
    for subject, of_subject in groupby(selected, key=lambda each: each.subject):
        if not as_json:
            _print_name(subject.name, [case.label for case in subject.cases])
        for title, of_level in groupby(of_subject, key=lambda each: each.check.level):
            found = [each.result() for each in of_level]
            results += found
            if not as_json:  # as soon as a level is through: a solver may be slow
                _print_level(title, found)
    report = ConformanceReport(tuple(results))
    if as_json:
        print_json(report.as_dict())
    else:
        print_heading(report.summary)
        if not (report.passed or report.failures):
            print_heading(report.verdict)
    if not report.passed:
        raise typer.Exit(1)


def _print_name(name: str, labels: Sequence[str]) -> None:
    from rich.text import Text

    count = f"  {len(labels)} example{'s' * (len(labels) != 1)}" if any(labels) else ""
    told = f": {'; '.join(labels)}" if any(labels) else ""
    console().print(Text.assemble("\n", (name, "bold cyan"), (f"{count}{told}", "dim")))


def _print_level(title: str, results: Sequence[CheckResult]) -> None:
    """Print one line for each check of a level, and below it what failed."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(Text(f"\n  {title}", style="bold"))
    by_check = [(name, list(group)) for name, group in groupby(results, key=lambda result: result.check)]
    for name, group in by_check:
        outcome = next(each for each in _SHOWN if any(result.outcome == each for result in group))
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(width=7)
        line.add_column(width=22, no_wrap=True)
        line.add_column(overflow="fold")
        word, style = _SHOWN[outcome]
        line.add_row(Text(f"  {word}", style=style), name, Text(_note(group), style="dim"))
        out.print(line)
        for result in group:
            if result.outcome == "failed":
                out.print(Padding(_finding(result), (0, 0, 0, 9), expand=False))


def _note(results: Sequence[CheckResult]) -> str:
    """Return why examples were skipped or expected to fail, and which, where it is not all of them."""
    told = []
    for outcome, word in (("expected", "expected to fail"), ("skipped", "skipped")):
        reasons = {result.message for result in results if result.outcome == outcome}
        for reason in sorted(reasons):
            where = [result.example for result in results if result.message == reason]
            told.append(reason if len(where) == len(results) else f"{word} for {', '.join(where)}: {reason}")
    return "; ".join(told)


def _finding(result: CheckResult) -> Table:
    """Return the message of a failure as a table: asked, found, and what is usually wrong."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if result.example:
        table.add_row("example", Text(result.example))
    for line in result.message.splitlines():
        label, colon, text = line.partition(": ")
        known = bool(colon) and label in ("asked", "found", "usually")
        table.add_row(label if known else "", Text(text if known else line, style="red" * (label == "found")))
    return table
