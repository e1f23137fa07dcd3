"""Small random programmes in PuLP, and their optima by enumeration."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pulp
from scipy.optimize import linprog


class Case(NamedTuple):
    """A programme as arrays, and as its owner would write it."""

    matrix: np.ndarray
    senses: list[int]  # -1, 0, 1 as in PuLP
    limits: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray
    fixed: np.ndarray  # the owner's costs, of all columns
    theta: np.ndarray  # which columns theta stands for
    maximise: bool
    constant: float

    def problem(self):
        """Return the problem and the variables of theta."""
        problem = pulp.LpProblem("case", pulp.LpMaximize if self.maximise else pulp.LpMinimize)
        columns = [
            pulp.LpVariable(f"x{j}", low, high, pulp.LpInteger if whole else pulp.LpContinuous)
            for j, (low, high, whole) in enumerate(zip(self.lower, self.upper, self.integer, strict=True))
        ]
        problem += pulp.lpDot(self.fixed.tolist(), columns) + self.constant
        for row, sense, limit in zip(self.matrix.tolist(), self.senses, self.limits.tolist(), strict=True):
            problem += pulp.LpConstraint(pulp.lpDot(row, columns), sense, rhs=limit)
        return problem, [columns[j] for j in self.theta]

    def best(self, theta):
        """Return the optimal value for a theta; None where there is no point.

        Integers are enumerated, and the others solved as a linear programme by another library.
        """
        costs = self.fixed.copy()
        costs[self.theta] = theta
        sign = -1 if self.maximise else 1
        whole, rest = np.flatnonzero(self.integer), np.flatnonzero(~self.integer)
        ranges = [np.arange(self.lower[j], self.upper[j] + 1) for j in whole]
        values = []
        for choice in itertools.product(*ranges):
            x = np.zeros(len(costs))
            x[whole] = choice
            left = self.limits - self.matrix @ x
            if not len(rest):
                value = self._value(left, costs @ x)
            else:
                value = self._completed(left, rest, sign * costs[rest])
                value = None if value is None else sign * value + costs @ x
            if value is not None:
                values.append(value)
        if not values:
            return None
        return (max(values) if self.maximise else min(values)) + self.constant

    def _value(self, left, value):
        kept = {-1: left >= -1e-9, 0: np.abs(left) <= 1e-9, 1: left <= 1e-9}
        return value if all(kept[sense][i] for i, sense in enumerate(self.senses)) else None

    def _completed(self, left, rest, costs):
        below = [(s, i) for i, s in enumerate(self.senses) if s]
        equal = [i for i, s in enumerate(self.senses) if not s]
        part = self.matrix[:, rest]
        done = linprog(
            costs,
            A_ub=np.array([-s * part[i] for s, i in below]) if below else None,
            b_ub=np.array([-s * left[i] for s, i in below]) if below else None,
            A_eq=part[equal] if equal else None,
            b_eq=left[equal] if equal else None,
            bounds=list(zip(self.lower[rest], self.upper[rest], strict=True)),
        )
        return done.fun if done.status == 0 else None


def random_case(rng, *, continuous=True, covered=False):
    """Return a programme of 2 to 5 columns and 0 to 4 rows."""
    columns, rows = int(rng.integers(2, 6)), int(rng.integers(0, 5))
    integer = rng.random(columns) < 0.7 if continuous else np.ones(columns, bool)
    lower = rng.integers(-2, 1, columns).astype(float)
    count = columns if covered else int(rng.integers(1, columns + 1))
    return Case(
        matrix=rng.integers(-4, 5, (rows, columns)).astype(float),
        senses=rng.choice([-1, -1, 0, 1], rows).tolist(),
        limits=rng.integers(-3, 7, rows).astype(float),
        lower=lower,
        upper=lower + rng.integers(0, 4, columns),
        integer=integer,
        fixed=np.round(rng.normal(size=columns) * rng.integers(0, 2), 2),
        theta=np.sort(rng.permutation(columns)[:count]),
        maximise=bool(rng.integers(2)),
        constant=float(rng.integers(-3, 4)),
    )
