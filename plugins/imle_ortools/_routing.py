"""The routing library: search parameters under OR-Tools' own names, and a fresh model for every row.

A model that is reused with other costs remembers what it searched before: answers then depend on the order of calls. So
one is built for each row, which takes a fifth of a millisecond, from matrices of integers: a Python callback costs
several times as much, and one that raises, or returns a float, ends as a wrong "optimum" without any error.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from imle_core import Status
from imle_core.errors import (
    SolverError,
    SolverParameterError,
    SolverTimeoutError,
    closest,
)
from imle_ortools._limits import require_seed, require_time_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_STRATEGIES = routing_enums_pb2.FirstSolutionStrategy.Value
_METAHEURISTICS = routing_enums_pb2.LocalSearchMetaheuristic.Value
_ENDING = frozenset({"AUTOMATIC", "GREEDY_DESCENT"})
"""Metaheuristics that end at a local optimum; the others search until a limit."""
_NEEDS_CALLBACK = frozenset({"UNSET", "EVALUATOR_STRATEGY", "SWEEP"})
_TRIES_ALL = "PATH_CHEAPEST_ARC"
INSERTION = "PARALLEL_CHEAPEST_INSERTION"
"""A strategy that ends, with a first solution or without; others go through all, which may take for ever."""
_STATUS = routing_enums_pb2.RoutingSearchStatus


@dataclass(frozen=True)
class Search:
    """How the routing library searches, under its own names.

    Args:
        first_solution_strategy: Name of one of ``FirstSolutionStrategy``, such as ``"PATH_CHEAPEST_ARC"``, which goes
            through all solutions until it finds a feasible one: without a time limit that may take for ever.
        local_search_metaheuristic: Name of one of ``LocalSearchMetaheuristic``. All but ``"GREEDY_DESCENT"`` and
            ``"AUTOMATIC"`` search until a limit.
        time_limit: Seconds for each row, above 0; None: no limit. What is found at a limit of time depends on the
            machine; ``solution_limit`` does not.
        solution_limit: Solutions at most that a row's search goes through, above 0.
        seed: Of the metaheuristics that draw at random.

    Raises:
        SolverParameterError: one of them is not valid, or the search would never end.
    """

    first_solution_strategy: str = "PATH_CHEAPEST_ARC"
    local_search_metaheuristic: str = "GREEDY_DESCENT"
    time_limit: float | None = None
    solution_limit: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Validate all fields."""
        _one_of("first_solution_strategy", self.first_solution_strategy, _STRATEGIES.keys())
        _one_of("local_search_metaheuristic", self.local_search_metaheuristic, _METAHEURISTICS.keys())
        require_time_limit(self.time_limit)
        if self.solution_limit is not None and not self.solution_limit > 0:
            raise SolverParameterError(
                f"solution_limit must be above 0, or None; got {self.solution_limit!r}."
            )
        require_seed(self.seed)
        if not self._ends and self.time_limit is None and self.solution_limit is None:
            raise SolverParameterError(
                f"local_search_metaheuristic {self.local_search_metaheuristic!r} searches until a limit; give it a "
                "time_limit or a solution_limit, or take 'GREEDY_DESCENT'."
            )

    @property
    def _ends(self) -> bool:
        return self.local_search_metaheuristic in _ENDING

    @functools.cached_property
    def _parameters(self) -> Any:
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = _STRATEGIES.Value(self.first_solution_strategy)
        parameters.local_search_metaheuristic = _METAHEURISTICS.Value(self.local_search_metaheuristic)
        # Where local search fails, the library asks CP-SAT, which would leave the process without Python's handler.
        parameters.sat_parameters.catch_sigint_signal = False
        if self.time_limit is not None:
            parameters.time_limit.FromTimedelta(timedelta(seconds=self.time_limit))
        if self.solution_limit is not None:
            parameters.solution_limit = self.solution_limit
        return parameters

    def __getstate__(self) -> dict[str, Any]:
        """Leave out OR-Tools' own object."""
        return {name: value for name, value in self.__dict__.items() if name != "_parameters"}


class Routes(NamedTuple):
    """What a search found.

    Attributes:
        nodes: The nodes of each vehicle's route, its start and its end included.
        cost: The objective, an integer of the model.
        status: ``Status.FEASIBLE``, or ``Status.TIME_LIMIT`` if time ended the descent to a local optimum. Never
            ``Status.OPTIMAL``: the library also claims that where its time was over at its first solution.
    """

    nodes: list[list[int]]
    cost: int
    status: Status


class Model:
    """A routing model for one row: build it, add to it, search once.

    ``manager`` and ``routing`` are OR-Tools' own objects, to add dimensions, disjunctions and so on.

    Args:
        nodes: Number of nodes.
        starts: The node at which each vehicle starts.
        ends: And ends; by default where it starts.

    Example:
        >>> import numpy as np
        >>> model = Model(3, starts=[0])
        >>> model.set_costs(np.array([[0, 1, 9], [9, 0, 1], [1, 9, 0]]))
        >>> model.search(Search()).nodes
        [[0, 1, 2, 0]]
    """

    def __init__(self, nodes: int, starts: Sequence[int], ends: Sequence[int] | None = None) -> None:
        ends = starts if ends is None else ends
        self.manager = pywrapcp.RoutingIndexManager(nodes, len(starts), list(starts), list(ends))
        self.routing = pywrapcp.RoutingModel(self.manager)

    def matrix(self, values: NDArray[np.int64]) -> int:
        """Register a matrix of integers by node, shape ``(nodes, nodes)``; return the index of its evaluator."""
        return self.routing.RegisterTransitMatrix(values.tolist())

    def set_costs(self, values: NDArray[np.int64], vehicle: int | None = None) -> None:
        """Set the costs of arcs, integers >= 0, shape ``(nodes, nodes)``, of one vehicle or of all.

        The sum of the costs of all arcs of a solution must stay below 2^62.
        """
        evaluator = self.matrix(values)
        if vehicle is None:
            self.routing.SetArcCostEvaluatorOfAllVehicles(evaluator)
        else:
            self.routing.SetArcCostEvaluatorOfVehicle(evaluator, vehicle)

    def search(self, search: Search, *, hint: Sequence[Sequence[int]] | None = None) -> Routes:
        """Search, from a first solution, or from routes that are known to be feasible.

        Args:
            search: How.
            hint: The nodes of each vehicle's route, without its start and end.

        Raises:
            SolverTimeoutError: the time was over before any was found.
            SolverError: the search ended without any, which does not prove that there is none, whatever the library
                says of its own model; or the model is invalid.
        """
        routing, parameters = self.routing, search._parameters
        routing.solver().ReSeed(search.seed)
        start = None
        if hint is not None:
            routing.CloseModelWithParameters(parameters)
            known = [[self.manager.NodeToIndex(node) for node in route] for route in hint]
            start = routing.ReadAssignmentFromRoutes(known, True)
        begin = time.perf_counter()
        if start is None:  # also if the library does not accept the hint
            found = routing.SolveWithParameters(parameters)
        else:
            found = routing.SolveFromAssignmentWithParameters(start, parameters)
        # The library may say that it succeeded when its time was over before it began to improve its first solution.
        late = search.time_limit is not None and time.perf_counter() - begin >= search.time_limit
        status = routing.status()
        if found is None:
            raise _failure(status, search)
        outcome = Status.FEASIBLE
        if search._ends and (late or status == _STATUS.ROUTING_PARTIAL_SUCCESS_LOCAL_OPTIMUM_NOT_REACHED):
            outcome = Status.TIME_LIMIT
        return Routes(self._nodes(found), found.ObjectiveValue(), outcome)

    def _nodes(self, found: Any) -> list[list[int]]:
        routing, manager, routes = self.routing, self.manager, []
        for vehicle in range(routing.vehicles()):
            index = routing.Start(vehicle)
            route = [manager.IndexToNode(index)]
            while not routing.IsEnd(index):
                index = found.Value(routing.NextVar(index))
                route.append(manager.IndexToNode(index))
            routes.append(route)
        return routes


def _failure(status: int, search: Search) -> SolverError:
    if status == _STATUS.ROUTING_FAIL_TIMEOUT:
        return SolverTimeoutError(
            f"no solution was found in {search.time_limit} s; increase time_limit, or try another "
            "first_solution_strategy."
        )
    if status == _STATUS.ROUTING_INVALID:
        return SolverError("the routing library says that the model or its search parameters are invalid.")
    strategy = search.first_solution_strategy
    another = _TRIES_ALL if strategy == INSERTION else INSERTION
    return SolverError(
        f"the routing library's search found no solution from first_solution_strategy {strategy!r}; there may be one: "
        f"try another strategy, such as {another!r}{', with a time_limit' if another == _TRIES_ALL else ''}."
    )


def _one_of(parameter: str, value: str, names: Sequence[str]) -> None:
    valid = sorted(set(names) - _NEEDS_CALLBACK)
    if value not in valid:
        raise SolverParameterError(
            f"{parameter} must be one of {', '.join(map(repr, valid))}; got {value!r}.{closest(str(value), valid)}"
        )
