"""How graphs and instances become what a solver works on."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import operator
import weakref
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import networkx as nx

from imle_core import Solver
from imle_core.errors import InvalidInstanceError, SolverParameterError, closest
from imle_networkx._snapshot import Snapshot, Weight, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self


class Prepared(NamedTuple):
    """A prepared instance: the graph as it was read, and what the solver made of the rest."""

    snapshot: Snapshot
    task: Any


class GraphReader(Solver):
    """The half of a solver on graphs that reads them, once each, and looks instances up.

    What it means for users and for subclasses is told by :class:`imle_networkx._solver.GraphSolver`.

    Args:
        graph: A graph of NetworkX, read now; None if each row brings its own.
        weight: Whether ``"edge"`` or ``"node"`` entries carry theta.
        shape: Shape of one row of theta; None: one axis.
        given: What instances need not say, by key.
    """

    keys: ClassVar[tuple[str, ...]] = ()
    """What an instance may hold beside its graph."""
    directed: ClassVar[bool | None] = None
    """Whether graphs must be directed, or must not be; None: either."""

    def __init__(
        self,
        graph: nx.Graph[Any] | None,
        *,
        weight: Weight,
        shape: Sequence[int] | None,
        given: Mapping[str, Any] | None,
    ) -> None:
        self.weight = weight
        self._given = dict.fromkeys(self.keys) | dict(given or {})
        self._snapshots: dict[int, tuple[weakref.ref[nx.Graph[Any]], Snapshot]] = {}
        self._snapshot = None if graph is None else self._read(graph)
        self.entries = None if self._snapshot is None else self._snapshot.entries
        self.event_shape = self._shape_of_rows(shape)

    @abstractmethod
    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Any: ...

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> Any:
        return None

    def prepare(self, instance: Any) -> Prepared:
        """Read the graph of an instance, if it has one, and look up what else it says.

        Raises:
            InvalidInstanceError: it is neither a mapping nor a graph, has another key, or lacks what the constructor
                did not give.
        """
        snapshot, given = self._look_up(instance)
        try:
            return Prepared(snapshot, self._task(snapshot, given))
        except SolverParameterError as error:
            raise InvalidInstanceError(f"{self.name}: {error}") from None

    def shape_of(self, prepared: Prepared) -> tuple[int, ...]:
        """Return the shape of a row of theta with this prepared instance; that of its graph's entries."""
        shape = self.event_shape
        return (len(prepared.snapshot.entries),) if shape is None or None in shape else shape  # type: ignore[return-value]

    def entries_of(self, graph: nx.Graph[Any]) -> list[Any]:
        """Return what each entry of a row stands for that brings this graph along."""
        return self._look_up(graph)[0].entries

    @functools.cached_property
    def _own(self) -> Prepared:
        """The instance that the constructor gave."""
        return self.prepare({})

    def _node(self, snapshot: Snapshot, role: str, node: Any) -> int:
        """Return the number of a node that an instance names; the message begins with its role."""
        if node is None and role in self.keys:
            raise InvalidInstanceError(
                f"{self.name}: no {role}: give it to the constructor, or to each row as instances=[{{{role!r}: ...}}]."
            )
        try:
            return snapshot.number[node]
        except (KeyError, TypeError):
            raise InvalidInstanceError(f"{self.name}: {role} {node!r} is not in the {snapshot}.") from None

    def _require_in_graph(self, *roles: str) -> None:
        """Raise SolverParameterError unless the nodes that the constructor gave are in the graph that it gave."""
        for role in roles:
            if self._given[role] is not None and self._snapshot is not None:
                try:
                    self._node(self._snapshot, role, self._given[role])
                except InvalidInstanceError as error:
                    raise SolverParameterError(str(error).removeprefix(f"{self.name}: ")) from None

    def _look_up(self, instance: Any) -> tuple[Snapshot, dict[str, Any]]:
        """Return the graph of an instance, and what it or the constructor gives beside."""
        given = dict(self._given)
        if isinstance(instance, nx.Graph):
            instance = {"graph": instance}
        valid = ("graph", *self.keys)
        try:
            given.update(instance)
        except (TypeError, ValueError):
            shown = ", ".join(f"{key!r}: ..." for key in valid)
            raise InvalidInstanceError(
                f"{self.name}: an instance is a graph or a mapping {{{shown}}}; got {instance!r}."
            ) from None
        for key in given.keys() - set(valid):
            raise InvalidInstanceError(
                f"{self.name}: unknown key {key!r} in an instance.{closest(str(key), valid)} Keys: {', '.join(valid)}."
            )
        graph = given.pop("graph", None)
        if graph is not None:
            return self._snapshot_of(graph), given
        if self._snapshot is None:
            raise InvalidInstanceError(
                f"{self.name}: no graph: give it to the constructor, or to each row as instances=[{{'graph': ...}}]."
            )
        return self._snapshot, given

    def _snapshot_of(self, graph: Any) -> Snapshot:
        """Return the snapshot of a graph that an instance brought, made at its first appearance.

        A graph is known by its identity: a class of graphs may have an equality of its own.
        """
        key, snapshots = id(graph), self._snapshots
        known = snapshots.get(key)
        if known is not None and known[0]() is graph:
            found = known[1]
        else:
            try:
                found = self._read(graph)
            except SolverParameterError as error:
                raise InvalidInstanceError(f"{self.name}: {error}") from None
            snapshots[key] = (weakref.ref(graph, lambda _: snapshots.pop(key, None)), found)
        if self._snapshot is not None and len(found.entries) != len(self._snapshot.entries):
            raise InvalidInstanceError(
                f"{self.name}: the {found} of this row has {len(found.entries)} entries, the one of the constructor "
                f"{len(self._snapshot.entries)}. For graphs of different size make the solver without a graph."
            )
        return found

    def _read(self, graph: Any) -> Snapshot:
        snapshot = read(graph, self.weight)
        if self.directed is not None and snapshot.directed != self.directed:
            wanted = "directed" if self.directed else "undirected"
            raise SolverParameterError(f"the graph must be {wanted}; got: {snapshot}. {self._other_kind()}")
        return dataclasses.replace(snapshot, lowered=self._lower(snapshot, graph))

    def _other_kind(self) -> str:
        """Return what to do with a graph of the other kind."""
        return f"Convert it by graph.to_{'directed' if self.directed else 'undirected'}()."

    def _shape_of_rows(self, shape: Sequence[int] | None) -> tuple[int | None, ...]:
        if self._snapshot is None:
            if shape is not None:
                raise SolverParameterError("shape= goes with a graph in the constructor.")
            return (None,)
        size = len(self._snapshot.entries)
        if shape is None:
            return (size,)
        rows = tuple(map(operator.index, shape))
        if math.prod(rows) != size or min(rows, default=0) < 0:
            raise SolverParameterError(f"shape {rows} does not hold the {size} {self.weight}s of the graph.")
        return rows

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the graphs of instances, which their owners keep."""
        return {**self.__dict__, "_snapshots": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin without graphs of instances."""
        self.__dict__.update(state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Share what was read: it never changes, and nodes may be known by their identity alone."""
        memo[id(self)] = twin = copy.copy(self)
        return twin
