"""Planning maps: a grid of free cells and walls, a goal, and the best step towards it from each cell.

A step leads to one of the eight neighbours and counts as one, whatever its direction; it may pass between two
walls that touch at a corner.

Reference:
    Bhardwaj, Choudhury and Scherer (2017), Learning heuristic search via imitation. Yonetani, Taniai, Barekatain,
    Nishimura and Kanezaki (2021), Path planning using neural A* search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.demos.data.files import DataError, Remote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "ENVIRONMENTS",
    "REMOTE",
    "Problems",
    "demonstrate",
    "generate_planning",
    "read_planning",
    "unseen",
]

REMOTE = Remote(
    "https://raw.githubusercontent.com/omron-sinicx/planning-datasets/aee42da15505355482dbf1d0bb65f27c1428b78d/data/mpd/",
    {
        "mazes_032_moore_c8.npz": "8153402e23dc20098d4f4135de34b5c88316b36e56f5d0c8d59410307499b426",
        "forest_032_moore_c8.npz": "6ec48417fe4d4845e4b73df4c1be0fb2c9cfaedbb456e2c54ae6f49c404361fc",
        "gaps_and_forest_032_moore_c8.npz": "5e70877db317fd8c1d697015d8886cf11793664e43c61fb20477d5b41bfa2775",
        "bugtrap_forest_032_moore_c8.npz": "0791b86d787c4f23167b7590b58cecffc51605af08210fafaa5067d2e88318f1",
        "multiple_bugtraps_032_moore_c8.npz": "a68a2e2dc65a639b12bb1458ca256972d89859990c65b60d6fd733278e01f32c",
    },
    "Motion Planning Dataset of omron-sinicx/planning-datasets, MIT licence",
)
ENVIRONMENTS = tuple(name.removesuffix("_032_moore_c8.npz") for name in REMOTE.sums)
"""Those of the eight whose test maps, nearly all, are not among the training maps as well."""

DIRECTIONS = np.array([(-1, 0), (0, 1), (0, -1), (1, 0), (-1, 1), (-1, -1), (1, 1), (1, -1)])
"""Steps in rows and columns, in the order of the files."""

_UNREACHABLE = -1


class Problems(NamedTuple):
    """Maps, each with a goal.

    Args:
        free: True where a cell is free, shape ``(N, K, K)``.
        goals: Row and column of each goal, shape ``(N, 2)``.
        steps: Number of the best direction in each cell, shape ``(N, K, K)``.
        distances: Steps to the goal, -1 where there is no way, shape ``(N, K, K)``.
    """

    free: NDArray[np.bool_]
    goals: NDArray[np.int64]
    steps: NDArray[np.int64]
    distances: NDArray[np.int64]

    def rows(self, chosen: Any) -> Problems:
        """Return some of the maps."""
        return Problems(*(array[chosen] for array in self))


def read_planning(folder: Path, environment: str) -> dict[str, Problems]:
    """Read one environment, ``ENVIRONMENT_032_moore_c8.npz``.

    Returns:
        The splits ``"train"``, ``"valid"`` and ``"test"``.

    Raises:
        DataError: the file cannot be read, or its arrays do not fit together.
    """
    path = folder / f"{environment}_032_moore_c8.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[f"arr_{number}"] for number in range(12)]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path} cannot be read as planning maps: {error}. --download fetches them."
        ) from error
    splits = {}
    for number, split in enumerate(("train", "valid", "test")):
        maps, goals, steps, distances = arrays[4 * number : 4 * number + 4]
        n, k = maps.shape[0], maps.shape[-1]
        expected = ((n, k, k), (n, 1, k, k), (n, 8, 1, k, k), (n, 1, k, k))
        if (found := tuple(a.shape for a in (maps, goals, steps, distances))) != expected:
            raise DataError(f"{path}: the arrays of {split} have shapes {found}; expected {expected}.")
        where, rows, columns = np.nonzero(goals[:, 0])
        if not np.array_equal(where, np.arange(n)):
            raise DataError(f"{path}: each map of {split} must have exactly one goal.")
        steps_left = -distances[:, 0].astype(
            np.int64
        )  # stored with a minus; what cannot be reached is far away
        splits[split] = Problems(
            maps != 0,
            np.stack([rows, columns], axis=1),
            steps[:, :, 0].argmax(axis=1),
            np.where((steps_left < k * k) & (maps != 0), steps_left, _UNREACHABLE),
        )
    return splits


def joined(parts: Sequence[Problems]) -> Problems:
    """Return the problems of several environments as one."""
    return Problems(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def unseen(problems: Problems, train: Problems) -> Problems:
    """Return the problems whose map is not among those of training."""
    seen = {grid.tobytes() for grid in train.free}
    return problems.rows([grid.tobytes() not in seen for grid in problems.free])


def demonstrate(
    problems: Problems, rng: np.random.Generator
) -> tuple[list[dict[str, Any]], NDArray[np.float32]]:
    """Go to the goal of each map by its best steps, from a random cell.

    Args:
        problems: The maps.
        rng: Chooses where to start: among the cells at least half as far from the goal as the farthest.

    Returns:
        Both ends of each way, as instances of ``networkx.shortest_path``, and its cells, shape ``(N, K, K)``.
    """
    distances = problems.distances
    far = 2 * distances >= distances.max(axis=(1, 2), keepdims=True)
    starts = np.stack([rng.choice(np.argwhere(cells)) for cells in far & (distances >= 0)])
    rows, at = np.arange(len(starts)), starts.copy()
    paths = np.zeros(distances.shape, np.float32)
    paths[rows, *at.T] = 1
    while (going := (at != problems.goals).any(axis=1)).any():
        at[going] += DIRECTIONS[problems.steps[rows[going], *at[going].T]]
        if (paths[rows[going], *at[going].T] != 0).any():
            raise DataError("the best steps of a map lead round in a circle.")
        paths[rows, *at.T] = 1
    ends = zip(starts.tolist(), problems.goals.tolist(), strict=True)
    return [{"source": tuple(start), "target": tuple(goal)} for start, goal in ends], paths


def generate_planning(count: int, *, size: int = 32, seed: int = 0) -> Problems:
    """Make maps of walls with a gap each, and blocks between them."""
    rng = np.random.default_rng(seed)
    free = np.ones((count, size, size), np.bool_)
    goals = np.empty((count, 2), np.int64)
    for grid, goal in zip(free, goals, strict=True):
        for wall in (size // 4, size // 2, 3 * size // 4):
            gap = rng.integers(size - 3)
            line = grid if rng.random() < 0.5 else grid.T
            line[wall, np.r_[0:gap, gap + 3 : size]] = False
        for row, column in rng.integers(size - 2, size=(size // 2, 2)):
            grid[row : row + 2, column : column + 2] = False
        goal[:] = rng.choice(np.argwhere(grid))
    steps, distances = _policies(free, goals)
    return Problems(free, goals, steps, distances).rows(distances.max(axis=(1, 2)) > 0)


def _policies(
    free: NDArray[np.bool_], goals: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return best steps and distances by a breadth-first search in all maps at once."""
    distances = np.full(free.shape, _UNREACHABLE, np.int64)
    steps = np.zeros(free.shape, np.int64)
    reached = np.zeros(free.shape, np.bool_)
    reached[np.arange(len(free)), *goals.T] = True
    distances[reached] = 0
    for distance in range(1, free[0].size):
        near = np.stack([_ahead(reached, step) for step in DIRECTIONS])
        new = near.any(axis=0) & free & ~reached
        if not new.any():
            break
        distances[new] = distance
        steps[new] = near.argmax(axis=0)[new]
        reached |= new
    return steps, distances


def _ahead(reached: NDArray[np.bool_], step: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each cell what holds for the one that a step leads to; False beyond the rim."""
    size = reached.shape[1]
    framed = np.pad(reached, ((0, 0), (1, 1), (1, 1)))
    down, right = 1 + step
    return framed[:, down : down + size, right : right + size]
