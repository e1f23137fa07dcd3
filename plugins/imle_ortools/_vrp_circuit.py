"""The best routes by CP-SAT, where the dynamic programme has too many sets of customers: circuits through a depot."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.sat.python import cp_model

from imle_core import Status
from imle_core.errors import InfeasibleError, SolverError, SolverTimeoutError
from imle_core.integers import to_integers
from imle_core.parallel import interruptible
from imle_ortools._circuit import make_solver
from imle_ortools._kernels.vrp_data import NEVER
from imle_ortools._vrp_costs import narrowed
from imle_ortools._vrp_routes import Route, drivers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_ortools._kernels.vrp_data import Data
    from imle_ortools._vrp_costs import Costs


def solve_circuit(
    cost: NDArray[np.float64], data: Data, known: Sequence[Route], *, time_limit: float | None, seed: int
) -> tuple[list[Route], Status, float]:
    """Return the best routes for the costs of one row, what is known of them, and the proven relative gap.

    Args:
        cost: Costs of arcs, shape ``(n + 1, n + 1)``, infinite where there is no way.
        data: The problem.
        known: The routes of a good plan, to begin with; or none.
        time_limit: Seconds, or None.
        seed: Of CP-SAT.

    Raises:
        InfeasibleError: there is no plan.
        SolverTimeoutError: none was found in time.
        SolverError: CP-SAT found a fault in the model.
    """
    solver = make_solver(time_limit, seed)
    status, gap = Status.OPTIMAL, 0.0
    first: list[Route | None] = [None] * len(data.start)
    for vehicle, route in zip(drivers(known, data) or (), known, strict=False):
        first[vehicle] = route

    def find(arcs: Costs, left_out: Costs, fixed: Costs) -> list[Route | None]:
        nonlocal status, gap
        plan = _Plan(arcs, left_out, fixed, data)
        if any(first):
            plan.begin_at(first)
        outcome = interruptible(lambda: solver.solve(plan.model), solver.stop_search)
        if outcome == cp_model.INFEASIBLE:
            raise InfeasibleError("CP-SAT proved that no plan visits every customer and respects all limits.")
        if outcome == cp_model.UNKNOWN and not any(first):
            raise SolverTimeoutError(f"no plan was found in {time_limit} s; raise time_limit.")
        if outcome not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN):
            raise SolverError(
                f"CP-SAT ended with {outcome!r} on the routes of a row: {plan.model.validate()}"
            )
        routes = first if outcome == cp_model.UNKNOWN else plan.routes(solver)
        if outcome == cp_model.OPTIMAL:
            status, gap = Status.OPTIMAL, 0.0
            return routes
        if any(first) and plan.value(first) < plan.value(routes):
            routes = first
        value, bound = plan.value(routes), max(0.0, solver.best_objective_bound)  # costs are at least 0
        status, gap = Status.TIME_LIMIT, max(0.0, value - bound) / max(value, 1)
        return routes

    routes = narrowed(cost, data, find)
    return [route for route in routes if route is not None], status, gap


class _Plan:
    """A model of one row: for each kind of vehicle routes through a depot, for all together what customers ask."""

    def __init__(self, arcs: Costs, left_out: Costs, fixed: Costs, data: Data) -> None:
        self.data, self.model = data, cp_model.CpModel()
        self.many = len(data.customers)
        self.vehicle = [int(np.argmax(data.kind == kind)) for kind in range(data.kind.max() + 1)]
        parts = np.concatenate(
            [np.where(np.isfinite(each), each, 0.0).ravel() for each in (arcs, left_out, fixed)]
        )
        bits = 60 - (2 * len(self.vehicle) * arcs.size).bit_length()
        whole = to_integers(parts[None], bits)[0]
        price, self.penalty, self.hire = np.split(whole, [arcs.size, arcs.size + left_out.size])
        self.price = price.reshape(arcs.shape)
        self.totals: dict[str, list[Any]] = {}
        self.skips: dict[int, Any] = {}
        self.literals: list[dict[tuple[int, int], Any]] = []
        self.terms: list[tuple[Any, int]] = []
        self.visits = [self._circuits(kind, np.isfinite(arcs)) for kind in range(len(self.vehicle))]
        for place, node in enumerate(data.customers.tolist()):
            by_kind = [visit[place] for visit in self.visits]
            if np.isfinite(left_out[node]):
                self.skips[place] = self.model.new_bool_var("")
                self.terms.append((self.skips[place], int(self.penalty[node])))
                by_kind.append(self.skips[place])
            self.model.add_exactly_one(by_kind)
        self._limit_loads()
        self._limit_times()
        self._limit_lengths()
        self._join_pairs()
        literals, prices = zip(*self.terms, strict=True) if self.terms else ((), ())
        self.model.minimize(cp_model.LinearExpr.weighted_sum(literals, prices))

    def _circuits(self, kind: int, way: NDArray[np.bool_]) -> list[Any]:
        """Add the routes of a kind of vehicle; return whether one of them visits each customer."""
        data, model, vehicle = self.data, self.model, self.vehicle[kind]
        start, end, customers = int(data.start[vehicle]), int(data.end[vehicle]), data.customers.tolist()
        literals: dict[tuple[int, int], Any] = {}  # by places, -1 is the depot
        for i, j in itertools.product(range(-1, self.many), repeat=2):
            tail, head = start if i < 0 else customers[i], end if j < 0 else customers[j]
            if i != j and way[tail, head]:
                literals[i, j] = model.new_bool_var("")
                hire = int(self.hire[vehicle]) if i < 0 else 0
                self.terms.append((literals[i, j], int(self.price[tail, head]) + hire))
        visited = [model.new_bool_var("") for _ in customers]
        stays = [(place + 1, place + 1, each.negated()) for place, each in enumerate(visited)]
        arcs = [(i + 1, j + 1, literal) for (i, j), literal in literals.items()]
        # A route that is always there, through nobody: CP-SAT asks for one at least.
        nobody, there = self.many + 1, model.new_constant(1)
        model.add_multiple_circuit([*arcs, *stays, (0, nobody, there), (nobody, 0, there)])
        model.add(sum(each for (i, _), each in literals.items() if i < 0) <= int((data.kind == kind).sum()))
        self.literals.append(literals)
        return visited

    def _limit_loads(self) -> None:
        data = self.data
        if not data.demand.any():
            return
        most = int(np.abs(data.demand).sum())
        loads = self.totals["load"] = [self.model.new_int_var(0, most, "") for _ in range(self.many)]
        for kind, literals in enumerate(self.literals):
            capacity = min(int(data.capacity[self.vehicle[kind]]), most)
            for load, visited in zip(loads, self.visits[kind], strict=True):
                self.model.add(load <= capacity).only_enforce_if(visited)
            for (i, j), literal in literals.items():
                if j >= 0:
                    before = loads[i] if i >= 0 else 0
                    taken = int(data.demand[data.customers[j]])
                    self.model.add(loads[j] == before + taken).only_enforce_if(literal)

    def _limit_times(self) -> None:
        data = self.data
        if not (data.late < NEVER).any():
            return
        horizon = int(data.early.max() + data.travel.max(1).sum())
        late = np.minimum(data.late, horizon).tolist()
        begins = self.totals["time"] = [
            self.model.new_int_var(int(data.early[node]), late[node], "") for node in data.customers.tolist()
        ]
        self._accumulate(
            begins, data.travel, data.early, [late[end] for end in data.end[self.vehicle].tolist()]
        )

    def _limit_lengths(self) -> None:
        data = self.data
        if not (data.longest < NEVER).any():
            return
        most = int(data.length.max(1).sum())
        longest = np.minimum(data.longest[self.vehicle], most).tolist()
        walked = self.totals["length"] = [
            self.model.new_int_var(0, max(longest), "") for _ in range(self.many)
        ]
        self._accumulate(walked, data.length, np.zeros_like(data.early), longest)

    def _accumulate(
        self, values: list[Any], step: NDArray[Any], first: NDArray[Any], last: list[int]
    ) -> None:
        """Let values grow along routes by at least the step of each arc, from a start, to a limit at the end."""
        data, model = self.data, self.model
        for kind, literals in enumerate(self.literals):
            vehicle = self.vehicle[kind]
            start, end = int(data.start[vehicle]), int(data.end[vehicle])
            for (i, j), literal in literals.items():
                tail, head = (
                    start if i < 0 else int(data.customers[i]),
                    end if j < 0 else int(data.customers[j]),
                )
                before = int(first[start]) if i < 0 else values[i]
                after = last[kind] if j < 0 else values[j]
                model.add(before + int(step[tail, head]) <= after).only_enforce_if(literal)

    def _join_pairs(self) -> None:
        """Let one vehicle visit both of a pair, the pickup first: each customer knows the first one of its route."""
        data, model = self.data, self.model
        pickups = np.flatnonzero(data.delivery >= 0).tolist()
        if not pickups:
            return
        route = [model.new_int_var(0, self.many - 1, "") for _ in range(self.many)]
        rank = [model.new_int_var(0, self.many - 1, "") for _ in range(self.many)]
        for literals in self.literals:
            for (i, j), literal in literals.items():
                if j >= 0:
                    model.add(route[j] == (route[i] if i >= 0 else j)).only_enforce_if(literal)
                if i >= 0 and j >= 0:
                    model.add(rank[j] == rank[i] + 1).only_enforce_if(literal)
        for pickup in pickups:
            first, second = int(data.place[pickup]), int(data.place[data.delivery[pickup]])
            for visited in self.visits:
                model.add(visited[first] == visited[second])
            together = [visited[first] for visited in self.visits]
            for visited in together:
                model.add(route[first] == route[second]).only_enforce_if(visited)
                model.add(rank[first] < rank[second]).only_enforce_if(visited)

    def begin_at(self, known: Sequence[Route | None]) -> None:
        """Begin at a plan, the route of each vehicle."""
        data, value = self.data, dict[int, int]()  # by the index of a variable
        used: set[tuple[int, int, int]] = set()
        for vehicle, route in enumerate(known):
            if route is None:
                continue
            kind = int(data.kind[vehicle])
            here, load, walked, clock = route.start, 0, 0, int(data.early[route.start])
            before = -1
            for node in route.nodes:
                place = int(data.place[node])
                load += int(data.demand[node])
                walked += int(data.length[here, node])
                clock = max(clock + int(data.travel[here, node]), int(data.early[node]))
                for name, number in (("load", load), ("length", walked), ("time", clock)):
                    if name in self.totals:
                        value[self.totals[name][place].index] = number
                used.add((kind, before, place))
                here, before = node, place
            used.add((kind, before, -1))
        for kind, literals in enumerate(self.literals):
            for (i, j), literal in literals.items():
                value[literal.index] = (kind, i, j) in used
            for place, visited in enumerate(self.visits[kind]):
                value[visited.index] = any((kind, i, place) in used for i in range(-1, self.many))
        for place, literal in self.skips.items():
            value[literal.index] = not any(value[visits[place].index] for visits in self.visits)
        for index, number in value.items():
            self.model.add_hint(self.model.get_int_var_from_proto_index(index), number)

    def value(self, routes: Sequence[Route | None]) -> int:
        """Return the objective of a plan."""
        total, left_out = 0, set(self.data.customers.tolist())
        for vehicle, route in enumerate(routes):
            if route is not None:
                stops = [route.start, *route.nodes, route.end]
                total += int(self.price[stops[:-1], stops[1:]].sum()) + int(self.hire[vehicle])
                left_out -= set(route.nodes)
        return total + int(self.penalty[list(left_out)].sum())

    def routes(self, solver: cp_model.CpSolver) -> list[Route | None]:
        """Return the route of each vehicle."""
        data = self.data
        routes: list[Route | None] = [None] * len(data.start)
        for kind, literals in enumerate(self.literals):
            after = {i: j for (i, j), literal in literals.items() if i >= 0 and solver.boolean_value(literal)}
            firsts = [j for (i, j), literal in literals.items() if i < 0 and solver.boolean_value(literal)]
            vehicles = np.flatnonzero(data.kind == kind).tolist()
            for vehicle, here in zip(vehicles, firsts, strict=False):
                path = []
                while here >= 0:
                    path.append(int(data.customers[here]))
                    here = after[here]
                routes[vehicle] = Route(int(data.start[vehicle]), tuple(path), int(data.end[vehicle]))
        return routes
