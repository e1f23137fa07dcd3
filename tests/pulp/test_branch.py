"""The compiled branch and bound of small programmes: proven optima, or no answer."""

from __future__ import annotations

import functools

import ilp_cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_pulp import _compact
from imle_pulp._compact import Relaxations
from imle_pulp._lower import lower
from imle_pulp._program import Program
from imle_pulp._search import Task, feasible
from imle_pulp.ilp import ILP
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp


def by_scipy(program, cost):
    """Return the status and the least costs."""
    matrix = sparse.csr_array(
        (program.values, program.columns, program.starts), (program.height, program.width)
    )
    result = milp(
        cost,
        integrality=program.integer.astype(int),
        constraints=LinearConstraint(matrix, program.row_lower, program.row_upper),
        bounds=Bounds(program.lower, program.upper),
        options={"mip_rel_gap": 0},
    )
    return result.status, result.fun


def tasks_of(program, costs, starts=None):
    starts = [None] * len(costs) if starts is None else starts
    return [
        Task(row, program, cost, start) for row, (cost, start) in enumerate(zip(costs, starts, strict=True))
    ]


@st.composite
def programs(draw):
    """Programmes of integers, some with continuous columns, feasible or not."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    matrix = rng.integers(-5, 10, (height, width)) / draw(st.sampled_from([1, 2, 3]))
    matrix[0, 0] = 1
    entries = sparse.csr_array(matrix)
    inner = matrix @ rng.integers(0, 3, width) + rng.integers(-1, 2, height)
    loose = rng.choice([0, 1, 4, np.inf], (2, height), p=[0.1, 0.3, 0.3, 0.3])
    lower = rng.integers(-2, 1, width).astype(float)
    return Program(
        cost=np.zeros(width),
        starts=entries.indptr.astype(np.int32),
        columns=entries.indices.astype(np.int32),
        values=entries.data.astype(float),
        row_lower=inner - loose[0],
        row_upper=inner + loose[1],
        lower=lower,
        upper=lower + rng.integers(0, 5, width),
        integer=rng.random(width) < draw(st.sampled_from([0.5, 1.0])),
        names=tuple(f"x{j}" for j in range(width)),
        row_names=tuple(f"r{i}" for i in range(height)),
    )


@settings(max_examples=100, deadline=None)
@given(program=programs(), seed=st.integers(0, 2**16), scale=st.sampled_from([1e-9, 1.0, 1e9]))
def test_what_is_found_is_the_optimum(program, seed, scale):
    costs = scale * np.random.default_rng(seed).integers(-9, 10, (3, program.width)).astype(float)
    found, left = Relaxations(program, 1).search(tasks_of(program, costs))
    for row, one in found.items():
        status, value = by_scipy(program, costs[row] / scale)
        assert status == 0
        assert feasible(program, one.x[None])[0]
        assert one.value / scale == pytest.approx(value, rel=1e-7, abs=1e-6)
    for task in left:
        assert by_scipy(program, task.cost / scale)[0] != 0  # infeasible


CASES = [
    ilp_cases.set_cover,
    ilp_cases.generalised_assignment,
    functools.partial(ilp_cases.generalised_assignment, 5, 20),
    ilp_cases.knapsack,
    functools.partial(ilp_cases.knapsack, 48, 3),
]


@pytest.mark.parametrize("build", CASES)
def test_families_of_papers_are_solved_as_cp_sat_solves_them(build):
    problem, variables = build()
    theta = ilp_cases.costs(12, len(variables), seed=1)
    z = ILP(problem, variables, threads=2).solve(theta)
    reference = ILP(problem, variables, backend="cp_sat", threads=2).solve(theta)
    np.testing.assert_allclose((z * theta).sum(1), (reference * theta).sum(1), rtol=1e-7)


def test_a_start_is_improved_upon_and_never_worsened():
    model = lower(ilp_cases.knapsack()[0])
    program, costs = model.program, -ilp_cases.costs(20, model.program.width)
    alone, _ = Relaxations(program, 1).search(tasks_of(program, costs))
    best = [alone[row].x for row in range(20)]
    poor = [np.zeros(program.width)] * 20
    for starts in (best, poor):
        found, left = Relaxations(program, 1).search(tasks_of(program, costs, starts))
        assert not left
        for row in range(20):
            assert found[row].value == pytest.approx(alone[row].value, rel=1e-12)
    # The best is proven, and returned as it is.
    found, _ = Relaxations(program, 1).search(tasks_of(program, costs, best))
    for row in range(20):
        np.testing.assert_array_equal(found[row].x, best[row])


def test_answers_do_not_depend_on_the_rows_beside_nor_on_threads():
    program = lower(ilp_cases.generalised_assignment()[0]).program
    costs = np.random.default_rng(0).integers(1, 3, (40, program.width)).astype(float)  # many ties
    together, _ = Relaxations(program, 2).search(tasks_of(program, costs))
    for row in range(40):
        alone, _ = Relaxations(program, 1).search(tasks_of(program, costs[row : row + 1]))
        np.testing.assert_array_equal(alone[0].x, together[row].x)


def test_a_search_that_is_too_hard_is_left_to_others(monkeypatch):
    monkeypatch.setattr(_compact, "EFFORT", 1 << 10)
    problem, variables = ilp_cases.knapsack(48, 3)
    model = lower(problem, variables)
    tasks = tasks_of(model.program, -ilp_cases.costs(30, 48))
    relaxations = Relaxations(model.program, 1)
    _, left = relaxations.search(tasks)
    assert len(left) > 20
    assert relaxations.search(tasks) == ({}, tasks)  # not tried again
    theta = ilp_cases.costs(5, 48)
    z = ILP(problem, variables, threads=1).solve(theta)
    reference = ILP(problem, variables, backend="cp_sat", threads=1).solve(theta)
    np.testing.assert_allclose((z * theta).sum(1), (reference * theta).sum(1), rtol=1e-7)
