"""Where the maps of a run come from: generated, built from tiles of real maps, or the published archive."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from imle_core.demos.warcraft.archive import DataError, read_split, true_costs, verify_checksums
from imle_core.demos.warcraft.maps import Maps, Splits, label
from imle_core.demos.warcraft.render import Painter
from imle_core.demos.warcraft.settings import TEST_MAPS, TILE_MAPS, TRAIN_MAPS
from imle_core.demos.warcraft.terrain import COSTS, generate_terrain
from imle_core.demos.warcraft.tiles import TileAtlas, parse_selection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from imle_core.demos.warcraft.settings import Settings

    Paint = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]

__all__ = ["load"]

logger = logging.getLogger(__name__)


def load(settings: Settings) -> Splits:
    """Return the maps that the settings ask for.

    Raises:
        DataError: files are missing or inconsistent, or the settings contradict each other.
    """
    if settings.data and settings.tiles:
        raise DataError("give --data (the published archive) or --tiles (an atlas), not both.")
    if settings.test_maps and not settings.tiles:
        raise DataError("--test-maps needs --tiles: the atlas tells which real maps gave tiles to training.")
    if settings.tile_maps is not None and not settings.tiles:
        raise DataError("--tile-maps needs --tiles: it chooses among the maps of the atlas.")
    if settings.data:
        return _archive(settings)
    if settings.tiles:
        return _tiles(settings)
    return _generated(settings, Painter(settings.seed).paint)


def _archive(settings: Settings) -> Splits:
    assert settings.data is not None
    if settings.md5:
        verify_checksums(settings.data)
    train, val, test = (read_split(settings.data, split) for split in ("train", "val", "test"))
    if len({train.size, val.size, test.size}) > 1:
        raise DataError(f"{settings.data}: splits differ in size: {train.size}, {val.size}, {test.size}.")
    test = test.head(settings.test)
    return Splits(train.head(settings.train), val.head(settings.val), test, list(range(len(test))))


def _tiles(settings: Settings) -> Splits:
    assert settings.tiles is not None
    atlas = TileAtlas.read(settings.tiles)
    selection = TILE_MAPS if settings.tile_maps is None else settings.tile_maps
    training = parse_selection(selection, atlas.numbers())
    logger.info("building maps from the tiles of maps %s", training)
    # Generated test maps, too, come from unseen tiles, where there are any.
    unseen = [number for number in atlas.numbers() if number not in training]
    splits = _generated(
        settings, atlas.only(training).compose, atlas.only(unseen).compose if unseen else None
    )
    if not settings.test_maps:
        return splits
    test, numbers = _real_maps(settings.test_maps, atlas, training)
    return splits._replace(test=test, test_numbers=numbers)


def _generated(settings: Settings, paint: Paint, paint_test: Paint | None = None) -> Splits:
    """Draw all maps; each split has its own stream, so that its maps do not depend on the others' sizes."""

    def draw(count: int, stream: int, paint: Paint) -> Maps:
        rng = np.random.default_rng([settings.seed, stream])
        terrain = generate_terrain(count, settings.size, rng)
        return label(paint(terrain, rng), COSTS[terrain], rng)

    train = TRAIN_MAPS if settings.train is None else settings.train
    test = TEST_MAPS if settings.test is None else settings.test
    return Splits(
        draw(train, 1, paint),
        draw(settings.val, 2, paint),
        draw(test, 3, paint_test or paint),
        list(range(test)),
    )


def _real_maps(paths: tuple[Path, ...], atlas: TileAtlas, training: list[int]) -> tuple[Maps, list[int]]:
    """Read real maps, and leave out by their pixels those that gave tiles to training."""
    parts: list[Maps] = []
    numbers: list[int] = []
    unknown = max(atlas.numbers()) + 1
    for path in paths:
        maps = _read_npz(path)
        keep = []
        for row in range(len(maps)):
            number = atlas.number_of(maps.pixels[row])
            if number is None:
                number, unknown = unknown, unknown + 1
            if number not in training:
                keep.append(row)
                numbers.append(number)
        logger.info(
            "%s: testing on %d of %d maps, the others gave tiles to training", path.name, len(keep), len(maps)
        )
        parts.append(Maps(maps.pixels[keep], maps.paths[keep], maps.costs[keep]))
    if not numbers:
        raise DataError(
            f"all of the --test-maps gave tiles to training ({training}); choose fewer with --tile-maps."
        )
    joined = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("pixels", "paths", "costs")
    )
    return Maps(*joined), numbers


def _read_npz(path: Path) -> Maps:
    wanted = ("maps", "shortest_paths", "vertex_weights")
    try:
        with np.load(path, allow_pickle=False) as file:
            if missing := [name for name in wanted if name not in file.files]:
                raise DataError(f"{path} lacks {', '.join(missing)}; --test-maps need {', '.join(wanted)}.")
            return Maps(file["maps"], file["shortest_paths"], true_costs(file["vertex_weights"]))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
