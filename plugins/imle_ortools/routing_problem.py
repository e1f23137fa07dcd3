"""What a vehicle-routing problem asks beside its arc costs: the options class of ``ortools.vrp``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from imle_core.errors import SolverParameterError, closest
from imle_ortools._problem_fields import matrix, nodes, numbers, pairs, whole, windows

Matrix = Sequence[Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class RoutingProblem:
    r"""Vehicles, customers, and what the routes of the vehicles must respect. Whatever is left out is not asked.

    Nodes are 0 to ``nodes - 1``. Those where vehicles start and end are depots, all others are customers, and each is
    visited by one vehicle. A vehicle without customers stays where it is and costs nothing. With z the arcs used, the
    cost of a plan is

    .. math:: \langle z, c + \text{offsets} \rangle + \sum_{k \text{ used}} \text{vehicle\_costs}_k
       + \sum_{i \text{ not visited}} \text{penalties}_i

    Sequences and arrays are kept as tuples, so that a problem is hashable. Numbers that constraints compare (loads,
    times, lengths) become integers: exactly where they have at most six decimals, and are below 2e15 of the last one;
    else to 2^-50 of the largest that can matter. One that would lose more than a millionth of itself is refused. A
    limit that no route comes up to, however large, is none; times are counted from the first start.

    Args:
        nodes: How many nodes there are; by default as many as the demands, windows, ... have.
        vehicles: How many vehicles there are at most; by default one for each customer, or as many as ``starts`` has.
        starts: Depot where each vehicle starts: one for all, or one for each.
        ends: Depot where each vehicle ends: one for all, or one for each. ``"start"``: where it started. ``None``: at
            its last customer, an open route.
        demands: What a vehicle takes up at each node, below zero what it sets down; 0 at depots. A load begins with 0,
            and never falls below 0 or rises above the capacity.
        capacities: Largest load of a vehicle: one for all, or one for each.
        travel_times: Time from node to node, shape ``(nodes, nodes)``; ``inf`` where there is no way. Data, not theta:
            the set of routes must not change with theta.
        service_times: Time spent at each node before leaving it, also at the depot before the first customer.
        windows: Earliest and latest begin of service at each node, or ``None`` for any time. A vehicle that is early
            waits. Of a depot: when vehicles may leave, and when they must be back.
        pickups: Pairs ``(pickup, delivery)`` of customers that one vehicle visits in this order.
        penalties: Cost of leaving a customer out, one for all or one for each node; ``None`` for those that must be
            visited. A prize p for a visit is a penalty of p. Members of a pair are left out together.
        vehicle_costs: Cost of using a vehicle: one for all, or one for each.
        lengths: Length from node to node, shape ``(nodes, nodes)``, of which ``max_length`` is the limit; ``inf`` where
            there is no way. Data, as the travel times are, which may serve here again.
        max_length: Greatest length of a route: one for all vehicles, or one for each.
        offsets: Costs that are added to theta, shape ``(nodes, nodes)``.

    Raises:
        SolverParameterError: an option has the wrong form or length, or names a node that does not exist.

    Example:
        >>> problem = RoutingProblem(demands=[0, 2, 1, 2], capacities=3)
        >>> problem.size, problem.demands
        (4, (0.0, 2.0, 1.0, 2.0))
    """

    nodes: int | None = None
    vehicles: int | None = None
    starts: int | Sequence[int] = 0
    ends: int | Sequence[int | None] | Literal["start"] | None = "start"
    demands: Sequence[float] | None = None
    capacities: float | Sequence[float] | None = None
    travel_times: Matrix | None = None
    service_times: float | Sequence[float] | None = None
    windows: Sequence[tuple[float, float] | None] | None = None
    pickups: Sequence[tuple[int, int]] = ()
    penalties: float | Sequence[float | None] | None = None
    vehicle_costs: float | Sequence[float] | None = None
    lengths: Matrix | None = None
    max_length: float | Sequence[float] | None = None
    offsets: Matrix | None = None

    def __post_init__(self) -> None:
        """Turn sequences into tuples, and check what each option must be by itself."""
        for name in ("demands", "service_times", "penalties"):
            self._set(name, numbers(name, getattr(self, name), optional=name == "penalties"))
        if isinstance(self.demands, float):
            raise SolverParameterError(
                f"demands must be a number for each node; got {self.demands:g} for all."
            )
        for name in ("capacities", "vehicle_costs", "max_length"):
            self._set(name, numbers(name, getattr(self, name)))
        for name in ("travel_times", "lengths", "offsets"):
            self._set(name, matrix(name, getattr(self, name)))
        self._set("windows", windows(self.windows))
        self._set("pickups", pairs(self.pickups))
        self._set("starts", nodes("starts", self.starts))
        self._set("ends", self.ends if isinstance(self.ends, str) else nodes("ends", self.ends))
        # What follows from the options, beside the fields, so that `dataclasses.replace` may change any of these.
        self._set("size", self._count_nodes())
        self._set("fleet", self._vehicles())
        self._check_nodes()
        self._check_signs()

    size: ClassVar[int]
    """How many nodes there are."""
    fleet: ClassVar[tuple[tuple[int, int | None], ...]]
    """Where each vehicle starts and ends."""

    @property
    def depots(self) -> frozenset[int]:
        """The nodes where vehicles start or end."""
        return frozenset(node for pair in self.fleet for node in pair if node is not None)

    @property
    def has_fixed_costs(self) -> bool:
        """Whether anything beside theta costs: offsets, penalties or vehicles."""
        return any(value is not None for value in (self.offsets, self.penalties, self.vehicle_costs))

    def per_vehicle(self, name: str, default: float) -> list[float]:
        """Return a number for each vehicle."""
        value = getattr(self, name)
        if isinstance(value, tuple):
            return list(value)
        return [default if value is None else value] * len(self.fleet)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _count_nodes(self) -> int:
        names = ("demands", "service_times", "windows", "penalties", "travel_times", "lengths", "offsets")
        sizes = self._sizes(names, "nodes")
        if not sizes:
            raise SolverParameterError("say how many nodes there are: RoutingProblem(nodes=...).")
        count = next(iter(sizes.values()))
        if count < 1:
            raise SolverParameterError("there are no nodes; a problem has a depot at least.")
        return count

    def _vehicles(self) -> tuple[tuple[int, int | None], ...]:
        sizes = self._sizes(("starts", "ends", "capacities", "vehicle_costs", "max_length"), "vehicles")
        if sizes:
            count = next(iter(sizes.values()))
        else:
            depots = {end for end in (self.starts, self.ends) if isinstance(end, int)}
            count = max(1, self.size - len(depots))
        if count < 1:
            raise SolverParameterError(f"there must be at least one vehicle; got {count}.")
        starts: tuple[Any, ...] = self.starts if isinstance(self.starts, tuple) else (self.starts,) * count
        if None in starts:
            raise SolverParameterError("starts must be nodes; a vehicle starts somewhere.")
        if isinstance(self.ends, str):
            if self.ends != "start":
                raise SolverParameterError(f"ends must be nodes, 'start' or None; got {self.ends!r}.")
            return tuple((start, start) for start in starts)
        ends: tuple[Any, ...] = self.ends if isinstance(self.ends, tuple) else (self.ends,) * count
        return tuple(zip(starts, ends, strict=True))

    def _sizes(self, names: Sequence[str], what: str) -> dict[str, int]:
        """Return the length of each option that has one for each node or vehicle; raise if they differ."""
        sizes = {name: len(value) for name in names if isinstance(value := getattr(self, name), tuple)}
        if getattr(self, what) is not None:
            sizes = {what: whole(what, getattr(self, what)), **sizes}
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{name}: {size}" for name, size in sizes.items())
            raise SolverParameterError(f"options are for different numbers of {what}: {found}.")
        return sizes

    def _check_nodes(self) -> None:
        depots = self.depots
        paired = [node for pair in self.pickups for node in pair]
        places: dict[str, list[int | None]] = {
            "starts": [start for start, _ in self.fleet],
            "ends": [end for _, end in self.fleet],
            "pickups": [*paired],
        }
        for name, named in places.items():
            for node in named:
                if node is None:
                    continue
                if not 0 <= node < self.size:
                    raise SolverParameterError(
                        f"{name} has the node {node}; there are nodes 0 to {self.size - 1}."
                    )
        for node in paired:
            if node in depots or paired.count(node) > 1:
                reason = "is a depot" if node in depots else "is there twice"
                raise SolverParameterError(f"pickups has the node {node}, which {reason}.")
        for node in depots:
            if self.demands is not None and self.demands[node]:
                raise SolverParameterError(
                    f"the depot {node} has the demand {self.demands[node]:g}; the demand of a depot is 0."
                )

    def _check_signs(self) -> None:
        for name in ("capacities", "vehicle_costs", "max_length", "service_times", "penalties"):
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else (value,):
                if number is not None and number < 0:
                    raise SolverParameterError(f"{name} must not be below zero; got {number:g}.")
        for name in ("travel_times", "lengths"):
            for i, row in enumerate(getattr(self, name) or ()):
                for j, number in enumerate(row):
                    if number < 0:
                        raise SolverParameterError(
                            f"{name} must not be below zero; got {number:g} from node {i} to node {j}."
                        )
        if self.max_length is not None and self.lengths is None:
            raise SolverParameterError("max_length is a limit for lengths, which are missing: give lengths=.")


def problem_of(given: Any, default: RoutingProblem | None = None) -> RoutingProblem:
    """Return a problem from one, or from a mapping of some of its options over those of a default.

    Raises:
        SolverParameterError: it is neither, an option is unknown, or one is not valid.
    """
    if isinstance(given, RoutingProblem):
        return given
    if not isinstance(given, Mapping):
        raise SolverParameterError(
            f"a RoutingProblem, or a mapping of its options, is needed; got {type(given).__name__}."
        )
    names = [field.name for field in dataclasses.fields(RoutingProblem)]
    for name in given:
        if name not in names:
            raise SolverParameterError(
                f"a problem has no option {name!r}.{closest(str(name), names)} It has: {', '.join(names)}."
            )
    return dataclasses.replace(default, **given) if default is not None else RoutingProblem(**given)
