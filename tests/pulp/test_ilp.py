"""``pulp.ilp`` against enumeration, and what it does with a user's problem."""

import copy
import itertools
import pickle

import numpy as np
import pulp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_pulp import _compact
from programmes import random_case

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    MissingCapabilityError,
    SolverParameterError,
    UnboundedError,
)


def knapsack(**options):
    problem = pulp.LpProblem("knapsack", pulp.LpMaximize)
    take = [pulp.LpVariable(f"take_{i}", cat=pulp.LpBinary) for i in range(5)]
    problem += pulp.lpDot([2, 3, 4, 5, 3], take) <= 9, "weight"
    return imle.solver("pulp.ilp", problem=problem, theta=take, **options)


def value_of(case, theta, x):
    costs = case.fixed.copy()
    costs[case.theta] = theta
    return costs @ x + case.constant


@settings(max_examples=500, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_it_agrees_with_enumeration(seed):
    rng = np.random.default_rng(seed)
    case = random_case(rng)
    problem, theta = case.problem()
    solver = imle.solver("pulp.ilp", problem=problem, theta=theta, threads=1)
    for row in (rng.normal(size=len(theta)), rng.integers(-2, 3, len(theta)).astype(float)):
        best = case.best(row)
        if best is None:
            with pytest.raises(InfeasibleError):
                solver.solve(row[None])
            return
        with imle.Outcomes() as outcomes:
            z = solver.solve(row[None])
        assert outcomes.objectives[0] == pytest.approx(best, abs=1e-6)
        assert outcomes.statuses[0] == imle.Status.OPTIMAL
        named = solver.decode(z[0])
        x = np.array([named.get(f"x{j}", 0.0) for j in range(len(case.fixed))])
        assert value_of(case, row, x) == pytest.approx(best, abs=1e-6)
        assert solver.is_feasible(z).all()
        np.testing.assert_allclose(z[0], x[case.theta], atol=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e6, 1e9])
def test_the_scale_of_theta_changes_no_answer(scale):
    rng = np.random.default_rng(1)
    for _ in range(20):
        case = random_case(rng, covered=True)
        problem, theta = case.problem()
        solver = imle.solver("pulp.ilp", problem=problem, theta=theta, backend="highs", threads=1)
        row = rng.normal(size=len(theta))
        if case.best(row) is not None:
            z = solver.solve(scale * row[None])
            assert value_of(case, row, z[0]) == pytest.approx(case.best(row), abs=1e-7)


@pytest.mark.parametrize("scale", [1e-7, 1e-3, 1e3, 1e7])
def test_fixed_costs_are_scaled_with_theta(scale):
    """The whole objective times a number: the same answers, whatever the tolerances of the backend."""
    rng = np.random.default_rng(2)
    for _ in range(30):
        case = random_case(rng)
        row = rng.normal(size=len(case.theta))
        if case.best(row) is None:
            continue
        scaled = case._replace(fixed=scale * case.fixed, constant=0.0)
        problem, theta = scaled.problem()
        solver = imle.solver("pulp.ilp", problem=problem, theta=theta, backend="highs", threads=1)
        with imle.Outcomes() as outcomes:
            solver.solve(scale * row[None])
        best = case._replace(constant=0.0).best(row)
        assert outcomes.objectives[0] / scale == pytest.approx(best, abs=1e-6)


def test_costs_that_differ_by_little_are_told_apart():
    """A relative gap of 1e-4, the default of most solvers, would take any of these."""
    rng = np.random.default_rng(3)
    problem = pulp.LpProblem("choose", pulp.LpMaximize)
    take = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(12)]
    problem += pulp.lpDot(rng.integers(3, 9, 12).tolist(), take) <= 30
    sets = np.array(list(itertools.product([0, 1], repeat=12)))
    weights = np.array([c for _, c in next(iter(problem.constraints())).items()])
    sets = sets[sets @ weights <= 30]
    for backend in ("highs", "cp_sat", "scipy"):
        solver = imle.solver("pulp.ilp", problem=problem, theta=take, backend=backend, threads=1)
        theta = weights + 1e-5 * rng.random((20, 12))
        z = solver.solve(theta)
        np.testing.assert_allclose((z * theta).sum(1), (sets @ theta.T).max(0), rtol=1e-9)


def test_a_prohibitive_cost_does_not_drown_the_others():
    problem = pulp.LpProblem("cover", pulp.LpMinimize)
    use = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(4)]
    problem += use[0] + use[1] + use[2] + use[3] >= 2
    for backend in ("highs", "cp_sat", "scipy"):
        solver = imle.solver("pulp.ilp", problem=problem, theta=use, backend=backend, threads=1)
        z = solver.solve(np.array([[1e17, 1.0, 2.0, 3.0], [3.0, 2.0, 1e17, 1.0], [1e17, 1e17, 2.0, 3.0]]))
        assert z.tolist() == [[0, 1, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda x: x, (4,)),
        (lambda x: tuple(x), (4,)),
        (lambda x: dict(zip("abcd", x, strict=True)), (4,)),
        (lambda x: {i: {j: x[2 * i + j] for j in range(2)} for i in range(2)}, (2, 2)),
        (lambda x: np.array(x, object).reshape(2, 2), (2, 2)),
        (lambda x: np.array(x, object).reshape(1, 2, 2), (1, 2, 2)),
        (lambda x: [x[:2], x[2:]], (2, 2)),
        (lambda x: [v.name for v in x], (4,)),
        (lambda x: None, (4,)),
    ],
)
def test_theta_gives_the_event_shape(make, shape):
    problem = pulp.LpProblem("p", pulp.LpMinimize)
    x = [pulp.LpVariable(f"v{i}", cat=pulp.LpBinary) for i in range(4)]
    problem += pulp.lpSum(x) >= 2
    solver = imle.solver("pulp.ilp", problem=problem, theta=make(x))
    assert solver.event_shape == shape
    theta = np.array([4.0, 1.0, 3.0, 2.0]).reshape(1, *shape)
    assert solver.solve(theta).ravel().tolist() == [0, 1, 0, 1]
    assert np.ravel(solver.entries).tolist() == ["v0", "v1", "v2", "v3"]


def test_one_variable_is_a_theta_without_axes():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = pulp.LpVariable("x", 0, 3, pulp.LpInteger)
    problem += 2 * x <= 5
    solver = imle.solver("pulp.ilp", problem=problem, theta=x)
    assert solver.solve(np.array([1.0, -1.0])).tolist() == [2, 0]


def test_the_coefficients_that_theta_stands_for_are_replaced_and_the_others_stay():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x, y, z = (pulp.LpVariable(name, cat=pulp.LpBinary) for name in "xyz")
    problem += 100 * x + 5 * y + 2 * z + 7
    problem += x + y + z <= 1
    solver = imle.solver("pulp.ilp", problem=problem, theta=[x])
    with imle.Outcomes() as outcomes:
        assert solver.solve(np.array([[6.0], [4.0]])).tolist() == [[1], [0]]
    assert outcomes.objectives.tolist() == [13.0, 12.0]
    assert solver.decode(np.array([0.0])) == {"x": 0.0, "y": 1.0, "z": 0.0}
    assert solver.fixed_terms(np.array([[0.0], [1.0]])).tolist() == [12.0, 7.0]
    assert not solver.scale_invariant


def snapshot(problem):
    return (
        problem.toDict(),
        [variable.name for variable in problem._variables],
        [(v.name, v.lowBound, v.upBound, v.cat, v.varValue, v.dj) for v in problem._variables],
        problem.status,
        problem.sol_status,
        problem.solver,
    )


@pytest.mark.parametrize("backend", ["auto", "cbc"])
def test_the_users_problem_is_never_changed(backend):
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = {name: pulp.LpVariable(name, cat=pulp.LpBinary) for name in ("z", "b", "a")}
    problem += x["z"] + x["a"]
    problem += pulp.lpSum(x.values()) <= 2, "limit"
    before = snapshot(problem)
    solver = imle.solver("pulp.ilp", problem=problem, theta=x, backend=backend)
    z = solver.solve(np.array([[1.0, 3.0, 2.0]]), instances=[{"limit": 1}])
    solver.decode(z[0])
    assert snapshot(problem) == before


def test_names_may_be_anything():
    problem = pulp.LpProblem("\"q\"\n'r'", pulp.LpMaximize)
    names = ['a "quoted" name', "it's", "two\nlines", "x <= 3;", "ä/ö $HOME `ls`", "%s\t\\"]
    x = [pulp.LpVariable(f"v{i}", cat=pulp.LpBinary) for i in range(6)]
    for variable, name in zip(x, names, strict=True):
        variable._LpElement__name = (
            name  # PuLP replaces some characters, with a warning; other readers do not
        )
    problem += pulp.lpSum(x) <= 2, "a 'row'\n\"name\""
    assert [v.name for v in x] == names
    theta = np.arange(6.0)[None]
    for backend in ("auto", "highs", "cp_sat", "scipy", "cbc"):
        solver = imle.solver("pulp.ilp", problem=problem, theta=x, backend=backend)
        decoded = solver.decode(solver.solve(theta)[0])
        assert decoded == dict(zip(names, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0], strict=True))


@pytest.mark.parametrize("backend", ["auto", "highs", "cp_sat", "scipy", "cbc"])
def test_rows_may_have_limits_bounds_and_coefficients_of_their_own(backend):
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", 0, 3, pulp.LpInteger) for i in range(3)]
    problem += pulp.lpDot([2, 3, 4], x) <= 9, "capacity"
    problem += x[0] + x[1] >= 1, "least"
    parameters = {
        "weight": ("capacity", x[0]),
        "most": [(v, "upper") for v in x],
        "second": (x[1], "lower"),
        "both": ["capacity", "least"],
    }
    solver = imle.solver("pulp.ilp", problem=problem, theta=x, parameters=parameters, backend=backend)
    instances = [
        {},
        {"capacity": 12},
        {"weight": 5},
        {"most": 1},
        {"most": [1, 0, 2]},
        {"second": 2},
        {"both": [7, 2]},
        {"capacity": 12, "least": 3, "most": (3, 1, 1)},
    ]
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(len(instances) * 4, 3)) + 0.5
    z = solver.solve(rows, instances=instances * 4)
    for row, state, instance in zip(rows, z, instances * 4, strict=True):
        weight = [instance.get("weight", 2), 3, 4]
        most = np.broadcast_to(instance.get("most", 3), 3)
        low = [0, instance.get("second", 0), 0]
        capacity, least = instance.get("both", (instance.get("capacity", 9), instance.get("least", 1)))
        all_ = itertools.product(*(range(a, b + 1) for a, b in zip(low, most, strict=True)))
        best = max(np.dot(row, s) for s in all_ if np.dot(weight, s) <= capacity and s[0] + s[1] >= least)
        assert row @ state == pytest.approx(best, abs=1e-6)
    assert solver.is_feasible(z, instances=[solver.prepare(one) for one in instances * 4]).all()


def test_instances_in_a_layer():
    layer = imle.SolverLayer(knapsack(), imle.IMLE(samples=2))
    theta = torch.rand(3, 5, requires_grad=True)
    z = layer(theta, instances=[{"weight": 4}, {"weight": 9}, {"weight": 4}])
    (z * torch.rand(5)).sum().backward()
    assert (z[0].detach() @ torch.tensor([2.0, 3, 4, 5, 3])) <= 4 + 1e-6
    assert theta.grad.isfinite().all()


def test_an_infeasible_row_is_named_and_the_others_are_right_without_it():
    solver = knapsack()
    theta = np.random.default_rng(0).random((64, 5))
    instances = [{"weight": 9}] * 64
    instances[41] = {"weight": -1}
    with pytest.raises(InfeasibleError, match=r"^pulp.ilp: row 41: no solution satisfies the constraints"):
        solver.solve(theta, instances=instances)
    instances[41] = {"weight": 9}
    np.testing.assert_array_equal(solver.solve(theta, instances=instances), knapsack().solve(theta))


@pytest.mark.parametrize("backend", ["auto", "highs", "scipy", "cbc"])
def test_an_unbounded_row_is_named(backend):
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x, y = pulp.LpVariable("x", 0), pulp.LpVariable("y", 0, 5, pulp.LpInteger)
    problem += y - x <= 3
    solver = imle.solver("pulp.ilp", problem=problem, theta=[x, y], backend=backend)
    assert solver.solve(np.array([[-1.0, 2.0]])).tolist() == [[2, 5]]
    with pytest.raises(UnboundedError, match="row 1: the objective is unbounded"):
        solver.solve(np.array([[-1.0, 2.0], [1.0, 1.0]]))


@pytest.mark.parametrize("backend", ["highs", "cp_sat"])
def test_ties_are_broken_in_the_same_way_whatever_was_solved_before(backend):
    theta = np.array([[1.0, 1.0, 1.0, 1.0, 1.0], [0.0] * 5, [2.0, 2.0, 2.0, 1.0, 2.0]])
    fresh = knapsack(backend=backend).solve(theta)
    used = knapsack(backend=backend, threads=2)
    used.solve(np.random.default_rng(0).normal(size=(50, 5)))
    np.testing.assert_array_equal(used.solve(theta), fresh)
    np.testing.assert_array_equal(np.concatenate([used.solve(row[None]) for row in theta[::-1]])[::-1], fresh)


def test_a_hint_that_is_no_solution_is_ignored():
    solver = knapsack(backend="highs")
    raw = type(solver).solve.__wrapped__
    theta = np.array([[3.0, 1.0, 4.0, 1.0, 5.0]])
    expected = solver.solve(theta)
    for hint in (np.ones((1, 5)), np.full((1, 5), 0.5), np.full((1, 5), np.nan), expected):
        np.testing.assert_array_equal(raw(solver, theta, hint=hint), expected)


def test_a_hint_for_large_coefficients_must_keep_to_the_limit_exactly():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(3)]
    problem += pulp.lpDot([3_000_001, 2_000_000, 1_000_001], x) <= 5_000_000
    solver = imle.solver("pulp.ilp", problem=problem, theta=x)
    raw = type(solver).solve.__wrapped__
    over = np.array([[1.0, 1.0, 0.0]])
    assert not solver.is_feasible(over)[0]
    assert raw(solver, np.array([[3.0, 2.0, 1.0]]), hint=over).tolist() == [[1, 0, 1]]


def test_it_lists_its_set():
    states = knapsack().enumerate_support()
    weights = [2, 3, 4, 5, 3]
    expected = [s for s in itertools.product([0, 1], repeat=5) if np.dot(s, weights) <= 9]
    assert sorted(map(tuple, states.tolist())) == sorted(expected)
    assert len(knapsack().enumerate_support(instance={"weight": 2})) == 2


def test_a_set_that_cannot_be_listed_says_why():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", 0, 100, pulp.LpInteger) for i in range(5)]
    problem += pulp.lpSum(x) <= 7
    with pytest.raises(MissingCapabilityError, match="too many combinations"):
        imle.solver("pulp.ilp", problem=problem, theta=x).enumerate_support()
    problem += pulp.lpSum(x)
    with pytest.raises(MissingCapabilityError, match="theta is the whole objective"):
        imle.solver("pulp.ilp", problem=problem, theta=x[:2]).enumerate_support()


def test_encode_takes_variables_and_names():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(3)]
    problem += pulp.lpSum(x) <= 2
    solver = imle.solver("pulp.ilp", problem=problem, theta=x)
    assert solver.encode({x[0]: 1, "x2": 1, x[1]: 0}).tolist() == [1, 0, 1]
    assert solver.encode(solver.decode(np.array([0.0, 1.0, 1.0]))).tolist() == [0, 1, 1]
    with pytest.raises(SolverParameterError, match="no value for 'x1'"):
        solver.encode({"x0": 1, "x2": 1})
    with pytest.raises(InfeasibleError, match="violates a constraint"):
        solver.decode(np.ones(3))


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s)), lambda s: s.clone()]
)
def test_copies_give_the_same_answers(clone):
    solver = knapsack()
    theta = np.random.default_rng(0).random((20, 5))
    expected = solver.solve(theta)
    np.testing.assert_array_equal(clone(solver).solve(theta), expected)
    np.testing.assert_array_equal(clone(knapsack()).solve(theta), expected)


@pytest.fixture
def _without_own_search(monkeypatch):
    """Leave every search to the backends."""
    monkeypatch.setattr(_compact, "SEARCHED", 0)


@pytest.mark.usefixtures("_without_own_search")
def test_auto_measures_and_says_what_it_keeps():
    rng = np.random.default_rng(0)
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(20)]
    for _ in range(2):
        problem += pulp.lpDot(rng.integers(1, 30, 20).tolist(), x) <= 100
    solver = imle.solver("pulp.ilp", problem=problem, theta=x, threads=1)
    assert (
        "compiled branch and bound; what is too large or too hard for it is left to the fastest"
        in solver.explain()
    )
    assert "the fastest of cp_sat, highs, to be measured on the first 8 rows" in solver.explain()
    theta = rng.random((12, 20))
    z = solver.solve(theta)
    assert "the fastest on the first rows (cp_sat " in solver.explain()
    reference = imle.solver("pulp.ilp", problem=problem, theta=x, backend="cbc").solve(theta)
    np.testing.assert_allclose((z * theta).sum(1), (reference * theta).sum(1))
    assert pickle.loads(pickle.dumps(solver)).explain() == solver.explain()


@pytest.mark.usefixtures("_without_own_search")
def test_an_instance_that_the_chosen_backend_cannot_take_is_solved_by_another():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(20)]
    weights = np.random.default_rng(0).integers(1, 30, 20)
    problem += pulp.lpDot(weights.tolist(), x) <= 100, "limit"
    options = {"problem": problem, "theta": x, "parameters": {"first": ("limit", x[0])}, "threads": 1}
    theta = np.random.default_rng(1).random((20, 20)) * weights  # the relaxation decides few of these
    instances = [{"first": 1 / 3 + row} for row in range(20)]
    solver = imle.solver("pulp.ilp", **options)
    solver.solve(theta)
    expected = imle.solver("pulp.ilp", **options, backend="highs").solve(theta, instances=instances)
    np.testing.assert_allclose(
        (solver.solve(theta, instances=instances) * theta).sum(1), (expected * theta).sum(1)
    )
    with pytest.raises(InvalidInstanceError, match="highs"):
        imle.solver("pulp.ilp", **options, backend="cp_sat").solve(theta, instances=instances)


def bad(match, **options):
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(3)]
    problem += pulp.lpSum(x) <= 2, "limit"
    options = {"problem": problem, "theta": x} | options
    with pytest.raises(SolverParameterError, match=match):
        imle.solver("pulp.ilp", **options)


def test_bad_parameters():
    other = pulp.LpVariable("x1", 0, 1)
    bad(r"pulp.ilp: parameter 'problem' must be pulp.LpProblem", problem=3)
    bad("theta is empty", theta=[])
    bad("theta must be variables of the problem, or their names", theta=[1.0, 2.0])
    bad("theta names the variable 'x7', which the problem does not have", theta=["x7"])
    bad("theta names the variable 'x0' twice", theta=["x0", "x0"])
    bad("theta is no array: its parts have the shapes", theta=[["x0"], ["x1", "x2"]])
    bad("a variable 'x1' that is not the one of this name in the problem", theta=[other])
    bad("unknown backend 'higs'.* Did you mean 'highs'", backend="higs")
    bad("no constraint 'limits'.* Did you mean 'limit'", parameters={"a": "limits"})
    bad("the problem has no variable 'y'", parameters={"a": ("limit", "y")})
    bad("parameter 'a' stands for a constraint, a pair", parameters={"a": 3})
    bad("time_limit", time_limit=0)
    bad("on_timeout", on_timeout="ignore")


def test_numbers_of_the_problem_must_be_finite():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = pulp.LpVariable("x", cat=pulp.LpBinary)
    problem += pulp.LpConstraint(pulp.LpAffineExpression({x: float("nan")}), rhs=3), "row"
    with pytest.raises(SolverParameterError, match="constraint 'row': the coefficient of 'x' is nan"):
        imle.solver("pulp.ilp", problem=problem, theta=[x])


def test_special_ordered_sets_are_refused():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", 0, 1) for i in range(2)]
    problem += pulp.lpSum(x) <= 1
    problem.sos1["one"] = {x[0]: 1, x[1]: 2}
    with pytest.raises(SolverParameterError, match="special ordered sets"):
        imle.solver("pulp.ilp", problem=problem, theta=x)


@pytest.mark.parametrize(
    ("instance", "match"),
    [
        ({"wieght": 3}, "no parameter 'wieght'. Did you mean 'weight'"),
        ({"weight": "much"}, "'weight' is a finite number; got 'much'"),
        ({"weight": "9"}, "'weight' is a finite number; got '9'"),
        ({"weight": float("nan")}, "'weight' is a finite number; got nan"),
        ({"weight": [1, 2]}, "'weight' is a finite number; got"),
        (5, "an instance is a mapping from names"),
    ],
)
def test_bad_instances(instance, match):
    with pytest.raises(InvalidInstanceError, match=rf"row 0: .*{match}"):
        knapsack().solve(np.ones((1, 5)), instances=[instance])


def test_a_variable_that_no_constraint_names_is_free_within_its_bounds():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", 0, 2, pulp.LpInteger) for i in range(3)]
    problem += x[0] + x[1] <= 2
    solver = imle.solver("pulp.ilp", problem=problem, theta=x)
    assert solver.solve(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, -3.0]])).tolist() == [[0, 2, 2], [0, 2, 0]]


def test_continuous_states_in_single_precision_have_their_fixed_terms():
    problem = pulp.LpProblem("mixed", pulp.LpMinimize)
    x = [pulp.LpVariable(f"x{i}", 0, 1) for i in range(3)]
    y = pulp.LpVariable("y", 0, 10, cat=pulp.LpInteger)
    problem += 2 * y
    problem += 3 * x[0] + 7 * x[1] + x[2] == 2
    problem += x[0] + x[1] + x[2] == 1.1
    problem += y >= 3 * x[0]
    layer = imle.SolverLayer("pulp.ilp", problem=problem, theta=x, validate="full", solve_ratio=0.5)
    torch.manual_seed(0)
    for _ in range(3):
        layer(torch.randn(6, 3))
    first = layer.pool.states[:, 0].double().numpy()
    np.testing.assert_array_equal(layer.solver.fixed_terms(layer.pool.states.numpy()), 2 * np.ceil(3 * first))


def test_costs_near_the_largest_number_beside_a_constant_are_solved():
    problem = pulp.LpProblem("knapsack", pulp.LpMaximize)
    take = [pulp.LpVariable(f"take_{i}", cat=pulp.LpBinary) for i in range(3)]
    problem += 0 * take[0] + 1
    problem += 2 * take[0] + 3 * take[1] + 4 * take[2] <= 4
    solver = imle.solver("pulp.ilp", problem=problem, theta=take)
    np.testing.assert_array_equal(solver.solve(np.array([[0.5, 0.9, 1.7]]) * 1e308), [[0, 0, 1]])


@pytest.mark.parametrize("backend", ["auto", "highs", "cbc"])
def test_costs_beside_a_prohibitive_one_are_compared_in_columns_without_bounds(backend):
    problem = pulp.LpProblem("wide", pulp.LpMinimize)
    x = [pulp.LpVariable("x0", cat=pulp.LpBinary)]
    x += [pulp.LpVariable(f"x{i}", 0, cat=pulp.LpInteger) for i in (1, 2, 3)]
    problem += x[1] + 2 * x[2] + 3 * x[3] >= 7
    problem += x[0] + x[1] >= 1
    solver = imle.solver("pulp.ilp", problem=problem, theta=x, backend=backend)
    np.testing.assert_array_equal(solver.solve(np.array([[1e17, 1.0, 1.0, 1.2]])), [[0, 1, 0, 2]])
    with pytest.raises(UnboundedError):
        solver.solve(np.array([[1e17, 1.0, -1.0, 1.2]]))


def test_small_costs_decide_where_a_column_with_a_prohibitive_one_has_no_bound():
    problem = pulp.LpProblem("wide", pulp.LpMaximize)
    x = [pulp.LpVariable("x0", cat=pulp.LpBinary), pulp.LpVariable("x1", -4, -3, cat=pulp.LpInteger)]
    x.append(pulp.LpVariable("x2", None, 3, cat=pulp.LpInteger))
    problem += -3 * x[1] - 5 * x[2] <= -1
    solver = imle.solver("pulp.ilp", problem=problem, theta=x)
    np.testing.assert_array_equal(solver.solve(np.array([[0.758, -0.254, -1e17]])), [[1, -3, 2]])
