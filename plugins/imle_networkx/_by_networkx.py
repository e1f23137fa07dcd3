"""What the solvers share that only functions on a graph can solve, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    SolverError,
    SolverParameterError,
    UnboundedError,
)
from imle_networkx._solver import GraphSolver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot


class ByNetworkX(GraphSolver):
    """Base class of solvers that have no algorithm of their own: every row goes to a function on the graph."""

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Any]) -> NDArray[Any]:
        return self._solve_by_networkx(snapshot, theta, tasks)

    def _numbers(self, snapshot: Snapshot, role: str, nodes: Iterable[Any] | None) -> list[int]:
        """Return the numbers of nodes that an instance names, each once."""
        if nodes is None or isinstance(nodes, (str, bytes)) or not isinstance(nodes, Iterable):
            raise InvalidInstanceError(
                f"{self.name}: {role} must be a collection of nodes, given to the constructor or to each row as "
                f"instances=[{{{role!r}: (u, v)}}]; got {nodes!r}."
            )
        numbers = list(dict.fromkeys(self._node(snapshot, f"one of {role},", node) for node in nodes))
        if not numbers:
            raise InvalidInstanceError(f"{self.name}: {role} must have a node at least; got {nodes!r}.")
        return numbers

    def _check_given(self) -> None:
        """Raise SolverParameterError if what the constructor gave does not fit its graph."""
        if self._snapshot is not None and None not in self._given.values():
            try:
                self._task(self._snapshot, dict(self._given))
            except InvalidInstanceError as error:
                raise SolverParameterError(str(error).removeprefix(f"{self.name}: ")) from None

    def _how(self, snapshot: Snapshot | None) -> str:
        return self._how_reference()


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raise as an error of a solver what a function raises.

    Args:
        name: Of the function, for messages.

    Raises:
        InfeasibleError: it found that there is no solution.
        UnboundedError: it found that there is no best one.
        SolverError: it failed in another way.
    """
    try:
        yield
    except InvalidSolutionError as error:
        error.args = (f"{name} returned what is no solution: {error.args[0]}",)
        raise
    except SolverError:
        raise
    except Exception as error:
        kinds = {nx.NetworkXUnbounded: UnboundedError, nx.NetworkXUnfeasible: InfeasibleError}
        kind = next((kinds[each] for each in kinds if isinstance(error, each)), SolverError)
        hint = " Let it work on graph.copy()." if "Frozen graph" in str(error) else ""
        raise kind(f"{name} raised {type(error).__name__}: {error}{hint}") from error


def collected(nodes: Any) -> Any:
    """Return nodes as a tuple, so that they can be gone through again; what is no collection as it is."""
    return tuple(nodes) if isinstance(nodes, Iterable) and not isinstance(nodes, (str, bytes)) else nodes


def components_of(graph: nx.Graph[Any]) -> NDArray[np.int64]:
    """Return the number of the component of each node, of the strongly connected one in a directed graph."""
    directed = graph.is_directed()
    found = nx.strongly_connected_components(graph) if directed else nx.connected_components(graph)
    component = {node: number for number, nodes in enumerate(found) for node in nodes}
    return np.array([component[node] for node in graph.nodes])


def connected_part(graph: nx.Graph[Any], snapshot: Snapshot, numbers: Sequence[int]) -> nx.Graph[Any]:
    """Return the component that nodes are in; ``snapshot.lowered`` is what :func:`components_of` returned.

    Raises:
        InfeasibleError: they are in several.
    """
    component = snapshot.lowered
    first = numbers[0]
    for other in numbers:
        if component[other] != component[first]:
            names = f"{snapshot.nodes[first]!r} and {snapshot.nodes[other]!r}"
            there = "there and back " if snapshot.directed else ""
            raise InfeasibleError(f"no path leads {there}between {names}: they must be connected.")
    if not component.any():
        return graph
    members = np.flatnonzero(component == component[first])
    return graph.subgraph([snapshot.nodes[node] for node in members]).copy()
