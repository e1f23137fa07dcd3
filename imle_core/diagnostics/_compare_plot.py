"""A picture of bias and variance."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import MissingDependencyError

if TYPE_CHECKING:
    from ._comparison import Comparison, Comparisons

_MARKERS = "osD^vP*X<>hp"
_FLOOR = 0.01  # less is drawn here


def plot(comparisons: Comparisons, axes: Any, *, errors: bool) -> Any:
    """Draw bias over deviation, one series for each class of estimator; see :meth:`Comparisons.plot`."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingDependencyError(
            "a plot needs matplotlib. Install with: pip install 'imle-core[plots]'"
        ) from error
    if axes is None:
        _, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    kinds: dict[str, list[Comparison]] = {}
    for one in comparisons:
        kinds.setdefault(one.label.split(" ")[0].split("(")[0], []).append(one)
    for (kind, members), marker in zip(kinds.items(), _MARKERS * len(kinds), strict=False):
        # A bias below its standard error is drawn there: less cannot be seen.
        x = [max(one.deviation, _FLOOR) for one in members]
        y = [max(one.bias, one.bias_error, _FLOOR) for one in members]
        axes.plot(x, y, marker=marker, linestyle="", label=kind, alpha=0.85, clip_on=False)
        for one, place in zip(members, zip(x, y, strict=True), strict=True):
            varying = ", ".join(re.findall(r"=([^=\s(),]+)", one.label.removeprefix(kind)))
            axes.annotate(varying, place, textcoords="offset points", xytext=(6, -3), fontsize="x-small")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=f"standard deviation of one estimate / |exact gradient|  ({_FLOOR:g}: that or less)",
        ylabel=f"bias / |exact gradient|  ({_FLOOR:g}: that or less)",
    )
    if errors:
        _equal_errors(axes)
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return axes


def _equal_errors(axes: Any) -> None:
    """Draw lines along which the total error, bias and deviation together, is the same."""
    high, top = (2 * max(limits[1], 1.0) for limits in (axes.get_xlim(), axes.get_ylim()))
    angle = np.linspace(0.001, np.pi / 2 - 0.001, 400)
    for level in (0.03, 0.1, 0.3, 1.0, 3.0, 10.0):
        axes.plot(
            level * np.cos(angle), level * np.sin(angle), color="grey", linewidth=0.6, alpha=0.5, zorder=0
        )
    axes.set(xlim=(_FLOOR, high), ylim=(_FLOOR, top))
