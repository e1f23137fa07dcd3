"""What solvers on paths share: their ends, and paths as lists of nodes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_networkx._solver import GraphSolver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot


class PathSolver(GraphSolver):
    """Base class of solvers on paths from a source to a target."""

    output = "binary"
    keys = ("source", "target")

    def _encode(self, snapshot: Snapshot, structure: Sequence[Any]) -> NDArray[np.float64]:
        path = list(structure)
        numbers = [self._node(snapshot, "node", node) for node in path]
        if len(set(numbers)) < len(path):
            raise self._no_structure(f"{path!r} visits a node twice")
        for tail, head in pairwise(path):
            if (tail, head) not in snapshot.columns:
                raise self._no_structure(f"no edge leads from {tail!r} to {head!r}")
        state = np.zeros(len(snapshot.entries))
        if snapshot.weight == "node":
            state[numbers] = 1
        else:
            state[[snapshot.column(step) for step in pairwise(path)]] = 1
        return state
