"""One solve: the relaxation, the certificate of a known solution, and the search that is left where neither decides."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imle_core.errors import InfeasibleError, SolverError, SolverTimeoutError, UnboundedError
from imle_pulp._backends import FEASIBILITY, Outcome, broken, make, relaxation, unsettled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._backends import Answer, Model
    from imle_pulp._backends._substitute import Substituted
    from imle_pulp._program import Program

CERTAIN = 1e-9  # a bound this close to a value, relative to the terms of the value, is reached
RELAXATION = "relaxation"  # the name of its model among those of the backends


class Task(NamedTuple):
    """What is to be solved for one row.

    Args:
        row: Its place in the batch, for errors.
        program: The programme of its instance.
        cost: All costs, to be minimised, shape ``(columns,)``.
        start: A feasible point to begin at, or None.
    """

    row: int
    program: Program
    cost: NDArray[np.float64]
    start: NDArray[np.float64] | None


class Found(NamedTuple):
    """A point, its value ``cost @ x``, a lower bound of that, and whether the time ran out."""

    x: NDArray[np.float64]
    value: float
    bound: float
    late: bool = False


class Searcher:
    """The models of one thread: one for the relaxation, and one for each backend that was asked for.

    Args:
        program: The programme, of any instance.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._models: dict[str, Model | Substituted] = {}

    def relax(self, task: Task, seconds: float | None) -> Found | None:
        """Return the optimum, if the linear relaxation has it or proves that the start is it; otherwise None.

        Raises:
            InfeasibleError: not even the relaxation has a point.
        """
        answer = self._solve(RELAXATION, task, None, seconds)
        if answer.status is Outcome.INFEASIBLE:
            raise _infeasible(task)
        if answer.status is not Outcome.OPTIMAL or answer.x is None:
            return None  # unbounded: that may be the relaxation alone
        program = task.program
        if program.integer.any() and unsettled(program, task.cost, answer.x):
            return None
        whole = np.where(program.integer, np.rint(answer.x), answer.x)
        off = np.abs(whole - answer.x).max(initial=0.0)
        near = off <= CERTAIN or (off <= FEASIBILITY and reached(task.cost, whole, answer.bound))
        if off == 0 or (near and feasible(program, whole[None])[0]):
            return Found(whole, float(task.cost @ whole), answer.bound)
        if task.start is None or not reached(task.cost, task.start, answer.bound):
            return None
        return Found(task.start, float(task.cost @ task.start), answer.bound)

    def search(self, backend: str, task: Task, seconds: float | None) -> Found:
        """Return the optimum, or the best point that was found in so many seconds.

        Raises:
            InfeasibleError, UnboundedError: there is no optimum.
            SolverTimeoutError: the time ran out without a point.
        """
        answer = self._solve(backend, task, task.start, seconds)
        if answer.status is Outcome.INFEASIBLE:
            raise _infeasible(task)
        if answer.status is Outcome.UNBOUNDED:
            raise UnboundedError(
                "the objective is unbounded: costs can fall for ever along a direction that the constraints allow; "
                "bound the variables.",
                row=task.row,
            )
        if answer.x is None:
            raise SolverTimeoutError(
                f"no solution was found within the time limit of {seconds:g} s; raise time_limit.",
                row=task.row,
            )
        late = answer.status is Outcome.TIME_LIMIT
        return Found(answer.x, float(task.cost @ answer.x), answer.bound, late)

    def warm(self, backend: str) -> None:
        """Load the programme into a backend."""
        if backend not in self._models:
            load = relaxation if backend == RELAXATION else functools.partial(make, backend)
            self._models[backend] = load(self._program)

    def _solve(
        self,
        backend: str,
        task: Task,
        start: NDArray[np.float64] | None,
        seconds: float | None,
    ) -> Answer:
        """Solve by a model that is made at the first use, with costs of magnitude 1/2 to 1."""
        self.warm(backend)
        model = self._models[backend]
        model.change(task.program)
        _, exponent = np.frexp(np.abs(task.cost).max(initial=0.0))
        try:
            answer = model.solve(np.ldexp(task.cost, -exponent), start=start, seconds=seconds)
        except SolverError as error:
            error.row = task.row
            raise
        return answer._replace(bound=float(np.ldexp(answer.bound, exponent)))


def feasible(program: Program, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points, shape ``(N, columns)``, keep to limits and bounds, up to the tolerance of the solvers."""
    slack = FEASIBILITY * np.where(program.integer, 1.0, np.maximum(1.0, np.abs(x)))
    good = (x >= program.lower - slack) & (x <= program.upper + slack)
    good &= ~program.integer | (np.abs(x - np.rint(x)) <= FEASIBILITY)
    whole = np.where(program.integer, np.rint(x), x)
    return np.asarray(good.all(1) & ~broken(program, whole).any(1), np.bool_)


def reached(cost: NDArray[np.float64], x: NDArray[np.float64], bound: float) -> bool:
    """Return whether a point costs no more than a bound, but for rounding.

    Of what the point pays, and not of the largest cost: that may be a prohibitive one.
    """
    return float(cost @ x) <= bound + CERTAIN * float(np.abs(cost) @ np.abs(x))


def _infeasible(task: Task) -> InfeasibleError:
    return InfeasibleError(
        "no solution satisfies the constraints; look at the limits and bounds of this row's instance.",
        row=task.row,
    )
