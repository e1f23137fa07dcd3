"""Largest flows and least cuts by OR-Tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ortools.graph.python.max_flow import SimpleMaxFlow

from imle_core.errors import SolverError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Network:
    """A network on which several largest flows are sent, one after the other; no call depends on those before.

    Args:
        ends: Tails and heads of the arcs, shape ``(2, arcs)``, int32.
        nodes: How many there are, ends or not.
    """

    def __init__(self, ends: NDArray[np.int32], nodes: int) -> None:
        self._solver = SimpleMaxFlow()
        self._nodes = nodes
        self._arcs = self._solver.add_arcs_with_capacity(*ends, np.zeros(ends.shape[1], np.int64))

    def send(self, capacity: NDArray[np.int64], source: int, sink: int) -> int:
        """Send as much as can be from source to sink, and return how much that is.

        Args:
            capacity: Of the arcs; all together below 2^62.
            source: Number of a node, an end of some arc (OR-Tools knows no others).
            sink: Number of another such node.
        """
        self._solver.set_arcs_capacity(self._arcs, capacity)
        status = self._solver.solve(source, sink)
        if status != SimpleMaxFlow.OPTIMAL:
            raise SolverError(f"OR-Tools' SimpleMaxFlow ended with {status.name}; please report the problem.")
        return self._solver.optimal_flow()

    def flows(self) -> NDArray[np.int64]:
        """Return the flow on each arc that was sent last."""
        return self._solver.flows(self._arcs)

    def near(self) -> NDArray[np.bool_]:
        """Return which nodes the source still reaches: the smallest side of a least cut."""
        near = np.zeros(self._nodes, np.bool_)
        near[self._solver.get_source_side_min_cut()] = True
        return near
