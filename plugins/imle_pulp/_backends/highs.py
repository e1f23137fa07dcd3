"""HiGHS in this process, through highspy: integer programmes, and the relaxation by the primal simplex method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from imle_core.errors import SolverError
from imle_core.quiet import quiet

from ._base import Answer, Model, Outcome
from ._highs_options import ENTRIES, FACTOR, LARGE, LEAN, PRIMAL, SAFE, STRICT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

_ENDS = {
    highspy.HighsModelStatus.kOptimal: Outcome.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: Outcome.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Outcome.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Outcome.UNBOUNDED,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Outcome.UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: Outcome.TIME_LIMIT,
}


class _Highs(Model, ABC):
    """What the integer programme and the relaxation share: one persistent model of HiGHS."""

    def _load(self, program: Program) -> None:
        if self.loaded is None or not np.array_equal(self.loaded.values, program.values):
            self._pass(program)
            return
        self._highs.changeColsBounds(program.width, self._columns, program.lower, program.upper)
        moved = program.row_lower != self.loaded.row_lower
        moved |= program.row_upper != self.loaded.row_upper
        for row in np.flatnonzero(moved).tolist():
            self._highs.changeRowBounds(row, program.row_lower[row], program.row_upper[row])

    def _pass(self, program: Program) -> None:
        self._columns = np.arange(program.width, dtype=np.int32)
        self._highs = highspy._core._Highs()  # highspy.Highs has callbacks, which cost time in every solve
        self._set(self._options(program))
        status = self._highs.passModel(
            program.width,
            program.height,
            len(program.values),
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            np.zeros(program.width),
            program.lower,
            program.upper,
            program.row_lower,
            program.row_upper,
            program.starts,
            program.columns,
            program.values,
            program.integer.astype(np.int32),
        )
        if status == highspy.HighsStatus.kError:
            raise SolverError(
                "HiGHS refused the programme: see its bounds, limits and coefficients for huge numbers."
            )

    def _run(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer:
        highs = self._highs
        highs.clearSolver()  # or it would go on from its last solution
        highs.changeColsCost(len(cost), self._columns, cost * FACTOR)
        self._begin(start)
        highs.setOptionValue("time_limit", highspy.kHighsInf if seconds is None else seconds)
        with quiet():
            highs.run()
        end = _ENDS.get(highs.getModelStatus())
        if end is None:
            end = self._again()
        if end is None:
            state = highs.modelStatusToString(highs.getModelStatus())
            raise SolverError(f"HiGHS ended with the status {state!r}, without an answer.")
        if end in (Outcome.INFEASIBLE, Outcome.UNBOUNDED):
            return Answer(end, None)
        _, found = highs.getInfoValue("primal_solution_status")
        if found != int(highspy.SolutionStatus.kSolutionStatusFeasible):
            return Answer(end, None)
        bound = self._bound() if end is Outcome.TIME_LIMIT else -np.inf  # of an optimum it is the cost itself
        return Answer(end, np.array(highs.getSolution().col_value), bound)

    def _again(self) -> Outcome | None:
        """Solve once more as HiGHS does by default, where the settings for speed met numerical trouble."""
        self._highs.clearSolver()
        self._set(SAFE)
        with quiet():
            self._highs.run()
        self._restore(SAFE)
        return _ENDS.get(self._highs.getModelStatus())

    def _restore(self, changed: dict[str, Any]) -> None:
        options = self._options(self.program)
        self._set({name: options.get(name, value) for name, value in changed.items()})

    def _set(self, options: dict[str, Any]) -> None:
        for name, value in options.items():
            if self._highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise SolverError(f"HiGHS refused its option {name} = {value!r}.")

    @abstractmethod
    def _options(self, program: Program) -> dict[str, Any]:
        """Return the options of HiGHS for this programme."""

    @abstractmethod
    def _begin(self, start: NDArray[np.float64] | None) -> None:
        """Give HiGHS what a solve begins from, after the costs: new costs drop it."""

    def _bound(self) -> float:
        """Return the proven lower bound of the cost: the primal simplex method has none before the end."""
        return -np.inf


class Highs(_Highs):
    """Integer programmes by branch and cut."""

    def _options(self, program: Program) -> dict[str, Any]:
        return LEAN if len(program.values) <= ENTRIES else LARGE

    def _strictly(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer:
        self._set(STRICT)
        try:
            return self._run(cost, start, seconds)
        finally:
            self._restore(STRICT)

    def _begin(self, start: NDArray[np.float64] | None) -> None:
        if start is not None:
            self._highs.setSolution(len(start), self._columns, start)

    def _bound(self) -> float:
        return float(self._highs.getInfoValue("mip_dual_bound")[1]) / FACTOR


class HighsRelaxation(_Highs):
    """The linear programme without integrality: a vertex (free columns may rest at 0), from one basis in every solve.

    The basis is found once for each instance, without costs: it is feasible, and so the primal simplex method needs no
    first phase.
    """

    def _options(self, program: Program) -> dict[str, Any]:
        return PRIMAL

    @property
    def basis(self) -> highspy.HighsBasis | None:
        """The feasible basis that every solve begins from; None where there is none."""
        return getattr(self, "_basis", None)

    def _load(self, program: Program) -> None:
        super()._load(program)
        self._basis = None
        if self._run(np.zeros(program.width), None, None).status is Outcome.OPTIMAL:
            self._basis = self._highs.getBasis()

    def _taken(self, program: Program) -> Program:
        return super()._taken(program).with_(integer=np.zeros(program.width, np.bool_))

    def _begin(self, start: NDArray[np.float64] | None) -> None:
        if self._basis is not None:
            self._highs.setBasis(self._basis)
