"""Maps built from tiles, and that no tested map gave a tile to training."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from imle_core.demos.warcraft.archive import DataError
from imle_core.demos.warcraft.maps import path_solver
from imle_core.demos.warcraft.settings import Settings
from imle_core.demos.warcraft.sources import load
from imle_core.demos.warcraft.terrain import COSTS, generate_terrain
from imle_core.demos.warcraft.tiles import TileAtlas, parse_selection

SIZE, MAPS = 8, 6


@pytest.fixture(scope="module")
def terrain():
    """Six maps, each of which shows every kind of ground."""
    drawn = generate_terrain(2000, SIZE, np.random.default_rng(0))
    complete = drawn[[len(np.unique(one)) == 5 for one in drawn]]
    return complete[:MAPS]


@pytest.fixture(scope="module")
def files(terrain, tmp_path_factory):
    """An atlas, and the maps that it was cut from. A pixel holds terrain, map and cell, so tiles are unique."""
    folder = tmp_path_factory.mktemp("tiles")
    cell = np.arange(SIZE * SIZE).reshape(SIZE, SIZE)
    values = np.stack([terrain, *np.broadcast_arrays(np.arange(MAPS)[:, None, None], cell)], axis=-1).astype(
        np.uint8
    )
    pixels = values.repeat(8, axis=1).repeat(8, axis=2)
    framed = np.pad(terrain, ((0, 0), (1, 1), (1, 1)), constant_values=255)
    context = np.lib.stride_tricks.sliding_window_view(framed, (3, 3), axis=(1, 2)).reshape(-1, 3, 3)
    tiles = np.broadcast_to(values.reshape(-1, 1, 1, 3), (MAPS * SIZE * SIZE, 8, 8, 3))
    number = np.repeat(np.arange(MAPS), SIZE * SIZE).astype(np.uint8)
    np.savez(folder / "atlas.npz", tiles=tiles, terrain=terrain.ravel(), context3x3=context, map_index=number)
    costs = COSTS[terrain]
    paths = path_solver(SIZE).solve(costs).astype(np.uint8)
    for name, rows in (("a", slice(0, 2)), ("b", slice(2, MAPS))):
        np.savez(
            folder / f"{name}.npz",
            maps=pixels[rows],
            shortest_paths=paths[rows],
            vertex_weights=costs[rows].astype(np.float16),
        )
    return folder


def settings(files, **options):
    options = {"tile_maps": "even", "test_maps": (files / "a.npz", files / "b.npz"), **options}
    return Settings(tiles=files / "atlas.npz", size=SIZE, train=20, val=5, **options)


def test_a_map_is_built_of_tiles_of_its_terrain(files, terrain):
    atlas = TileAtlas.read(files / "atlas.npz")
    pixels = atlas.compose(terrain, np.random.default_rng(0))
    np.testing.assert_array_equal(pixels[:, ::8, ::8, 0], terrain)


def test_tiles_come_from_the_same_neighbourhood_where_there_are_enough(files, terrain):
    atlas = TileAtlas.read(files / "atlas.npz")
    pixels = atlas.compose(terrain, np.random.default_rng(0))
    source = pixels[:, ::8, ::8, 1].astype(int) * SIZE * SIZE + pixels[:, ::8, ::8, 2]
    wanted = atlas.context.reshape(MAPS, SIZE, SIZE, 3, 3)[:, 1:-1, 1:-1]
    found = atlas.context[source[:, 1:-1, 1:-1]]
    assert (found == wanted).mean() > 0.7


def test_the_same_seed_builds_the_same_maps(files, terrain):
    atlas = TileAtlas.read(files / "atlas.npz")
    first, second = (atlas.compose(terrain, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("selection", "training"), [("even", {0, 2, 4}), ("odd", {1, 3, 5}), ("0-2,5", {0, 1, 2, 5})]
)
def test_training_tiles_and_tested_maps_are_disjoint(files, selection, training):
    splits = load(settings(files, tile_maps=selection))
    assert set(splits.test_numbers) == set(range(MAPS)) - training
    for maps in (splits.train, splits.val):
        assert set(np.unique(maps.pixels[:][..., 1]).tolist()) <= training
    assert set(np.unique(splits.test.pixels[:][..., 1]).tolist()).isdisjoint(training)


def test_a_map_is_recognised_by_its_pixels_not_by_its_place(files):
    atlas = TileAtlas.read(files / "atlas.npz")
    with np.load(files / "b.npz") as file:
        assert [atlas.number_of(pixels) for pixels in file["maps"]] == [2, 3, 4, 5]
        assert atlas.number_of(255 - file["maps"][0]) is None


def test_a_test_map_that_is_not_of_the_atlas_is_tested_under_a_new_number(files, tmp_path):
    with np.load(files / "a.npz") as file:
        changed = {name: file[name] for name in file.files}
    changed["maps"] = 255 - changed["maps"]
    np.savez(tmp_path / "other.npz", **changed)
    assert load(settings(files, test_maps=(tmp_path / "other.npz",))).test_numbers == [MAPS, MAPS + 1]


def test_without_real_maps_testing_is_on_maps_of_unseen_tiles(files):
    splits = load(settings(files, test_maps=(), test=10))
    assert len(splits.test) == 10
    assert set(np.unique(splits.test.pixels[:][..., 1]).tolist()) <= {1, 3, 5}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile_maps": "all"}, "all of the --test-maps gave tiles"),
        ({"tile_maps": "7"}, r"no maps \[7\]"),
        ({"tile_maps": "some"}, "give even, odd, all"),
    ],
)
def test_a_selection_that_leaves_nothing_is_an_error(files, options, message):
    with pytest.raises(DataError, match=message):
        load(settings(files, **options))


def test_test_maps_need_an_atlas(files):
    with pytest.raises(DataError, match="--test-maps needs --tiles"):
        load(Settings(test_maps=(files / "a.npz",)))


def test_two_sources_are_an_error(files):
    with pytest.raises(DataError, match="not both"):
        load(Settings(tiles=files / "atlas.npz", data=files))


def test_an_incomplete_atlas_is_an_error(files):
    with pytest.raises(DataError, match="lacks tiles, terrain, context3x3, map_index"):
        TileAtlas.read(files / "a.npz")
    with pytest.raises(DataError, match="cannot be read"):
        TileAtlas.read(files / "missing.npz")


def test_selections():
    numbers = list(range(28))
    assert parse_selection("all", numbers) == numbers
    assert parse_selection("odd", numbers) == numbers[1::2]
    assert parse_selection("0-2, 20,1", numbers) == [0, 1, 2, 20]


def test_every_real_map_is_in_the_atlas_of_the_real_tiles():
    default = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("IMLE_DATA", default)) / "warcraft_real_samples"
    if not folder.is_dir():
        pytest.skip(f"no real maps: {folder} is not there (set IMLE_DATA)")
    atlas = TileAtlas.read(folder / "warcraft_tile_atlas_8x8.npz")
    found = []
    for name in ("warcraft_12x12_labelled8.npz", "warcraft_12x12_pseudo20.npz"):
        with np.load(folder / name) as file:
            found += [atlas.number_of(pixels) for pixels in file["maps"]]
    assert found == list(range(28))
