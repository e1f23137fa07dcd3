"""The best tour of a row by CP-SAT: a circuit of Boolean arcs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ortools.sat.python import cp_model

from imle_core import Status
from imle_core.errors import SolverError
from imle_core.integers import to_integers
from imle_core.parallel import interruptible
from imle_ortools._kernels.tours import narrow, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Circuit(NamedTuple):
    """A tour, its status, and its proven relative gap to the least cost."""

    tour: NDArray[np.int64]
    status: Status
    gap: float


def make_solver(time_limit: float | None, seed: int) -> cp_model.CpSolver:
    """Return a CP-SAT solver with the settings that were measured fast: no presolve, all cuts of circuits."""
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = 1
    parameters.catch_sigint_signal = False  # it would leave the process without the handler of Python
    parameters.random_seed = seed
    parameters.linearization_level = 2
    parameters.cp_model_presolve = False
    if time_limit is not None:
        parameters.max_time_in_seconds = time_limit
    return solver


def best_circuit(solver: cp_model.CpSolver, cost: NDArray[np.float64], tour: NDArray[np.int64]) -> Circuit:
    """Return a tour of least cost, or the best found in the solver's time.

    Costs are rounded to multiples of 2^-49 of the largest with 50 nodes, of 2^-47 with 100; costs far out of range
    that are in no best tour do not count, see :func:`imle_ortools._kernels.tours.narrow`.

    Args:
        solver: See :func:`make_solver`.
        cost: Shape ``(n, n)``, n >= 3, zero on the diagonal; changed.
        tour: A good tour, to begin with.

    Raises:
        SolverError: CP-SAT found a fault in the model.
    """
    bits = 61 - (len(cost) ** 2).bit_length()
    narrow(cost, tour)
    while True:
        whole = to_integers(cost.reshape(-1), bits).reshape(cost.shape)
        found = _solve(solver, whole, tour)
        if found.status != Status.OPTIMAL or not narrow(cost, found.tour):
            break
        tour = found.tour
    settle(whole, found.tour)
    return found


def _solve(solver: cp_model.CpSolver, cost: NDArray[np.int64], tour: NDArray[np.int64]) -> Circuit:
    value = int(_along(cost, tour).sum())
    tails, heads = _worth(cost, value)
    model = cp_model.CpModel()
    arcs = [model.new_bool_var("") for _ in tails]
    model.add_circuit(list(zip(tails.tolist(), heads.tolist(), arcs, strict=True)))
    model.minimize(cp_model.LinearExpr.weighted_sum(arcs, cost[tails, heads].tolist()))
    known = np.zeros(cost.shape, np.bool_)
    known[tour, np.roll(tour, -1)] = True
    for arc, used in zip(arcs, known[tails, heads].tolist(), strict=True):
        model.add_hint(arc, used)
    status = interruptible(lambda: solver.solve(model), solver.stop_search)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN):
        raise SolverError(f"CP-SAT ended with {status!r} on the circuit of a row: {model.validate()}")
    bound = float(_reduce(cost)[1])
    if status != cp_model.UNKNOWN:
        after = np.empty(len(cost), np.int64)
        used = np.array([solver.boolean_value(arc) for arc in arcs])
        after[tails[used]] = heads[used]
        other = _walk(after)
        other_value = int(_along(cost, other).sum())
        if other_value <= value:
            tour, value = other, other_value
        bound = max(bound, solver.best_objective_bound)
    if status == cp_model.OPTIMAL:
        return Circuit(tour, Status.OPTIMAL, 0.0)
    return Circuit(tour.copy(), Status.TIME_LIMIT, max(0.0, value - bound) / max(abs(value), 1))


def _worth(cost: NDArray[np.int64], value: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return tails and heads of the arcs that may be in a tour of at most this cost, by their reduced costs."""
    reduced, bound = _reduce(cost)
    tails, heads = np.nonzero((reduced <= value - bound) & ~np.eye(len(cost), dtype=bool))
    return tails, heads


def _reduce(cost: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Take the least cost from all arcs that leave a node, then from all that enter one.

    Returns what is left, and the sum of what was taken. A tour leaves and enters each node once, so it costs
    the sum and what is left of its arcs.
    """
    reduced = cost + np.diag(np.full(len(cost), 2**61))
    leaving = reduced.min(1)
    reduced = reduced - leaving[:, None]
    entering = reduced.min(0)
    return reduced - entering, int(leaving.sum() + entering.sum())


def _along(cost: NDArray[Any], tour: NDArray[np.int64]) -> NDArray[Any]:
    return cost[tour, np.roll(tour, -1)]


def _walk(after: NDArray[np.int64]) -> NDArray[np.int64]:
    tour = np.zeros(len(after), np.int64)
    for place in range(1, len(after)):
        tour[place] = after[tour[place - 1]]
    return tour
