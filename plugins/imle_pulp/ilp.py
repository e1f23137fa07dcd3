"""``pulp.ilp``: any integer linear programme that is written in PuLP."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pulp

from imle_core import Solver, Status
from imle_core.errors import (
    InvalidInstanceError,
    MissingCapabilityError,
    SolverError,
    SolverParameterError,
    closest,
)
from imle_core.parallel import Workers
from imle_pulp._backends import is_command
from imle_pulp._choice import Choice
from imle_pulp._compact import Relaxations
from imle_pulp._files import read_mps
from imle_pulp._instances import Parameters
from imle_pulp._lower import lower, without_dummy
from imle_pulp._search import Searcher, Task
from imle_pulp._states import States
from imle_pulp._theta import columns_of, variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from imle_pulp._lower import Model
    from imle_pulp._program import Program
    from imle_pulp._search import Found

LISTED = 1 << 16  # states that are tried when a set is listed


class ILP(Solver):
    r"""An integer linear programme, some of whose objective coefficients are theta.

    .. math:: x^* = \arg\max_x \; \sum_{j \in J} \theta_j x_j + \sum_{j \notin J} c_j x_j
       \quad \text{s.t.} \quad l_r \le A x \le u_r, \; l \le x \le u, \; x_i \in \mathbb{Z} \text{ for } i \in I

    or the least, as the problem says. A state z holds the values of the variables J that theta stands for. Their
    coefficients in the problem's own objective are replaced; those of other variables, and the constant, stay.

    The problem is read once and never changed. Each thread keeps it loaded in the libraries that solve it, where only
    costs change from row to row. A row is solved in three steps, each only if those before it did not decide: the
    linear relaxation, whose solution may be integral already; the hint, if its value equals the bound of the
    relaxation; the backend's search with gap 0, which begins at the hint. A layer brings the hints, from its pool of
    solutions.

    Costs that differ by less than 1e-9 of the row's largest may be taken for equal. Where some costs dwarf all others,
    as a prohibitive 1e17 does, they are settled first, and the others are then compared by themselves.

    Args:
        problem: A ``pulp.LpProblem`` with binary, integer and continuous variables; or the path of an MPS file.
        theta: The variables whose coefficients are predicted, by themselves or by name: a list, a dictionary as
            ``LpVariable.dicts`` makes it, or an array; its shape is the event shape. None: all, in the order in which
            objective and constraints name them.
        parameters: What the numbers of an instance stand for: ``{"name": constraint}`` for a right-hand side,
            ``{"name": (constraint, variable)}`` for a coefficient, ``{"name": (variable, "upper")}`` or ``"lower"`` for
            a bound, a list of such for several at once. Constraints need not be declared: an instance may give their
            right-hand sides by their own names. (Those that remain when all constants are on the right.)
        backend: ``"highs"``, ``"cp_sat"`` (integer variables with bounds and integral constraints; needs OR-Tools),
            ``"scipy"``, ``"gurobi"``, ``"scip"``, ``"cbc"``, or a command by PuLP's name for it, such as
            ``"PULP_CBC_CMD"`` (slow: a file and a process for each row; a reference). ``"auto"`` measures the free ones
            among the first on the first rows and keeps the fastest; ``explain()`` says which.
        time_limit: Seconds for each row's search, and for completing a state by other variables; or None.
        on_timeout: What happens to a row whose time ran out: ``"use"`` takes the best solution found, with a status in
            the layer's report and a warning in direct calls; ``"error"`` raises. Without any solution it raises always.
        threads: Threads at most, each with its own models; None takes the CPUs of this process.

    Attributes:
        entries: Names of the variables that theta stands for, in its shape.

    Rows may differ: an instance is a mapping from parameters to numbers, ``instances=[{"capacity": 60}, ...]``.

    Where several solutions are equally good, which is returned may depend on the backend and on the hint; without hints
    it is the same for the same row.

    Raises:
        SolverParameterError: the problem, theta, a parameter or the backend is not valid.
        InvalidInstanceError: an instance names what the problem does not have.
        InfeasibleError, UnboundedError: a row has no optimum, with the row.
        SolverTimeoutError: a row's time ran out, see ``on_timeout``.

    References:
        Land and Doig (1960), An automatic method of solving discrete programming problems. Huangfu and Hall (2018),
        Parallelizing the dual revised simplex method: HiGHS. Mulamba et al. (2021), Contrastive losses and solution
        caching for predict-and-optimize.

    Example:
        >>> import numpy as np, pulp
        >>> problem = pulp.LpProblem("knapsack", pulp.LpMaximize)
        >>> take = [problem.add_variable(f"take_{i}", cat="Binary") for i in range(3)]
        >>> problem += 2 * take[0] + 3 * take[1] + 4 * take[2] <= 5, "capacity"
        >>> solver = ILP(problem, take)
        >>> solver.solve(np.array([[3.0, 4.0, 6.0]]))
        array([[1., 1., 0.]])
        >>> solver.solve(np.array([[3.0, 4.0, 6.0]]), instances=[{"capacity": 6}])
        array([[1., 0., 1.]])
        >>> solver.decode(np.array([1.0, 1.0, 0.0]))
        {'take_0': 1.0, 'take_1': 1.0, 'take_2': 0.0}
    """

    def __init__(
        self,
        problem: pulp.LpProblem | str | os.PathLike[str],
        theta: Any = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        backend: str = "auto",
        time_limit: float | None = None,
        on_timeout: Literal["use", "error"] = "use",
        threads: int | None = None,
    ) -> None:
        shape, entries = ((), []) if theta is None else variables_of(theta)
        model = without_dummy(self._read(problem, entries))
        program = model.program
        if theta is None:
            shape, entries = (program.width,), list(program.names)
        if not entries:
            raise SolverParameterError("the problem has no variables.")
        self._columns = columns_of(entries, program.names)
        self._sign = -1.0 if model.maximise else 1.0
        self._constant = model.constant
        fixed = self._sign * model.objective
        fixed[self._columns] = 0.0
        self._program = program.with_(cost=fixed)
        self._states = States(self._columns, program.width, self._finish)
        self._parameters = Parameters(self._program, parameters, model.rows)
        self._choice = Choice(backend, self._program)
        self._workers = Workers(self._searcher, threads)
        self._relaxations = Relaxations(self._program, threads)
        self.time_limit, self.on_timeout = time_limit, on_timeout
        self._shape = self.event_shape = shape
        self.sense = "max" if model.maximise else "min"
        # A constant counts in the values that are reported, and is not to be scaled with theta.
        self.scale_invariant = not (fixed.any() or model.constant)
        self.output = self._output()

    @property
    def entries(self) -> Any:
        """Names of the variables that theta stands for, in its shape."""
        names = np.array([self._program.names[column] for column in self._columns], object)
        return names.reshape(self._shape).tolist()

    def solve(  # type: ignore[override]
        self,
        theta: NDArray[Any],
        *,
        instances: Sequence[Program] | None = None,
        hint: NDArray[Any] | None = None,
    ) -> NDArray[np.float64]:
        """Solve each row."""
        rows = theta.reshape(len(theta), len(self._columns))
        programs = [self._program] * len(rows) if instances is None else instances
        costs = np.repeat(self._program.cost[None], len(rows), axis=0)
        costs[:, self._columns] = self._sign * rows
        starts = self._states.starts(programs, None if hint is None else hint.reshape(rows.shape))
        tasks = [Task(*each) for each in zip(itertools.count(), programs, costs, starts, strict=False)]
        found = self._solve(tasks)
        points = np.array([one.x for one in found]).reshape(len(found), self._program.width)
        self._states.remember(points)
        self._note(found)
        return points[:, self._columns].reshape(theta.shape)

    def prepare(self, instance: Any) -> Program:
        """Return the programme of an instance."""
        try:
            return self._parameters.apply(instance)
        except InvalidInstanceError as error:
            raise InvalidInstanceError(f"{self.name}: {error}") from None

    def decode(self, z: Any, *, instance: Any = None) -> dict[str, float]:  # type: ignore[override]
        """Return the value of each variable of the problem, by name.

        Variables that theta does not stand for have the best values that go with z.
        """
        program = self._program if instance is None else self.prepare(instance)
        x = self._states.complete(z, program)
        return dict(zip(program.names, (x + 0.0).tolist(), strict=True))

    def encode(self, structure: Mapping[Any, float]) -> NDArray[np.float64]:
        """Return the state of values by variable, or by the name of one."""
        try:
            values = {getattr(key, "name", key): float(value) for key, value in structure.items()}
        except (AttributeError, TypeError, ValueError):
            raise SolverParameterError(
                f"{self.name}: a solution is a mapping from variables, or their names, to numbers; got {structure!r}."
            ) from None
        names = [self._program.names[column] for column in self._columns]
        for name in names:
            if name not in values:
                raise SolverParameterError(
                    f"{self.name}: the solution has no value for {name!r}.{closest(name, map(str, values))}"
                )
        return np.array([values[name] for name in names]).reshape(self._shape)

    def is_feasible(
        self, z: NDArray[Any], *, instances: Sequence[Program] | None = None
    ) -> NDArray[np.bool_]:
        """Return which states satisfy all constraints, with some values of the variables that they leave open."""
        rows = np.asarray(z, float).reshape(len(z), len(self._columns))
        programs = [self._program] * len(rows) if instances is None else instances
        return self._states.are_feasible(rows, programs)

    def fixed_terms(
        self, z: NDArray[Any], *, instances: Sequence[Program] | None = None
    ) -> NDArray[np.float64]:
        """Return the best value of the objective's other terms that goes with each state, constant included."""
        programs = [self._program] * len(z) if instances is None else instances
        costs = [
            self._program.cost @ self._states.complete(row, one) for row, one in zip(z, programs, strict=True)
        ]
        return self._sign * np.array(costs, float) + self._constant

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """List all states, of at most 2^16 combinations of integers, where theta is the whole objective."""
        program = self._program if instance is None else self.prepare(instance)
        lower, upper = np.ceil(program.lower[self._columns]), np.floor(program.upper[self._columns])
        if program.cost.any() or not program.integer[self._columns].all():
            raise MissingCapabilityError(
                f"{self.name}: a set can be listed where theta is the whole objective and stands for integers alone."
            )
        if not np.prod(np.maximum(upper - lower + 1, 0)) <= LISTED:
            raise MissingCapabilityError(
                f"{self.name}: the variables have too many combinations of values to be listed, more than {LISTED}."
            )
        ranges = [np.arange(low, high + 1) for low, high in zip(lower, upper, strict=True)]
        states = np.array(list(itertools.product(*ranges)), float).reshape(-1, len(ranges))
        good = self.is_feasible(states, instances=[program] * len(states))
        return states[good].reshape(-1, *self._shape)

    def explain(self) -> str:
        """Return which backend solves and why."""
        program = self._program
        return (
            f"{self.name}: {'maximises' if self.sense == 'max' else 'minimises'} over {program.width} variables, "
            f"{int(program.integer.sum())} of them integers, with {program.height} constraints; theta stands for "
            f"{len(self._columns)} of them. "
            f"{self._way}."
        )

    @property
    def _way(self) -> str:
        """Who solves, one after the other."""
        if not self._relaxes:
            return f"Solved by {self._choice}"
        if not self._program.integer.any():
            return "It is linear: the primal simplex method solves it, compiled where it is small, by HiGHS elsewhere"
        if self._choice.asked != "auto":
            return f"The linear relaxation comes first; the search is by {self._choice}"
        return (
            "The linear relaxation comes first, and then the compiled branch and bound; what is too large or too hard "
            f"for it is left to {self._choice}"
        )

    def _read(self, problem: Any, entries: list[Any]) -> Model:
        if isinstance(problem, (str, os.PathLike)):
            return read_mps(problem)
        if not isinstance(problem, pulp.LpProblem):
            raise SolverParameterError(
                f"problem must be a pulp.LpProblem or the path of an MPS file; got {problem!r}."
            )
        return lower(problem, [one for one in entries if not isinstance(one, str)])

    @property
    def _relaxes(self) -> bool:
        return self._choice.asked == "auto" or not is_command(self._choice.asked)

    def _output(self) -> Literal["binary", "integer", "real"]:
        columns, program = self._columns, self._program
        if not program.integer[columns].all():
            return "real"
        binary = (program.lower[columns] >= 0).all() and (program.upper[columns] <= 1).all()
        bounds = {place.array for places in self._parameters.places.values() for place in places}
        return "binary" if binary and not bounds & {"lower", "upper"} else "integer"

    def _searcher(self) -> Searcher:
        return Searcher(self._program)

    def _solve(self, tasks: list[Task]) -> list[Found]:
        limit = self.time_limit
        # Rows of one instance follow each other, so that a loaded programme is seldom changed.
        first: dict[int, int] = {}
        tasks = sorted(tasks, key=lambda task: first.setdefault(id(task.program), task.row))
        found: dict[int, Found] = {}

        def settle(some: list[Task], answers: Sequence[Found | None]) -> list[Task]:
            """Take the answers over; return the tasks that have none."""
            found.update((task.row, one) for task, one in zip(some, answers, strict=False) if one is not None)
            return [task for task in some if task.row not in found]

        if self._relaxes:
            settled, to_search, tasks = self._relaxations.settle(tasks)
            found.update(settled)
            relaxed = self._workers.map(lambda searcher, task: searcher.relax(task, limit), tasks)
            tasks = settle(tasks, relaxed)
            if self._choice.asked == "auto":
                settled, to_search = self._relaxations.search(to_search)
                found.update(settled)
            tasks += to_search
        if tasks and self._choice.name is None:
            # A "row" of its own, for which one thread and its models measure.
            measured = self._workers.map(
                lambda searcher, some: self._choice.measure(searcher, some, limit), [tasks]
            )
            tasks = settle(tasks, measured[0])
        search = self._choice.search
        settle(tasks, self._workers.map(lambda searcher, task: search(searcher, task, limit), tasks))
        return [found[row] for row in range(len(found))]

    def _finish(self, held: Program) -> NDArray[np.float64]:
        """Return the best point of a programme whose columns of theta are held, or that the time limit allows."""
        task, limit = Task(0, held, held.cost, None), self.time_limit

        def solve(searcher: Searcher, task: Task) -> Found:
            return searcher.relax(task, limit) or searcher.search(self._choice.name or "highs", task, limit)

        try:
            return self._workers.map(solve, [task])[0].x
        except SolverError as error:
            error.row = None  # of a state, not of a batch
            raise

    def _note(self, found: list[Found]) -> None:
        value = np.array([one.value for one in found], float)
        bound = np.array([one.bound for one in found], float)
        late = np.array([one.late for one in found], bool)
        gaps = np.where(
            late, np.maximum(value - bound, 0) / np.maximum(np.abs(value), np.finfo(float).tiny), 0
        )
        statuses = np.where(late, Status.TIME_LIMIT, Status.OPTIMAL)
        objectives = self._sign * value + self._constant
        self.note_outcomes(statuses, objectives, gaps, on_timeout=self.on_timeout)
