"""Small models for the conformance kit."""

from __future__ import annotations

from ortools.sat.python import cp_model

from imle_core.testing import Example

BESIDE_THETA = ("check_best_of_answers", "check_optimality", "check_scale_invariance")
"""Checks of objectives that are <z, theta> alone."""


def cp_sat() -> list[Example]:
    """Return models of Booleans and integers, with and without fixed terms, and limits that differ by row."""
    return [_knapsack(), _matrix(), _integers(), _fixed_terms(), _instances()]


def _knapsack() -> Example:
    model = cp_model.CpModel()
    taken = [model.new_bool_var(f"item {number}") for number in range(6)]
    model.add(sum(weight * item for weight, item in zip((3, 5, 2, 7, 4, 1), taken, strict=True)) <= 11)
    return Example(parameters={"model": model, "variables": taken, "sense": "max"}, label="knapsack")


def _matrix() -> Example:
    model = cp_model.CpModel()
    pairs = [[model.new_bool_var(f"{row},{column}") for column in range(3)] for row in range(3)]
    for line in (*pairs, *zip(*pairs, strict=True)):
        model.add_exactly_one(line)
    return Example(parameters={"model": model, "variables": pairs}, label="matrix")


def _integers() -> Example:
    model = cp_model.CpModel()
    amounts = {name: model.new_int_var(-2, 3, name) for name in ("a", "b", "c")}
    largest = model.new_int_var(-2, 3, "largest")
    model.add_max_equality(largest, list(amounts.values()))
    model.add(largest <= 2)
    model.add_all_different(amounts.values())
    return Example(parameters={"model": model, "variables": amounts}, label="integers")


def _fixed_terms() -> Example:
    model = cp_model.CpModel()
    opened = [model.new_bool_var(f"open {place}") for place in range(3)]
    served = [[model.new_bool_var(f"{customer} from {place}") for place in range(3)] for customer in range(4)]
    for row in served:
        model.add_exactly_one(row)
        for place, choice in enumerate(row):
            model.add_implication(choice, opened[place])
    model.minimize(sum(cost * place for cost, place in zip((2.5, 1.25, 1.75), opened, strict=True)) + 3)
    return Example(
        parameters={"model": model, "variables": served},
        label="fixed terms",
        expected_failures=dict.fromkeys(BESIDE_THETA, "the objective has terms beside theta"),
    )


def _instances() -> Example:
    model = cp_model.CpModel()
    counts = [model.new_int_var(0, 3, f"count {number}") for number in range(3)]
    model.add(sum(counts) >= 2).with_name("demand")
    return Example(
        parameters={"model": model, "variables": counts},
        instances=[{}, {"demand": (4, None)}, {"demand": (1, 2), "count 0": 1}],
        label="instances",
    )
