"""Answers depend on the programme, the costs and the start alone: never on what a model was asked before, or where."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from backend_cases import assignment, binaries, knapsack, set_cover
from imle_pulp._backends import Outcome, make, relaxation

MAKERS = {
    "highs": lambda program: make("highs", program),
    "cp_sat": lambda program: make("cp_sat", program),
    "scipy": lambda program: make("scipy", program),
    "cbc": lambda program: make("cbc", program),
    "relaxation": relaxation,
    "highs, continuous": lambda program: make("highs", program.with_(integer=np.zeros(program.width, bool))),
}


@pytest.fixture
def tied():
    """A cover and costs with many optima."""
    program, _ = set_cover(np.random.default_rng(1), 18, 12)
    rng = np.random.default_rng(2)
    return program, [0.5 * np.ones(18), *(rng.integers(1, 3, 18) / 4.0 for _ in range(5))]


@pytest.mark.parametrize("name", MAKERS)
def test_ties_fall_as_in_a_new_model_whatever_came_before(tied, name):
    program, costs = tied
    expected = [MAKERS[name](program).solve(cost).x for cost in costs]
    model, rng = MAKERS[name](program), np.random.default_rng(0)
    for index in rng.integers(0, len(costs), 12 if name in ("scipy", "cbc") else 60):
        np.testing.assert_array_equal(model.solve(costs[index]).x, expected[index])


@pytest.mark.parametrize("name", ["highs", "cp_sat", "scipy", "cbc", "relaxation"])
def test_ties_fall_as_in_a_new_model_after_starts_limits_and_other_instances(tied, name):
    program, costs = tied
    costs = costs[: 2 if name in ("scipy", "cbc") else None]
    expected = [MAKERS[name](program).solve(cost).x for cost in costs]
    model = MAKERS[name](program)
    for cost, x in zip(costs, expected, strict=True):
        model.solve(cost, start=np.ones(program.width))
        np.testing.assert_array_equal(model.solve(cost).x, x)
        model.change(program.with_(upper=np.full(program.width, 2.0), values=2 * program.values))
        model.solve(cost)
        model.change(program)
        model.solve(-cost, seconds=10.0)
        np.testing.assert_array_equal(model.solve(cost).x, x)


@pytest.mark.parametrize("name", ["highs", "cp_sat", "relaxation"])
def test_threads_with_a_model_each_do_not_change_answers(tied, name):
    program, costs = tied
    expected = [MAKERS[name](program).solve(cost).x for cost in costs]
    found = {}

    def work(thread):
        model = MAKERS[name](program)
        found[thread] = [model.solve(cost).x for cost in costs]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for answers in found.values():
        np.testing.assert_array_equal(answers, expected)


@pytest.mark.parametrize("family", [set_cover, assignment, knapsack])
@pytest.mark.parametrize("name", ["highs", "cp_sat"])
def test_a_start_does_not_change_the_value(family, name):
    for seed in range(3):
        program, cost = family(np.random.default_rng(seed))
        model = MAKERS[name](program)
        best = model.solve(cost)
        if best.status is Outcome.INFEASIBLE:
            continue
        worse = model.solve(np.roll(cost, 3)).x
        for start in (best.x, worse):
            assert cost @ model.solve(cost, start=start).x == pytest.approx(best.bound, abs=1e-12)


def test_a_start_that_is_optimal_is_kept_by_highs_and_cp_sat():
    program = binaries(np.ones((1, 6)), [3], [3])
    start = np.array([0, 1, 0, 1, 0, 1.0])
    for name in ("highs", "cp_sat"):
        answer = MAKERS[name](program).solve(np.full(6, 0.5), start=start)
        np.testing.assert_array_equal(answer.x, start)
