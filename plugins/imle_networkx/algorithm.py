"""Any function on a graph as a solver."""

from __future__ import annotations

import functools
import inspect
import reprlib
from typing import TYPE_CHECKING, Any, Literal, get_args

import networkx as nx
import numpy as np

from imle_core import Solver
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    MissingCapabilityError,
    SolverParameterError,
)
from imle_core.integers import exact_integers
from imle_networkx._by_networkx import ByNetworkX, translated
from imle_networkx._functions import function_of, weight_of
from imle_networkx._returns import Returns, flow_of, read_state, require_single, wanted
from imle_networkx._solver import one_of
from imle_networkx._walks import walk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot, Weight

Negative = Literal["error", "clip", "allow"]

_NOT_GIVEN: Any = inspect.Parameter.empty  # a class, so that copies and pickles hold the same one


class Algorithm(ByNetworkX):
    r"""Any function of NetworkX, or the user's own, that reads weights from a graph and returns a structure.

    .. math:: z^*(\theta) = \text{the state of } f(G_\theta, \ldots),

    where :math:`G_\theta` is the graph with a row of theta as the attribute ``weight`` of its edges or nodes, and all
    other attributes as they were when it was read. A state says how often the structure that f returns uses each edge
    or node. That f minimises or maximises :math:`\langle z, \theta \rangle`, as ``sense`` says, is its own affair: this
    solver is as exact, as deterministic and as fast as f. Rows, shape ``(entries,)``, are solved one after the other.

    What f returns is named by ``returns``:

    ==============  ==========================================================  ==========================
    ``returns``     what f returns                                              what ``decode`` returns
    ==============  ==========================================================  ==========================
    ``"path"``      nodes in order                                              the same, of one such path
    ``"cycle"``     nodes in order, the first one again at the end or not       the same, first one again
    ``"nodes"``     nodes, in any collection or generator                       a list of nodes
    ``"edges"``     ``(u, v)`` or ``(u, v, key)``, data may follow              a list of edges
    ``"graph"``     a graph, such as a tree: its edges, or nodes                a graph
    ``"matching"``  pairs, or a mapping from node to node                       a set of edges
    ``"flow"``      ``{u: {v: amount}}``, or with a key within                  the same, of edges in use
    ==============  ==========================================================  ==========================

    Where f returns a tuple, as :func:`networkx.max_weight_clique` does, ``returns`` is one too, with ``None`` in place
    of what is not wanted: ``("nodes", None)``. Where a key does not tell parallel edges apart, the cheapest one is
    used, or with ``sense="max"`` the best.

    Args:
        graph: Any of NetworkX's four classes of graph; ``None`` if each row brings its own, see
            :class:`imle_networkx._solver.GraphSolver`.
        function: The function, or its name in NetworkX, such as ``"dijkstra_path"`` or
            ``"approximation.steiner_tree"``. It is given a frozen graph, to which it cannot add and from which it
            cannot remove anything.
        returns: What it returns, see above.
        sense: ``"min"`` if theta are costs, ``"max"`` if they are scores.
        weight: The attribute that theta stands for. It is passed on if the function has a parameter ``weight``; where
            this has another name, give the attribute in ``arguments``, as in ``{"attr": "weight"}``.
        entries: Whether ``"edge"`` or ``"node"`` carries the attribute.
        arguments: Other arguments of the function, by name. For one that draws random numbers, ``{"seed": 0}``.
        integers: Whether the function is given theta as integers, multiplied by a power of two and none rounded. By
            default those of NetworkX are that need it, such as ``"max_weight_clique"`` and ``"min_cost_flow"``, whose
            simplex method may never end with other numbers.
        output: ``"binary"``, or ``"integer"`` where an entry may be used several times, as in walks and flows.
        negative: What happens to negative theta, see :class:`imle_core.Solver`.
        scale_invariant: Whether a positive factor of theta does not change what the function returns, see
            :class:`imle_core.Solver`.
        backend: Backend of NetworkX's dispatch, for functions that have one; by default ``networkx.config`` decides.
        shape: Shape of one row of theta, e.g. ``(12, 12)`` for a grid; by default ``(entries,)``.

    Attributes:
        entries: What each entry of theta belongs to: nodes in the order of ``graph.nodes``, or edges ``(u, v)`` or
            ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different graphs and arguments: an instance is a mapping such as ``{"graph": G, "source": u}``.

    Raises:
        SolverParameterError: a parameter is not valid; there is no such function, or it does not take an argument.
        InvalidInstanceError: an instance is not valid, or an argument is missing.
        InfeasibleError, UnboundedError: the function raised ``NetworkXUnfeasible`` (``NetworkXNoPath``, ...) or
            ``NetworkXUnbounded``, with the row.
        InvalidSolutionError: it returned something else than ``returns`` says, with the row.
        SolverError: it raised something else, with the row.

    Example:
        >>> import networkx as nx, numpy as np
        >>> graph = nx.cycle_graph("abcd")
        >>> solver = Algorithm(graph, function="dijkstra_path", returns="path", arguments={"source": "a"})
        >>> theta = np.array([[1.0, 1.0, 3.0, 1.0], [1.0, 1.0, 3.0, 1.0]])
        >>> ends = [{"target": "c"}, {"target": "b"}]
        >>> solver.solve(theta, instances=ends)
        array([[0., 1., 0., 1.],
               [1., 0., 0., 0.]])
        >>> solver.decode(_, instances=ends)
        [['a', 'd', 'c'], ['a', 'b']]
    """

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        function: Callable[..., Any] | str,
        returns: Returns | tuple[Returns | None, ...],
        sense: Literal["min", "max"] = "min",
        weight: str = "weight",
        entries: Weight = "edge",
        arguments: Mapping[str, Any] | None = None,
        integers: bool | None = None,
        output: Literal["binary", "integer"] = "binary",
        negative: Negative = "allow",
        scale_invariant: bool = True,
        backend: str | None = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        one_of("sense", sense, ("min", "max"))
        one_of("output", output, ("binary", "integer"))
        one_of("negative", negative, get_args(Negative))
        one_of("entries", entries, ("edge", "node"))
        self.returns, self._place = wanted(returns, entries)
        self.sense, self.output, self.negative = sense, output, negative
        self.scale_invariant, self.attribute = scale_invariant, weight
        self.function = function_of(function)
        arguments = arguments or {}
        self.integers = self.function.for_integers if integers is None else integers
        self._weight = weight_of(self.function, weight, arguments)
        if backend is not None and not self.function.dispatched:
            raise SolverParameterError(
                f"function {self.function.name} takes no backend= to pass {backend!r} on to."
            )
        taken = (each for each in self.function.takes if each not in self._weight)
        self.keys = tuple(dict.fromkeys((*taken, *arguments)))  # type: ignore[misc]
        super().__init__(
            graph,
            weight=entries,
            method="networkx",
            backend=backend,
            shape=shape,
            given=dict.fromkeys(self.keys, _NOT_GIVEN) | dict(arguments),
        )

    # Nobody but its author knows the set of a function.
    is_feasible = Solver.is_feasible
    enumerate_support = Solver.enumerate_support

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Any]) -> NDArray[np.bool_]:
        raise MissingCapabilityError(f"{self.name} does not know the set of {self.function.name}.")

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> nx.Graph[Any]:
        return graph.copy()

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> dict[str, Any]:
        arguments = {key: value for key, value in given.items() if value is not _NOT_GIVEN}
        for key in self.function.needs:
            if key not in arguments and key not in self._weight:
                raise InvalidInstanceError(
                    f"{self.name}: no {key}, which function {self.function.name} needs: give it in arguments=, or "
                    f"to each row as instances=[{{{key!r}: ...}}]."
                )
        return arguments

    def _private_graph(self, snapshot: Snapshot) -> tuple[nx.Graph[Any], list[dict[str, Any]]]:
        graph = nx.freeze(snapshot.lowered.copy())
        places = graph.nodes if snapshot.weight == "node" else graph.edges
        return graph, [places[entry] for entry in snapshot.entries]

    def _weights(self, costs: NDArray[Any]) -> list[Any]:
        return exact_integers(costs.tolist()) if self.integers else costs.tolist()

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: dict[str, Any]
    ) -> NDArray[Any]:
        best, values = (min if self.sense == "min" else max), costs.tolist()
        with translated(self.function.name):
            result = self.function.call(graph, **task, **self._weight, **self._dispatch)
            if self._place is not None:
                result = self._part(result)
            state = read_state(
                result, self.returns, snapshot, functools.partial(best, key=values.__getitem__)
            )
            if self.output == "binary":
                require_single(state, snapshot)
        return state

    def _part(self, result: Any) -> Any:
        """Return the part of a tuple that is wanted."""
        assert self._place is not None
        place, length = self._place
        if not isinstance(result, tuple) or len(result) != length:
            raise InvalidSolutionError(
                f"{reprlib.repr(result)} is not a tuple of {length}, as returns= says."
            )
        return result[place]

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: dict[str, Any]) -> Any:
        if (z < 0).any() or (z != np.round(z)).any():
            raise self._no_structure("the state has entries that are no whole numbers of at least 0")
        if snapshot.weight == "edge" and self.returns in ("path", "cycle"):
            start = snapshot.number.get(task.get("source"))
            walk = walk_of(snapshot, z, start, closed=self.returns == "cycle")
            if walk is None:
                raise self._no_structure(f"the edges of the state are not one {self.returns}")
            return [snapshot.nodes[node] for node in walk]
        if self.returns == "flow":
            return flow_of(snapshot, z)
        chosen = [snapshot.entries[column] for column in np.repeat(np.arange(len(z)), z.astype(np.int64))]
        if self.returns == "graph":
            graph = snapshot.lowered
            return (graph.subgraph if snapshot.weight == "node" else graph.edge_subgraph)(chosen).copy()
        return set(chosen) if self.returns == "matching" else chosen

    def _encode(self, snapshot: Snapshot, structure: Any) -> NDArray[np.float64]:
        try:
            state = read_state(structure, self.returns, snapshot, min)
            if self.output == "binary":
                require_single(state, snapshot)
        except InvalidSolutionError as error:
            error.solver = self.name
            raise
        return state

    def explain(self) -> str:
        """Return which function solves, on which graph."""
        graph = "each row brings its graph" if self._snapshot is None else str(self._snapshot)
        backend = "" if self.backend is None else f" by the backend {self.backend!r}"
        return (
            f"{self.name}: the {self.returns} that {self._how_reference()} returns{backend}, row by row, with theta as "
            f"the attribute {self.attribute!r} of {self.weight}s; {graph}."
        )

    def _how_reference(self) -> str:
        return self.function.name
