"""The application: its commands, its version, and what becomes of a user's mistake."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Annotated

import typer

from imle_core.errors import ImleError

from ._plugins import plugins
from ._show import show
from ._solvers import solvers
from .demo import app as demo_app

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="imle",
    help="Combinatorial solvers as PyTorch layers: what is installed, and what it can do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(solvers)
app.command()(show)
app.command()(plugins)
app.add_typer(demo_app, name="demo")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"imle-core {importlib.metadata.version('imle-core')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main(args: Sequence[str] | None = None) -> None:
    """Run the command ``imle``; an error of this library is one red line on stderr and exit code 2.

    Args:
        args: The words after ``imle``; by default those of the process.
    """
    try:
        app(args=args, prog_name="imle")
    except ImleError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise SystemExit(2) from None
