"""The ways to find the tours of a batch: compiled, by CP-SAT, or by the routing library."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core import Status
from imle_core.errors import SolverError
from imle_core.parallel import Workers, cpus, share
from imle_ortools._kernels.tours import gather, narrow, settle, solve_rows, to_integers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from ortools.sat.python.cp_model import CpSolver

    from imle_ortools._routing import Search

DYNAMIC = 13
"""Nodes up to which the dynamic programme is as fast as a good local search: 0.2 ms for each row."""

LARGEST_DYNAMIC = 15
"""Nodes up to which it is faster than CP-SAT: 2 to 4 ms, and 4 MB."""


class Batch(NamedTuple):
    """Rows to solve.

    Attributes:
        costs: Of arcs, float64, shape ``(N, n, n)``.
        nodes: The nodes that each row visits, ascending, in front; shape ``(N, n)``.
        counts: How many these are, shape ``(N,)``.
        starts: Tours to begin with, as places among the nodes, shape ``(N, n)``; -1 in rows without.
    """

    costs: NDArray[np.float64]
    nodes: NDArray[np.int64]
    counts: NDArray[np.int64]
    starts: NDArray[np.int64]

    def rows(self, which: Any) -> Batch:
        """Return some of the rows."""
        return Batch(*(array[which] for array in self))


class Tours(NamedTuple):
    """What was found: tours as places among the nodes of each row, their status, and their proven gaps, or nan."""

    places: NDArray[np.int64]
    statuses: NDArray[np.int8]
    gaps: NDArray[np.float64]


@dataclass(frozen=True)
class Compiled:
    """The dynamic programme for few nodes, iterated local search for more.

    Args:
        exact: Nodes up to which the dynamic programme solves.
        kicks: Kicks of the local search for each node.
        seed: Of the kicks.
        time_limit: Seconds for each row.
        threads: Threads at most; None: the CPUs of this process.
    """

    exact: int
    kicks: int
    seed: int
    time_limit: float | None
    threads: int | None

    def solve(self, batch: Batch) -> Tours:
        """Return a tour for each row."""
        places = np.zeros_like(batch.nodes)
        late = np.zeros(len(places), np.int64)

        def part(start: int, stop: int) -> None:
            if self.time_limit is None:
                self._run(batch.rows(slice(start, stop)), np.zeros(1, np.int64), places[start:stop])
                return
            for row in range(start, stop):
                timer = threading.Timer(self.time_limit, late.__setitem__, (row, 1))
                timer.daemon = True
                timer.start()
                try:
                    one = slice(row, row + 1)
                    self._run(batch.rows(one), late[one], places[one])
                finally:
                    timer.cancel()

        share(part, len(places), block=1, threads=self.threads or cpus())
        optimal = batch.counts <= max(self.exact, 3)
        statuses = np.where(
            optimal, Status.OPTIMAL, np.where(late != 0, Status.TIME_LIMIT, Status.FEASIBLE)
        ).astype(np.int8)
        return Tours(places, statuses, np.where(optimal, 0.0, np.nan))

    def _run(self, batch: Batch, stop: NDArray[np.int64], places: NDArray[np.int64]) -> None:
        solve_rows(
            batch.costs,
            batch.nodes,
            batch.counts,
            self.exact,
            self.kicks,
            self.seed,
            stop,
            batch.starts,
            places,
        )


class Exact:
    """The dynamic programme for few nodes, CP-SAT for more, which begins with a tour of the local search.

    Args:
        compiled: The dynamic programme and the local search.
        time_limit: Seconds for each row.
        seed: Of CP-SAT.
        threads: Rows solved at the same time; None: the CPUs of this process.
    """

    def __init__(
        self, compiled: Compiled, *, time_limit: float | None, seed: int, threads: int | None
    ) -> None:
        from imle_ortools._circuit import make_solver

        self._compiled = compiled
        self._workers: Workers[CpSolver] = Workers(functools.partial(make_solver, time_limit, seed), threads)

    def solve(self, batch: Batch) -> Tours:
        """Return a tour of least cost for each row."""
        found = self._compiled.solve(batch)
        large = np.flatnonzero(batch.counts > self._compiled.exact)
        if len(large):
            circuits = self._workers.map(
                functools.partial(_by_circuit, batch, found.places), [int(row) for row in large]
            )
            for row, circuit in zip(large, circuits, strict=True):
                found.places[row, : batch.counts[row]] = circuit.tour
                found.statuses[row], found.gaps[row] = circuit.status, circuit.gap
        return found


def _by_circuit(batch: Batch, places: NDArray[np.int64], solver: CpSolver, row: int) -> Any:
    from imle_ortools._circuit import best_circuit

    count = batch.counts[row]
    cost = gather(batch.costs[row], batch.nodes[row, :count])
    try:
        return best_circuit(solver, cost, places[row, :count])
    except SolverError as error:
        error.row = row
        raise


@dataclass(frozen=True)
class ByRouting:
    """A fresh model of the routing library for each row, one after the other: it holds Python's lock.

    Args:
        search: How it searches.
    """

    search: Search

    def solve(self, batch: Batch) -> Tours:
        """Return a tour for each row."""
        places = np.zeros_like(batch.nodes)
        statuses = np.zeros(len(places), np.int8)
        for row, count in enumerate(batch.counts):
            try:
                places[row, :count], statuses[row] = self._one(batch, row, count)
            except SolverError as error:
                error.row = row
                raise
        return Tours(places, statuses, np.where(statuses == Status.OPTIMAL, 0.0, np.nan))

    def _one(self, batch: Batch, row: int, count: int) -> tuple[NDArray[np.int64], int]:
        from imle_ortools._routing import Model

        if count < 3:
            return np.arange(count), Status.OPTIMAL
        cost = gather(batch.costs[row], batch.nodes[row, :count])
        tour, hint = None, None
        if batch.starts[row, 0] >= 0:
            tour = batch.starts[row, :count].copy()
        while True:
            whole = to_integers(cost)
            if tour is not None:
                hint = [np.roll(tour, -int(tour.argmin()))[1:].tolist()]
            model = Model(int(count), [0])
            # Every tour has as many arcs, so that a constant for each of them changes nothing.
            model.set_costs(whole - whole.min())
            found = model.search(self.search, hint=hint)
            tour = np.array(found.nodes[0][:-1])
            if not narrow(cost, tour):
                break
        settle(whole, tour)
        return tour, found.status
