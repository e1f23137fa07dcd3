"""How every command prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def print_json(value: Any) -> None:
    """Print a value as indented JSON; what JSON does not know becomes its text."""
    typer.echo(json.dumps(value, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print a table whose first column is emphasised, or a sentence if it has no rows.

    Args:
        columns: The head of each column.
        rows: The cells; text is printed as it is, without interpreting markup.
        empty: What to print if there are no rows.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.columns[0].style = "cyan"
    table.columns[0].overflow = "fold"
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    if table.rows:
        Console().print(table)
    else:
        typer.echo(empty)


_STYLES = {"ready": "green", "loaded": "green", "failed": "red", "disabled": "dim", "required": "yellow"}
