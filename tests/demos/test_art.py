"""Textures and painted maps: the palette, variety, and that terrain can be told from pixels."""

from __future__ import annotations

import numpy as np
import pytest

from imle_core.demos.warcraft.render import Painter
from imle_core.demos.warcraft.terrain import generate_terrain
from imle_core.demos.warcraft.textures import CELL, MEAN_RGB, SIDE, draw_textures


@pytest.fixture(scope="module")
def painter():
    return Painter(0)


@pytest.fixture(scope="module")
def terrain():
    return generate_terrain(60, 12, np.random.default_rng(1))


def test_each_texture_has_the_mean_colour_of_its_ground():
    textures = draw_textures(np.random.default_rng(0))
    assert textures.shape == (5, SIDE, SIDE, 3)
    np.testing.assert_allclose(textures.mean((1, 2)), MEAN_RGB, atol=2.5)


def test_textures_wrap_around():
    textures = draw_textures(np.random.default_rng(0))
    across_the_rim = np.abs(textures[:, 0] - textures[:, -1]).mean()
    inside = np.abs(np.diff(textures, axis=1)).mean()
    assert across_the_rim < 1.5 * inside


def test_maps_are_dark_bytes_of_eight_pixels_a_cell(painter, terrain):
    pixels = painter.paint(terrain, np.random.default_rng(2))
    assert pixels.shape == (60, 12 * CELL, 12 * CELL, 3)
    assert pixels.dtype == np.uint8
    assert pixels.max() <= 150


def test_a_seed_gives_the_same_pixels(terrain):
    first, second = (Painter(3).paint(terrain[:4], np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_other_seeds_give_other_art_and_other_maps(painter, terrain):
    one = painter.paint(terrain[:4], np.random.default_rng(4))
    assert (one != Painter(1).paint(terrain[:4], np.random.default_rng(4))).mean() > 0.5
    assert (one != painter.paint(terrain[:4], np.random.default_rng(5))).mean() > 0.5


def test_no_two_cells_look_alike(painter, terrain):
    pixels = painter.paint(terrain[:5], np.random.default_rng(2))
    cells = pixels.reshape(5, 12, CELL, 12, CELL, 3).transpose(0, 1, 3, 2, 4, 5).reshape(-1, CELL * CELL * 3)
    assert len(np.unique(cells, axis=0)) == len(cells)


def test_terrain_can_be_told_from_pixels(painter, terrain):
    pixels = painter.paint(terrain, np.random.default_rng(2)).astype(float)
    cells = pixels.reshape(-1, 12, CELL, 12, CELL, 3).transpose(0, 1, 3, 2, 4, 5)
    middle = cells[:, :, :, 2:-2, 2:-2]
    features = np.concatenate([middle.mean((3, 4)), middle.std((3, 4))], axis=-1).reshape(-1, 6)
    kinds = terrain.ravel()
    half = len(kinds) // 2
    centres = np.stack([features[:half][kinds[:half] == kind].mean(0) for kind in range(5)])
    distance = ((features[half:, None] - centres) ** 2).sum(-1)
    assert (distance.argmin(1) == kinds[half:]).mean() > 0.9
