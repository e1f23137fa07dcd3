"""Integer programmes written in PuLP, of the families that papers use, and how PuLP itself solves them."""

import numpy as np
import pulp


def add_binaries(problem, name, count):
    return [problem.add_variable(f"{name}{j}", cat=pulp.LpBinary) for j in range(count)]


def set_cover(elements=60, sets=40, seed=0):
    """Each element is in about a tenth of the sets, and in two at least; theta: costs of the sets."""
    rng = np.random.default_rng(seed)
    holds = rng.random((elements, sets)) < 0.1
    for row in holds:
        row[rng.permutation(sets)[:2]] = True
    problem = pulp.LpProblem("cover", pulp.LpMinimize)
    chosen = add_binaries(problem, "s", sets)
    for i, row in enumerate(holds):
        problem += pulp.lpSum(chosen[j] for j in np.flatnonzero(row)) >= 1, f"element{i}"
    return problem, chosen


def generalised_assignment(agents=4, jobs=10, seed=0):
    """Each job goes to one agent, within the agents' capacities; theta: costs of the pairs."""
    rng = np.random.default_rng(seed)
    need = rng.integers(5, 25, (agents, jobs))
    problem = pulp.LpProblem("assignment", pulp.LpMinimize)
    pairs = add_binaries(problem, "x", agents * jobs)
    for j in range(jobs):
        problem += pulp.lpSum(pairs[i * jobs + j] for i in range(agents)) == 1, f"job{j}"
    for i in range(agents):
        load = pulp.lpSum(int(need[i, j]) * pairs[i * jobs + j] for j in range(jobs))
        problem += load <= int(0.8 * need[i].sum() / agents * 1.5), f"agent{i}"
    return problem, pairs


def knapsack(items=24, constraints=2, seed=0):
    """Half of the weight fits in; theta: values of the items."""
    weights = np.random.default_rng(seed).integers(10, 60, (constraints, items))
    problem = pulp.LpProblem("knapsack", pulp.LpMaximize)
    taken = add_binaries(problem, "x", items)
    for i, row in enumerate(weights.tolist()):
        problem += pulp.lpSum(w * x for w, x in zip(row, taken, strict=True)) <= sum(row) // 2, f"limit{i}"
    return problem, taken


def costs(rows, width, seed=0):
    """Return rows of costs between 0 and 1."""
    return np.random.default_rng(seed).random((rows, width))


def by_pulp(problem, variables, rows):
    """Solve rows as users of PuLP do, on a problem that is kept; return the objective's value of each."""
    values = []
    for row in rows.tolist():
        problem.setObjective(pulp.LpAffineExpression(list(zip(variables, row, strict=True))))
        problem.solve(pulp.PULP_CBC_CMD(msg=False, threads=1))
        assert problem.sol_status == pulp.LpSolutionOptimal
        values.append(pulp.value(problem.objective))
    return np.array(values)
