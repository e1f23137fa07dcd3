"""What decides between close costs, and between costs of which some dwarf the others."""

from __future__ import annotations

import numpy as np
import pytest
from backend_cases import binaries, feasible_points, scaled
from imle_pulp._backends import Outcome, highs, make, pulp_command, relaxation, scipy

BACKENDS = ["highs", "cp_sat", "scipy", "cbc"]
CLOSE = 1e-7


def close_cases():
    """Programmes and costs that differ by 1e-7 of the largest."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        weights = rng.integers(1, 6, 12)
        limits = [5, np.sort(weights)[:9].sum() * 0.7]
        program = binaries([np.ones(12), weights], [5, -np.inf], limits)
        sign = 1 if seed % 2 else -1
        yield program, 0.75 * sign * (1 + CLOSE * rng.normal(size=12))


def wrong(model_of, cases):
    """Return how often a model misses the best of the feasible points by a hundredth of the differences."""
    misses = [
        cost @ model_of(program).solve(cost).x - (feasible_points(program) @ cost).min()
        for program, cost in cases
    ]
    return int(np.sum(np.array(misses) > 0.01 * CLOSE))


@pytest.mark.parametrize("backend", BACKENDS)
def test_costs_that_differ_by_a_ten_millionth_are_told_apart(backend):
    assert wrong(lambda program: make(backend, program), close_cases()) == 0


@pytest.mark.parametrize(("backend", "library"), [("gurobi", "gurobipy"), ("scip", "pyscipopt")])
def test_libraries_that_may_be_installed_tell_close_costs_apart(backend, library):
    pytest.importorskip(library)
    assert wrong(lambda program: make(backend, program), close_cases()) == 0


def test_the_settings_of_large_programmes_tell_close_costs_apart(monkeypatch):
    monkeypatch.setattr(highs, "ENTRIES", 0)
    assert wrong(highs.Highs, close_cases()) == 0


def test_the_default_gap_would_not_tell_them_apart(monkeypatch):
    monkeypatch.setattr(highs, "ENTRIES", 0)
    monkeypatch.setattr(highs, "LARGE", {"output_flag": False})
    assert wrong(highs.Highs, close_cases()) > 0


def test_numerical_trouble_is_solved_with_the_defaults_of_highs(monkeypatch):
    program, cost = next(close_cases())
    model = highs.Highs(program)
    expected = model.solve(cost)
    model._set({"presolve": "on"})  # as if the options for speed had been lost
    assert model._again() is highs.Outcome.OPTIMAL
    assert model._highs.getOptionValue("presolve")[1] == "off"
    np.testing.assert_array_equal(model.solve(cost).x, expected.x)


@pytest.mark.parametrize(
    ("module", "model"), [(scipy, scipy.Scipy), (pulp_command, pulp_command.PulpCommand)]
)
def test_costs_without_a_factor_would_not_be_told_apart(monkeypatch, module, model):
    monkeypatch.setattr(module, "FACTOR", 1.0)
    assert wrong(model, close_cases()) > 0


def test_relaxations_tell_close_costs_apart():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        program = binaries(np.ones((1, 9)), [4], [4])
        cost = 0.75 * (1 + CLOSE * rng.normal(size=9))
        x = relaxation(program).solve(cost).x
        np.testing.assert_array_equal(np.sort(np.argsort(cost)[:4]), np.flatnonzero(x > 0.5))


def conflicts(rng, least):
    """5 + 5 binaries: at least two of the first, `least` of the second, and pairs that exclude each other."""
    first, second = np.repeat([1, 0], 5), np.repeat([0, 1], 5)
    pairs = np.zeros((6, 10))
    for row in pairs:
        row[[rng.integers(5), 5 + rng.integers(5)]] = 1
    return binaries([first, second, *pairs], [2, least, *[-np.inf] * 6], [5, 5, *[1] * 6])


@pytest.mark.parametrize("huge", [1e9, 1e13, 1e17])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("least", [0, 1, 2])
def test_beside_costs_that_forbid_entries_the_others_still_decide(least, backend, huge):
    """Where forbidden entries cannot be avoided, as few as possible are taken, whichever leaves the others best."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        program, cost = conflicts(rng, least), np.repeat([1, huge], 5)
        cost[:5] = rng.uniform(0.2, 1, 5)
        points = feasible_points(program)
        few = points[points[:, 5:].sum(1) == least]
        assert len(np.unique(few[:, :5] @ cost[:5])) > 3
        x = make(backend, program).solve(scaled(cost)).x
        assert x[5:].sum() == least
        assert x[:5] @ cost[:5] == pytest.approx((few[:, :5] @ cost[:5]).min(), abs=1e-12)


def test_several_levels_of_costs_decide_one_after_the_other():
    program = binaries(np.ones((1, 8)), [3], [3])
    cost = np.array([1e24, 1e24, 1e12, 2e12, 3e12, 2.0, 1.0, 3.0])
    x = make("highs", program).solve(scaled(cost)).x
    np.testing.assert_array_equal(x, [0, 0, 0, 0, 0, 1, 1, 1])
    tight = program.with_(upper=np.array([1, 1, 1, 1, 1, 0, 1, 0.0]))
    np.testing.assert_array_equal(make("highs", tight).solve(scaled(cost)).x, [0, 0, 1, 1, 0, 0, 1, 0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_decimal_fractions_count_as_what_they_stand_for(backend):
    """In doubles 0.1 + 0.2 is above 0.3."""
    program = binaries([[0.1, 0.2, 0.1]], [-np.inf], [0.1 + 0.2 if backend != "cp_sat" else 0.3])
    answer = make(backend, program).solve(np.array([-0.5, -0.5, -0.25]))
    assert answer.status is Outcome.OPTIMAL
    np.testing.assert_array_equal(answer.x, [1, 1, 0])
