"""What estimators share whose noise has a temperature."""

from __future__ import annotations

from dataclasses import dataclass

from imle_core._checks import require_number

from ._base import Estimator


@dataclass(frozen=True, kw_only=True)
class Tempered(Estimator):
    """An estimator that solves at ``theta + tau * noise``.

    Args:
        samples: Number S of perturbed points for each row, at least 1.
        noise: Their noise, or None for the unperturbed point.
        tau: Temperature: the factor of the noise, in units of theta, at least 0.

    Raises:
        ValueError: an argument is out of range.
    """

    tau: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number(type(self).__name__, "tau", self.tau, at_least=0)

    @property
    def factor(self) -> float:
        """The temperature."""
        return self.tau
