"""ortools.math_opt: answers against brute force, magnitudes, fixed terms, instances, limits, errors."""

import copy
import itertools
import pickle
import signal

import numpy as np
import pytest
from ortools.math_opt.python import mathopt

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    SolverParameterError,
    SolverTimeoutError,
    UnboundedError,
)

INTEGER = ("gscip", "highs", "cp_sat")
SCALES = (1e-9, 1e-5, 1.0, 1e5, 1e9)


def math_opt(model, variables, **options):
    return imle.solver("ortools.math_opt", model=model, variables=variables, **options)


def random_model(rng, entries=5):
    """Return an integer programme with fractional data, and all its solutions."""
    model = mathopt.Model()
    high = rng.integers(1, 3, entries)
    x = [model.add_integer_variable(lb=0, ub=int(h), name=f"x{i}") for i, h in enumerate(high)]
    rows = rng.uniform(-3, 6, (3, entries))
    limits = rows.clip(min=0) @ high / 2
    for row, limit in zip(rows, limits, strict=True):
        model.add_linear_constraint(
            mathopt.fast_sum(float(a) * v for a, v in zip(row, x, strict=True)) <= float(limit)
        )
    model.add_linear_constraint(mathopt.fast_sum(x) >= 1)
    states = np.array(list(itertools.product(*(range(h + 1) for h in high))))
    return model, x, states[(states @ rows.T <= limits).all(1) & (states.sum(1) >= 1)].astype(float)


@pytest.mark.parametrize("solver_type", INTEGER)
def test_answers_are_those_of_brute_force_at_every_scale(solver_type):
    rng = np.random.default_rng(0)
    for trial in range(12):
        sense = ("min", "max")[trial % 2]
        model, x, states = random_model(rng)
        solver = math_opt(model, x, sense=sense, solver_type=solver_type)
        theta = rng.standard_normal((5, 5)) * np.array(SCALES)[:, None]
        values = states @ theta.T
        best = values.min(0) if sense == "min" else values.max(0)
        z = solver.solve(theta)
        assert (z * theta).sum(1) == pytest.approx(best, rel=1e-9)
        assert all((states == row).all(1).any() for row in z)


def test_linear_programmes_have_real_answers():
    model = mathopt.Model()
    x = [model.add_variable(lb=0, ub=4, name=f"x{i}") for i in range(2)]
    model.add_linear_constraint(2 * x[0] + x[1] <= 5)
    model.add_linear_constraint(x[0] + 2 * x[1] <= 5)
    corners = np.array([[0, 0], [2.5, 0], [0, 2.5], [5 / 3, 5 / 3]])
    theta = np.random.default_rng(1).standard_normal((20, 2))
    for solver_type in ("glop", "gscip", "highs"):
        solver = math_opt(model, x, sense="max", solver_type=solver_type)
        assert solver.output == "real"
        z = solver.solve(theta)
        assert (z * theta).sum(1) == pytest.approx((corners @ theta.T).max(0), abs=1e-9)
        assert solver.is_feasible(z).all()


@pytest.mark.parametrize("solver_type", INTEGER)
def test_small_costs_count_beside_huge_ones(solver_type):
    """As where 1e17 forbids an entry, or where the huge entries must be chosen among as well."""
    model = mathopt.Model()
    x = [model.add_binary_variable() for _ in range(4)]
    model.add_linear_constraint(x[0] + x[1] + x[2] == 1)
    model.add_linear_constraint(x[0] + x[3] >= 1)
    solver = math_opt(model, x, solver_type=solver_type)
    theta = np.array(
        [[1e17, 2, 1, 1], [1e17, 1, 2, 1e17], [1e150, 1e-150, 2e-150, 1.0], [1.0, 1e9, 2e9, 1e20]]
    )
    assert solver.solve(theta).tolist() == [[0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0]]


def test_magnitudes_that_no_tolerance_resolves_are_refused():
    model = mathopt.Model()
    x = [model.add_integer_variable(lb=0, ub=1000) for _ in range(4)]  # a thousand times 1e-10 do matter
    model.add_linear_constraint(x[0] + x[1] >= 1)
    with pytest.raises(InvalidThetaError, match=r"ortools.cp_sat"):
        math_opt(model, x).solve(np.array([[1.0, 1e-5, 1e-10, 1e-15]]))


@pytest.mark.parametrize("sense", ["min", "max"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_fixed_terms_stay_beside_theta(sense, scale):
    rng = np.random.default_rng(3)
    for _ in range(4):
        model, x, states = random_model(rng)
        getattr(model, f"{sense}imize")(0.75 * x[3] - 1.25 * x[4] + 100 * x[0] + 5)
        solver = math_opt(model, x[:3])
        assert solver.sense == sense
        assert not solver.scale_invariant
        theta = rng.standard_normal((1, 3)) * scale
        with imle.Outcomes() as outcomes:
            z = solver.solve(theta)[0]
        values = states[:, :3] @ theta[0] + states[:, 3:] @ [0.75, -1.25] + 5
        pick = min if sense == "min" else max
        assert outcomes.objectives == pytest.approx([pick(values)], rel=1e-7)
        assert pick(values[(states[:, :3] == z).all(1)]) == pytest.approx(pick(values), rel=1e-7)


def test_the_users_model_is_never_changed():
    model, x, _ = random_model(np.random.default_rng(0))
    model.minimize(x[0] + 2 * x[1])
    before = model.export_model().SerializeToString(deterministic=True)
    theta = np.array([[-1.0, 2.0, 1.0, -3.0, 0.5]])
    solver = math_opt(model, x)
    first = solver.solve(theta)
    assert model.export_model().SerializeToString(deterministic=True) == before
    model.add_linear_constraint(mathopt.fast_sum(x) <= 1)  # nor does the solver follow the model
    assert (solver.solve(theta) == first).all()


@pytest.mark.parametrize("solver_type", [*INTEGER, "glop"])
def test_answers_depend_on_their_row_alone(solver_type):
    """Ties included: the batch, its order, earlier calls and the number of threads change nothing."""
    rng = np.random.default_rng(5)
    model = mathopt.Model()
    whole = solver_type != "glop"
    x = [model.add_variable(lb=0, ub=1, is_integer=whole) for _ in range(6)]
    for row in rng.integers(0, 3, (3, 6)):
        model.add_linear_constraint(sum(int(a) * v for a, v in zip(row, x, strict=True)) >= 2)
    theta = rng.integers(-1, 2, (8, 6)).astype(float)
    solver = math_opt(model, x, threads=1, solver_type=solver_type)
    together = solver.solve(theta)
    assert (math_opt(model, x, threads=3, solver_type=solver_type).solve(theta) == together).all()
    assert (solver.solve(theta[::-1])[::-1] == together).all()
    assert (np.concatenate([solver.solve(row[None]) for row in theta]) == together).all()
    assert (pickle.loads(pickle.dumps(solver)).solve(theta) == together).all()
    assert (copy.deepcopy(solver).solve(theta) == together).all()


@pytest.mark.parametrize("solver_type", INTEGER)
def test_a_hint_never_costs_the_optimum(solver_type):
    rng = np.random.default_rng(6)
    for _ in range(4):
        model, x, states = random_model(rng)
        solver = math_opt(model, x, solver_type=solver_type)
        theta = rng.standard_normal((3, 5))
        hint = np.array([states[rng.integers(len(states))], np.full(5, np.nan), [99.0, -99, 0, 0, 0]])
        z = type(solver).solve.__wrapped__(solver, theta, hint=hint)
        assert (z * theta).sum(1) == pytest.approx((states @ theta.T).min(0), rel=1e-9)


def test_variables_in_lists_arrays_and_dictionaries_give_the_shape():
    model = mathopt.Model()
    x = [[model.add_binary_variable(name=f"{i}{j}") for j in range(3)] for i in range(2)]
    theta = np.arange(-3.0, 3.0).reshape(1, 2, 3)
    for variables in (x, np.array(x, object)):
        solver = math_opt(model, variables)
        assert (solver.event_shape, solver.output) == ((2, 3), "binary")
        assert solver.entries == ["00", "01", "02", "10", "11", "12"]
        assert (solver.solve(theta) == (theta < 0)).all()
    named = math_opt(model, {("a", 1): x[0][0], "b": x[1][2]})
    assert (named.event_shape, named.entries) == ((2,), [("a", 1), "b"])


def test_deleted_variables_and_equal_names_are_no_obstacle():
    model = mathopt.Model()
    x = [model.add_binary_variable(name="x") for _ in range(4)]
    model.delete_variable(x[1])
    model.add_linear_constraint(x[0] + x[2] + x[3] == 1, name="x")
    solver = math_opt(model, [x[3], x[0], x[2]])
    assert solver.solve(np.array([[3.0, 2.0, 1.0]])).tolist() == [[0, 0, 1]]
    assert solver.decode(np.array([0.0, 1.0, 0.0])) == {0: 1, 2: 0, 3: 0}
    with pytest.raises(InvalidInstanceError, match="4 parts"):
        solver.prepare({"x": 1})


def test_instances_change_bounds_and_limits():
    model = mathopt.Model()
    x = [model.add_integer_variable(lb=0, ub=5, name=name) for name in "ab"]
    model.add_linear_constraint(x[0] + x[1] >= 2, name="demand")
    solver = math_opt(model, x)
    theta = np.array([[1.0, 2.0]] * 4)
    instances = [{}, {"demand": (3.5, None)}, {"a": 1}, {"a": (0, 1), "demand": (3, 3)}]
    assert solver.solve(theta, instances=instances).tolist() == [[2, 0], [4, 0], [1, 1], [1, 2]]
    assert solver.solve(theta[:1]).tolist() == [[2, 0]]
    prepared = [solver.prepare(instance) for instance in instances]
    z = np.array([[2.0, 0.0]] * 4)
    assert solver.is_feasible(z, instances=prepared).tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({"demnd": (1, 2)}, "Did you mean 'demand'"),
        ({"demand": (2, 1)}, "low not above high"),
        ({"demand": "much"}, "numbers or None"),
        ({"demand": None}, "numbers or None"),
        ({"demand": float("nan")}, "numbers or None"),
        ({"a": (0, 2)}, "output='integer'"),
        ([1, 2], "mapping"),
    ],
)
def test_wrong_instances_are_refused(instance, message):
    model = mathopt.Model()
    x = [model.add_binary_variable(name=name) for name in "ab"]
    model.add_linear_constraint(x[0] + x[1] >= 1, name="demand")
    with pytest.raises(InvalidInstanceError, match=message):
        math_opt(model, x).solve(np.ones((1, 2)), instances=[instance])


def test_decode_completes_the_other_variables_at_least_fixed_cost():
    model = mathopt.Model()
    x = [model.add_binary_variable(name=f"x{i}") for i in range(2)]
    y = model.add_variable(lb=0, ub=9, name="y")
    model.add_linear_constraint(y >= 2.5 * x[0] + 2 * x[1])
    model.minimize(y)
    solver = math_opt(model, x)
    z = np.array([1.0, 1.0])
    assert solver.decode(z) == {"x0": 1, "x1": 1, "y": pytest.approx(4.5)}
    assert (solver.encode(solver.decode(z)) == z).all()
    with pytest.raises(InvalidSolutionError, match="no solution in which"):
        solver.decode(np.array([2.0, 0.0]))
    with pytest.raises(InvalidSolutionError, match="no value of 'x1'"):
        solver.encode({"x0": 1})


def test_feasibility_agrees_with_brute_force():
    rng = np.random.default_rng(8)
    model, x, states = random_model(rng)
    box = np.array(list(itertools.product(range(-1, 4), repeat=5)), float)[::97]
    expected = [bool((states == z).all(1).any()) for z in box]
    assert math_opt(model, x).is_feasible(box).tolist() == expected
    assert not math_opt(model, x).is_feasible(np.full((1, 5), 0.5)).any()


def hard_model():
    rng = np.random.default_rng(0)
    model = mathopt.Model()
    x = [model.add_binary_variable(name=f"x{i}") for i in range(150)]
    for row in rng.integers(100, 3000, (15, 150)):
        terms = mathopt.fast_sum(int(a) * v for a, v in zip(row, x, strict=True))
        model.add_linear_constraint(terms <= int(row.sum()) // 2)
    return model, x, rng.integers(100, 3000, (2, 150)).astype(float)


def test_a_time_limit_gives_the_best_found_and_says_so():
    model, x, theta = hard_model()
    solver = math_opt(model, x, sense="max", time_limit=0.8)
    with imle.Outcomes() as outcomes:
        z = solver.solve(theta)
    assert outcomes.statuses.tolist() == [imle.Status.TIME_LIMIT] * 2
    assert outcomes.objectives == pytest.approx((z * theta).sum(1))
    assert ((outcomes.gaps > 0) & (outcomes.gaps <= 1)).all()
    assert solver.is_feasible(z).all()


def test_at_the_time_limit_an_error_can_be_had():
    model, x, theta = hard_model()
    with pytest.raises(SolverTimeoutError, match="row 0"):
        math_opt(model, x, sense="max", time_limit=0.8, on_timeout="error").solve(theta)


def test_without_any_solution_a_limit_is_always_an_error():
    model, x, theta = hard_model()
    with pytest.raises(SolverTimeoutError, match="time_limit"):
        math_opt(model, x, sense="max", time_limit=1e-6, solver_type="cp_sat").solve(theta)


@pytest.mark.parametrize("solver_type", [*INTEGER, "glop"])
def test_rows_without_an_answer_are_named(solver_type):
    model = mathopt.Model()
    whole = solver_type != "glop"
    x = [model.add_variable(lb=0, is_integer=whole, name=name) for name in "ab"]
    model.add_linear_constraint(x[0] - x[1] <= 3, name="apart")
    solver = math_opt(model, x, solver_type=solver_type, threads=1)
    theta = np.array([[1.0, 1.0], [-1.0, -1.0]])
    with pytest.raises(UnboundedError, match=r"ortools.math_opt: row 1"):
        solver.solve(theta)
    with pytest.raises(InfeasibleError, match=r"ortools.math_opt: row 1"):
        solver.solve(np.ones((2, 2)), instances=[{}, {"apart": (None, -1), "b": 0}])


def _with(variables=lambda x: x, **options):
    def make():
        model = mathopt.Model()
        x = [model.add_binary_variable(name=name) for name in "ab"]
        return model, variables(x), options

    return make


def _quadratic():
    model = mathopt.Model()
    x = model.add_binary_variable()
    model.minimize(x * x)
    return model, [x], {}


def _foreign():
    return mathopt.Model(), [mathopt.Model().add_binary_variable()], {}


def _deleted():
    model = mathopt.Model()
    x = [model.add_binary_variable() for _ in range(2)]
    model.delete_variable(x[0])
    return model, x, {}


def _maximising():
    model = mathopt.Model()
    x = model.add_binary_variable()
    model.maximize(x)
    return model, [x], {"sense": "min"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_quadratic, "must be linear"),
        (_foreign, "another model"),
        (_deleted, "the variable with id 0 was deleted"),
        (_maximising, "leave sense out"),
        (_with(lambda x: []), "empty"),
        (_with(lambda x: [x[0], x[0]]), "'a' twice"),
        (_with(lambda x: [x[0], "b"]), "found 'b'"),
        (_with(solver_type="scip"), "Did you mean 'gscip'"),
        (_with(solver_type="glop"), "'glop' does not take this model: .*does not support integer"),
        (_with(solver_type="glpk"), "'glpk' is not there.*there are gscip, glop"),
        (_with(output="real", parameters={"thread": 1}), "Did you mean 'threads'"),
        (_with(parameters={"threads": "many"}), "wrong type"),
        (_with(parameters=7), "SolveParameters"),
        (_with(time_limit=-1.0), "time_limit"),
    ],
)
def test_wrong_parameters_are_refused(make, message):
    model, variables, options = make()
    with pytest.raises(SolverParameterError, match=message):
        math_opt(model, variables, **options)


def test_no_model_at_all_is_refused():
    with pytest.raises(SolverParameterError, match="Model of MathOpt"):
        math_opt("model", [])


def test_output_may_be_wider_than_the_variables_are():
    model = mathopt.Model()
    x = [model.add_integer_variable(lb=0, ub=4) for _ in range(2)]
    assert math_opt(model, x, output="real").output == "real"
    with pytest.raises(SolverParameterError, match="output"):
        math_opt(model, x, output="binary")


def test_parameters_reach_the_solver():
    model, x, _ = random_model(np.random.default_rng(0))
    told = math_opt(model, x, parameters={"random_seed": 7, "presolve": mathopt.Emphasis.OFF}).explain()
    assert "random_seed: 7" in told
    assert "EMPHASIS_OFF" in told
    assert "threads: 1" in told
    assert "relative_gap_tolerance: 0" in told


@pytest.mark.parametrize("solver_type", INTEGER)
def test_pythons_handler_of_interrupts_is_left_in_place(solver_type):
    model, x, _ = random_model(np.random.default_rng(0))
    math_opt(model, x, threads=1, solver_type=solver_type).solve(np.ones((1, 5)))
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_constraints_that_are_not_linear_count():
    model = mathopt.Model()
    x = [model.add_binary_variable(name="closed"), model.add_variable(lb=0, ub=1, name="flow")]
    model.add_indicator_constraint(indicator=x[0], implied_constraint=x[1] <= 0.25, name="rule")
    solver = math_opt(model, x, sense="max", output="real")
    assert solver.solve(np.array([[1.0, 3.0], [3.0, 1.0]])).tolist() == [[0, 1], [1, 0.25]]
    states = np.array([[0.0, 1.0], [1.0, 0.25], [1.0, 0.5]])
    assert solver.is_feasible(states).tolist() == [True, True, False]
