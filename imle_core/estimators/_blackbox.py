"""Differentiation of black-box combinatorial solvers."""

from __future__ import annotations

from typing import Literal

from ._imle import IMLE


def BlackBox(lam: float = 1.0, step: Literal["relative", "absolute"] = "relative") -> IMLE:  # noqa: N802
    r"""Differentiation of black-box combinatorial solvers: I-MLE without noise, bit for bit.

    .. math:: z = \mathrm{MAP}(\theta), \qquad G = \frac{z - \mathrm{MAP}(\theta - \lambda g)}{\lambda}

    Solver calls per row and step: 1 + 1.

    Args:
        lam: Step of the target parameters, above 0; see :class:`IMLE`.
        step: ``"relative"`` or ``"absolute"``, the published one.

    Returns:
        An :class:`IMLE` with ``noise=None``.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Vlastelica, Paulus, Musil, Martius and Rolinek (2020), Differentiation of blackbox combinatorial solvers,
        equation 3 and Algorithm 1.

    Example:
        >>> BlackBox(lam=20.0, step="absolute").noise is None
        True
    """
    return IMLE(samples=1, noise=None, lam=lam, step=step)
