"""Large constants that switch constraints off: within a tolerance of 1e-6, a switch of 5e-7 is off and lets all by."""

import itertools

import numpy as np
import pulp
import pytest
from backend_cases import make_program
from imle_pulp._backends._clean import broken, without_large_switches

import imle_core as imle


def switched(large, demand, most=100, category=pulp.LpContinuous, factor=1.0):
    """Minimise x + 10 y where x is at least the demand, and y must be 1 for that."""
    problem = pulp.LpProblem("switch", pulp.LpMinimize)
    y, x = pulp.LpVariable("y", cat=pulp.LpBinary), pulp.LpVariable("x", 0, most, category)
    problem += x >= demand
    problem += factor * x <= large * y
    return problem, [x, y]


@pytest.mark.parametrize("backend", ["auto", "highs"])
@pytest.mark.parametrize("most", [100, None])
@pytest.mark.parametrize(("large", "demand"), [(1e3, 9e-4), (1e4, 9e-4), (1e6, 0.5), (1e6, 5e-4), (1e9, 0.5)])
def test_what_is_switched_off_stays_off(large, demand, most, backend):
    problem, theta = switched(large, demand, most)
    z = imle.solver("pulp.ilp", problem=problem, theta=theta, backend=backend).solve(np.array([[1.0, 10.0]]))
    assert z[0] == pytest.approx([demand, 1], rel=1e-5)


@pytest.mark.parametrize("backend", ["scipy", "cbc"])
def test_with_bounds_the_constant_is_made_as_small_as_need_be(backend):
    problem, theta = switched(1e10, 0.5)
    z = imle.solver("pulp.ilp", problem=problem, theta=theta, backend=backend).solve(np.array([[1.0, 10.0]]))
    assert z[0] == pytest.approx([0.5, 1])


@pytest.mark.parametrize("backend", ["auto", "highs", "scipy", "cp_sat", "cbc"])
def test_whole_quantities_are_switched_off_too(backend):
    problem, theta = switched(1e6, 3, category=pulp.LpInteger, factor=0.25)
    solver = imle.solver("pulp.ilp", problem=problem, theta=theta, backend=backend)
    assert solver.solve(np.array([[1.0, 10.0]])).tolist() == [[3, 1]]
    assert solver.is_feasible(np.array([[3.0, 0.0], [3.0, 1.0]])).tolist() == [False, True]


def test_a_point_that_a_switch_forbids_is_none():
    problem, theta = switched(1e6, 0.5)
    solver = imle.solver("pulp.ilp", problem=problem, theta=theta)
    assert solver.is_feasible(np.array([[0.5, 0.0], [0.5, 1.0]])).tolist() == [False, True]


@pytest.mark.parametrize("backend", ["auto", "highs", "scipy", "cp_sat", "cbc"])
@pytest.mark.parametrize(
    ("weights", "capacity"), [((1000000.5, 2000000.25), 3000000), ((650000.37, 349999.66), 1000000.02)]
)
def test_cents_count_beside_millions(weights, capacity, backend):
    solver = imle.solver("pulp.knapsack", weights=weights, capacity=capacity, backend=backend)
    assert solver.solve(np.array([[2.0, 3.0]])).tolist() == [[0, 1]]


def facilities(rng, number, customers, large):
    """Return a problem, the variables that open facilities, their costs, and the least total; None where unknown."""
    demand, ship = rng.uniform(0.1, 2, customers), rng.uniform(1, 5, (number, customers))
    opening = rng.uniform(1, 6, number)
    problem = pulp.LpProblem("facilities", pulp.LpMinimize)
    flow = [[pulp.LpVariable(f"x{i}_{j}", 0) for j in range(customers)] for i in range(number)]
    opened = [pulp.LpVariable(f"y{i}", cat=pulp.LpBinary) for i in range(number)]
    problem += pulp.lpDot(ship.ravel().tolist(), [one for row in flow for one in row])
    for j in range(customers):
        problem += pulp.lpSum(row[j] for row in flow) >= demand[j]
    for i in range(number):
        problem += pulp.lpSum(flow[i]) <= (large or demand.sum()) * opened[i]
    sets = itertools.chain.from_iterable(
        itertools.combinations(range(number), k) for k in range(1, number + 1)
    )
    costs = (opening[list(some)].sum() + demand @ ship[list(some)].min(0) for some in sets)
    return problem, opened, opening, min(costs) if number < 10 else None


@pytest.mark.parametrize("seed", range(10))
def test_facilities_that_a_large_constant_opens(seed):
    problem, opened, opening, least = facilities(np.random.default_rng(seed), 5, 4, 1e7)
    with imle.Outcomes() as outcomes:
        imle.solver("pulp.ilp", problem=problem, theta=opened).solve(opening[None])
    assert outcomes.objectives[0] == pytest.approx(least)


def test_many_facilities_are_searched_again_where_tolerances_let_too_much_through():
    found = []
    for large in (None, 1e6):
        problem, opened, opening, _ = facilities(np.random.default_rng(1), 20, 30, large)
        with imle.Outcomes() as outcomes:
            imle.solver("pulp.ilp", problem=problem, theta=opened, backend="highs").solve(opening[None])
        found.append(outcomes.objectives[0])
    assert found[1] == pytest.approx(found[0])


def test_smaller_constants_win_and_lose_no_integer_point():
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(300):
        matrix = rng.integers(-3, 4, (2, 4)).astype(float)
        matrix[rng.random((2, 4)) < 0.4] *= 10.0 ** rng.integers(2, 7)
        lower = rng.integers(-2, 2, 4)
        upper = lower + rng.integers(1, 3, 4)
        limits = matrix @ rng.integers(lower, upper + 1)
        below = rng.random(2) < 0.5
        low, high = np.where(below, -np.inf, limits), np.where(below, limits, np.inf)
        program = make_program(matrix, low, high, lower, upper, [1] * 4)
        smaller = without_large_switches(program)
        changed += smaller is not program
        points = np.array(
            list(itertools.product(*map(range, lower.tolist(), (upper + 1).tolist()))), np.float64
        )
        assert (broken(program, points).any(1) == broken(smaller, points).any(1)).all()
        assert (np.abs(smaller.values) <= np.abs(program.values)).all()
    assert changed > 40


@pytest.mark.parametrize("backend", ["auto", "cp_sat", "highs"])
def test_decimals_stay_decimals_beside_large_constants(backend):
    rng = np.random.default_rng(0)
    problem = pulp.LpProblem("decimals", pulp.LpMinimize)
    y = [pulp.LpVariable(f"y{i}", cat=pulp.LpBinary) for i in range(40)]
    x = [pulp.LpVariable(f"x{i}", 0, 9, pulp.LpInteger) for i in range(40)]
    problem += pulp.lpSum(x) >= 120
    for i in range(40):
        problem += 3.07 * x[i] + 3.67 * x[i - 1] + 10000 * y[i] <= 10000 + 7.53
    theta = rng.integers(-9, 9, (2, 80)).astype(float)
    solver = imle.solver("pulp.ilp", problem=problem, theta=y + x, backend=backend)
    expected = imle.solver("pulp.ilp", problem=problem, theta=y + x, backend="cbc").solve(theta)
    assert (solver.solve(theta) * theta).sum(1) == pytest.approx((expected * theta).sum(1))


def test_states_that_are_nearly_whole_are_taken_for_whole():
    problem = pulp.LpProblem("two", pulp.LpMinimize)
    x = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(4)]
    problem += pulp.lpSum(x) == 2
    solver = imle.solver("pulp.ilp", problem=problem, theta=x)
    states = np.array([[1 - 1e-7, 1, 0, 0], [1 - 1e-4, 1, 0, 0]])
    assert solver.is_feasible(states).tolist() == [True, False]
