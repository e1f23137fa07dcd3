"""The compiled relaxation of small programmes: certified optima, or no answer."""

from __future__ import annotations

import copy
import pickle

import ilp_cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_pulp import _compact
from imle_pulp._compact import CELLS, Relaxations, Tableau, _feasible_basis
from imle_pulp._kernels import simplex
from imle_pulp._lower import lower
from imle_pulp._program import Program
from imle_pulp._search import Task, feasible
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

import imle_core as imle

INF = float("inf")


def program_of(matrix, row_lower, row_upper, lower, upper, integer=None):
    matrix = sparse.csr_array(np.asarray(matrix, float))
    width = matrix.shape[1]
    return Program(
        cost=np.zeros(width),
        starts=matrix.indptr.astype(np.int32),
        columns=matrix.indices.astype(np.int32),
        values=matrix.data.copy(),
        row_lower=np.asarray(row_lower, float),
        row_upper=np.asarray(row_upper, float),
        lower=np.asarray(lower, float),
        upper=np.asarray(upper, float),
        integer=np.zeros(width, bool) if integer is None else np.asarray(integer, bool),
        names=tuple(f"x{j}" for j in range(width)),
        row_names=tuple(f"r{i}" for i in range(matrix.shape[0])),
    )


def by_scipy(program, cost):
    """Return the status and the least costs of the relaxation."""
    shape = (program.height, program.width)
    matrix = sparse.csr_array((program.values, program.columns, program.starts), shape)
    rows = LinearConstraint(matrix, program.row_lower, program.row_upper)
    result = milp(cost, constraints=rows, bounds=Bounds(program.lower, program.upper))
    return result.status, result.fun


def tasks_of(program, costs, starts=None):
    starts = [None] * len(costs) if starts is None else starts
    return [
        Task(row, program, cost, start) for row, (cost, start) in enumerate(zip(costs, starts, strict=True))
    ]


numbers = st.integers(-6, 6).map(float)
bounds = st.one_of(st.just(INF), st.integers(0, 5).map(float))


@st.composite
def programs(draw):
    """Programmes with bounds of all kinds, feasible or not."""
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    row = st.lists(numbers, min_size=width, max_size=width)
    matrix = np.array(draw(st.lists(row, min_size=height, max_size=height)))
    middle = np.array([draw(numbers) for _ in range(height)])
    below, above = (np.array([draw(bounds) for _ in range(height)]) for _ in range(2))
    lower = np.array([-draw(bounds) for _ in range(width)])
    upper = np.array([draw(bounds) for _ in range(width)])
    return program_of(matrix, middle - below, middle + above, lower, upper)


@settings(max_examples=100, deadline=None)
@given(program=programs(), seed=st.integers(0, 2**16), scale=st.sampled_from([1e-9, 1.0, 1e9]))
def test_what_is_settled_is_the_optimum_of_the_relaxation(program, seed, scale):
    costs = scale * np.random.default_rng(seed).integers(-9, 10, (4, program.width))
    found, to_search, unknown = Relaxations(program, 1).settle(tasks_of(program, costs))
    assert len(found) + len(to_search) + len(unknown) == len(costs)
    assert not to_search  # every vertex is whole where nothing need be
    for row, one in found.items():
        status, value = by_scipy(program, costs[row] / scale)
        assert status == 0
        assert feasible(program, one.x[None])[0]
        assert one.value / scale == pytest.approx(value, rel=1e-7, abs=1e-7)
        assert one.bound / scale == pytest.approx(value, rel=1e-7, abs=1e-7)
    for task in unknown:
        # What has an optimum is settled, where there are constraints at all.
        assert by_scipy(program, task.cost / scale)[0] != 0 or not program.values.any()


@pytest.mark.parametrize("build", [ilp_cases.set_cover, ilp_cases.generalised_assignment, ilp_cases.knapsack])
def test_real_programmes_are_settled_without_exception(build):
    model = lower(build()[0])
    program = model.program.with_(integer=np.zeros(model.program.width, bool))
    costs = (-1 if model.maximise else 1) * ilp_cases.costs(50, program.width)
    found, _, unknown = Relaxations(program, 1).settle(tasks_of(program, costs))
    assert not unknown
    values = [by_scipy(program, cost)[1] for cost in costs]
    np.testing.assert_allclose([found[row].value for row in range(50)], values, rtol=1e-9)


def test_integers_are_settled_where_the_vertex_is_whole_or_the_start_is_proven():
    program = program_of([[2, 2]], [-INF], [3], [0, 0], [1, 1], [True, True])
    costs = np.array([[-2.0, -1.0], [0.5, 0.25], [-1.0, 0.0]])
    found, to_search, unknown = Relaxations(program, 1).settle(tasks_of(program, costs))
    assert ([task.row for task in to_search], unknown) == ([0], [])  # the vertex is (1, 1/2)
    assert found[1].x.tolist() == [0, 0]
    assert (found[2].x.tolist(), found[2].value, found[2].bound) == ([1, 0], -1, -1)
    # The cost of the start is what proves it: here the relaxation has it too, at a vertex that is not whole.
    halves = program_of([[1, 1, 0], [0, 1, 1], [1, 0, 1]], [-INF] * 3, [1] * 3, [0] * 3, [1] * 3, [True] * 3)
    start, costs = np.array([1.0, 0, 0]), np.array([[-1.0, -1, -1], [-4.0, -2, -2]])
    found, to_search, _ = Relaxations(halves, 1).settle(tasks_of(halves, costs, [start, start]))
    assert [task.row for task in to_search] == [0]  # 3/2 is the bound, and the start has 1
    assert found[1].value == found[1].bound == -4


def test_answers_do_not_depend_on_the_rows_beside_nor_on_threads():
    program = lower(ilp_cases.generalised_assignment()[0]).program
    # Many ties.
    costs = np.random.default_rng(0).integers(1, 3, (60, program.width)).astype(float)
    relaxed = program.with_(integer=np.zeros(program.width, bool))
    together = Relaxations(relaxed, 2).settle(tasks_of(relaxed, costs))[0]
    for row in range(60):
        alone = Relaxations(relaxed, 1).settle(tasks_of(relaxed, costs[row : row + 1]))[0][0]
        np.testing.assert_array_equal(alone.x, together[row].x)


@pytest.mark.parametrize("first", [True, False])
def test_an_instance_has_one_answer_whatever_was_solved_before(first):
    own = lower(ilp_cases.knapsack()[0]).program
    own = own.with_(integer=np.zeros(own.width, bool))
    other = own.with_(row_upper=own.row_upper * 0.7)
    scaled = own.with_(values=own.values * 1.5)
    relaxations = Relaxations(own, 1)
    costs = -np.random.default_rng(0).integers(1, 4, (20, own.width)).astype(float)
    if first:
        relaxations.settle(tasks_of(own, costs))
    for program in (other, scaled):
        found, _, unknown = relaxations.settle(tasks_of(program, costs))
        again = Relaxations(own, 1).settle(tasks_of(program, costs))[0]
        assert not unknown
        for row in range(20):
            assert found[row].value == pytest.approx(by_scipy(program, costs[row])[1])
            np.testing.assert_array_equal(found[row].x, again[row].x)


def test_an_instance_in_which_the_basis_is_not_feasible_gets_one_of_its_own():
    own = program_of([[1, 1]], [1], [2], [0, 0], [3, 3])
    moved = own.with_(row_lower=np.array([5.0]), row_upper=np.array([5.5]))
    found, _, unknown = Relaxations(own, 1).settle(tasks_of(moved, np.array([[1.0, 0.75]])))
    assert not unknown
    assert found[0].x.tolist() == [2, 3]


def test_what_cannot_be_settled_is_left_alone():
    cost = np.array([[1.0, 1.0]])
    infeasible = program_of([[1, 1]], [5], [6], [0, 0], [1, 1])
    unbounded = program_of([[1, -1]], [0], [INF], [-INF, -INF], [INF, INF])
    without_rows = program_of(np.zeros((0, 2)), [], [], [0, 0], [1, 1])
    wide = program_of([[1, 1]], [1], [2], [0, 0], [1, 1])
    large = program_of(
        np.ones((CELLS // 2 + 1, 2)), [0] * (CELLS // 2 + 1), [9] * (CELLS // 2 + 1), [0, 0], [1, 1]
    )
    for program, costs in (
        (infeasible, cost),
        (unbounded, cost),
        (without_rows, cost),
        (wide, cost * [1, 1e17]),
        (large, cost),
    ):
        tasks = tasks_of(program, costs)
        assert Relaxations(program, 1).settle(tasks) == ({}, [], tasks)


def test_rounding_in_the_tableau_is_found_out():
    program = lower(ilp_cases.set_cover()[0]).program
    tableau = Tableau(program, _feasible_basis(program))
    costs = ilp_cases.costs(40, program.width)
    assert tableau.solve(costs).certified.all()
    tableau._start[0][...] *= 1 + 1e-5 * np.random.default_rng(0).standard_normal(tableau._start[0].shape)
    damaged = tableau.solve(costs)
    for cost, x, bound, certified in zip(costs, *damaged, strict=True):
        least = by_scipy(program, cost)[1]
        assert bound <= least + 1e-9  # weak, but never wrong
        assert (
            not certified or cost @ x == pytest.approx(least, rel=1e-8) or not feasible(program, x[None])[0]
        )


def test_steps_that_lead_nowhere_do_not_cycle():
    # Beale's example, on which the rule of the best reduced cost returns to its first basis for ever.
    matrix = [[0.25, -60, -1 / 25, 9], [0.5, -90, -1 / 50, 3], [0, 0, 1, 0]]
    program = program_of(matrix, [-INF] * 3, [0, 0, 1], [0] * 4, [INF] * 4)
    cost = np.array([[-0.75, 150, -0.02, 6]]) / 256
    found, _, _ = Relaxations(program, 1).settle(tasks_of(program, cost))
    assert 256 * found[0].value == pytest.approx(-0.05)
    assert simplex.STALLED > 0


def test_copies_work_on():
    program = program_of([[1, 1]], [1], [2], [0, 0], [3, 3])
    relaxations = Relaxations(program, 1)
    tasks = tasks_of(program, np.array([[1.0, 2.0]]))
    x = relaxations.settle(tasks)[0][0].x
    for twin in (copy.deepcopy(relaxations), pickle.loads(pickle.dumps(relaxations))):
        np.testing.assert_array_equal(twin.settle(tasks)[0][0].x, x)


def test_tableaux_of_instances_that_were_long_ago_are_dropped(monkeypatch):
    monkeypatch.setattr(_compact, "KEPT", 1)
    solver = imle.solver("pulp.knapsack", weights=[2.0, 3, 4], capacity=5, threads=1)
    monkeypatch.setattr(_compact, "LEAST_KEPT", 3)
    theta = np.tile([3.0, 4, 6], (7, 1))
    expected = [3, 4, 6, 7, 9, 10, 10]
    for _ in range(2):
        z = solver.solve(theta, instances=[{"capacity": float(c)} for c in range(2, 9)])
        assert (z * theta).sum(1).tolist() == expected
    assert len(solver._relaxations._tableaux) == 3
