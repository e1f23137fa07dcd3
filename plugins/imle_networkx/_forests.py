"""What spanning trees and arborescences have in common: both are forests of a certain number of edges."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import networkx as nx
import numpy as np

from imle_networkx._kernels.forests import all_forests, are_forests
from imle_networkx._solver import GraphSolver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot


class Forests(GraphSolver):
    """Base class of both; a task is the number of the root, or -1."""

    output = "binary"
    structure: ClassVar[str]
    """What a state is the indicator of, for messages."""
    entered_once: ClassVar[bool]
    """Whether no node may be the head of two edges."""

    @abstractmethod
    def _size(self, snapshot: Snapshot) -> int:
        """Return how many edges a structure has."""

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: int) -> list[tuple[Any, ...]]:
        if not self._feasible(snapshot, z[None], [task]).all():
            raise self._no_structure(f"the state is not the indicator of {self.structure}")
        return [snapshot.edges[column] for column in np.flatnonzero(z)]

    def _encode(
        self, snapshot: Snapshot, structure: nx.Graph[Any] | Iterable[tuple[Any, ...]]
    ) -> NDArray[np.float64]:
        if isinstance(structure, nx.Graph):
            structure = structure.edges(keys=True) if structure.is_multigraph() else structure.edges
        state = self._state_of_edges(snapshot, structure)
        if not self._feasible(snapshot, state[None], [-1]).all():
            raise self._no_structure(f"the edges are not those of {self.structure}")
        return state

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[int]) -> NDArray[np.bool_]:
        nodes, size, roots = len(snapshot.nodes), self._size(snapshot), np.array(tasks, np.int64)
        forests = are_forests(z != 0, snapshot.ends, nodes, size, self.entered_once, roots)
        return forests & ((z == 0) | (z == 1)).all(axis=1)

    def _support(self, snapshot: Snapshot, task: int) -> NDArray[np.float64]:
        nodes, size = len(snapshot.nodes), self._size(snapshot)
        return all_forests(snapshot.ends, nodes, size, entered_once=self.entered_once, root=task)
