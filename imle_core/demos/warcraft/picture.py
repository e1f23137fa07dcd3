"""The picture of a run: maps, predicted costs, and predicted and best paths drawn over the maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.demos.warcraft.textures import CELL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from imle_core import Solver
    from imle_core.demos.warcraft.evaluation import Evaluation
    from imle_core.demos.warcraft.maps import Maps

__all__ = ["choose_maps", "draw"]

_BEST, _PREDICTED, _INK, _PALE = "#ffffff", "#ff2d78", "#22262b", "#6b7280"
_SHOWN_BRIGHTNESS = 1.55  # the maps are dark, as the published ones are


def choose_maps(paths: NDArray[Any], count: int) -> list[int]:
    """Choose maps whose best paths wind, evenly from the longer half: not by how well they are solved."""
    order = np.argsort(paths.sum((1, 2)), kind="stable")
    places = np.linspace(0.6, 1.0, num=min(count, len(order))) * (len(order) - 1)
    return [int(order[place]) for place in dict.fromkeys(np.round(places).astype(int).tolist())]


def draw(path: Path, maps: Maps, found: Evaluation, solver: Solver, *, title: str, count: int = 6) -> None:
    """Write the picture as a PNG.

    Args:
        path: Where to.
        maps: The test maps.
        found: What was predicted for them.
        solver: Gives the order of a path's cells.
        title: One line above all.
        count: Number of maps.
    """
    # The object interface, not pyplot: no global state, and no window system is looked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    chosen = choose_maps(np.asarray(maps.paths[:]), count)
    width = 2.15 * len(chosen) + 0.75
    left, right = 0.62 / width, 1 - 0.10 / width
    figure = NewFigure(figsize=(width, 7.7), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(left, 0.965, title, fontsize=13, fontweight="bold", color=_INK, va="center")
    box = {"left": left, "right": right, "top": 0.885, "bottom": 0.075}
    axes = figure.subplots(3, len(chosen), squeeze=False, gridspec_kw={"wspace": 0.05, "hspace": 0.06, **box})
    dearest = float(np.quantile(found.costs[chosen], 0.995))
    for column, index in zip(axes.T, chosen, strict=True):
        _draw_map(column, maps, found, index, solver, dearest)
    for axis, text in zip(axes[:, 0], ("map", "predicted costs", "paths"), strict=True):
        axis.set_ylabel(text, fontsize=11, color=_INK, labelpad=8)
    _draw_key(figure, left, right)
    figure.savefig(path)


def _draw_map(
    column: NDArray[Any], maps: Maps, found: Evaluation, index: int, solver: Solver, dearest: float
) -> None:
    """Draw one map, the costs predicted for it, and both paths, one below the other."""
    picture, costs, paths = column
    one = slice(index, index + 1)
    image = _brightened(np.asarray(maps.pixels[one])[0])
    optimal = found.optimal[index]
    verdict = "optimal" if optimal else f"cost ratio {found.ratio[index]:.3f}"
    picture.set_title(verdict, fontsize=10.5, color=_INK if optimal else _PREDICTED, pad=5)
    picture.imshow(image, interpolation="nearest")
    costs.imshow(found.costs[index], cmap="magma", vmin=0, vmax=dearest)
    paths.imshow(image, interpolation="nearest", alpha=0.8)
    paths.set_facecolor("black")
    _trace(paths, solver.decode(np.asarray(maps.paths[one])[0].astype(np.float32)), _BEST, width=5.0)
    _trace(paths, solver.decode(found.paths[index]), _PREDICTED, width=2.0)
    for axis in column:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)


def _draw_key(figure: Figure, left: float, right: float) -> None:
    from matplotlib.lines import Line2D

    key = [
        Line2D([], [], color=_BEST, linewidth=5, label="best path", path_effects=_outline()),
        Line2D([], [], color=_PREDICTED, linewidth=2, label="predicted path"),
    ]
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (left, 0.008), "borderaxespad": 0}
    figure.legend(handles=key, ncols=2, frameon=False, fontsize=10.5, labelcolor=_INK, **place)
    note = "predicted costs: dark is cheap; several paths may be best"
    figure.text(right, 0.032, note, ha="right", va="center", fontsize=10, color=_PALE)


def _trace(axis: Axes, cells: Sequence[tuple[int, int]], colour: str, *, width: float) -> None:
    """Draw a path through the centres of its cells, with its ends marked."""
    at = np.array(cells, dtype=float) * CELL + (CELL - 1) / 2
    options: dict[str, Any] = {"color": colour, "solid_capstyle": "round", "solid_joinstyle": "round"}
    axis.plot(at[:, 1], at[:, 0], linewidth=width, path_effects=_outline() if width > 3 else None, **options)
    axis.plot(at[[0, -1], 1], at[[0, -1], 0], "o", markersize=width + 1.5, color=colour)


def _outline() -> list[Any]:
    from matplotlib.patheffects import Normal, Stroke

    return [Stroke(linewidth=6.4, foreground=_INK), Normal()]


def _brightened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.clip(pixels.astype(np.float32) * _SHOWN_BRIGHTNESS, 0, 255).astype(np.uint8)
