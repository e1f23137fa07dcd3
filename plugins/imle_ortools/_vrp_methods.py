"""How a batch of vehicle-routing problems is solved: its rows go to a kernel, or one by one to a solver of OR-Tools."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core import Status
from imle_core.errors import InfeasibleError, SolverError, SolverTimeoutError
from imle_core.parallel import cpus, share
from imle_ortools._kernels.vrp_data import fill_costs
from imle_ortools._kernels.vrp_exact import solve_exact
from imle_ortools._kernels.vrp_search import anneal, begin, nearest, search_rows, write_plan
from imle_ortools._vrp_circuit import solve_circuit
from imle_ortools._vrp_library import search_library
from imle_ortools._vrp_routes import drivers, routes_of, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from imle_ortools._kernels.vrp_data import Data
    from imle_ortools._routing import Search

    Kernel = Callable[[NDArray[Any], Data, slice], None]

CHUNK = 50
"""Iterations of the search between two looks at the clock."""


class Answers(NamedTuple):
    """What was found for each row.

    Attributes:
        states: Shape ``(N, n, n)``.
        objectives: Cost of each plan, fixed costs included, shape ``(N,)``.
        statuses: :class:`imle_core.Status`, shape ``(N,)``.
        gaps: Proven relative gap to the least cost, nan where nothing is proven, shape ``(N,)``.
    """

    states: NDArray[np.float64]
    objectives: NDArray[np.float64]
    statuses: NDArray[np.int8]
    gaps: NDArray[np.float64]


def default_iterations(customers: int) -> int:
    """Return how long the search goes on, unless the user says it.

    1,000 iterations are enough for 20 customers; from there to 36 many more are needed to leave a good plan for the
    best one, 20,000 for a fifth of a second. Beyond 400 they grow with the customers.
    """
    return max(1_000, min(customers**5 // 3_200, 20_000), 50 * customers)


def empty(theta: NDArray[Any], status: Status) -> Answers:
    """Return answers without any arc."""
    rows = len(theta)
    gap = 0.0 if status == Status.OPTIMAL else np.nan
    return Answers(np.zeros(theta.shape), np.zeros(rows), np.full(rows, status, np.int8), np.full(rows, gap))


def solve_exactly(theta: NDArray[np.float64], problems: Sequence[Data], threads: int | None) -> Answers:
    """Solve each row by the dynamic programme."""
    answers = empty(theta, Status.OPTIMAL)

    def kernel(costs: NDArray[Any], data: Data, rows: slice) -> None:
        states = np.zeros_like(costs)
        solve_exact(costs, data, states, answers.objectives[rows])
        answers.states[rows, : costs.shape[1], : costs.shape[2]] = states

    _by_problem(kernel, theta, problems, threads)
    for row in np.flatnonzero(np.isinf(answers.objectives)).tolist():
        raise InfeasibleError(
            f"no plan for {len(problems[row].start)} vehicles visits every customer and respects all limits.",
            row=row,
        )
    return answers


def search(
    theta: NDArray[np.float64],
    problems: Sequence[Data],
    hint: NDArray[Any] | None,
    *,
    iterations: int | None,
    seed: int,
    time_limit: float | None,
    threads: int | None,
) -> Answers:
    """Search each row by removing customers and inserting them again."""
    answers = _searched(
        theta, problems, hint, iterations=iterations, seed=seed, time_limit=time_limit, threads=threads
    )
    for row in np.flatnonzero(np.isinf(answers.objectives)).tolist():
        raise _left_over(row, problems[row], answers)
    return answers


def by_circuit(
    theta: NDArray[np.float64],
    problems: Sequence[Data],
    hint: NDArray[Any] | None,
    *,
    seed: int,
    time_limit: float | None,
    threads: int | None,
) -> Answers:
    """Solve each row by CP-SAT, from the plan that a search finds."""
    known = _searched(
        theta, problems, hint, iterations=None, seed=seed, time_limit=time_limit, threads=threads
    )
    answers = empty(theta, Status.OPTIMAL)

    def work(start: int, stop: int) -> None:
        for row in range(start, stop):
            data, cost = problems[row], _costs(theta[row], problems[row])
            n = len(data.demand) - 1
            first = routes_of(known.states[row, :n, :n], data) if np.isfinite(known.objectives[row]) else None
            try:
                routes, status, gap = solve_circuit(cost, data, first or (), time_limit=time_limit, seed=seed)
            except SolverError as error:
                error.row = row
                raise
            write(routes, answers.states[row, :n, :n])
            answers.objectives[row] = objective(routes, cost, data)
            answers.statuses[row], answers.gaps[row] = status, gap

    share(work, len(theta), block=1, threads=threads or cpus())
    return answers


def _searched(
    theta: NDArray[np.float64],
    problems: Sequence[Data],
    hint: NDArray[Any] | None,
    *,
    iterations: int | None,
    seed: int,
    time_limit: float | None,
    threads: int | None,
) -> Answers:
    """Search each row; the objective of a plan in which a customer is left over is infinite."""
    answers = empty(theta, Status.FEASIBLE)

    def kernel(costs: NDArray[Any], data: Data, rows: slice) -> None:
        states, hints = np.zeros_like(costs), _plans(hint, data, rows)
        steps = default_iterations(len(data.customers)) if iterations is None else iterations
        if time_limit is None:
            search_rows(costs, data, hints, steps, seed, states, answers.objectives[rows])
        else:
            for i, row in enumerate(range(rows.start, rows.stop)):
                found = _search_until(costs[i], data, hints[i], steps, seed, time_limit, states[i])
                answers.objectives[row], answers.statuses[row] = found
        answers.states[rows, : costs.shape[1], : costs.shape[2]] = states

    _by_problem(kernel, theta, problems, threads)
    return answers


def by_library(
    theta: NDArray[np.float64], problems: Sequence[Data], hint: NDArray[Any] | None, options: Search
) -> Answers:
    """Search each row by the routing library, which holds the GIL."""
    answers = empty(theta, Status.FEASIBLE)
    for row, data in enumerate(problems):
        n, cost = len(data.demand) - 1, _costs(theta[row], data)
        plan = _plans(hint, data, slice(row, row + 1))[0]
        known = [route[route >= 0].tolist() for route in plan]
        try:
            routes, status = search_library(cost, data, options, known or None)
        except SolverError as error:
            error.row = row
            raise
        write(routes, answers.states[row, :n, :n])
        answers.statuses[row] = status
        answers.objectives[row] = objective(routes, cost, data)
    return answers


def objective(routes: Sequence[Any], cost: NDArray[Any], data: Data) -> float:
    """Return the cost of a plan: its arcs, by costs that offsets are in, vehicles, and customers that are left out."""
    stops = [(route.start, *route.nodes, route.end) for route in routes]
    arcs = sum(cost[path[:-1], path[1:]].sum() for path in stops)
    left_out = np.setdiff1d(data.customers, [node for route in routes for node in route.nodes])
    return float(arcs + data.fixed[drivers(routes, data)].sum() + data.penalty[left_out].sum())


def _by_problem(kernel: Kernel, theta: NDArray[Any], problems: Sequence[Data], threads: int | None) -> None:
    """Call a kernel for consecutive rows of one problem, on several threads."""

    def work(start: int, stop: int) -> None:
        for _, group in groupby(range(start, stop), key=lambda row: id(problems[row])):
            rows = list(group)
            n = len(problems[rows[0]].demand) - 1
            part = slice(rows[0], rows[-1] + 1)
            kernel(np.ascontiguousarray(theta[part, :n, :n]), problems[rows[0]], part)

    share(work, len(theta), block=1, threads=threads or cpus())


def _costs(theta: NDArray[np.float64], data: Data) -> NDArray[np.float64]:
    """Return the costs of arcs of one row, offsets included, shape ``(n + 1, n + 1)``."""
    cost = np.empty((len(data.demand), len(data.demand)))
    fill_costs(theta, data, cost)
    return cost


def _search_until(
    theta: NDArray[Any],
    data: Data,
    hint: NDArray[Any],
    steps: int,
    seed: int,
    seconds: float,
    state: NDArray[Any],
) -> tuple[float, Status]:
    """Search one row until its time is over."""
    end = time.perf_counter() + seconds
    cost = _costs(theta, data)
    near = nearest(cost, data)
    plan, facts, numbers, random = begin(cost, data, hint, seed)
    done = 0
    while done < steps and time.perf_counter() < end:
        following = min(done + CHUNK, steps)
        anneal(cost, data, near, plan, facts, numbers, random, done, following, steps)
        done = following
    status = Status.FEASIBLE if done == steps else Status.TIME_LIMIT
    return write_plan(data, plan[1], facts[1], numbers, state), status


def _plans(hint: NDArray[Any] | None, data: Data, rows: slice) -> NDArray[np.int64]:
    """Return the routes of hints, shape ``(N, K, m)``; ``(N, 0, 0)`` without any."""
    count = rows.stop - rows.start
    if hint is None or not np.isfinite(hint[rows, 0, 0]).any():
        return np.empty((count, 0, 0), np.int64)
    n = len(data.demand) - 1
    plans = np.full((count, len(data.start), len(data.customers)), -1, np.int64)
    for plan, state in zip(plans, hint[rows, :n, :n], strict=True):
        routes = routes_of(state, data) or []  # of NaN there are none
        for vehicle, route in zip(drivers(routes, data) or [], routes, strict=False):
            plan[vehicle, : len(route.nodes)] = route.nodes
    return plans


def _left_over(row: int, data: Data, answers: Answers) -> SolverError:
    visited = answers.states[row].any(0)
    nodes = [int(node) for node in data.customers if np.isinf(data.penalty[node]) and not visited[node]]
    found = f"the search found no plan that visits the nodes {nodes} too"
    if answers.statuses[row] == Status.TIME_LIMIT:
        return SolverTimeoutError(f"{found} before its time was over; raise time_limit.", row=row)
    return SolverError(
        f"{found}; there may be one: raise iterations, give it more vehicles, or take method='exact'.",
        row=row,
    )
