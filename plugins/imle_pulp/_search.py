"""One solve: the relaxation, the certificate of a known solution, and the search that is left where neither decides."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imle_core.errors import InfeasibleError, SolverTimeoutError, UnboundedError
from imle_pulp._backends import FEASIBILITY, Outcome, make, relaxation, tolerances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._backends import Answer, Model
    from imle_pulp._program import Program

CERTAIN = 1e-9  # a bound this close to a value, relative to the costs, is reached
RELAXATION = "relaxation"  # the name of its model among those of the backends
WIDE = 2.0**20  # costs this many times smaller than others are decided by a solve of their own


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
        self._models: dict[str, Model] = {}

    def relax(self, task: Task) -> Found | None:
        """Return the optimum, if the linear relaxation has it or proves that the start is it; otherwise None.

        Raises:
            InfeasibleError: not even the relaxation has a point.
        """
        if _is_wide(task.cost):
            return None
        answer = self._solve(RELAXATION, task, None, None)
        if answer.status is Outcome.INFEASIBLE:
            raise _infeasible(task)
        if answer.x is None:  # unbounded: that may be the relaxation alone
            return None
        program, size = task.program, np.abs(task.cost).max(initial=0.0)
        whole = np.where(program.integer, np.rint(answer.x), answer.x)
        slack = CERTAIN * (size + abs(answer.bound))
        if np.abs(whole - answer.x).max(initial=0.0) <= FEASIBILITY and feasible(program, whole[None])[0]:
            return Found(whole, float(task.cost @ whole), answer.bound)
        if task.start is not None and task.cost @ task.start <= answer.bound + slack:
            return Found(task.start, float(task.cost @ task.start), answer.bound)
        return None

    def search(self, backend: str, task: Task, seconds: float | None) -> Found:
        """Return the optimum, or the best point that was found in so many seconds.

        Raises:
            InfeasibleError, UnboundedError: there is no optimum.
            SolverTimeoutError: the time ran out without a point.
        """
        begun, cost = time.perf_counter(), task.cost
        found = self._search(backend, task, seconds)
        fixed = self._dominant(task, found.x)
        while fixed is not None and not found.late:
            # They are what they are in every optimum. Beside them, the other costs were too small to be told apart.
            rest = np.where(fixed, 0.0, task.cost)
            bounds = {"lower": np.where(fixed, found.x, task.program.lower)}
            bounds["upper"] = np.where(fixed, found.x, task.program.upper)
            task = Task(task.row, task.program.with_(**bounds), rest, found.x)
            left = None if seconds is None else max(0.0, seconds - (time.perf_counter() - begun))
            found = self._search(backend, task, left)
            fixed = self._dominant(task, found.x)
        value = float(cost @ found.x)
        return found._replace(value=value, bound=value - (found.value - found.bound))

    def warm(self, backend: str) -> None:
        """Load the programme into a backend."""
        if backend not in self._models:
            load = relaxation if backend == RELAXATION else functools.partial(make, backend)
            self._models[backend] = load(self._program)

    def _search(self, backend: str, task: Task, seconds: float | None) -> Found:
        cost = task.cost
        answer = self._solve(backend, task, task.start, seconds)
        if answer.status is Outcome.INFEASIBLE:
            raise _infeasible(task)
        if answer.status is Outcome.UNBOUNDED:
            raise UnboundedError(
                "the objective is unbounded: costs can fall for ever along a direction that the constraints allow; "
                "bound the variables.",
                row=task.row,
            )
        late, x = answer.status is Outcome.TIME_LIMIT, answer.x
        if late and task.start is not None and (x is None or cost @ task.start < cost @ x):
            x = task.start
        if x is None:
            raise SolverTimeoutError(
                f"no solution was found within the time limit of {seconds:g} s; raise time_limit.",
                row=task.row,
            )
        return Found(x, float(cost @ x), answer.bound, late)

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
        answer = model.solve(np.ldexp(task.cost, -exponent), start=start, seconds=seconds)
        return answer._replace(bound=float(np.ldexp(answer.bound, exponent)))

    def _dominant(self, task: Task, x: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Return the columns whose costs dwarf all others, if they are at their better bounds in x.

        One unit of any of them costs more than all other columns together can save. So they are at those bounds in
        every optimum.
        """
        if not _is_wide(task.cost):
            return None
        program, size = task.program, np.abs(task.cost)
        better = np.where(task.cost > 0, program.lower, program.upper)
        reach = size * np.where(size > 0, program.upper - program.lower, 0.0)
        order = np.argsort(-size, kind="stable")
        order = order[size[order] > 0]
        below = np.cumsum(reach[order][::-1])[::-1][1:]  # what all columns after each can save together
        splits = np.flatnonzero((size[order][:-1] > below) & (size[order[0]] > WIDE * size[order[1:]]))
        if not len(splits):
            return None
        top = order[: splits[0] + 1]
        # A column that is no integer may also move by less than a unit: it must cost that much more.
        sure = program.integer[top] | (size[top] > WIDE * below[splits[0]])
        if not (sure & (x[top] == better[top])).all():
            return None
        fixed = np.zeros(len(size), np.bool_)
        fixed[top] = True
        return fixed | (task.program.lower == task.program.upper)


def _is_wide(cost: NDArray[np.float64]) -> bool:
    """Return whether some costs, other than 0, are too small beside others to be told apart in one solve."""
    size = np.abs(cost[cost != 0])
    return bool(len(size) and size.max() >= WIDE * size.min())


def feasible(program: Program, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points, shape ``(N, columns)``, keep to limits and bounds, up to the tolerance of the solvers."""
    slack = FEASIBILITY * np.where(program.integer, 1.0, np.maximum(1.0, np.abs(x)))
    good = (x >= program.lower - slack) & (x <= program.upper + slack)
    good &= ~program.integer | (np.abs(x - np.rint(x)) <= FEASIBILITY)
    low, high = tolerances(program)
    activity = program.activity(x)
    result: NDArray[np.bool_] = good.all(1) & ((activity >= low) & (activity <= high)).all(1)
    return result


def _infeasible(task: Task) -> InfeasibleError:
    return InfeasibleError(
        "no solution satisfies the constraints; look at the limits and bounds of this row's instance.",
        row=task.row,
    )
