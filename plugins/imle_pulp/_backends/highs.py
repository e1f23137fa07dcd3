"""HiGHS in this process, through highspy: integer programmes, and the relaxation by the primal simplex method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from imle_core.errors import SolverError

from ._base import Answer, Model, Outcome
from ._clean import clean
from ._quiet import quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

FACTOR = 2.0**13
"""What costs are multiplied by: the tolerances of HiGHS are absolute, 1e-9 with the options below."""

COMMON: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
    "presolve": "off",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
}

LEAN: dict[str, Any] = {
    **COMMON,
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    "mip_feasibility_tolerance": 1e-9,
    "mip_detect_symmetry": False,
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_feasibility_jump": False,  # 4 ms a solve, whatever the size
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
"""Searches of a few milliseconds: heuristics, symmetry and presolve cost more than they save."""

PRIMAL: dict[str, Any] = {**COMMON, "solver": "simplex", "simplex_strategy": 4}
"""Another objective leaves a basis primal feasible: the primal simplex method goes on from it."""

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

    options: dict[str, Any]

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
        self._highs = (
            highspy._core._Highs()
        )  # without the callbacks of highspy.Highs, which cost time in every solve
        for name, value in self.options.items():
            if self._highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise SolverError(f"HiGHS refused its option {name} = {value!r}.")
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

    @abstractmethod
    def _begin(self, start: NDArray[np.float64] | None) -> None:
        """Give HiGHS what a solve begins from, after the costs: new costs drop it."""

    def _bound(self) -> float:
        """Return the proven lower bound of the cost: the primal simplex method has none before the end."""
        return -np.inf


class Highs(_Highs):
    """Integer programmes by branch and cut, with settings for searches of milliseconds."""

    options = LEAN

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

    options = PRIMAL

    def __init__(self, program: Program) -> None:
        self._integral: Program | None = None
        super().__init__(program)

    @property
    def basis(self) -> highspy.HighsBasis | None:
        """The feasible basis that every solve begins from; None where there is none."""
        return getattr(self, "_basis", None)

    def change(self, program: Program) -> None:
        """Take another instance of the programme, without its integrality."""
        if program is not self._integral:
            self._integral = program
            super().change(clean(program).with_(integer=np.zeros(program.width, np.bool_)))

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
