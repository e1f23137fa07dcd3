"""Vehicle routing: the cheapest routes that serve all customers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from imle_core import Solver, Status
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverError,
    SolverParameterError,
)
from imle_ortools import _vrp_methods as methods
from imle_ortools import _vrp_routes as plans
from imle_ortools._reading import one_of
from imle_ortools._routing import INSERTION, Search
from imle_ortools._vrp_data import data_of
from imle_ortools.routing_problem import RoutingProblem, problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from imle_ortools._kernels.vrp_data import Data

Method = Literal["auto", "exact", "local_search", "routing"]
Negative = Literal["allow", "clip", "error"]

AUTO_EXACT = 10
"""Up to so many customers ``method="auto"`` is exact: a few milliseconds, but some tens of them, for each depot where
vehicles start, with limits of time and of length that are both wide."""
MOST_EXACT, MOST_TIMED = 16, 14
"""And up to so many it is by the dynamic programme, in a second or less; the fewer with windows, lengths or pairs. With
limits of time and of length that are both wide, it may take several seconds and half a gigabyte."""
LARGEST = 1e300
"""Costs beyond, beside costs that are fixed, could overflow in a sum."""

_data_of = functools.lru_cache(maxsize=256)(data_of)


class VehicleRouting(Solver):
    r"""The routes of least cost by which vehicles visit all customers.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle + h(z), \qquad Z = \{z \in \{0, 1\}^{n \times n} :
       \text{z are the arcs of routes that respect the problem}\}

    Costs have shape ``(N, n, n)``, from row to column, symmetric or not; the diagonal, and other arcs that no route
    has, are not looked at. h are the fixed costs of the problem, if it has any: offsets, penalties, vehicles. An arc is
    used once at most, because every customer is visited once at most.

    **Methods.** ``"exact"`` is a compiled dynamic programme over sets of customers, and from 17 of them on (15 with
    windows, lengths or pairs) CP-SAT, which may take very long to prove a plan. ``"local_search"`` removes strings
    of neighbouring customers and inserts them again, compiled; its answer depends on the row and the seed alone.
    ``"routing"`` is OR-Tools' routing library, one fresh model a row. ``"auto"`` is exact up to 10 customers, and
    searches beyond; or takes the routing library, if one of its parameters is given. The two searches are **not**
    exact.

    **Costs below zero** are allowed by all methods: the routing library, which needs costs of at least 0, is given
    costs raised for each customer by a constant, which changes no comparison of two plans.

    Args:
        problem: A :class:`RoutingProblem`, or a mapping of its options. ``None`` if each row brings its own.
        method: See above.
        iterations: Of ``"local_search"``, for each row; by default 1,000 for up to 20 customers, from there more and
            more, 20,000 for 36 to 400, and 50 for each customer beyond.
        seed: Of the random numbers of ``"local_search"``, and of the routing library's.
        first_solution_strategy: Of the routing library, under its own name; by default
            ``"PARALLEL_CHEAPEST_INSERTION"``. Others, such as ``"PATH_CHEAPEST_ARC"``, go through all plans until one
            is feasible: with few vehicles give them a ``time_limit``.
        local_search_metaheuristic: Likewise; by default ``"GREEDY_DESCENT"``.
        solution_limit: Likewise.
        time_limit: Seconds for each row of the two searches and of CP-SAT; ``None``: no limit.
        on_timeout: ``"use"`` takes the best plan that was found when the time ran out, ``"error"`` raises.
        negative: ``"allow"``, ``"clip"`` or ``"error"``, see :class:`imle_core.Solver`.
        threads: Threads at most, of the compiled methods; by default the CPUs of this process.

    Rows may have different problems: an instance is a RoutingProblem, or a mapping of options, which take the place of
    those of the constructor's problem. Without that, sizes may differ; theta are then padded. With it, instances must
    not add fixed costs to a problem that has none (give it ``offsets`` of 0, or no penalty but ``None``).

    ``decode`` returns the nodes of each vehicle's route, start and end included, ``[]`` for one that is not used; of
    vehicles that are alike the first ones are. ``encode`` takes such lists.

    Raises:
        SolverParameterError: a parameter is not valid, or no plan can be feasible; the message names the node.
        InvalidInstanceError: the same of an instance.
        InfeasibleError: ``"exact"`` proved that a row has no plan.
        SolverTimeoutError: no plan was found in time, or ``on_timeout="error"``.
        SolverError: a search found no plan, which is no proof that there is none.

    References:
        Dantzig and Ramser (1959), The truck dispatching problem. Held and Karp (1962), A dynamic programming approach
        to sequencing problems. Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle
        routing problems.

    Example:
        >>> import numpy as np
        >>> solver = VehicleRouting(RoutingProblem(demands=[0, 2, 1, 2], capacities=3))
        >>> places = np.array([[0.0, 0.0], [0.0, 2.0], [1.0, 2.0], [3.0, 0.0]])
        >>> z = solver.solve(np.linalg.norm(places[:, None] - places, axis=2)[None])
        >>> solver.decode(z)
        [[[0, 2, 1, 0], [0, 3, 0]]]
    """

    sense = "min"
    output = "binary"

    def __init__(
        self,
        problem: RoutingProblem | Mapping[str, Any] | None = None,
        *,
        method: Method = "auto",
        iterations: int | None = None,
        seed: int = 0,
        first_solution_strategy: str | None = None,
        local_search_metaheuristic: str | None = None,
        solution_limit: int | None = None,
        time_limit: float | None = None,
        on_timeout: Literal["use", "error"] = "use",
        negative: Negative = "allow",
        threads: int | None = None,
    ) -> None:
        one_of("method", method, get_args(Method))
        one_of("negative", negative, get_args(Negative))
        one_of("on_timeout", on_timeout, ("use", "error"))
        for name, value in (("iterations", iterations), ("threads", threads)):
            if value is not None and value < 1:
                raise SolverParameterError(f"{name} must be at least 1, or None; got {value}.")
        self.problem = None if problem is None else problem_of(problem)
        self.iterations, self.seed, self.time_limit, self.on_timeout = (
            iterations,
            seed,
            time_limit,
            on_timeout,
        )
        self.negative, self.threads = negative, threads
        library: dict[str, Any] = {
            "first_solution_strategy": first_solution_strategy,
            "local_search_metaheuristic": local_search_metaheuristic,
            "solution_limit": solution_limit,
        }
        asked = {name: value for name, value in library.items() if value is not None}
        if asked and method not in ("auto", "routing"):
            raise SolverParameterError(
                f"{', '.join(asked)}: only for method='routing'; got method={method!r}."
            )
        self.method: Method = "routing" if asked else method
        self._search = Search(
            time_limit=time_limit, seed=seed, **{"first_solution_strategy": INSERTION, **asked}
        )
        self._own: Data | None = None
        self.event_shape: tuple[int | None, ...] = (None, None)
        if self.problem is not None:
            self._own = _data_of(self.problem)
            self.event_shape = (self.problem.size, self.problem.size)
        self.scale_invariant = self.problem is not None and not self.problem.has_fixed_costs

    def prepare(self, instance: Any) -> Data:
        """Return the problem of a row as arrays.

        Raises:
            InvalidInstanceError: it is not valid, cannot be feasible, or does not go with the constructor's problem.
        """
        try:
            problem = problem_of(instance, self.problem)
            data = _data_of(problem)
        except SolverParameterError as error:
            raise InvalidInstanceError(f"{self.name}: {error}") from None
        if self.problem is not None and problem.size != self.problem.size:
            raise InvalidInstanceError(
                f"{self.name}: an instance has {problem.size} nodes, the constructor's problem {self.problem.size}; "
                "for problems of different size make the solver without one."
            )
        if self.scale_invariant and problem.has_fixed_costs:
            raise InvalidInstanceError(
                f"{self.name}: an instance has offsets, penalties or vehicle_costs, which the constructor's problem "
                "has not; give that some as well, such as vehicle_costs=0.0."
            )
        return data

    def shape_of(self, prepared: Data) -> tuple[int, ...]:
        """Return the shape of a row of theta with this instance."""
        return (len(prepared.demand) - 1,) * 2

    def solve(  # type: ignore[override]
        self,
        theta: NDArray[Any],
        *,
        instances: Sequence[Data] | None = None,
        hint: NDArray[Any] | None = None,
    ) -> NDArray[np.float64]:
        """Return the routes of each row of theta, see :meth:`imle_core.Solver.solve`."""
        problems = self._problems(instances, len(theta))
        if not self.scale_invariant and float(np.abs(theta).max(initial=0.0)) > LARGEST:
            raise InvalidThetaError(f"{self.name}: theta exceeds {LARGEST:g}, beside costs that are fixed.")
        theta = np.ascontiguousarray(theta, np.float64)
        answers = methods.empty(theta, Status.FEASIBLE)
        chosen = np.array([self._method_of(data) for data in problems])
        for method in ("exact", "circuit", "local_search", "routing"):
            rows = np.flatnonzero(chosen == method)
            if len(rows):
                self._solve_rows(method, rows, theta, problems, hint, answers)
        self.note_outcomes(
            answers.statuses,
            answers.objectives,
            answers.gaps,
            on_timeout=self.on_timeout,
        )
        return answers.states

    def _solve_rows(
        self,
        method: str,
        rows: NDArray[np.intp],
        theta: NDArray[np.float64],
        problems: Sequence[Data],
        hint: NDArray[Any] | None,
        answers: methods.Answers,
    ) -> None:
        """Solve the rows that go to one method, and write their answers."""
        everything = len(rows) == len(theta)
        costs = theta if everything else theta[rows]
        known = hint if hint is None or everything else hint[rows]
        some = problems if everything else [problems[row] for row in rows]
        try:
            if method == "exact":
                found = methods.solve_exactly(costs, some, self.threads)
            elif method == "circuit":
                found = methods.by_circuit(
                    costs, some, known, seed=self.seed, time_limit=self.time_limit, threads=self.threads
                )
            elif method == "routing":
                found = methods.by_library(costs, some, known, self._search)
            else:
                found = methods.search(
                    costs,
                    some,
                    known,
                    iterations=self.iterations,
                    seed=self.seed,
                    time_limit=self.time_limit,
                    threads=self.threads,
                )
        except SolverError as error:
            error.row = None if error.row is None else int(rows[error.row])
            raise
        answers.states[rows], answers.objectives[rows], answers.statuses[rows], answers.gaps[rows] = found

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> list[list[int]]:  # type: ignore[override]
        """Return the nodes of each vehicle's route, see the class.

        Raises:
            InvalidSolutionError: the state is no feasible plan.
        """
        data = self._look_up(instance)
        n = len(data.demand) - 1
        routes = plans.routes_of(z[:n, :n], data)
        vehicles = None if routes is None else plans.drivers(routes, data)
        if routes is None or vehicles is None:
            raise self._no_plan("the state is no plan of feasible routes")
        stops: list[list[int]] = [[] for _ in range(max(vehicles, default=-1) + 1)]
        for vehicle, (start, path, end) in zip(vehicles, routes, strict=True):
            stops[vehicle] = [start, *path, *([end] if end < n else [])]
        return stops

    def encode(self, structure: Sequence[Sequence[int]], *, instance: Any = None) -> NDArray[np.float64]:
        """Return the state of a plan, the inverse of :meth:`decode`.

        Raises:
            InvalidSolutionError: it is no feasible plan.
        """
        data = self._look_up(instance)
        n = len(data.demand) - 1
        state = np.zeros((n, n))
        for route in structure:
            for node in route:
                if isinstance(node, bool) or not isinstance(node, (int, np.integer)) or not 0 <= node < n:
                    raise self._no_plan(f"the route {route!r} has {node!r}; nodes are 0 to {n - 1}")
            np.add.at(state, (list(route[:-1]), list(route[1:])), 1)
        if not plans.is_plan(state, data):
            raise self._no_plan(f"{structure!r} is no plan of feasible routes that visit every customer")
        return state

    def is_feasible(self, z: NDArray[Any], *, instances: Sequence[Data] | None = None) -> NDArray[np.bool_]:
        """Return for each state whether it is a feasible plan."""
        good = np.zeros(len(z), np.bool_)
        for row, data in enumerate(self._problems(instances, len(z))):
            n = len(data.demand) - 1
            own = z[row, :n, :n]
            good[row] = np.count_nonzero(z[row]) == np.count_nonzero(own) and plans.is_plan(own, data)
        return good

    def fixed_terms(self, z: NDArray[Any], *, instances: Sequence[Data] | None = None) -> NDArray[np.float64]:
        """Return what feasible plans cost beside theta, shape ``(N,)``."""
        problems = self._problems(instances, len(z))
        sizes = [len(data.demand) - 1 for data in problems]
        return np.array(
            [
                plans.fixed_costs(state[:n, :n], data)
                for state, data, n in zip(z, problems, sizes, strict=True)
            ]
        )

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return all feasible plans of a problem with up to 7 customers, shape ``(K, n, n)``.

        Raises:
            MissingCapabilityError: there are too many.
        """
        data = self._look_up(instance)
        n = len(data.demand) - 1
        found: dict[bytes, NDArray[np.float64]] = {}
        few = len(data.customers) <= plans.MOST_CUSTOMERS
        for routes in plans.plans_of(data) if few else ():
            state = np.zeros((n, n))
            plans.write(routes, state)
            found[state.tobytes()] = state
            few = len(found) <= plans.MOST_PLANS
            if not few:
                break
        if not few:
            raise MissingCapabilityError(
                f"{self.name} lists the plans of up to {plans.MOST_CUSTOMERS} customers, up to {plans.MOST_PLANS:,} of "
                f"them; this problem has {len(data.customers)} customers."
            )
        return np.array(list(found.values())).reshape(-1, n, n)

    def explain(self) -> str:
        """Return in words which method solves this problem and why."""
        words = {
            "exact": "a compiled dynamic programme over sets of customers, exact",
            "circuit": "CP-SAT, from the plan that a search finds, exact",
            "local_search": "a compiled search that removes and inserts customers, not exact",
            "routing": "OR-Tools' routing library, a fresh model for each row, not exact",
        }
        if self._own is None:
            how = (
                words[self.method]
                if self.method != "auto"
                else (f"for up to {AUTO_EXACT} customers {words['exact']}; for more, {words['local_search']}")
            )
            return f"{self.name}: minimises costs; each row brings its problem; {how}."
        method, customers = self._method_of(self._own), len(self._own.customers)
        why = f" (method='auto', {customers} customers)" if self.method == "auto" else ""
        return f"{self.name}: minimises costs; {words[method]}{why}."

    def _method_of(self, data: Data) -> str:
        """Return the method that solves a problem."""
        customers, most = len(data.customers), MOST_EXACT if data.plain else MOST_TIMED
        if self.method == "exact" and customers > most:
            return "circuit"
        if self.method != "auto":
            return self.method
        return "exact" if customers <= AUTO_EXACT else "local_search"

    def _problems(self, instances: Sequence[Data] | None, rows: int) -> Sequence[Data]:
        return [self._own_data()] * rows if instances is None else instances

    def _look_up(self, instance: Any) -> Data:
        return self._own_data() if instance is None else self.prepare(instance)

    def _own_data(self) -> Data:
        if self._own is None:
            raise InvalidInstanceError(
                f"{self.name}: no problem: give it to the constructor, or to each row as "
                "instances=[RoutingProblem(...)]."
            )
        return self._own

    def _no_plan(self, fault: str) -> InvalidSolutionError:
        error = InvalidSolutionError(f"{fault}.")
        error.solver = self.name
        return error
