"""Small integer programmes as arrays, at random or of a family, and their optima by enumeration."""

import itertools

import numpy as np
from imle_pulp._backends import Outcome
from imle_pulp._program import Program
from scipy.optimize import linprog

INF = np.inf


def make_program(matrix, row_lower, row_upper, lower, upper, integer):
    """Return the programme of a dense matrix; its zeros are no entries."""
    matrix = np.asarray(matrix, float).reshape(len(row_lower), len(lower))
    rows, columns = np.nonzero(matrix)
    return Program(
        cost=np.zeros(len(lower)),
        starts=np.searchsorted(rows, np.arange(len(row_lower) + 1)).astype(np.int32),
        columns=columns.astype(np.int32),
        values=matrix[rows, columns],
        row_lower=np.array(row_lower, float),
        row_upper=np.array(row_upper, float),
        lower=np.array(lower, float),
        upper=np.array(upper, float),
        integer=np.array(integer, bool),
        names=tuple(f"a name\nwith 'quotes' {j}" for j in range(len(lower))),
        row_names=tuple(f"row {i}" for i in range(len(row_lower))),
    )


def binaries(matrix, row_lower, row_upper):
    """Return a programme of binaries."""
    width = np.shape(matrix)[1]
    return make_program(matrix, row_lower, row_upper, np.zeros(width), np.ones(width), np.ones(width))


def dense(program):
    """Return the matrix of a programme."""
    matrix = np.zeros((program.height, program.width))
    matrix[np.repeat(np.arange(program.height), np.diff(program.starts)), program.columns] = program.values
    return matrix


def scaled(cost):
    """Return the costs times a power of two, the largest magnitude in [0.5, 1)."""
    return np.ldexp(cost, -np.frexp(np.abs(cost).max(initial=0.0))[1])


def random_case(rng, *, mixed):
    """Return a programme and costs: equalities, ranges, fixed and fractional bounds, empty rows, ties, infeasible."""
    width, height = int(rng.integers(1, 6)), int(rng.integers(0, 4))
    integer = rng.random(width) < rng.choice([0.0, 0.5]) if mixed else np.ones(width, bool)
    entries = rng.integers(-4, 5, (height, width)) * rng.choice([1.0, 0.5, 0.25, 0.1])
    matrix = np.where(rng.random((height, width)) < 0.8, entries, 0.0)
    lower = rng.integers(-3, 2, width) - 0.5 * (rng.random(width) < 0.15)
    upper = lower + rng.integers(0, 4, width) + 0.5 * (rng.random(width) < 0.15)
    lower[~integer & (rng.random(width) < 0.15)] = -INF
    upper[~integer & (rng.random(width) < 0.15)] = INF
    inside = matrix @ np.clip(rng.integers(-2, 3, width), lower, upper)
    slack = rng.choice([0.0, 0.5, 1.0, 2.0], height) - 3 * (rng.random(height) < 0.1)
    kind = rng.integers(0, 5, height)  # free, equal, above, below, both
    row_lower = np.where(np.isin(kind, [1, 2, 4]), inside - np.where(kind == 1, 0, slack), -INF)
    row_upper = np.where(np.isin(kind, [1, 3, 4]), inside + np.where(kind == 1, 0, slack), INF)
    costs = [rng.normal(size=width), rng.integers(-2, 3, width).astype(float), np.zeros(width)]
    program = make_program(matrix, row_lower, row_upper, lower, upper, integer)
    return program, scaled(costs[rng.choice(3, p=[0.5, 0.4, 0.1])])


def points(program):
    """Return every value of the integer columns, shape ``(K, integers)``."""
    ranges = [
        np.arange(np.ceil(low), np.floor(high) + 1)
        for low, high in zip(program.lower[program.integer], program.upper[program.integer], strict=True)
    ]
    combinations = list(itertools.product(*ranges))
    return np.array(combinations).reshape(len(combinations), len(ranges))


def feasible_points(program):
    """Return every point of a programme of integers."""
    x = points(program)
    activity = x @ dense(program).T
    good = (activity >= program.row_lower - 1e-7) & (activity <= program.row_upper + 1e-7)
    return x[good.all(1)]


def by_enumeration(program, cost):
    """Return the outcome and the least cost (None without), the continuous part by linear programming."""
    if program.integer.all():
        x = feasible_points(program)
        return (Outcome.OPTIMAL, (x @ cost).min()) if len(x) else (Outcome.INFEASIBLE, None)
    matrix, rest, best = dense(program), ~program.integer, None
    for x in points(program):
        done = matrix[:, program.integer] @ x
        status, value = by_linprog(
            cost[rest],
            matrix[:, rest],
            program.row_lower - done,
            program.row_upper - done,
            program.lower[rest],
            program.upper[rest],
        )
        if status is Outcome.UNBOUNDED:
            return status, None
        if status is Outcome.OPTIMAL:
            value += cost[program.integer] @ x
            best = value if best is None else min(best, value)
    return (Outcome.INFEASIBLE, None) if best is None else (Outcome.OPTIMAL, best)


def by_linprog(cost, matrix, row_lower, row_upper, lower, upper):
    """Return the outcome and the least cost of a linear programme."""
    above, below = np.isfinite(row_lower), np.isfinite(row_upper)
    sides = np.vstack([matrix[below], -matrix[above]])
    limits = np.concatenate([row_upper[below], -row_lower[above]])

    def run(cost):
        return linprog(cost, sides, limits, bounds=np.column_stack([lower, upper]))

    result = run(cost)
    if result.status in (2, 4):  # SciPy also calls unbounded ones infeasible; without costs none is unbounded
        return (Outcome.UNBOUNDED if run(0 * cost).status == 0 else Outcome.INFEASIBLE), None
    return {0: Outcome.OPTIMAL, 3: Outcome.UNBOUNDED}[result.status], result.fun


def set_cover(rng, columns=60, rows=40):
    """Return a programme and one row of costs."""
    matrix = rng.random((rows, columns)) < 0.1
    for row in matrix:
        row[rng.permutation(columns)[:2]] = True
    return binaries(matrix, np.ones(rows), np.full(rows, INF)), scaled(rng.uniform(0.5, 1.5, columns))


def assignment(rng, agents=5, jobs=8):
    """Return a generalised assignment and one row of costs."""
    need = rng.integers(5, 26, (agents, jobs))
    loads = np.kron(np.eye(agents), np.ones(jobs)) * need.ravel()
    matrix = np.vstack([loads, np.tile(np.eye(jobs), agents)])
    capacity = np.ceil(0.9 * need.sum(1) / agents)
    row_lower = np.concatenate([np.full(agents, -INF), np.ones(jobs)])
    program = binaries(matrix, row_lower, np.concatenate([capacity, np.ones(jobs)]))
    return program, scaled(rng.uniform(0.2, 1.2, agents * jobs))


def knapsack(rng, items=24, constraints=2):
    """Return a knapsack of several constraints and one row of (negative) costs."""
    weights = rng.integers(5, 40, (constraints, items))
    program = binaries(weights, np.full(constraints, -INF), np.floor(0.5 * weights.sum(1)))
    return program, scaled(-rng.uniform(0.5, 1.5, items) * weights.mean(0))
