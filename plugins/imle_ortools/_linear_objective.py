"""Costs as solvers take them that calculate in floating point: in parts, scaled, the largest ones lowered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imle_core.errors import InvalidThetaError
from imle_core.integers import exact_integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_ortools._linear_model import LinearModel

GAP = 20
"""Costs are looked at for a second part where none lies within a factor of 2^20."""

RANGE = 30
"""A factor of 2^30 between costs is the most that the tolerances of solvers in floating point resolve."""

NEGLIGIBLE = 1e-9
"""Costs that matter by this part of the largest at most are taken for 0 where they cannot be told apart otherwise."""

LARGEST = 20
"""Costs are below 2^20: solvers lose digits above, and below 2^-10 they come near to their tolerances of 1e-7."""


class Part(NamedTuple):
    """Costs that are solved together, none of them 0.

    Attributes:
        columns: Places of their variables in the model, the largest costs first.
        costs: Multiplied by a power of two, and lowered where there are much smaller ones.
        lowered: Which costs are.
        whole: The costs as integers, the differences of whose sums are at least 1; none for the last part.
    """

    columns: NDArray[np.int64]
    costs: NDArray[np.float64]
    lowered: NDArray[np.bool_]
    whole: tuple[int, ...] = ()

    def total(self, values: NDArray[np.float64]) -> int:
        """Return the sum of whole costs times values of the model's variables, exactly."""
        return sum(
            cost * int(value) for cost, value in zip(self.whole, values[self.columns].tolist(), strict=True)
        )

    def at_best(self, model: LinearModel, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which variables are at the bound that their cost draws them to."""
        low, high = model.bounds[:, self.columns]
        return values[self.columns] == np.where(self.costs > 0, low, high)

    def require_proof(self, model: LinearModel, values: NDArray[np.float64]) -> None:
        r"""Raise InvalidThetaError unless an optimum for lowered costs is one for the costs themselves.

        Where all variables whose costs were lowered are at their better bounds b, it is, whatever the constraints say:

        .. math:: \langle c, x - b \rangle \ge \langle c', x - b \rangle \text{ for all } x, \text{ and equal at } b
        """
        if not self.at_best(model, values)[self.lowered].all():
            raise too_far()


def parts_of(model: LinearModel, costs: NDArray[np.float64]) -> list[Part]:
    r"""Return costs cut where smaller ones provably decide only between best values by the larger ones.

    .. math:: \sum_{j \text{ smaller}} |c_j| (u_j - l_j) < \tfrac12 \gcd_{j \text{ larger}} c_j \text{ over integers}

    A gap between costs alone says nothing: ten million times a cost of 1 are more than 4,000,000 once. Beside 1e17 a
    solver does not see a cost of 1; solved one after the other, each part among the best by those before, both count.

    Args:
        model: The model.
        costs: Of ``model.objective_columns``.
    """
    (places,) = costs.nonzero()
    places = places[np.argsort(-np.abs(costs[places]), kind="stable")]
    columns, costs = model.objective_columns[places], costs[places]
    low, high = model.bounds[:, columns]
    with np.errstate(over="ignore"):
        reach = np.cumsum((np.abs(costs) * (high - low))[::-1])[::-1]
    parts, start = [], 0
    for cut in (np.flatnonzero(-np.diff(np.frexp(costs)[1]) > GAP) + 1).tolist():
        larger = slice(start, cut)
        if not model.integer[columns[larger]].all():
            break
        whole = exact_integers(costs[larger].tolist())
        divisor = math.gcd(*whole)
        if 2 * reach[cut] < abs(costs[start]) * (divisor / abs(whole[0])):
            parts.append(_part(columns[larger], costs[larger], tuple(cost // divisor for cost in whole)))
            start = cut
    return [*parts, _part(columns[start:], costs[start:])]


def without_negligible(model: LinearModel, costs: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return costs with zeros for those that together never matter by 1e-9 of the largest; None where they may.

    They are below 2^-30 of it: what is left of sums that should be 0, or of saturated sigmoids.
    """
    size = np.abs(costs)
    low, high = model.bounds[:, model.objective_columns]
    small = (size > 0) & (np.ldexp(size, RANGE) < size.max(initial=0.0))
    reach = float((size[small] * (high - low)[small]).sum())
    if not small.any() or not reach <= NEGLIGIBLE * size.max():
        return None
    return np.where(small, 0.0, costs)


def too_far() -> InvalidThetaError:
    """Return the error of a row whose costs the tolerances of solvers do not tell apart."""
    return InvalidThetaError(
        "costs of a row are spread so far that the tolerances of solvers in floating point lose the small ones beside "
        "the large ones; make the small ones 0, or use 'ortools.cp_sat', whose integers hold them."
    )


def _part(columns: NDArray[np.int64], costs: NDArray[np.float64], whole: tuple[int, ...] = ()) -> Part:
    if not len(costs):
        return Part(columns, costs, np.zeros(0, np.bool_))
    largest, least = np.frexp(costs[[0, -1]])[1].tolist()
    top = min(largest, least + RANGE)
    most = np.ldexp(1.0, top)
    scaled = np.ldexp(np.clip(costs, -most, most), min(top - least, LARGEST) - top)
    return Part(columns, scaled, np.abs(costs) > most, whole)
