"""Small programmes, for many rows of costs in one call of compiled code: their relaxation, and branch and bound."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import highspy
import numpy as np

from imle_core.parallel import cpus, share
from imle_pulp._backends import FEASIBILITY
from imle_pulp._backends._clean import clean, without_large_switches
from imle_pulp._backends.highs import HighsRelaxation
from imle_pulp._kernels.branch import DONE, search_rows
from imle_pulp._kernels.simplex import AT_LOWER, AT_UPPER, FREE, solve_rows
from imle_pulp._search import CERTAIN, Found, feasible, reached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_pulp._program import Program
    from imle_pulp._search import Task

CELLS = 1 << 16
"""The most entries of a tableau; HiGHS, which leaves zeros out, is faster on larger ones."""
WIDE = 2.0**20
"""Costs this many times smaller than others drown in rounding; rows that have any are left to others."""
KEPT = 1 << 23
"""Entries of all tableaux that are kept, of the instances that were solved last."""
LEAST_KEPT = 64
"""And tableaux at least, a batch of instances."""
SEARCHED = 1 << 13
"""The most entries of a tableau with which branch and bound is tried; libraries leave the zeros of larger ones out."""
EFFORT = 1 << 24
"""Entries of tableaux that the search for one row may touch, at one step a node: some hundredths of a second."""
OVERHEAD = 1 << 8
"""Entries in whose time the rest of a node is done."""
DEPTH = 60
"""Branchings at most, one below the other."""
TRIAL = 16
"""Rows after which the search is left to others, if it had to give up on most."""
STEPS = 20
"""Steps at most, for each unknown; ten times what is usual."""
BLOCK = 8
"""Rows that a thread takes at once."""

_PLACES = {
    highspy.HighsBasisStatus.kLower: AT_LOWER,
    highspy.HighsBasisStatus.kUpper: AT_UPPER,
    highspy.HighsBasisStatus.kZero: FREE,
}


class Vertices(NamedTuple):
    """What the relaxation says of each row of costs.

    Args:
        x: A vertex, shape ``(N, columns)``.
        bound: The proven least costs of any point, shape ``(N,)``.
        certified: Whether x has them; else neither x nor the bound is of use.
    """

    x: NDArray[np.float64]
    bound: NDArray[np.float64]
    certified: NDArray[np.bool_]


class Tableau:
    """A programme without its integrality, in dense form at a feasible basis.

    Args:
        program: The programme.
        basis: For each column and then each row, the place of its unknown outside of the basis; -1 inside.
        table: The tableau of the basis of another instance with the same matrix; None computes it.

    Raises:
        ValueError: the basis is singular, or its vertex lies outside of the bounds.
    """

    def __init__(
        self, program: Program, basis: NDArray[np.int8], table: NDArray[np.float64] | None = None
    ) -> None:
        self._size, self._basis = (program.width, program.height), basis
        self._matrix = program.starts, program.columns, program.values
        inside, outside = np.flatnonzero(basis < 0), np.flatnonzero(basis >= 0)
        self._lower = np.concatenate([program.lower, program.row_lower])
        self._upper = np.concatenate([program.upper, program.row_upper])
        if len(inside) != program.height:
            raise ValueError("a basis has as many unknowns as there are rows")
        if table is None:
            matrix = np.hstack([_dense(program), -np.eye(program.height)])
            try:
                table = np.linalg.solve(matrix[:, inside], matrix[:, outside])
            except np.linalg.LinAlgError as error:
                raise ValueError("the basis is singular") from error
        where, low, high = basis[outside], self._lower[outside], self._upper[outside]
        values = np.select([where == AT_LOWER, where == AT_UPPER], [low, high], 0.0)
        if not np.isfinite(values).all():
            raise ValueError("an unknown is at a bound that it does not have")
        start = -(table @ values)
        slack = 1e-9 * np.maximum(1.0, np.abs(start))
        if (start < self._lower[inside] - slack).any() or (start > self._upper[inside] + slack).any():
            raise ValueError("the vertex is not feasible")
        self._start = np.ascontiguousarray(table), inside, outside, where, start

    def of(self, program: Program) -> Tableau:
        """Return the tableau of another instance, at the same basis if that is feasible in it."""
        if np.array_equal(program.values, self._matrix[2]):
            try:
                return Tableau(program, self._basis, self._start[0])
            except ValueError:
                pass
        return Tableau(program, _feasible_basis(program))

    def solve(self, costs: NDArray[np.float64], threads: int = 1) -> Vertices:
        """Minimise rows of costs, shape ``(N, columns)``, each of magnitude 1/2 to 1, or 0."""
        x, bound, limit = np.zeros_like(costs), np.empty(len(costs)), STEPS * sum(self._size)

        def work(start: int, stop: int) -> None:
            part = slice(start, stop)
            constant = *self._start, self._lower, self._upper, *self._matrix, limit
            solve_rows(costs[part], *constant, x[part], bound[part])

        share(work, len(costs), block=BLOCK, threads=threads)
        value = np.einsum("ij,ij->i", costs, x)
        with np.errstate(invalid="ignore"):  # of bounds of -inf
            certified = np.abs(value - bound) <= CERTAIN * np.maximum(1.0, np.abs(value))
        return Vertices(x, bound, certified)

    def search(
        self,
        costs: NDArray[np.float64],
        integer: NDArray[np.bool_],
        known: NDArray[np.float64],
        x: NDArray[np.float64],
        threads: int = 1,
    ) -> NDArray[np.bool_]:
        """Minimise rows of costs over the integers, from points that cost what is known; infinity for none.

        Args:
            costs: As in :meth:`solve`.
            integer: Which columns are integers.
            known: Costs of known points, shape ``(N,)``.
            x: Input and output: the known points, then the best ones, ``(N, columns)``.
            threads: Threads at most.

        Returns:
            Which rows have a proven optimum.
        """
        width, height = self._size
        steps, nodes = STEPS * (width + height), EFFORT // (width * height + OVERHEAD)
        ends = np.zeros(len(costs), np.int8)

        def work(start: int, stop: int) -> None:
            for first in range(start, stop, BLOCK):  # so that an interrupt is soon heard
                part = slice(first, min(first + BLOCK, stop))
                constant = *self._start, self._lower, self._upper, *self._matrix, integer, steps, nodes, DEPTH
                search_rows(costs[part], *constant, known[part], x[part], ends[part])

        share(work, len(costs), block=BLOCK, threads=threads)
        proven: NDArray[np.bool_] = ends == DONE
        return proven


class Relaxations:
    """The tableaux of a solver's programmes, each made at its first use.

    Args:
        program: The solver's own programme.
        threads: Threads at most; None takes the CPUs of this process.
    """

    def __init__(self, program: Program, threads: int | None = None) -> None:
        self._program, self._threads = program, threads
        self._tried = self._given_up = 0
        self._tableaux: OrderedDict[Program, tuple[Tableau | None]] = OrderedDict()

    def settle(self, tasks: Sequence[Task]) -> tuple[dict[int, Found], list[Task], list[Task]]:
        """Solve the relaxations of many rows at once.

        Returns:
            What is found, by row: optima, where the relaxation has them or proves that the start is one. The tasks that
            only a search can decide. And those of which nothing is known: too large, wide in their costs, infeasible,
            unbounded, or not certified.
        """
        found: dict[int, Found] = {}
        to_search: list[Task] = []
        unknown: list[Task] = []
        for program, some in _by_program(tasks).items():
            tableau = self._tableau(program)
            if tableau is None:
                unknown += some
                continue
            costs = np.array([task.cost for task in some])
            _, exponent = np.frexp(np.abs(costs).max(1))
            vertices = tableau.solve(np.ldexp(costs, -exponent[:, None]), self._threads or cpus())
            known = vertices.certified & ~_wide(costs)
            answers = _answers(
                program, some, costs, vertices._replace(bound=np.ldexp(vertices.bound, exponent))
            )
            for task, is_known, answer in zip(some, known.tolist(), answers, strict=True):
                if not is_known:
                    unknown.append(task)
                elif answer is None:
                    to_search.append(task)
                else:
                    found[task.row] = answer
        return found, to_search, unknown

    def search(self, tasks: Sequence[Task]) -> tuple[dict[int, Found], list[Task]]:
        """Search for the optima of tasks that :meth:`settle` left to a search.

        Returns:
            What is found, by row, and the tasks that proved too hard.
        """
        found: dict[int, Found] = {}
        left: list[Task] = []
        for program, some in _by_program(tasks).items():
            tableau = self._tableau(program)
            hopeless = self._tried >= TRIAL and 2 * self._given_up > self._tried
            if tableau is None or hopeless or program.width * program.height > SEARCHED:
                left += some
                continue
            costs = np.array([task.cost for task in some])
            _, exponent = np.frexp(np.abs(costs).max(1))
            x = np.array([np.zeros(program.width) if task.start is None else task.start for task in some])
            x = np.where(program.integer, np.rint(x), x)
            scaled = np.ldexp(costs, -exponent[:, None])
            known = np.einsum("ij,ij->i", scaled, x)
            known[[task.start is None for task in some]] = np.inf
            proven = tableau.search(scaled, program.integer, known, x, self._threads or cpus())
            x = x.clip(program.lower, program.upper) + 0.0
            proven &= feasible(program, x)
            self._tried, self._given_up = self._tried + len(some), self._given_up + int((~proven).sum())
            values = np.einsum("ij,ij->i", costs, x).tolist()
            for task, point, value, good in zip(some, x, values, proven.tolist(), strict=True):
                if good:
                    found[task.row] = Found(point, value, value)
                else:
                    left.append(task)
        return found, left

    def _tableau(self, program: Program) -> Tableau | None:
        # Taken out and put in at the end, in steps that threads may share.
        held = self._tableaux.pop(program, None) or (self._make(program),)
        self._tableaux[program] = held
        if len(self._tableaux) > max(LEAST_KEPT, KEPT // max(1, program.width * program.height)):
            self._tableaux.popitem(last=False)
        return held[0]

    def _make(self, program: Program) -> Tableau | None:
        if not 0 < program.width * program.height <= CELLS:
            return None
        own = None if program is self._program else self._tableau(self._program)
        cleaned = without_large_switches(clean(program))
        try:
            return Tableau(cleaned, _feasible_basis(cleaned)) if own is None else own.of(cleaned)
        except ValueError:
            return None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the tableaux out, which belong to programmes by their identity."""
        return {"_program": self._program, "_threads": self._threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin without tableaux."""
        self.__init__(state["_program"], state["_threads"])  # type: ignore[misc]


def _by_program(tasks: Sequence[Task]) -> dict[Program, list[Task]]:
    of_one: defaultdict[Program, list[Task]] = defaultdict(list)
    for task in tasks:
        of_one[task.program].append(task)
    return of_one


def _answers(
    program: Program, tasks: Sequence[Task], costs: NDArray[np.float64], vertices: Vertices
) -> list[Found | None]:
    """Return the optimum of each task where its vertex is whole, or where its start costs no more than the bound."""
    whole = np.where(program.integer, np.rint(vertices.x), vertices.x) + 0.0
    whole = whole.clip(program.lower, program.upper)
    off = np.abs(whole - vertices.x).max(1, initial=0.0)
    good = (off <= FEASIBILITY) & feasible(program, whole)
    exact = off <= CERTAIN
    values, bounds = np.einsum("ij,ij->i", costs, whole), vertices.bound.tolist()
    answers: list[Found | None] = []
    for task, x, is_good, is_exact, value, bound in zip(
        tasks, whole, good.tolist(), exact.tolist(), values.tolist(), bounds, strict=True
    ):
        if is_good and (is_exact or reached(task.cost, x, bound)):
            answers.append(Found(x, value, bound))
        elif task.start is not None and reached(task.cost, task.start, bound):
            answers.append(Found(task.start, float(task.cost @ task.start), bound))
        else:
            answers.append(None)
    return answers


def _wide(costs: NDArray[np.float64]) -> NDArray[np.bool_]:
    sizes = np.abs(costs)
    least = np.where(sizes > 0, sizes, np.inf).min(1)
    wide: NDArray[np.bool_] = sizes.max(1) / WIDE > least
    return wide


def _feasible_basis(program: Program) -> NDArray[np.int8]:
    """Return a basis that HiGHS finds without costs: where each unknown outside of it is, -1 for those inside.

    Raises:
        ValueError: there is none.
    """
    basis = HighsRelaxation(program).basis
    if basis is None:
        raise ValueError("the programme has no feasible basis")
    inside = highspy.HighsBasisStatus.kBasic
    status = [*basis.col_status, *basis.row_status]
    return np.array([-1 if one == inside else _PLACES.get(one, FREE) for one in status], np.int8)


def _dense(program: Program) -> NDArray[np.float64]:
    matrix = np.zeros((program.height, program.width))
    matrix[program.row_of, program.columns] = program.values
    return matrix
