"""Costs in parts of about one magnitude, for solvers that calculate in floating point."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imle_core.errors import InvalidThetaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAP = 20
"""Where no cost lies within a factor of 2^20, those below can only decide between best ones by those above."""

RANGE = 30
"""A factor of 2^30 between costs is more than the tolerances of solvers in floating point resolve."""


class Part(NamedTuple):
    """Costs of about one magnitude.

    Attributes:
        which: Their places.
        costs: Scaled by a power of two, so that the largest magnitude is in [0.5, 1).
        exponent: The power.
    """

    which: NDArray[np.intp]
    costs: NDArray[np.float64]
    exponent: int


def parts_of(costs: NDArray[np.float64]) -> list[Part]:
    """Return costs cut where their magnitudes have a wide gap, the largest first.

    A solver has absolute tolerances: beside 1e17 it does not see a cost of 1. Solved one after the other, each part
    among the best by those before, both count. Zeros are in no part.

    Raises:
        InvalidThetaError: magnitudes are spread so far, without a gap, that some would be lost.
    """
    (places,) = costs.nonzero()
    exponents = np.frexp(costs[places])[1]
    order = np.argsort(-exponents, kind="stable")
    places, exponents = places[order], exponents[order]
    cuts = np.flatnonzero(-np.diff(exponents) > GAP) + 1
    parts = []
    for which, powers in zip(np.split(places, cuts), np.split(exponents, cuts), strict=True):
        if not len(which):
            break
        if powers[0] - powers[-1] > RANGE:
            large, small = abs(costs[which[0]]), abs(costs[which[-1]])
            raise InvalidThetaError(
                f"costs of a row go from {small:.3g} to {large:.3g} without a wide gap in between, which is beyond the "
                "tolerances of solvers in floating point; make the small ones 0, or use 'ortools.cp_sat', whose "
                "integers hold them."
            )
        parts.append(Part(which, np.ldexp(costs[which], -powers[0]), int(powers[0])))
    return parts
