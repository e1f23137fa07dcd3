"""What a comparison of estimators found, and how it is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imle_core.estimators import Estimator


@dataclass(frozen=True, kw_only=True)
class Comparison:
    r"""What an estimator's gradient is, next to the exact one.

    With G the estimate and g the exact gradient of a row, averaged over the rows of theta:

    Attributes:
        label: What the estimator is called.
        estimator: The estimator.
        bias: :math:`\|\mathbb{E} G - g\| / \|g\|`.
        bias_error: Standard error of the bias by the number of repeats; a bias of this size is none.
        deviation: :math:`\sqrt{\mathbb{E} \|G - \mathbb{E} G\|^2} / \|g\|`, of one estimate.
        error: :math:`\sqrt{\mathbb{E} \|G - g\|^2} / \|g\|`, which is both together.
        cosine: Mean cosine between G and g; 0 for an estimate that is zero.
        zero: Share of estimates that are zero.
        calls: Solver calls for a row and step.
        seconds: Time of a row and step, with the solves.
    """

    label: str
    estimator: Estimator
    bias: float
    bias_error: float
    deviation: float
    error: float
    cosine: float
    zero: float
    calls: float
    seconds: float


class Comparisons(tuple[Comparison, ...]):
    """Comparisons, in the order of the estimators; printed, a table."""

    __slots__ = ()

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return one flat dict for each, ready for JSON or a data frame."""
        return [{**asdict(one), "estimator": str(one.estimator)} for one in self]

    def plot(self, axes: Any = None, *, errors: bool = True) -> Any:
        """Draw the bias of each estimator over its deviation, on logarithmic axes; return matplotlib's axes.

        Args:
            axes: Where to draw; by default a new figure.
            errors: Whether to draw lines of equal total error.

        Raises:
            MissingDependencyError: matplotlib is not installed.
        """
        from ._compare_plot import plot

        return plot(self, axes, errors=errors)

    def __repr__(self) -> str:
        head = ("estimator", "bias", "deviation", "error", "cosine", "zero", "calls", "us a row")
        rows = [
            (
                one.label,
                f"{one.bias:.1%}" if one.bias > 2 * one.bias_error else f"< {2 * one.bias_error:.1%}",
                f"{one.deviation:.2f}",
                f"{one.error:.2f}",
                f"{one.cosine:.2f}",
                f"{one.zero:.0%}",
                f"{one.calls:g}",
                f"{one.seconds * 1e6:.1f}",
            )
            for one in self
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [
            "  ".join(
                [
                    row[0].ljust(widths[0]),
                    *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)),
                ]
            )
            for row in (head, *rows)
        ]
        return "\n".join(line.rstrip() for line in lines)
