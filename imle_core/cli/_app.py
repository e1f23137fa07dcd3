"""The application: its commands, its version, and what becomes of a user's mistake."""

from __future__ import annotations

import importlib.metadata
import os
import traceback
from typing import TYPE_CHECKING, Annotated

import typer

from imle_core.errors import ImleError, PluginLoadError, SolverError
from imle_core.registry._switches import Switches

from ._bench import bench
from ._check import check
from ._doctor import doctor
from ._estimators import estimators
from ._light import LightCommand, LightGroup
from ._new_plugin import new_plugin
from ._plugins import plugins
from ._report import report
from ._show import show
from ._solve import solve
from ._solvers import solvers
from .demo import app as demo_app

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, MISTAKE = 1, 2  # exit codes: the command found something wrong; the user mistook something

app = typer.Typer(
    name="imle",
    cls=LightGroup,
    help="Combinatorial solvers as PyTorch layers: what there is, and how it works.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_LOOK, _USE, _WRITE = "Look around", "Use a solver", "Write a solver"
app.command(cls=LightCommand, rich_help_panel=_LOOK)(solvers)
app.command(cls=LightCommand, rich_help_panel=_LOOK)(estimators)
app.command(cls=LightCommand, rich_help_panel=_LOOK)(show)
app.command(cls=LightCommand, rich_help_panel=_LOOK)(plugins)
app.command(cls=LightCommand, rich_help_panel=_LOOK)(doctor)
app.command(cls=LightCommand, rich_help_panel=_USE)(solve)
app.command(cls=LightCommand, rich_help_panel=_USE)(bench)
app.command(cls=LightCommand, rich_help_panel=_USE)(report)
app.add_typer(demo_app, name="demo", rich_help_panel=_USE)
app.command(cls=LightCommand, rich_help_panel=_WRITE)(new_plugin)
app.command(cls=LightCommand, rich_help_panel=_WRITE)(check)


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
    """Run the command ``imle``; an error of this library is one red line on stderr.

    The exit code is 0, 1 if the command found something wrong (or a solver failed), 2 if the user mistook something,
    130 after Ctrl-C.

    Args:
        args: The words after ``imle``; by default those of the process.
    """
    try:
        app(args=args, prog_name="imle")  # which itself sees to Ctrl-C, and to a reader that leaves early
    except ImleError as error:
        if isinstance(error, PluginLoadError) and Switches.read(os.environ).strict:
            traceback.print_exception(error.__cause__)
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise SystemExit(FAILED if isinstance(error, SolverError) else MISTAKE) from None
