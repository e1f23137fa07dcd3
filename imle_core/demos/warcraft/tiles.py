"""Maps built from the tiles of real maps.

An atlas is an ``.npz`` file of 8x8-pixel tiles cut from real maps. It gives each tile's kind of ground, those
of its eight neighbours, and the number of the map that it comes from; training on tiles of some maps and
testing on the others is thus free of leakage. The atlas of the published maps shows art of a commercial game:
it is not part of this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.demos.warcraft.archive import DataError
from imle_core.demos.warcraft.textures import CELL

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["TileAtlas", "parse_selection"]

_OFF_MAP = 255
# How much a neighbour of another kind disturbs the eye: one over an edge shows more than one over a corner.
_WEIGHTS = np.array([1, 2, 1, 2, 0, 2, 1, 2, 1], dtype=np.float32)
_UNKNOWN = 0.5  # part of that weight for a tile from the rim of its map, whose neighbour is not known
_FEWEST = 4  # tiles to choose from at least, so that rare neighbourhoods do not repeat one tile


@dataclass(frozen=True)
class TileAtlas:
    """Tiles of real maps.

    Args:
        tiles: Shape ``(T, 8, 8, 3)``, uint8.
        terrain: Kind of ground of each, shape ``(T,)``.
        context: Kinds of ground of it and its neighbours, 255 off the map, shape ``(T, 3, 3)``.
        map_index: Number of the map that it comes from, shape ``(T,)``.
    """

    tiles: NDArray[np.uint8]
    terrain: NDArray[np.uint8]
    context: NDArray[np.uint8]
    map_index: NDArray[np.uint8]

    @classmethod
    def read(cls, path: Path) -> TileAtlas:
        """Read an atlas.

        Raises:
            DataError: it is missing or incomplete.
        """
        wanted = ("tiles", "terrain", "context3x3", "map_index")
        try:
            with np.load(path, allow_pickle=False) as file:
                if missing := [name for name in wanted if name not in file.files]:
                    raise DataError(
                        f"{path} lacks {', '.join(missing)}; a tile atlas has {', '.join(wanted)}."
                    )
                atlas = cls(*(file[name] for name in wanted))
        except OSError as error:
            raise DataError(f"the tile atlas {path} cannot be read: {error}") from error
        count = len(atlas.tiles)
        if atlas.tiles.shape != (count, CELL, CELL, 3) or atlas.context.shape != (count, 3, 3):
            raise DataError(f"{path}: tiles {atlas.tiles.shape} must be (T, 8, 8, 3), context3x3 (T, 3, 3).")
        return atlas

    def numbers(self) -> list[int]:
        """Return the numbers of the maps that gave tiles."""
        return [int(number) for number in np.unique(self.map_index)]

    def only(self, numbers: list[int]) -> TileAtlas:
        """Return the tiles of these maps alone."""
        keep = np.isin(self.map_index, numbers)
        return TileAtlas(self.tiles[keep], self.terrain[keep], self.context[keep], self.map_index[keep])

    def compose(self, terrain: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Build maps: for each cell a tile of its kind whose neighbourhood was as like as there is.

        Args:
            terrain: Kinds of ground, shape ``(N, K, K)``.
            rng: Chooses among equally good tiles.

        Returns:
            Pixels, shape ``(N, 8K, 8K, 3)``.

        Raises:
            DataError: no tile shows one of the kinds of ground.
        """
        if missing := sorted(set(np.unique(terrain).tolist()) - set(np.unique(self.terrain).tolist())):
            raise DataError(
                f"the chosen maps have no tile of terrain {missing}; choose more with --tile-maps."
            )
        count, size = terrain.shape[:2]
        framed = np.pad(terrain, ((0, 0), (1, 1), (1, 1)), constant_values=_OFF_MAP)
        around = np.lib.stride_tricks.sliding_window_view(framed, (3, 3), axis=(1, 2)).reshape(-1, 9)
        contexts, which = np.unique(around, axis=0, return_inverse=True)
        order = np.argsort(which, kind="stable")
        cells = np.split(order, np.cumsum(np.bincount(which))[:-1])
        chosen = np.empty(len(around), dtype=np.intp)
        for context, members in zip(contexts, cells, strict=True):
            chosen[members] = rng.choice(self._candidates(context), size=len(members))
        grid = self.tiles[chosen].reshape(count, size, size, CELL, CELL, 3)
        return grid.transpose(0, 1, 3, 2, 4, 5).reshape(count, CELL * size, CELL * size, 3)

    def number_of(self, pixels: NDArray[np.uint8]) -> int | None:
        """Return the number of the map that looks exactly like this one, or None: found by pixels, not by name."""
        size = len(pixels) // CELL
        tiles = pixels.reshape(size, CELL, size, CELL, 3).transpose(0, 2, 1, 3, 4).reshape(-1, CELL, CELL, 3)
        for number in self.numbers():
            mine = self.tiles[self.map_index == number]
            if mine.shape == tiles.shape and np.array_equal(mine, tiles):
                return number
        return None

    def _candidates(self, context: NDArray[np.uint8]) -> NDArray[np.intp]:
        same = np.flatnonzero(self.terrain == context[4])
        around = self.context[same].reshape(-1, 9)
        differs = np.where(around == _OFF_MAP, _UNKNOWN, around != context) * (context != _OFF_MAP)
        score = differs @ _WEIGHTS
        limit = np.partition(score, min(_FEWEST, len(score)) - 1)[min(_FEWEST, len(score)) - 1]
        return same[score <= limit]


def parse_selection(text: str, numbers: list[int]) -> list[int]:
    """Return the map numbers that a selection names: ``even``, ``odd``, ``all`` or ranges as in ``0-13,20``.

    Raises:
        DataError: the text is no selection, or names no map or one that is not there.
    """
    named: dict[str, Any] = {
        "all": numbers,
        "even": [n for n in numbers if n % 2 == 0],
        "odd": [n for n in numbers if n % 2 == 1],
    }
    if text in named:
        return list(named[text])
    chosen: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not (first.isdigit() and (last or first).isdigit()):
            raise DataError(f"--tile-maps {text!r}: give even, odd, all, or ranges as in 0-13,20.")
        chosen += range(int(first), int(last or first) + 1)
    if unknown := sorted(set(chosen) - set(numbers)):
        raise DataError(f"--tile-maps {text!r}: no maps {unknown}; the atlas has {numbers}.")
    return sorted(set(chosen))
