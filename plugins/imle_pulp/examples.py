"""Small instances of this plugin's solvers, to test them with."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pulp

from imle_core.testing import Example

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ilp() -> list[Example]:
    """Return programmes of each kind, by each backend that comes with the plugin, and instances that differ by row."""
    knapsack, take = _knapsack()
    cover, choose = _cover()
    mixed, amounts = _mixed()
    rows = [{"weight": 6}, {"weight": 9, "volume": 4}, {"volume": 2}]
    return [
        Example(parameters={"problem": knapsack, "theta": take, "backend": "highs"}, label="maximise"),
        Example(parameters={"problem": cover, "theta": choose, "backend": "highs"}, label="minimise"),
        Example(parameters={"problem": cover, "theta": choose, "backend": "scipy"}, label="scipy"),
        Example(
            parameters={"problem": cover, "theta": choose, "backend": "cbc"},
            label="cbc",
        ),
        Example(parameters={"problem": mixed, "theta": amounts}, label="open variables,auto"),
        Example(
            parameters={"problem": knapsack, "theta": take, "backend": "highs"},
            instances=rows,
            label="instances",
        ),
    ]


def lp() -> list[Example]:
    """Return a polytope whose vertices are integral, and one whose are not."""
    transport, shipped = _transport()
    knapsack, take = _knapsack()
    return [
        Example(parameters={"problem": transport, "theta": shipped}, support=_shipments(), label="transport"),
        Example(parameters={"problem": knapsack, "theta": take, "relax": True}, label="relaxed"),
    ]


def knapsack() -> list[Example]:
    """Return knapsacks with one and several constraints, copies, and capacities that differ by row."""
    weights = [[2, 3, 4, 5, 3], [1, 2, 1, 3, 2]]
    rows = [{"capacity": (6, 5)}, {"capacity": (9, 2)}, {"capacity": (0, 0)}]
    shared = {"weights": weights, "capacity": (9, 5), "backend": "highs"}
    return [
        Example(parameters={"weights": weights[0], "capacity": 9, "backend": "highs"}, label="one"),
        Example(parameters={**shared, "upper": (1, 2, 0, 3, 1)}, label="copies"),
        Example(parameters=shared, instances=rows, label="instances"),
    ]


def set_cover() -> list[Example]:
    """Return each kind, elements that are needed twice, and requirements that differ by row."""
    sets = [(0, 1), (1, 2, 3), (0, 3), (2,), (3, 4), (0, 4), (1, 2)]
    shared = {"sets": sets, "backend": "highs"}
    return [
        Example(parameters={**shared, "requirement": {0: 2}}, label="cover"),
        Example(parameters={**shared, "kind": "packing"}, label="packing"),
        Example(parameters={**shared, "kind": "partition"}, label="partition"),
        Example(parameters=shared, instances=[{0: 2}, {1: 0, 4: 2}, {}], label="instances"),
    ]


def scheduling() -> list[Example]:
    """Return a day of two machines, of which one is too small for some tasks, exactly and relaxed."""
    tasks = [
        {"duration": 2, "earliest": 0, "latest": 6, "power": 3.0, "use": (2, 1)},
        {"duration": 3, "earliest": 1, "latest": 5, "power": 1.5, "use": (1, 1)},
        {"duration": 1, "earliest": 0, "latest": 4, "power": 4.0, "use": (2, 0)},
    ]
    day = {"minutes": 240, "capacities": [(2, 1), (1, 2)], "tasks": tasks}
    return [
        Example(parameters={"instance": day, "backend": "highs"}, support=_schedules(), label="whole tasks"),
        Example(parameters={"instance": day, "relax": True}, label="relaxed", traits={"time_limit": False}),
    ]


def _knapsack() -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    problem = pulp.LpProblem("knapsack", pulp.LpMaximize)
    take = [problem.add_variable(f"take_{i}", cat=pulp.LpBinary) for i in range(5)]
    problem += pulp.lpDot([2, 3, 4, 5, 3], take) <= 9, "weight"
    problem += pulp.lpDot([1, 2, 1, 3, 2], take) <= 5, "volume"
    return problem, take


def _cover() -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    problem = pulp.LpProblem("cover", pulp.LpMinimize)
    choose = [problem.add_variable(f"choose_{i}", cat=pulp.LpBinary) for i in range(6)]
    for sets in ((0, 1, 2), (1, 3), (2, 4, 5), (0, 5), (3, 4)):
        problem += pulp.lpSum(choose[i] for i in sets) >= 1
    return problem, choose


def _mixed() -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """Integers with theta, beside a variable that theta does not stand for and that costs nothing."""
    problem = pulp.LpProblem("mixed", pulp.LpMaximize)
    amounts = [problem.add_variable(f"amount_{i}", 0, 3, pulp.LpInteger) for i in range(3)]
    slack = problem.add_variable("slack", 0, 2)
    problem += pulp.lpSum(amounts) - slack == 4
    problem += amounts[0] + 2 * amounts[2] <= 5
    return problem, amounts


def _transport() -> tuple[pulp.LpProblem, list[list[pulp.LpVariable]]]:
    problem = pulp.LpProblem("transport", pulp.LpMinimize)
    shipped = [[problem.add_variable(f"ship_{i}_{j}", 0) for j in range(3)] for i in range(2)]
    for i, supply in enumerate((3, 2)):
        problem += pulp.lpSum(shipped[i]) <= supply
    for j, demand in enumerate((2, 1, 1)):
        problem += pulp.lpSum(row[j] for row in shipped) == demand
    return problem, shipped


def _shipments() -> NDArray[np.float64]:
    """Return all shipments of whole units; all vertices are among them, because the matrix is totally unimodular."""
    wanted = np.array(list(itertools.product(range(3), repeat=6)), float).reshape(-1, 2, 3)
    met = (wanted.sum(1) == (2, 1, 1)).all(1) & (wanted.sum(2) <= (3, 2)).all(1)
    return wanted[met]


def _schedules() -> NDArray[np.float64]:
    """Return the energy by slot of four hours of all schedules of the day above.

    The first and the third task need all of the first machine, the second fits on the other.
    """
    found = set()
    for first, second, third in itertools.product(range(5), range(1, 3), range(4)):
        if third not in (first, first + 1):
            energy = np.zeros(6)
            energy[first : first + 2] += 4 * 3.0
            energy[second : second + 3] += 4 * 1.5
            energy[third] += 4 * 4.0
            found.add(tuple(energy.tolist()))
    return np.array(sorted(found))
