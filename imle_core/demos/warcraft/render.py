"""From kinds of ground to pixels: a map in our own art, 8x8 pixels a cell.

Borders between kinds of ground wander by up to a few pixels, are softened, and cast a thin shade; brightness
drifts over the map and from map to map, and every pixel carries a little noise. So no cell looks exactly
like another, and its colour alone does not give its cost away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_core.demos.warcraft.textures import CELL, SIDE, draw_textures, wrapped_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Painter"]

_WANDER = 1.3  # standard deviation of a border's displacement, pixels; cut at 2.6 of the 8 pixels of a cell
_DRIFT, _MAP_GAIN, _GRAIN = 0.07, 0.06, 2.5  # relative, relative, grey levels
_BRIGHTEST = 150  # as dark as the published maps


class Painter:
    """Paints terrain with one set of textures.

    Args:
        seed: Decides the textures; maps painted with the same seed share their art.
    """

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._textures = draw_textures(rng)
        wander = _WANDER * wrapped_noise(rng, 2.5, count=4)
        self._wander = np.clip(wander, -2 * _WANDER, 2 * _WANDER).astype(np.float32)
        self._drift = wrapped_noise(rng, 20)[0].astype(np.float32)

    def paint(self, terrain: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Paint maps.

        Args:
            terrain: Kinds of ground, shape ``(N, K, K)``.
            rng: Source of what differs between maps: the window of the textures, brightness, noise.

        Returns:
            Pixels, shape ``(N, 8K, 8K, 3)``.
        """
        count, size = terrain.shape[:2]
        maps = np.empty((count, CELL * size, CELL * size, 3), dtype=np.uint8)
        for one, kinds in zip(maps, terrain, strict=True):
            one[:] = self._paint(kinds, rng)
        return maps

    def _paint(self, kinds: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
        """Paint one map; a window of the textures is taken anywhere, wrapping around."""
        side = CELL * len(kinds)
        rows, columns = ((rng.integers(SIDE) + np.arange(side)) % SIDE for _ in range(2))
        wander = self._wander[:, rows][:, :, columns]
        # Two displaced looks at the terrain, averaged, soften the border by about a pixel.
        looks = [_displaced(kinds, wander[0], wander[1]), _displaced(kinds, wander[2], wander[3])]
        at = rows[:, None], columns[None, :]
        colour = 0.5 * (self._textures[looks[0], *at] + self._textures[looks[1], *at])
        gain = 1 + _DRIFT * self._drift[at] + _MAP_GAIN * rng.standard_normal(dtype=np.float32)
        gain *= 1 - 0.22 * _border(looks[0])
        grain = _GRAIN * rng.standard_normal(colour.shape, dtype=np.float32)
        return np.clip(colour * gain[..., None] + grain + 0.5, 0, _BRIGHTEST)


def _displaced(
    kinds: NDArray[np.uint8], dy: NDArray[np.float32], dx: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The kind of ground at each pixel, looked up where the displacement points; ``(8K, 8K)``."""
    size = len(kinds)
    pixel = np.arange(CELL * size, dtype=np.float32) + 0.5
    row = np.clip((pixel[:, None] + dy) // CELL, 0, size - 1).astype(np.intp)
    column = np.clip((pixel[None, :] + dx) // CELL, 0, size - 1).astype(np.intp)
    return kinds[row, column]


def _border(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels whose right or lower neighbour is of another kind."""
    border = np.zeros(kinds.shape, dtype=bool)
    border[:-1] |= kinds[:-1] != kinds[1:]
    border[:, :-1] |= kinds[:, :-1] != kinds[:, 1:]
    return border
