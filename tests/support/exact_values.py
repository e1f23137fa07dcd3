"""Rows of theta of every range and kind, and objectives in exact arithmetic."""

from fractions import Fraction

import numpy as np

SCALES = tuple(range(-9, 10))
"""Powers of ten of a row's scale."""


def make_rows(rng, shape, *, signed=True):
    """Return rows: with ties, with near ties, plain, in single precision, or with entries of very different range."""
    kind = rng.integers(6)
    scale = 10.0 ** rng.choice(SCALES)
    plain = rng.standard_normal(shape)
    if kind == 0:
        rows = rng.integers(-3, 4, shape) * scale
    elif kind == 1:
        rows = rng.choice([0.0, 0.1, 0.2, 0.1 + 0.2, 0.3, -0.1], shape) * scale
    elif kind == 2:
        rows = (plain * scale).astype(np.float32)
    elif kind == 3:  # entries that forbid, or must be had, beside small ones that still count
        huge = rng.choice([1e9, 1e17, 1e30, -1e17], shape)
        rows = np.where(rng.random(shape) < 0.4, huge, rng.integers(-5, 6, shape).astype(float))
    elif kind == 4:
        rows = plain * 10.0 ** rng.integers(-30, 31, shape)
    else:
        rows = plain * scale
    return rows if signed else np.abs(rows)


def exact_value(z, theta):
    """Return <z, theta> of one row, without rounding."""
    entries = zip(np.ravel(z).tolist(), np.ravel(theta).tolist(), strict=True)
    return sum((int(count) * Fraction(cost) for count, cost in entries if count), Fraction(0))


def assert_best(z, theta, structures, sense):
    """Fail unless each row's state is one of the structures, and none is better; beyond the last bits of doubles.

    Rows in single precision, and those of very different range, must be optimal to the last bit.
    """
    assert len(structures)
    best = min if sense == "min" else max
    for state, row in zip(z, theta, strict=True):
        assert (structures == state).reshape(len(structures), -1).all(1).any(), (state, row)
        found, optimum = exact_value(state, row), best(exact_value(each, row) for each in structures)
        size = np.abs(row[row != 0])
        rounded = row.dtype == np.float64 and len(size) > 0 and size.min() > 1e-6 * size.max()
        allowed = Fraction(float(2.0**-44 * size.max())) if rounded else 0
        assert abs(found - optimum) <= allowed, (float(found), float(optimum), row)
