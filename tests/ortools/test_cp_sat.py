"""ortools.cp_sat: answers against brute force, magnitudes, fixed terms, instances, hints, limits, errors."""

import copy
import itertools
import pickle
import signal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
    SolverTimeoutError,
)

SCALES = (1e-9, 1e-5, 1.0, 1e5, 1e9)


def cp_sat(model, variables, **options):
    return imle.solver("ortools.cp_sat", model=model, variables=variables, **options)


def random_model(rng, *, entries=5, sense=None, fixed=0.0):
    """Return a model with integer variables and linear limits, and all its solutions."""
    model = cp_model.CpModel()
    high = rng.integers(1, 3, entries)
    x = [model.new_int_var(0, int(h), f"x{i}") for i, h in enumerate(high)]
    rows = rng.integers(-3, 6, (3, entries))
    limits = rows.clip(min=0) @ high // 2
    for row, limit in zip(rows, limits, strict=True):
        model.add(sum(int(a) * v for a, v in zip(row, x, strict=True)) <= int(limit))
    model.add(sum(x) >= 1)
    states = np.array(list(itertools.product(*(range(h + 1) for h in high))))
    states = states[(states @ rows.T <= limits).all(1) & (states.sum(1) >= 1)]
    return model, x, states.astype(float)


def exact(theta, states, fixed=0):
    """Return the objective of each state in exact arithmetic."""
    exactly = [Fraction(float(value)) for value in theta]
    return [
        sum((t * int(z) for t, z in zip(exactly, state, strict=True)), Fraction(fixed)) for state in states
    ]


@pytest.mark.parametrize("part", range(10))
def test_answers_are_those_of_brute_force_at_every_scale(part):
    """A thousand models and costs in all, at scales from 1e-9 to 1e9."""
    rng = np.random.default_rng(part)
    for _ in range(100):
        sense = ("min", "max")[rng.integers(2)]
        model, x, states = random_model(rng)
        solver = cp_sat(model, x, sense=sense, threads=1)
        theta = rng.standard_normal((1, len(x))) * SCALES[rng.integers(len(SCALES))]
        z = solver.solve(theta)[0]
        values = states @ theta[0]
        best = values.min() if sense == "min" else values.max()
        assert z @ theta[0] == pytest.approx(best, rel=1e-12)
        assert (states == z).all(1).any()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), exponents=st.lists(st.integers(-300, 300), min_size=5, max_size=5))
def test_small_costs_count_beside_huge_ones(seed, exponents):
    rng = np.random.default_rng(seed)
    model, x, states = random_model(rng)
    theta = np.ldexp(rng.integers(-3, 4, 5).astype(float), exponents)
    z = cp_sat(model, x, threads=1).solve(theta[None])[0]
    assert exact(theta, [z])[0] == min(exact(theta, states))


@pytest.mark.parametrize("exponent", range(45, 63))
def test_what_rounding_leaves_over_is_added_up(exponent):
    """Three costs that each round down are more than one that rounds up, at the last bit beside a cost of 1."""
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in range(5)]
    model.add(x[0] == 1)
    model.add(x[1] + x[2] + x[3] + 3 * x[4] == 3)
    theta = np.array([[1.0, *np.ldexp([0.45, 0.45, 0.45, 0.6], -exponent)]])
    assert cp_sat(model, x).solve(theta).tolist() == [[1, 0, 0, 0, 1]]


def test_a_forbidding_cost_does_not_hide_the_others():
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in range(3)]
    model.add_exactly_one(x)
    theta = np.array([[1e17, 1.0, 2.0], [1e300, 2.0, 1.0], [1e150, 2e-150, 1e-150]])
    assert cp_sat(model, x).solve(theta).argmax(1).tolist() == [1, 2, 2]


@pytest.mark.parametrize("cost", [1e3, -1e6, 1e12])
def test_the_cost_of_a_variable_that_is_always_0_takes_no_bits_from_the_others(cost):
    model = cp_model.CpModel()
    x = [model.new_int_var(0, 3, name) for name in "abc"]
    model.add(sum(x) >= 3)
    solver = cp_sat(model, x)
    z = solver.solve(np.array([[cost, 2.0, 1.0]]), instances=[{"a": 0, "c": (0, 2)}])
    assert z.tolist() == [[0, 1, 2]]


def test_wide_integers_keep_small_costs():
    """Of 2^30 values each, so that one search has fewer bits than the costs need."""
    model = cp_model.CpModel()
    x = [model.new_int_var(0, 2**30, f"x{i}") for i in range(4)]
    model.add(x[0] + x[1] == 2**30)
    model.add(x[2] + x[3] == 2**30 - 7)
    theta = np.array([[1.0, 1.0 + 2.0**-40, 2.0**-45, 2.0**-46]])
    assert cp_sat(model, x).solve(theta).tolist() == [[2**30, 0, 0, 2**30 - 7]]


@pytest.mark.parametrize("sense", ["min", "max"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_fixed_terms_stay_beside_theta(sense, scale):
    rng = np.random.default_rng(3)
    for trial in range(15):
        model, x, states = random_model(rng)
        weights = [3, -2] if trial % 2 else [0.75, -1.25]
        objective = weights[0] * x[3] + weights[1] * x[4] + 100 * x[0] + 5
        getattr(model, f"{sense}imize")(objective)
        solver = cp_sat(model, x[:3])
        assert solver.sense == sense
        assert not solver.scale_invariant
        theta = rng.standard_normal((1, 3)) * scale
        with imle.Outcomes() as outcomes:
            z = solver.solve(theta)[0]
        values = states[:, :3] @ theta[0] + states[:, 3:] @ np.array(weights) + 5
        best = values.min() if sense == "min" else values.max()
        assert outcomes.objectives == pytest.approx([best], rel=1e-12)
        assert values[(states[:, :3] == z).all(1)].__getattribute__(sense)() == pytest.approx(best, rel=1e-12)


def test_the_users_model_is_never_changed():
    model, x, _ = random_model(np.random.default_rng(0))
    model.minimize(x[0] + 2 * x[1])
    before = str(model.proto)
    solver = cp_sat(model, x)
    first = solver.solve(np.array([[-1.0, 2.0, 1.0, -3.0, 0.5]]))
    assert str(model.proto) == before
    model.add(sum(x) <= 1)  # nor does the solver follow the model
    assert (solver.solve(np.array([[-1.0, 2.0, 1.0, -3.0, 0.5]])) == first).all()


def test_variables_in_lists_arrays_and_dictionaries_give_the_shape():
    model = cp_model.CpModel()
    x = [[model.new_bool_var(f"{i}{j}") for j in range(3)] for i in range(2)]
    theta = np.arange(-3.0, 3.0).reshape(1, 2, 3)
    for variables in (x, np.array(x, object), tuple(map(tuple, x))):
        solver = cp_sat(model, variables)
        assert solver.event_shape == (2, 3)
        assert solver.entries == ["00", "01", "02", "10", "11", "12"]
        assert (solver.solve(theta) == (theta < 0)).all()
    named = cp_sat(model, {("a", 1): x[0][0], "b": x[1][2]})
    assert (named.event_shape, named.entries) == ((2,), [("a", 1), "b"])


def test_answers_depend_on_their_row_alone():
    """Ties included: the batch, its order, earlier calls and the number of threads change nothing."""
    rng = np.random.default_rng(5)
    model, x, _ = random_model(rng, entries=8)
    theta = rng.integers(-1, 2, (24, 8)).astype(float)
    solver = cp_sat(model, x, threads=1)
    together = solver.solve(theta)
    assert (cp_sat(model, x, threads=4).solve(theta) == together).all()
    assert (solver.solve(theta[::-1])[::-1] == together).all()
    assert (np.concatenate([solver.solve(row[None]) for row in theta]) == together).all()
    assert (pickle.loads(pickle.dumps(solver)).solve(theta) == together).all()
    assert (copy.deepcopy(solver).solve(theta) == together).all()


def test_a_hint_never_costs_the_optimum():
    rng = np.random.default_rng(6)
    for _ in range(20):
        model, x, states = random_model(rng)
        model.add_hint(x[0], 1)
        solver = cp_sat(model, x)
        theta = rng.standard_normal((3, 5))
        hint = np.array([states[rng.integers(len(states))], np.full(5, np.nan), [99.0, -99, 0, 0, 0]])
        raw = type(solver).solve.__wrapped__
        z = raw(solver, theta, hint=hint)
        assert (z * theta).sum(1) == pytest.approx((states @ theta.T).min(0), rel=1e-12)


def test_instances_change_domains_and_limits():
    model = cp_model.CpModel()
    x = [model.new_int_var(0, 5, name) for name in "ab"]
    model.add(sum(x) >= 2).with_name("demand")
    solver = cp_sat(model, x)
    theta = np.array([[1.0, 2.0]] * 4)
    instances = [{}, {"demand": (4, None)}, {"a": 1}, {"a": (0, 1), "demand": (3, 3)}]
    assert solver.solve(theta, instances=instances).tolist() == [[2, 0], [4, 0], [1, 1], [1, 2]]
    assert solver.solve(theta[:1]).tolist() == [[2, 0]]
    prepared = [solver.prepare(instance) for instance in instances]
    z = np.array([[2.0, 0.0]] * 4)
    assert solver.is_feasible(z, instances=prepared).tolist() == [True, False, False, False]
    assert len(solver.enumerate_support(instance={"demand": (9, None)})) == 3


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({"demnd": (1, 2)}, "Did you mean 'demand'"),
        ({"demand": (2, 1)}, "low not above high"),
        ({"demand": 1.5}, "integers of 64 bits or None"),
        ({"demand": (0, 2**63)}, "integers of 64 bits or None"),
        ({"one": (0, 1)}, "not linear"),
        ({"a": (0, 2)}, "output='integer'"),
        ([1, 2], "mapping"),
    ],
)
def test_wrong_instances_are_refused(instance, message):
    model = cp_model.CpModel()
    x = [model.new_bool_var(name) for name in "ab"]
    model.add(sum(x) >= 1).with_name("demand")
    model.add_bool_or(x).with_name("one")
    with pytest.raises(InvalidInstanceError, match=message):
        cp_sat(model, x).solve(np.ones((1, 2)), instances=[instance])


def test_decode_completes_the_other_variables_at_least_fixed_cost():
    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{i}") for i in range(2)]
    y = model.new_int_var(0, 9, "y")
    unnamed = model.new_int_var(4, 4, "")
    model.add(y >= 3 * x[0] + 2 * x[1])
    model.minimize(y)
    solver = cp_sat(model, x)
    z = np.array([1.0, 1.0])
    assert solver.decode(z) == {"x0": 1, "x1": 1, "y": 5, unnamed.index: 4}
    assert (solver.encode(solver.decode(z)) == z).all()
    with pytest.raises(InvalidSolutionError, match="no solution in which"):
        solver.decode(np.array([2.0, 0.0]))
    with pytest.raises(InvalidSolutionError, match="no value of 'x1'"):
        solver.encode({"x0": 1})


def test_feasibility_and_enumeration_agree_with_brute_force():
    rng = np.random.default_rng(8)
    for _ in range(5):
        model, x, states = random_model(rng)
        listed = cp_sat(model, x).enumerate_support()
        assert sorted(map(tuple, listed)) == sorted(map(tuple, states))
        box = np.array(list(itertools.product(range(-1, 4), repeat=5)), float)[::37]
        expected = [bool((states == z).all(1).any()) for z in box]
        assert cp_sat(model, x).is_feasible(box).tolist() == expected
        assert not cp_sat(model, x).is_feasible(np.full((1, 5), 0.5)).any()


def test_what_cannot_be_listed_is_refused(monkeypatch):
    monkeypatch.setattr("imle_ortools._sat_solver.LISTED", 1_000)
    model = cp_model.CpModel()
    x = [model.new_int_var(0, 9, "") for _ in range(4)]
    with pytest.raises(MissingCapabilityError, match="more than 1,000 solutions"):
        cp_sat(model, x).enumerate_support()
    model.minimize(x[3])
    with pytest.raises(MissingCapabilityError, match="theta does not cover"):
        cp_sat(model, x[:3]).enumerate_support()


def hard_model():
    rng = np.random.default_rng(0)
    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{i}") for i in range(150)]
    for row in rng.integers(100, 3000, (15, 150)):
        model.add(sum(int(a) * v for a, v in zip(row, x, strict=True)) <= int(row.sum()) // 2)
    return model, x, rng.integers(100, 3000, (2, 150)).astype(float)


def test_a_time_limit_gives_the_best_found_and_says_so():
    model, x, theta = hard_model()
    solver = cp_sat(model, x, sense="max", time_limit=0.5)
    with imle.Outcomes() as outcomes:
        z = solver.solve(theta)
    assert outcomes.statuses.tolist() == [imle.Status.TIME_LIMIT] * 2
    assert outcomes.objectives == pytest.approx((z * theta).sum(1))
    assert ((outcomes.gaps > 0) & (outcomes.gaps < 0.5)).all()
    assert solver.is_feasible(z).all()


def test_at_the_time_limit_an_error_can_be_had():
    model, x, theta = hard_model()
    solver = cp_sat(model, x, sense="max", time_limit=0.5, on_timeout="error")
    with pytest.raises(SolverTimeoutError, match=r"row 0: .*not proven optimal"):
        solver.solve(theta)


def test_without_any_solution_a_limit_is_always_an_error():
    model, x, theta = hard_model()
    solver = cp_sat(model, x, sense="max", parameters={"max_deterministic_time": 1e-9})
    with pytest.raises(SolverTimeoutError, match="limit in parameters"):
        solver.solve(theta)


def test_infeasible_rows_are_named():
    model = cp_model.CpModel()
    x = [model.new_bool_var(name) for name in "ab"]
    model.add(sum(x) >= 1).with_name("demand")
    with pytest.raises(InfeasibleError, match=r"ortools.cp_sat: row 1"):
        cp_sat(model, x).solve(np.ones((2, 2)), instances=[{}, {"demand": (3, None)}])


def _negated():
    model = cp_model.CpModel()
    x = model.new_bool_var("x")
    return model, [~x], {}


def _foreign():
    return cp_model.CpModel(), [cp_model.CpModel().new_bool_var("x")], {}


def _invalid():
    model = cp_model.CpModel()
    x = model.new_int_var(-(2**62), 2**62, "x")
    model.add(2 * x <= 3)
    return model, [x], {}


def _with(variables, **options):
    def make():
        model = cp_model.CpModel()
        x = [model.new_bool_var(name) for name in "ab"]
        return model, variables(x), options

    return make


def _maximising():
    model = cp_model.CpModel()
    x = model.new_bool_var("x")
    model.maximize(x)
    return model, [x], {"sense": "min"}


def _wide():
    model = cp_model.CpModel()
    return model, [model.new_int_var(0, 2**50, "much")], {}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_negated, "must hold variables"),
        (_foreign, "another model"),
        (_invalid, "not valid"),
        (_wide, "'much'"),
        (_maximising, "leave sense out"),
        (_with(lambda x: []), "empty"),
        (_with(lambda x: [x[0], x[0]]), "'a' twice"),
        (_with(lambda x: [[x[0]], x]), "different shapes"),
        (_with(lambda x: [x[0], 3]), "found 3"),
        (_with(lambda x: "ab"), "found 'ab'"),
        (_with(lambda x: x, time_limit=0.0), "time_limit"),
        (_with(lambda x: x, parameters={"linearisation_level": 1}), "'linearization_level'"),
        (_with(lambda x: x, parameters={"num_workers": "many"}), "must be int"),
        (_with(lambda x: x, parameters={"random_seed": 2**40}), "must be int, within its range"),
        (_with(lambda x: x, parameters={"num_workers": -1}), r"'num_workers' should be in \[0,10000\]"),
        (_with(lambda x: x, parameters={"search_branching": "BEST"}), "one of AUTOMATIC_SEARCH"),
        (_with(lambda x: x, parameters={"max_time_in_seconds": 1.0}), "time_limit="),
        (_with(lambda x: x, sense="least"), "sense"),
    ],
)
def test_wrong_parameters_are_refused(make, message):
    model, variables, options = make()
    with pytest.raises(SolverParameterError, match=message):
        cp_sat(model, variables, **options)


def test_no_model_at_all_is_refused():
    with pytest.raises(SolverParameterError, match="CpModel"):
        cp_sat("model", [])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_theta_that_is_not_finite_is_refused(bad):
    model = cp_model.CpModel()
    x = [model.new_bool_var(name) for name in "ab"]
    with pytest.raises(InvalidThetaError, match="non-finite"):
        cp_sat(model, x).solve(np.array([[1.0, bad]]))


def test_parameters_reach_cp_sat_and_are_told():
    model = cp_model.CpModel()
    x = [model.new_bool_var(name) for name in "ab"]
    parameters = {"linearization_level": 2, "search_branching": "FIXED_SEARCH", "subsolvers": ["max_lp"]}
    told = cp_sat(model, x, parameters=parameters).explain()
    assert "linearization_level: 2" in told
    assert "FIXED_SEARCH" in told
    assert "max_lp" in told
    assert "num_workers: 1" in told


def test_pythons_handler_of_interrupts_is_left_in_place():
    """CP-SAT's own would end a search as if at a limit, and afterwards Ctrl-C would kill the process."""
    model = cp_model.CpModel()
    x = [model.new_bool_var(name) for name in "ab"]
    solver = cp_sat(model, x, threads=1)
    solver.solve(np.ones((1, 2)))
    solver.enumerate_support()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_layer_learns_through_a_model():
    import torch

    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{i}") for i in range(6)]
    model.add(sum(x) == 2)
    layer = imle.SolverLayer(cp_sat(model, x, sense="max"), imle.IMLE(samples=2))
    torch.manual_seed(0)
    theta = torch.zeros(1, 6, requires_grad=True)
    target = torch.tensor([[0.0, 1, 0, 0, 1, 0]])
    optimiser = torch.optim.Adam([theta], lr=0.3)
    for _ in range(40):
        optimiser.zero_grad()
        ((layer(theta) - target) ** 2).sum().backward()
        optimiser.step()
    layer.eval()
    assert (layer(theta) == target).all()
