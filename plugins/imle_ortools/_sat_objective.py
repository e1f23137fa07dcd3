"""Costs as integers, for CP-SAT, whose objective is in integers of 64 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 58
"""No objective goes beyond 2^58: CP-SAT refuses 2^63, and its presolve adds terms up."""

WIDEST = 2.0**40
"""So far may the sum of the variables' magnitudes go, which leaves 18 bits for a cost at least."""

PRECISE = 24
"""So many bits of each cost are used at least, or all that it has."""


class Layer(NamedTuple):
    r"""A part of the costs' digits, as integers.

    The objective of the layer is ``carry * h + weights @ x``, in units of 2^-shift, where h is the excess of the layer
    before: the value of its objective above its least.

    Attributes:
        shift: The power of two.
        weights: One for each variable, int64.
        carry: Weight of the excess of the layer before; 0 if that must be none.
        slack: The largest excess that the next layers could pay for.
    """

    shift: int
    weights: NDArray[np.int64]
    carry: int
    slack: int


def layers_of(
    costs: NDArray[np.float64], reach: NDArray[np.float64], span: NDArray[np.float64]
) -> list[Layer]:
    r"""Return costs as one layer of integers; as several where small costs would be lost beside large ones.

    .. math:: w_i = \operatorname{round}(2^s c_i), \qquad \textstyle\sum_i |w_i| \max|x_i| \le 2^{58}

    One layer is enough where each cost keeps 24 bits, or all that it has. Otherwise what rounding left over makes
    another layer, and so on; minimising them in turn is exact. Let x be optimal for the costs, and y for the first
    layer, with r what rounding left. Then

    .. math:: w^\top x - w^\top y \le 2^s r^\top (y - x) \le 2^s \textstyle\sum_i |r_i| (\max x_i - \min x_i)

    so that the excess h of x over the first layer's least value is a small integer, and the second layer
    minimises ``2^(t - s) h + round(2^t r) @ x`` over it.

    Args:
        costs: Finite, shape ``(variables,)``.
        reach: The largest magnitude of each variable.
        span: The largest minus the smallest value of each variable.
    """
    found: list[Layer] = []
    left, shift, slack = np.where(reach > 0, costs, 0.0), 0, 0  # others cost nothing, and no bits
    magnitude = np.frexp(costs)[1]
    while True:
        top = int(np.frexp(np.abs(left).max(initial=0.0))[1])
        if slack:  # the excess is among the terms, and the largest of them
            top = max(top, -shift + 1)
        total = float(np.ldexp(np.abs(left), -top) @ reach) + float(np.ldexp(float(slack), -shift - top))
        before, shift = shift, BITS - top - int(np.frexp(total)[1])
        weights = np.rint(np.ldexp(left, shift))
        carry = 1 << (shift - before) if slack else 0
        left = left - np.ldexp(weights, -shift)
        # A cost is done if nothing is left of it, or if it has its bits before the point.
        if ((left == 0) | (magnitude + shift > PRECISE)).all():
            found.append(Layer(shift, weights.astype(np.int64), carry, 0))
            return found
        slack = int(float(np.ldexp(np.abs(left), shift) @ span) * (1 + 1e-9))
        found.append(Layer(shift, weights.astype(np.int64), carry, slack))
