"""What all solvers of this plugin share, and how they go through a batch."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import networkx as nx
import numpy as np

from imle_core.errors import (
    ImleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverError,
    SolverParameterError,
    closest,
)
from imle_core.parallel import cpus
from imle_networkx._instances import GraphReader, Prepared
from imle_networkx._snapshot import Weight

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

Method = Literal["auto", "compiled", "networkx"]


class GraphSolver(GraphReader):
    """Base class of the solvers on graphs.

    It reads graphs, once each; looks instances up; hands the rows of a batch to the subclass, those of one graph
    together; and says in errors which row it was. Theta has shape ``(N, entries)``, one entry for each edge in the
    order of ``graph.edges``, or for each node in the order of ``graph.nodes``; or ``(N, *shape)``.

    **Instances.** An instance is a mapping with the key ``"graph"`` and those of :attr:`keys`, each of which may be
    left out if the constructor gave it; or a graph alone. Without a graph in the constructor rows of theta may be
    longer than the entries of their graph: the rest is padding, which is not looked at, and 0 in the states.

    **A subclass** sets ``keys`` and ``directed``, calls ``super().__init__``, and writes

    - ``_lower(snapshot, graph)``: the graph as arrays for its kernel, kept as ``snapshot.lowered``; the user's graph is
      there for attributes of nodes and edges, which must be read here. Raises SolverParameterError if it does not suit.
    - ``_task(snapshot, given)``: what one row asks beside the graph, from a dict with all ``keys`` (None if not given).
      Raises InvalidInstanceError.
    - ``_solve_compiled(snapshot, theta, tasks)``: the states ``(rows, entries)`` of rows of one graph, contiguous.
      ``tasks`` has what ``_task`` returned, for each row. Raises SolverError with the row among these.
    - ``_solve_reference(graph, snapshot, costs, task)``: the state of one row by NetworkX. ``graph`` is a private graph
      of NetworkX, whose ``"weight"`` is set to this row's costs, and ``"column"`` of each edge to its place. It calls
      NetworkX with ``**self._dispatch``, which holds the user's ``backend=``. Raises SolverError without a row.
    - ``_decode(snapshot, z, task)`` of a flat state, shape ``(entries,)``, and ``_encode(snapshot, structure)``. They
      raise by ``raise self._no_structure("the state is not ...")``.
    - ``_feasible(snapshot, z, tasks)``: for states ``(rows, entries)``, booleans ``(rows,)``.
    - ``_support(snapshot, task)``: all states ``(K, entries)``; raises MissingCapabilityError if there are too many.
    - ``_how(snapshot)``: the algorithm and why, in words, for :meth:`explain`; the snapshot is None without a graph.
      ``_how_reference()``: which algorithm or function of NetworkX the reference is.

    Args:
        graph: A graph of NetworkX, read now; None if each row brings its own.
        weight: Whether ``"edge"`` or ``"node"`` entries carry theta.
        method: ``"compiled"``, ``"networkx"``, or ``"auto"``, which is ``"compiled"`` unless a backend is named.
        threads: Threads at most; None: the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, for ``method="networkx"``; None leaves it to ``networkx.config``.
        shape: Shape of one row of theta; None: one axis.
        given: What instances need not say, by key.

    Attributes:
        entries: What each entry of theta belongs to; None if each row brings its own graph, see :meth:`entries_of`.
    """

    scale_invariant = True
    attribute: str = "weight"
    """What theta is called on graphs of NetworkX."""
    on_negative: ClassVar[str] = ""
    """What :meth:`explain` says of negative costs where they are allowed."""

    def __init__(
        self,
        graph: nx.Graph[Any] | None,
        *,
        weight: Weight = "edge",
        method: Method = "auto",
        threads: int | None = None,
        backend: str | None = None,
        shape: Sequence[int] | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        one_of("weight", weight, get_args(Weight))
        one_of("method", method, get_args(Method))
        if threads is not None and threads < 1:
            raise SolverParameterError(f"threads must be at least 1; got {threads}.")
        if backend is not None:
            _require_backend(backend, method)
        self.threads, self.backend = threads, backend
        self.method: Method = "networkx" if backend is not None else method
        super().__init__(graph, weight=weight, shape=shape, given=given)

    # What a subclass writes.

    @abstractmethod
    def _solve_compiled(
        self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Any]
    ) -> NDArray[Any]: ...

    @abstractmethod
    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Any
    ) -> NDArray[Any]: ...

    @abstractmethod
    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: Any) -> Any: ...

    @abstractmethod
    def _encode(self, snapshot: Snapshot, structure: Any) -> NDArray[np.float64]: ...

    @abstractmethod
    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Any]) -> NDArray[np.bool_]: ...

    def _support(self, snapshot: Snapshot, task: Any) -> NDArray[np.float64]:
        raise MissingCapabilityError(f"{self.name} does not list its set.")

    @abstractmethod
    def _how(self, snapshot: Snapshot | None) -> str: ...

    @abstractmethod
    def _how_reference(self) -> str: ...

    # What a user calls.

    def solve(self, theta: NDArray[Any], instances: Sequence[Any] | None = None) -> NDArray[Any]:  # type: ignore[override]
        """Return the best structure of each row of theta, see :meth:`imle_core.Solver.solve`."""
        rows = np.ascontiguousarray(theta).reshape(len(theta), math.prod(theta.shape[1:]))
        state = np.zeros_like(rows)
        solve = self._solve_by_networkx if self.method == "networkx" else self._solve_compiled
        for snapshot, which, tasks in self._parts(rows, instances):
            size = len(snapshot.entries)
            try:
                if which is None:
                    state = solve(snapshot, rows, tasks)
                else:
                    state[which, :size] = solve(snapshot, np.ascontiguousarray(rows[which, :size]), tasks)
            except SolverError as error:
                if error.row is not None and which is not None:
                    error.row = int(which[error.row])
                raise
        return state.reshape(theta.shape)

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> Any:  # type: ignore[override]
        """Return the structure that a state stands for, in the user's names of nodes and edges.

        Raises:
            InvalidSolutionError: the state is no structure of the set.
        """
        snapshot, task = self.prepare({} if instance is None else instance)
        flat = z.reshape(-1)
        size = len(snapshot.entries)
        if len(flat) < size or flat[size:].any():
            raise self._no_structure(f"the state has {len(flat)} entries; the {snapshot} has {size}")
        return self._decode(snapshot, flat[:size], task)

    def encode(self, structure: Any, *, instance: Any = None) -> NDArray[np.float64]:
        """Return the state of a structure, the inverse of :meth:`decode`.

        Args:
            structure: As :meth:`decode` returns it.
            instance: Where rows bring their own graphs, one with the graph. What a row asks beside (ends, terminals,
                demands) is not looked at: that is what :meth:`is_feasible` is for.

        Raises:
            InvalidSolutionError: it is no structure of the set.
        """
        snapshot, _ = self._look_up({} if instance is None else instance)
        try:
            state = self._encode(snapshot, structure)
        except InvalidInstanceError as error:  # of a node that is not there
            raise self._no_structure(str(error).removeprefix(f"{self.name}: ").rstrip(".")) from None
        except ImleError:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            raise self._no_structure(
                f"{structure!r} is no structure as decode returns it: {error}"
            ) from error
        return state.reshape(self.shape_of(Prepared(snapshot, None)))

    def is_feasible(self, z: Any, *, instances: Sequence[Any] | None = None) -> NDArray[np.bool_]:
        """Return for each row of states whether it belongs to the set.

        Args:
            z: States, shape ``(N, *shape)``.
            instances: Prepared instances, one for each row.

        Raises:
            InvalidInstanceError: an instance is not what :meth:`prepare` returns.
            InvalidThetaError: the rows do not have the shape of the solver's.
        """
        states = np.asarray(z)
        ndim, wanted = len(self.event_shape or ()) + 1, ("N", *(self.event_shape or ()))
        # Compiled code checks no bounds.
        fits = states.ndim == ndim and all(
            n in (None, m) for n, m in zip(self.event_shape or (), states.shape[1:], strict=True)
        )
        if not fits:
            shape = ", ".join(map(str, wanted))
            raise InvalidThetaError(f"{self.name}: states must have shape ({shape}); got {states.shape}.")
        states = states.reshape(len(states), math.prod(states.shape[1:]))
        feasible = np.zeros(len(states), np.bool_)
        for snapshot, which, tasks in self._parts(states, instances):
            where, size = slice(None) if which is None else which, len(snapshot.entries)
            padding = states[where, size:]
            feasible[where] = self._feasible(snapshot, states[where, :size], tasks) & ~padding.any(1)
        return feasible

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return every structure of the set once, shape ``(K, *shape)``, of a small graph.

        Raises:
            MissingCapabilityError: there are too many to be listed.
        """
        prepared = self.prepare({} if instance is None else instance)
        try:
            states = self._support(*prepared)
        except MissingCapabilityError as error:
            message = str(error)
            raise MissingCapabilityError(
                message if message.startswith(self.name) else f"{self.name}: {message}"
            ) from None
        return states.reshape(len(states), *self.shape_of(prepared))

    def explain(self) -> str:
        """Return which algorithm runs and why, on which graph, and what happens to negative costs."""
        graph = "each row brings its graph" if self._snapshot is None else str(self._snapshot)
        policy = {
            "error": " Negative costs are refused in theta; points that noise or a gradient moved are clipped at 0.",
            "clip": " Negative costs are clipped at 0.",
            "allow": self.on_negative and f" {self.on_negative}",
        }[self.negative]
        if self.method == "networkx":
            backend = "" if self.backend is None else f" by its backend {self.backend!r}"
            how, threads = f"NetworkX's {self._how_reference()}{backend}, row by row, as asked", ""
        else:
            how, threads = self._how(self._snapshot), f", up to {self.threads or cpus()} threads"
        return f"{self.name}: {how}; {graph}{threads}.{policy}"

    # What a subclass uses.

    def _private_graph(self, snapshot: Snapshot) -> tuple[nx.Graph[Any], list[dict[str, Any]]]:
        """Return a graph of NetworkX to solve the rows of a batch on, and the attributes of each entry."""
        return snapshot.build(self.attribute)

    def _weights(self, costs: NDArray[Any]) -> list[Any]:
        """Return what a row of theta is as attributes of that graph."""
        return costs.tolist()

    @property
    def _dispatch(self) -> dict[str, Any]:
        """Keywords for a function of NetworkX."""
        return {} if self.backend is None else {"backend": self.backend}

    def _no_structure(self, fault: str) -> InvalidSolutionError:
        error = InvalidSolutionError(f"{fault}.")
        error.solver = self.name
        return error

    def _state_of_edges(self, snapshot: Snapshot, edges: Iterable[Any]) -> NDArray[np.float64]:
        """Return the indicator of edges, ``(u, v)`` or ``(u, v, key)``, in either direction where they have none.

        Raises:
            InvalidSolutionError: one is not an edge of the graph, or is given twice.
        """
        state = np.zeros(len(snapshot.edges))
        for edge in edges:
            try:
                column = snapshot.column(edge)
            except (KeyError, TypeError, ValueError, StopIteration):
                raise self._no_structure(f"{edge!r} is not an edge of the {snapshot}") from None
            if state[column]:
                raise self._no_structure(f"{edge!r} is given twice")
            state[column] = 1
        return state

    # The ways of a batch.

    def _parts(
        self, rows: NDArray[Any], instances: Sequence[Any] | None
    ) -> Iterator[tuple[Snapshot, NDArray[np.intp] | None, list[Any]]]:
        """Yield each graph with the rows that have it, None for all of them, and their tasks."""
        if instances is None:
            snapshot, task = self._own
            self._require_width(snapshot, rows, 0)
            yield snapshot, None, [task] * len(rows)
            return
        if raw := [instance for instance in instances if not isinstance(instance, Prepared)]:
            raise InvalidInstanceError(
                f"{self.name}: takes instances as `prepare` returns them, one for each row; got {raw[0]!r}."
            )
        where: defaultdict[int, list[int]] = defaultdict(list)
        for row, prepared in enumerate(instances):
            where[id(prepared.snapshot)].append(row)
        for found in where.values():
            snapshot = instances[found[0]].snapshot
            self._require_width(snapshot, rows, found[0])
            whole = len(where) == 1 and len(snapshot.entries) == rows.shape[1]
            yield snapshot, None if whole else np.array(found), [instances[row].task for row in found]

    def _require_width(self, snapshot: Snapshot, rows: NDArray[Any], row: int) -> None:
        if (size := len(snapshot.entries)) > rows.shape[1]:
            raise InvalidThetaError(
                f"{self.name}: row {row} has {rows.shape[1]} entries, but its {snapshot} has {size} {self.weight}s."
            )

    def _solve_by_networkx(
        self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Any], first: int = 0
    ) -> NDArray[Any]:
        """Solve rows one after the other; ``first`` is the number of the first one, for messages."""
        graph, data = self._private_graph(snapshot)
        state = np.zeros_like(theta)
        for row, task in enumerate(tasks):
            for attributes, weight in zip(data, self._weights(theta[row]), strict=True):
                attributes[self.attribute] = weight
            graph.__networkx_cache__.clear()  # of what backends made of the graph with other weights
            try:
                state[row] = self._solve_reference(graph, snapshot, theta[row], task)
            except SolverError as error:
                error.row = first + row
                raise
        return state


def one_of(parameter: str, value: str, valid: Sequence[str]) -> None:
    """Raise SolverParameterError unless a parameter has one of its values."""
    if value not in valid:
        raise SolverParameterError(
            f"{parameter} must be one of {', '.join(map(repr, valid))}; got {value!r}.{closest(str(value), valid)}"
        )


def _require_backend(backend: str, method: str) -> None:
    if method == "compiled":
        raise SolverParameterError(f"backend {backend!r} is of NetworkX; take method='networkx' with it.")
    installed = [*nx.config.backends, "networkx"]
    if backend not in installed:
        raise SolverParameterError(
            f"backend {backend!r} of NetworkX is not installed.{closest(backend, installed)} "
            f"There are: {', '.join(installed)}."
        )
