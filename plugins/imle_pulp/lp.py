"""``pulp.lp``: any linear programme that is written in PuLP, solved at a vertex."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import SolverParameterError
from imle_pulp.ilp import ILP

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pulp

    from imle_pulp._lower import Model


class LP(ILP):
    r"""A linear programme, some of whose objective coefficients are theta.

    .. math:: x^* = \arg\max_x \; \sum_{j \in J} \theta_j x_j + \sum_{j \notin J} c_j x_j
       \quad \text{s.t.} \quad l_r \le A x \le u_r, \; l \le x \le u

    As :class:`imle_pulp.ilp.ILP`, without integers. The answer is a vertex of the polytope, of which there are finitely
    many: the discrete set of the exponential family. It is found by the primal simplex method, which begins each row at
    the same vertex, so that equal rows have equal answers, tied ones too.

    Args:
        problem: A ``pulp.LpProblem``, or the path of an MPS file.
        theta: As for :class:`imle_pulp.ilp.ILP`.
        parameters: As for :class:`imle_pulp.ilp.ILP`.
        relax: Whether integer variables of the problem may take any value between their bounds; without it they are an
            error.
        threads: Threads at most, each with its own model; None takes the CPUs of this process.

    Attributes:
        entries: Names of the variables that theta stands for, in its shape.

    Raises:
        SolverParameterError: the problem, theta or a parameter is not valid.
        InvalidInstanceError: an instance names what the problem does not have.
        InfeasibleError, UnboundedError: a row has no optimum, with the row.

    References:
        Dantzig (1951), Maximization of a linear function of variables subject to linear inequalities.

    Example:
        >>> import numpy as np, pulp
        >>> problem = pulp.LpProblem("diet", pulp.LpMinimize)
        >>> bread, milk = problem.add_variable("bread", 0), problem.add_variable("milk", 0)
        >>> problem += 2 * bread + milk >= 4
        >>> problem += bread + 3 * milk >= 6
        >>> LP(problem, [bread, milk]).solve(np.array([[1.0, 1.0], [1.0, 5.0]]))
        array([[1.2, 1.6],
               [6. , 0. ]])
    """

    def __init__(
        self,
        problem: pulp.LpProblem | str | os.PathLike[str],
        theta: Any = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        relax: bool = False,
        threads: int | None = None,
    ) -> None:
        self._relax = relax
        super().__init__(problem, theta, parameters=parameters, backend="highs", threads=threads)

    def _read(self, problem: Any, entries: list[Any]) -> Model:
        model = super()._read(problem, entries)
        program = model.program
        if program.integer.any() and not self._relax:
            name = program.names[int(np.flatnonzero(program.integer)[0])]
            raise SolverParameterError(
                f"the variable {name!r} is an integer; use pulp.ilp, or relax=True for the linear relaxation."
            )
        return model._replace(program=program.with_(integer=np.zeros(program.width, bool)))
