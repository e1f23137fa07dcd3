"""Small programmes for the conformance kit."""

from __future__ import annotations

from ortools.math_opt.python import mathopt

from imle_core.testing import Example
from imle_ortools.examples.cp_sat import BESIDE_THETA


def math_opt() -> list[Example]:
    """Return integer and linear programmes for each solver, with fixed terms, and limits that differ by row."""
    found = [_knapsack(name) for name in ("gscip", "highs", "cp_sat")]
    return [*found, _transport(), _fixed_terms(), _instances()]


def _knapsack(solver_type: str) -> Example:
    model = mathopt.Model()
    taken = [model.add_binary_variable(name=f"item {number}") for number in range(6)]
    weights = zip((3.5, 5.0, 2.25, 7.0, 4.0, 1.5), taken, strict=True)
    model.add_linear_constraint(sum(weight * item for weight, item in weights) <= 11.5)
    return Example(
        parameters={"model": model, "variables": taken, "sense": "max", "solver_type": solver_type},
        label=f"knapsack,{solver_type}",
    )


def _transport() -> Example:
    model = mathopt.Model()
    moved = [[model.add_variable(lb=0, name=f"{row} to {column}") for column in range(3)] for row in range(2)]
    for row, supply in zip(moved, (2.5, 3.5), strict=True):
        model.add_linear_constraint(sum(row) <= supply)
    for column, demand in zip(zip(*moved, strict=True), (1.5, 2.0, 1.0), strict=True):
        model.add_linear_constraint(sum(column) == demand)
    return Example(
        parameters={"model": model, "variables": moved, "solver_type": "glop"}, label="transport,glop"
    )


def _fixed_terms() -> Example:
    model = mathopt.Model()
    opened = [model.add_binary_variable(name=f"open {place}") for place in range(2)]
    served = [
        [model.add_binary_variable(name=f"{customer} from {place}") for place in range(2)]
        for customer in range(3)
    ]
    for row in served:
        model.add_linear_constraint(sum(row) == 1)
        for choice, place in zip(row, opened, strict=True):
            model.add_linear_constraint(choice <= place)
    costs = zip((2.5, 1.25), opened, strict=True)
    model.minimize(sum(cost * place for cost, place in costs) + 3)
    return Example(
        parameters={"model": model, "variables": served},
        label="fixed terms",
        expected_failures=dict.fromkeys(BESIDE_THETA, "the objective has terms beside theta"),
    )


def _instances() -> Example:
    model = mathopt.Model()
    counts = [model.add_integer_variable(lb=0, ub=3, name=f"count {number}") for number in range(3)]
    model.add_linear_constraint(sum(counts) >= 2, name="demand")
    return Example(
        parameters={"model": model, "variables": counts},
        instances=[{}, {"demand": (4, None)}, {"demand": (1, 2), "count 0": 1}],
        label="instances",
    )
