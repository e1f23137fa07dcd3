"""Vertices on their way from random places to a drawing of a tree that is not shown.

A row holds where n vertices are at T instants. From one to the next, ``networkx.spring_layout`` makes one step: all
vertices repel each other, and those that an edge of the row's own random spanning tree joins attract each other.

Reference:
    Paulus, Choi, Tarlow, Krause and Maddison (2020), Gradient estimation with stochastic softmax tricks.
    Fruchterman and Reingold (1991), Graph drawing by force-directed placement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import networkx as nx
import numpy as np

from imle_core.demos.data.files import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Layouts", "generate_layouts", "read_layouts"]

FILE = "graph_layout_n10_t10.npz"


class Layouts(NamedTuple):
    """Trajectories and the trees behind them.

    Args:
        positions: Shape ``(N, T, n, 2)``; each drawing is centred, its largest coordinate 1.
        trees: Adjacency matrices, 0 or 1, shape ``(N, n, n)``.
    """

    positions: NDArray[np.float32]
    trees: NDArray[np.float32]


def read_layouts(path: Path) -> dict[str, Layouts]:
    """Read an ``.npz`` file of arrays ``data_SPLIT (N, T, 2, n)`` and ``edges_SPLIT (N, n, n)``.

    Returns:
        The splits ``"train"``, ``"valid"`` and ``"test"``.

    Raises:
        DataError: the file cannot be read, lacks an array, or holds what is no tree.
    """
    splits = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for split in ("train", "valid", "test"):
                positions, trees = file[f"data_{split}"], file[f"edges_{split}"]
                splits[split] = Layouts(
                    np.ascontiguousarray(positions.swapaxes(2, 3), np.float32), trees.astype(np.float32)
                )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} cannot be read as trajectories: {error}") from error
    for split, (positions, trees) in splits.items():
        count, _, n, _ = positions.shape
        if trees.shape != (count, n, n):
            raise DataError(f"{path}: edges_{split} has shape {trees.shape}, expected {(count, n, n)}.")
        if not all(nx.is_tree(nx.from_numpy_array(tree)) for tree in trees):
            raise DataError(f"{path}: edges_{split} holds graphs that are no spanning trees.")
    return splits


def generate_layouts(count: int, *, nodes: int = 10, steps: int = 10, seed: int = 0) -> Layouts:
    """Make trajectories by the published recipe.

    The tree is the minimum spanning tree of random weights, the start standard normal; the first instant kept is
    after one step.
    """
    rng = np.random.default_rng(seed)
    positions = np.empty((count, steps, nodes, 2), np.float32)
    trees = np.empty((count, nodes, nodes), np.float32)
    for row in range(count):
        weights = np.triu(rng.gumbel(size=(nodes, nodes)) + 100, 1)  # no weight is 0, which would be no edge
        tree = nx.minimum_spanning_tree(nx.from_numpy_array(weights))
        graph = nx.empty_graph(nodes)
        graph.add_edges_from(tree.edges)
        trees[row] = nx.to_numpy_array(graph)
        places = dict(enumerate(rng.standard_normal((nodes, 2))))
        for step in range(steps):
            places = nx.spring_layout(graph, pos=places, iterations=1, seed=0)
            positions[row, step] = [places[node] for node in range(nodes)]
    return Layouts(positions, trees)
