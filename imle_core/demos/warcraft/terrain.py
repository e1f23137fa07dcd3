"""Random terrain with the statistics of the Warcraft maps: which cell is grass, earth, forest, water or rock.

The published maps obey hard rules of adjacency, over edges and corners alike: forest touches only forest and
grass, water only water and earth, rock only rock and earth; grass and earth meet freely. The generator
grants these rules by construction: smooth random fields say where water, rock and forest would like to
be, and each is then given the shore that it needs.

Reference:
    Vlastelica, Paulus, Musil, Martius and Rolinek (2020), Differentiation of Blackbox Combinatorial Solvers:
    the data set whose terrain shares and costs are matched here.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COSTS", "Terrain", "allowed_neighbours", "generate_terrain"]


class Terrain(IntEnum):
    """The five kinds of ground, numbered as in the tile atlas."""

    GRASS = 0
    EARTH = 1
    FOREST = 2
    WATER = 3
    ROCK = 4


COSTS: NDArray[np.float32] = np.array([0.8, 1.2, 5.3, 7.7, 9.2], dtype=np.float32)
"""Cost of entering a cell, indexed by :class:`Terrain`."""

# Correlation lengths in cells, and thresholds on fields of unit variance. Chosen so that shares, mean cost,
# and length and cost of the best path agree with the published 12x12 maps; the tests hold them there.
_MASSIF_LENGTH, _FOREST_LENGTH, _GROUND_LENGTH = 3.8, 2.6, 0.9
_WATER_BELOW, _ROCK_ABOVE, _FOREST_ABOVE, _GRASS_ABOVE = -1.0, 1.17, 0.76, 0.24


def generate_terrain(count: int, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw random maps that obey the rules of adjacency.

    Args:
        count: Number of maps.
        size: Cells along each side, K.
        rng: Source of all randomness.

    Returns:
        Kinds of ground, values of :class:`Terrain`, shape ``(count, size, size)``.
    """
    massif = _smooth_fields(count, size, _MASSIF_LENGTH, rng)
    rock = massif > _ROCK_ABOVE
    water = (massif < _WATER_BELOW) & ~_grown(rock)
    heavy = rock | water
    shore = _grown(heavy)
    forest = (_smooth_fields(count, size, _FOREST_LENGTH, rng) > _FOREST_ABOVE) & ~_grown(shore)
    grass = _smooth_fields(count, size, _GROUND_LENGTH, rng) > _GRASS_ABOVE
    # Later lines win: what needs a neighbour comes after that neighbour.
    terrain = np.where(grass | _grown(forest), Terrain.GRASS, Terrain.EARTH)
    terrain[shore] = Terrain.EARTH
    terrain[forest] = Terrain.FOREST
    terrain[water] = Terrain.WATER
    terrain[rock] = Terrain.ROCK
    return terrain.astype(np.uint8)


def allowed_neighbours() -> NDArray[np.bool_]:
    """Return the 5x5 symmetric table of which kinds of ground may touch."""
    allowed = np.eye(len(Terrain), dtype=bool)
    for a, b in (
        (Terrain.GRASS, Terrain.EARTH),
        (Terrain.GRASS, Terrain.FOREST),
        (Terrain.EARTH, Terrain.WATER),
        (Terrain.EARTH, Terrain.ROCK),
    ):
        allowed[a, b] = allowed[b, a] = True
    return allowed


def _smooth_fields(count: int, size: int, length: float, rng: np.random.Generator) -> NDArray[Any]:
    """White noise through a Gaussian filter: stationary fields of unit variance, ``(count, size, size)``."""
    side = size + int(np.ceil(4 * length))  # the filter wraps around; the margin keeps opposite edges apart
    frequency = np.fft.fftfreq(side)[:, None] ** 2 + np.fft.rfftfreq(side)[None, :] ** 2
    response = np.exp(-2 * (np.pi * length) ** 2 * frequency)
    kernel = np.fft.irfft2(response, s=(side, side))
    noise = rng.standard_normal((count, side, side), dtype=np.float32)
    fields = np.fft.irfft2(np.fft.rfft2(noise) * response, s=(side, side))
    return fields[:, :size, :size] / np.sqrt((kernel**2).sum())


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and everything that touches it, over edges and corners."""
    rows = mask.copy()
    rows[:, 1:] |= mask[:, :-1]
    rows[:, :-1] |= mask[:, 1:]
    grown = rows.copy()
    grown[:, :, 1:] |= rows[:, :, :-1]
    grown[:, :, :-1] |= rows[:, :, 1:]
    return grown
