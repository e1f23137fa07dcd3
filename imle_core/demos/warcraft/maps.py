"""A set of maps with their shortest paths, and the sets of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_core import Solver

__all__ = ["Maps", "Rows", "Splits", "label", "path_solver"]


class Rows(Protocol):
    """What is read of an array: its shape, and rows by number. Memory-mapped files in parts fit as well."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, rows first."""

    def __getitem__(self, index: Any) -> Any:
        """Rows by an array of their numbers, or by a slice."""


@dataclass(frozen=True)
class Maps:
    """Maps with their labels.

    Args:
        pixels: Shape ``(N, 8K, 8K, 3)``, uint8.
        paths: Best paths, 0 or 1, shape ``(N, K, K)``: the labels, all that training sees.
        costs: True costs of the cells, shape ``(N, K, K)``: only evaluation reads them.
    """

    pixels: Rows
    paths: Rows
    costs: Rows

    def __len__(self) -> int:
        return self.paths.shape[0]

    @property
    def size(self) -> int:
        """Cells along each side, K."""
        return self.paths.shape[1]

    def head(self, count: int | None) -> Maps:
        """Return the first maps; all of them for None."""
        if count is None or count >= len(self):
            return self
        first = slice(0, count)
        return Maps(self.pixels[first], self.paths[first], self.costs[first])

    def colour_statistics(self, count: int = 500) -> tuple[list[float], list[float]]:
        """Return mean and standard deviation of each colour channel over the first maps."""
        sample = np.asarray(self.pixels[slice(0, count)], dtype=np.float64)
        return sample.mean((0, 1, 2)).tolist(), np.maximum(sample.std((0, 1, 2)), 1.0).tolist()


class Splits(NamedTuple):
    """The maps of one run; ``test_numbers`` are those of the tested maps in their source."""

    train: Maps
    val: Maps
    test: Maps
    test_numbers: list[int]


def path_solver(size: int) -> Solver:
    """Return the solver: the cheapest path from corner to corner, over edges and corners of cells.

    Its states are maps of the visited cells, and <z, costs> is the sum over all of them, both ends included.
    """
    import networkx as nx

    import imle_core as imle

    side = nx.path_graph(size)
    solver: Solver = imle.solver(
        "networkx.shortest_path",
        graph=nx.strong_product(side, side),
        source=(0, 0),
        target=(size - 1, size - 1),
        weight="node",
        shape=(size, size),
    )
    return solver


def label(pixels: NDArray[np.uint8], costs: NDArray[np.float32], rng: np.random.Generator) -> Maps:
    """Label maps with a best path under their true costs.

    Many maps have several best paths (3 x 0.8 = 2 x 1.2). One of them is drawn: a rule such as "fewest cells"
    shows in the labels, and a network learns it at the expense of the costs.
    """
    size = costs.shape[1]
    # Costs have one decimal, so paths of different cost differ by 0.1: more than this adds to any path.
    shaken = costs + 0.09 / size**2 * rng.random(costs.shape, dtype=np.float32)
    return Maps(pixels, path_solver(size).solve(shaken).astype(np.uint8), costs)
