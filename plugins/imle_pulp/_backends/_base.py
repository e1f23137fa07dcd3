"""One programme in one solver library: what every backend offers, and what is the same for all of them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from imle_core.errors import SolverError

from ._clean import broken, clean, contradicts_itself, without_large_switches
from ._levels import face, small_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program


class Outcome(Enum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    TIME_LIMIT = "time limit"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"


class Answer(NamedTuple):
    """Of one solve.

    Args:
        status: How it ended.
        x: The best point, shape ``(columns,)``, integer columns exactly integral; None where there is none.
        bound: Proven lower bound of the cost, equal to the cost of x when it is optimal, -inf if there is none.
    """

    status: Outcome
    x: NDArray[np.float64] | None
    bound: float = -np.inf


class Model(ABC):
    """A programme held by a solver library, for one thread at a time; only its costs change from solve to solve.

    A subclass implements :meth:`_load` and :meth:`_run`. The library never sees a programme that contradicts itself
    at first sight (a lower bound above the upper one, no integer between the bounds, an empty row that cannot hold),
    nor one without constraints: libraries treat these as errors of the caller.

    Args:
        program: What to solve.

    Attributes:
        program: The programme of the next solve, with whole bounds of its integer columns.
        loaded: The programme that the library holds, None before the first.
    """

    def __init__(self, program: Program) -> None:
        self.loaded: Program | None = None
        self._given: Program | None = None
        self.change(program)

    def change(self, program: Program) -> None:
        """Take another instance of the programme: other limits, bounds or values, the same sparsity."""
        if program is self._given:
            return
        self._given = None  # a programme that cannot be loaded is not held
        self.program = self._taken(program)
        self._impossible = contradicts_itself(self.program)
        self._separable = not np.any(program.values)
        if not self._impossible and not self._separable:
            try:
                self._load(self.program)
            except BaseException:
                self.loaded = None
                raise
            self.loaded = self.program
        self._given = program

    def _taken(self, program: Program) -> Program:
        """Return the programme that is solved when this one is given, to a library in floating point."""
        return without_large_switches(clean(program))

    @abstractmethod
    def _load(self, program: Program) -> None:
        """Make the library hold the programme; only what differs from ``self.loaded`` need be sent."""

    @abstractmethod
    def _run(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer:
        """Minimise; x as the library has it, UNBOUNDED also where the library cannot tell it from infeasible."""

    def solve(
        self,
        cost: NDArray[np.float64],
        *,
        start: NDArray[np.float64] | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Minimise ``cost @ x`` over the programme.

        Args:
            cost: All costs, shape ``(columns,)``, finite, the largest magnitude in [0.5, 1), or all zero.
            start: A feasible point to begin from, shape ``(columns,)``, or None.
            seconds: Time limit, or None.

        Returns:
            An answer that is a pure function of the programme, the cost and the start, unless time ran out.

        Raises:
            SolverError: the library failed, or returned what is not a solution.
        """
        if self._impossible:
            return Answer(Outcome.INFEASIBLE, None)
        if self._separable:
            return self._best_bounds(cost)
        begun = time.monotonic()
        answer = self._run(cost, start, seconds)
        x, row = self._point(answer)
        if row is not None:
            left = None if seconds is None else max(seconds - (time.monotonic() - begun), 1e-3)
            answer = self._strictly(cost, start, left) or answer
            x, row = self._point(answer)
        if answer.status is Outcome.UNBOUNDED:
            return self._unbounded_or_infeasible(cost, seconds)
        if answer.status is Outcome.TIME_LIMIT:
            return self._best_known(cost, answer, start)
        if x is None:
            return answer
        if row is not None:
            raise SolverError(
                f"the solver's answer breaks the constraint {self.program.row_names[row]!r} once its integers are "
                "whole. Make the coefficients smaller (a large constant that switches a constraint off?), or take "
                "another backend."
            )
        return self._refined(cost, x, seconds)

    def _point(self, answer: Answer) -> tuple[NDArray[np.float64] | None, int | None]:
        """Return the point of an optimum with exact integers, and the first row that it breaks, if any."""
        if answer.status is not Outcome.OPTIMAL or answer.x is None:
            return None, None
        x = self._polished(answer.x)
        return x, self._broken(x)

    def _strictly(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer | None:
        """Minimise as :meth:`_run` does, with the least tolerances that the library has; None: it has no others."""
        return None

    def _best_known(
        self, cost: NDArray[np.float64], answer: Answer, start: NDArray[np.float64] | None
    ) -> Answer:
        """Return the best of what the library had when time ran out, which need not be a solution, and the start."""
        points = [self._polished(x) for x in (answer.x, start) if x is not None]
        x = min((x for x in points if self._broken(x) is None), key=lambda x: float(cost @ x), default=None)
        return Answer(answer.status, x, answer.bound if x is None else min(answer.bound, float(cost @ x)))

    def _best_bounds(self, cost: NDArray[np.float64]) -> Answer:
        """Solve a programme without constraints, on which some commands fail."""
        lower, upper = self.program.lower, self.program.upper
        either = np.where(np.isfinite(lower), lower, np.where(np.isfinite(upper), upper, 0.0))
        x = np.where(cost > 0, lower, np.where(cost < 0, upper, either))
        if not np.isfinite(x).all():
            return Answer(Outcome.UNBOUNDED, None)
        return Answer(Outcome.OPTIMAL, x, float(cost @ x))

    def _unbounded_or_infeasible(self, cost: NDArray[np.float64], seconds: float | None) -> Answer:
        """Tell which: libraries find a ray before a feasible point, or without one; without costs there is no ray."""
        if cost.any():
            probe = self._run(np.zeros_like(cost), None, seconds)
            if probe.x is not None:
                return Answer(Outcome.UNBOUNDED, None)
            if probe.status is Outcome.TIME_LIMIT:
                return Answer(Outcome.TIME_LIMIT, None)
        return Answer(Outcome.INFEASIBLE, None)

    def _refined(self, cost: NDArray[np.float64], x: NDArray[np.float64], seconds: float | None) -> Answer:
        """Return the best of the points that are as good as x in its large costs, where others are far smaller."""
        small = small_part(cost, self.program)
        among = None if small is None else face(self.program, cost, x, small)
        if small is None or among is None:
            return Answer(Outcome.OPTIMAL, x, float(cost @ x))
        rest = np.where(small, cost, 0.0)
        _, exponent = np.frexp(np.abs(rest).max())
        better = self._same(among).solve(np.ldexp(rest, -exponent), start=x, seconds=seconds)
        if better.status is Outcome.UNBOUNDED:
            return better
        late = better.status is Outcome.TIME_LIMIT
        x = x if better.x is None else better.x
        return Answer(Outcome.TIME_LIMIT if late else Outcome.OPTIMAL, x, float(cost @ x))

    def _same(self, program: Program) -> Model:
        """Return a model of another programme in the same library."""
        return type(self)(program)

    def _polished(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return x with exact integers, within the bounds."""
        program = self.program
        return np.where(program.integer, np.rint(x), x).clip(program.lower, program.upper) + 0.0

    def _broken(self, x: NDArray[np.float64]) -> int | None:
        """Return the first row that x does not satisfy, if any."""
        rows = broken(self.program, x[None])[0]
        return int(rows.argmax()) if rows.any() else None
