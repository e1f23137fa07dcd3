"""OR-Tools' assignments, flows, cuts and knapsacks: the solvers against the loop that one would write, in one run.

The loop makes a new object for each row, from Python's lists, and rounds the costs to 20 bits. The solver keeps every
bit of single precision, for which cost-scaling algorithms need more rounds. Knapsacks are by the same algorithm in
both.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from imle_ortools.knapsack import Knapsack
from imle_ortools.linear_assignment import LinearAssignment
from imle_ortools.max_flow import MaxFlow
from imle_ortools.min_cost_flow import MinCostFlow
from ortools.algorithms.python.knapsack_solver import KnapsackSolver, SolverType
from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment
from ortools.graph.python.max_flow import SimpleMaxFlow
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from timing import fastest

BATCH = 32
SCALE = 2**20
HEADER = ["task, batch of 32", "loop over OR-Tools, us a row", "ortools plugin, us a row", "times faster"]

pytestmark = pytest.mark.benchmark


def assign(rows):
    found = []
    for row in rows:
        solver = SimpleLinearSumAssignment()
        for i, costs in enumerate(row):
            for j, cost in enumerate(costs):
                solver.add_arc_with_cost(i, j, round(cost * SCALE))
        solver.solve()
        state = [[0] * len(row) for _ in row]
        for i in range(len(row)):
            state[i][solver.right_mate(i)] = 1
        found.append(state)
    return np.array(found, float)


def ship(rows, arcs, capacities, supplies):
    found = []
    for row in rows:
        solver = SimpleMinCostFlow()
        for (tail, head), capacity, cost in zip(arcs, capacities, row, strict=True):
            solver.add_arc_with_capacity_and_unit_cost(tail, head, capacity, round(cost * SCALE))
        for node, supply in supplies.items():
            solver.set_node_supply(node, supply)
        solver.solve()
        found.append([solver.flow(arc) for arc in range(len(arcs))])
    return np.array(found, float)


def cut(rows, arcs, source, sink):
    found = []
    for row in rows:
        solver = SimpleMaxFlow()
        for (tail, head), capacity in zip(arcs, row, strict=True):
            solver.add_arc_with_capacity(tail, head, round(capacity * SCALE))
        solver.solve(source, sink)
        near = set(solver.get_source_side_min_cut())
        found.append([tail in near and head not in near for tail, head in arcs])
    return np.array(found, float)


def pack(rows, weights, capacities, kind):
    found = []
    for row in rows:
        solver = KnapsackSolver(kind, "knapsack")
        solver.init([round(value * SCALE) for value in row], weights, capacities)
        solver.solve()
        found.append([solver.best_solution_contains(item) for item in range(len(row))])
    return np.array(found, float)


def make_network(nodes, count):
    rng = np.random.default_rng(1)
    tail = rng.integers(0, nodes, count)
    head = (tail + rng.integers(1, nodes, count)) % nodes
    capacities = rng.integers(1, 9, count)
    flow = rng.integers(0, capacities + 1)
    supplies = np.bincount(tail, flow, nodes).astype(int) - np.bincount(head, flow, nodes).astype(int)
    arcs = list(zip(tail.tolist(), head.tolist(), strict=True))
    return arcs, capacities.tolist(), dict(enumerate(supplies.tolist()))


def compare(report, renew, task, solver, theta, loop, *, at_least):
    """Time both, write the line, and fail if the objectives differ or the ratio is below what is promised."""
    rows = theta.tolist()
    ours, theirs = solver.solve(theta), loop(rows)
    values = [(z * theta).reshape(BATCH, -1).sum(1, dtype=float) for z in (ours, theirs)]
    np.testing.assert_allclose(*values, rtol=1e-4)
    best = fastest({"plugin": lambda: solver.solve(theta), "loop": lambda: loop(rows)}, rounds=15)
    plugin, bare = best["plugin"] / BATCH, best["loop"] / BATCH
    report(f"{task:44s}{bare * 1e6:12.1f}{plugin * 1e6:10.1f} us a row{bare / plugin:9.1f} times")
    fields = [task, f"{bare * 1e6:,.0f}", f"{plugin * 1e6:,.0f}", f"{bare / plugin:,.1f}"]
    renew("ortools_speed.csv", HEADER, fields)
    assert bare / plugin > at_least


@pytest.mark.parametrize(("size", "at_least"), [(10, 0.7), (20, 1.5), (50, 1.5)])
def test_assignment(report, renew, size, at_least):
    theta = np.random.default_rng(0).random((BATCH, size, size)).astype(np.float32)
    solver = LinearAssignment(shape=(size, size))
    compare(report, renew, f"assignment {size} x {size}", solver, theta, assign, at_least=at_least)


@pytest.mark.parametrize(("nodes", "count"), [(20, 100), (100, 600)])
def test_flows_and_cuts(report, renew, nodes, count):
    arcs, capacities, supplies = make_network(nodes, count)
    theta = np.random.default_rng(0).random((BATCH, count)).astype(np.float32)
    size = f"{nodes} nodes, {count} arcs"
    solver = MinCostFlow(arcs=arcs, capacities=capacities, supplies=supplies)
    loop = functools.partial(ship, arcs=arcs, capacities=capacities, supplies=supplies)
    compare(report, renew, f"min-cost flow, {size}", solver, theta, loop, at_least=0.5)
    ends = {"source": 0, "sink": nodes - 1}
    cuts = functools.partial(cut, arcs=arcs, **ends)
    compare(report, renew, f"least cut, {size}", MaxFlow(arcs=arcs, **ends), theta, cuts, at_least=1.2)


@pytest.mark.parametrize(
    ("items", "dimensions", "kind"),
    [
        (60, 1, SolverType.KNAPSACK_64ITEMS_SOLVER),
        (150, 1, SolverType.KNAPSACK_DIVIDE_AND_CONQUER_SOLVER),
        (15, 2, SolverType.KNAPSACK_MULTIDIMENSION_BRANCH_AND_BOUND_SOLVER),
        (40, 3, SolverType.KNAPSACK_MULTIDIMENSION_CP_SAT_SOLVER),
    ],
)
def test_knapsack(report, renew, items, dimensions, kind):
    rng = np.random.default_rng(0)
    weights = rng.integers(1, 30, (dimensions, items))
    capacities = weights.sum(1) // 2
    values = weights.mean(0) / 30 + 0.3 * rng.random(
        (BATCH, items)
    )  # weakly correlated: neither easy nor hard
    solver = Knapsack(weights=weights, capacities=capacities)
    loop = functools.partial(pack, weights=weights.tolist(), capacities=capacities.tolist(), kind=kind)
    task = f"knapsack, {items} items, {dimensions} dimension{'s' * (dimensions > 1)}"
    compare(report, renew, task, solver, values.astype(np.float32), loop, at_least=0.3)
