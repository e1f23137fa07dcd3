"""``scipy.optimize.milp``: HiGHS as SciPy brings it, where highspy is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from imle_core.errors import SolverError
from imle_core.quiet import quiet

from ._base import Answer, Model, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_pulp._program import Program

FACTOR = 2.0**16
"""What costs are multiplied by: SciPy leaves the absolute tolerances of HiGHS, 1e-7 and 1e-6, as they are."""

_ENDS = {
    0: Outcome.OPTIMAL,
    1: Outcome.TIME_LIMIT,
    2: Outcome.INFEASIBLE,
    3: Outcome.UNBOUNDED,
}


class Scipy(Model):
    """Builds its model anew for each solve."""

    def _load(self, program: Program) -> None:
        shape = (program.height, program.width)
        matrix = csr_array((program.values, program.columns, program.starts), shape=shape)
        self._rows = [LinearConstraint(matrix, program.row_lower, program.row_upper)] * bool(program.height)
        self._bounds = Bounds(program.lower, program.upper)

    def _run(
        self, cost: NDArray[np.float64], start: NDArray[np.float64] | None, seconds: float | None
    ) -> Answer:
        options = {"mip_rel_gap": 0.0, "presolve": False, "time_limit": seconds}
        with quiet():
            result = milp(
                cost * FACTOR,
                integrality=self.program.integer.astype(np.int32),
                bounds=self._bounds,
                constraints=self._rows,
                options={name: value for name, value in options.items() if value is not None},
            )
        end = _ENDS.get(result.status)
        if end is None:  # 4 stands for all else, also for what presolve finds to be infeasible or unbounded
            if "unbounded or infeasible" not in result.message.lower():
                raise SolverError(f"scipy.optimize.milp ended without an answer: {result.message}")
            end = Outcome.UNBOUNDED
        x = None if result.x is None or end is Outcome.UNBOUNDED else np.array(result.x)
        bound = result.mip_dual_bound
        return Answer(end, x, -np.inf if bound is None else float(bound) / FACTOR)
