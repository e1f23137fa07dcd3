"""Progress of a run: live on a terminal, lines of the log elsewhere."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LiveDisplay", "LogDisplay", "display", "summary_table"]

logger = logging.getLogger(__name__)

Record = dict[str, Any]


class LogDisplay:
    """One line of the log an epoch.

    Args:
        epochs: Number of epochs.
        on_epoch: Called first after each epoch; it saves.
    """

    def __init__(self, epochs: int, on_epoch: Callable[[Record], None]) -> None:
        self.epochs, self.on_epoch = epochs, on_epoch

    def step(self, epoch: int, done: int, steps: int, metrics: dict[str, float]) -> None:
        """Say nothing: one line a step is too much for a log."""

    def epoch(self, record: Record) -> None:
        """Save, then log the epoch."""
        self.on_epoch(record)
        logger.info("epoch %d/%d  %s", record["epoch"], self.epochs, _describe(record))


class LiveDisplay(LogDisplay):
    """A bar with the current figures, and a line for each finished epoch above it."""

    def __init__(self, epochs: int, on_epoch: Callable[[Record], None], progress: Progress) -> None:
        super().__init__(epochs, on_epoch)
        self._progress, self._last = progress, ""
        self._task = progress.add_task("training", total=None, figures="")

    def step(self, epoch: int, done: int, steps: int, metrics: dict[str, float]) -> None:
        """Move the bar."""
        self._progress.update(
            self._task,
            description=f"epoch {epoch}/{self.epochs}",
            total=steps * self.epochs,
            completed=steps * (epoch - 1) + done,
            figures=f"{_figures(metrics)}{self._last}",
        )

    def epoch(self, record: Record) -> None:
        """Save, then write the epoch above the bar."""
        self.on_epoch(record)
        self._last = f"  best paths {record['val_optimal_percent']:.0f}%"
        self._progress.console.print(
            f"epoch {record['epoch']:>2}/{self.epochs}  {_describe(record)}", highlight=False
        )


@contextmanager
def display(epochs: int, on_epoch: Callable[[Record], None]) -> Iterator[LogDisplay]:
    """Show progress as suits where the output goes.

    Args:
        epochs: Number of epochs.
        on_epoch: Called after each epoch.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield LogDisplay(epochs, on_epoch)
        return
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield LiveDisplay(epochs, on_epoch, progress)


def summary_table(metrics: dict[str, Any]) -> Table:
    """Return the final figures as a small table."""
    test, times = metrics["test"], metrics["times"]
    table = Table(title="Warcraft shortest paths", box=SIMPLE_HEAD, show_header=False, title_justify="left")
    table.add_row(
        "test maps solved at optimal cost",
        f"{test['optimal']} of {test['maps']} ({test['optimal_percent']:.1f}%)",
    )
    table.add_row("mean cost ratio to the optimum", f"{test['mean_cost_ratio']:.4f}")
    table.add_row("solver and layer, share of training time", f"{100 * metrics['layer_share']:.1f}%")
    table.add_row("training / whole run", f"{times['training']:.0f} s / {times['total']:.0f} s")
    return table


def _figures(metrics: dict[str, float]) -> str:
    share = metrics["layer_seconds"] / metrics["seconds"]
    return f"loss {metrics['loss']:.2f}  solver {share:.1%}  {metrics['rows_per_second']:.0f} maps/s"


def _describe(record: Record) -> str:
    return (
        f"{_figures(record)}  best paths {record['val_optimal_percent']:.1f}%  "
        f"cost ratio {record['val_mean_cost_ratio']:.4f}"
    )
