"""How every command prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import os
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

_UNFOLDED = 10_000  # characters
_NUMBERS = re.compile(
    r'\[\n([^"\[\]{}]*)\n\s*\]'
)  # a list without texts, of which JSON would give each item a line
_STYLES = {
    "ready": "green",
    "loaded": "green",
    "ok": "green",
    "failed": "red",
    "problem": "bold red",
    "disabled": "dim",
    "note": "yellow",
    "required": "yellow",
    "to install": "yellow",
}
"""Words that a cell may consist of, and how they are shown."""


def print_json(value: Any) -> None:
    """Print a value as indented JSON; what JSON does not know becomes a list or its text."""
    text = json.dumps(_plain(value), indent=2, allow_nan=False)
    typer.echo(_NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text))


def console() -> Console:
    """Return a console on stdout, which folds lines at the width of the terminal and colours nothing by itself.

    Where stdout is a pipe or a file, nothing is folded, so that a row is a line; ``COLUMNS`` decides in any case.
    """
    from rich.console import Console

    output = Console(highlight=False)
    folded = output.is_terminal or output.is_jupyter or os.environ.get("COLUMNS", "").isdigit()
    return output if folded else Console(highlight=False, width=_UNFOLDED)


def print_heading(text: str, note: str = "") -> None:
    """Print a bold line, after an empty one, with a dim note behind it."""
    from rich.text import Text

    console().print(Text.assemble("\n", (text, "bold"), ("  " * bool(note) + note, "dim")))


def print_text(text: str, *, style: str = "", indent: int = 0) -> None:
    """Print a paragraph, folded at words; markup in it is not interpreted."""
    from rich.padding import Padding
    from rich.text import Text

    console().print(Padding(Text(text, style=style), (0, 0, 0, indent), expand=False))


def print_code(lines: Iterable[str]) -> None:
    """Print lines to paste, indented and never folded, because a folded line cannot be pasted."""
    from rich.text import Text

    for line in lines:
        console().print(Text(f"  {line}", style="cyan"), soft_wrap=True)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print pairs of a label and a value, the values below one another."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in facts:
        table.add_row(Text(f"  {label}"), Text(value, style=_STYLES.get(value, "")))
    console().print(table)


def print_finding(level: str, text: str, remedy: str) -> None:
    """Print what needs attention behind its level, and what to do in the line below."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    sentence = text if text.endswith("?") else f"{text.rstrip('.')}."
    body = Text.assemble(sentence, (f"\n{remedy}" if remedy else "", "cyan"))
    table.add_row(Text(f"  {level:<7}", style=_STYLES.get(level, "")), body)
    console().print(table)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    empty: str,
    heading: str = "",
    note: str = "",
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> None:
    """Print a table whose first column is emphasised, or a sentence if it has no rows.

    Args:
        columns: The head of each column.
        rows: The cells; text is printed as it is, without interpreting markup.
        empty: What to print if there are no rows.
        heading: A bold line above it.
        note: What stands dim behind the heading.
        right: The columns of numbers, which end at the right.
        whole: The columns that are not folded.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(
            column,
            style=None if number else "cyan",
            overflow="fold",
            justify="right" if column in right else "left",
            no_wrap=column in whole,
        )
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    if heading:
        print_heading(heading, note)
    if table.rows:
        console().print("", table, sep="\n")
    else:
        print_text(empty, indent=2 * bool(heading))


def _plain(value: Any) -> Any:
    """Return a value made of what JSON knows; there is neither NaN nor infinity among it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value), key=repr)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    # An array or a scalar of NumPy, or a tensor; their modules need not be imported to know.
    return _plain(value.tolist()) if callable(getattr(value, "tolist", None)) else str(value)
