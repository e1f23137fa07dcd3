"""The reader of the published archive, on tiny made-up ones."""

from __future__ import annotations

import numpy as np
import pytest

from imle_core.demos.warcraft.archive import DataError, read_split, true_costs, verify_checksums
from imle_core.demos.warcraft.settings import Settings
from imle_core.demos.warcraft.sources import load


def write(folder, *, size=4, counts=(7, 3, 3)):
    rng = np.random.default_rng(0)
    for split, count in zip(("train", "val", "test"), counts, strict=True):
        paths = np.broadcast_to(np.eye(size, dtype=np.uint8), (count, size, size))
        np.save(
            folder / f"{split}_maps.npy", rng.integers(0, 146, (count, 8 * size, 8 * size, 3), dtype=np.uint8)
        )
        np.save(folder / f"{split}_shortest_paths.npy", paths)
        costs = rng.choice([0.8, 1.2, 5.3, 7.7, 9.2], size=(count, size, size)).astype(np.float16)
        np.save(folder / f"{split}_vertex_weights.npy", costs)


def split_into_parts(folder, name, at):
    whole = np.load(folder / f"{name}.npy")
    np.save(folder / f"{name}_part0.npy", whole[:at])
    np.save(folder / f"{name}_part1.npy", whole[at:])
    (folder / f"{name}.npy").unlink()
    return whole


@pytest.mark.parametrize("size", [4, 6])
def test_the_size_is_inferred(tmp_path, size):
    write(tmp_path, size=size)
    splits = load(Settings(data=tmp_path, train=5, val=2))
    assert [len(maps) for maps in splits[:3]] == [5, 2, 3]
    assert splits.train.size == size


def test_parts_are_read_as_one(tmp_path):
    write(tmp_path)
    whole = split_into_parts(tmp_path, "train_maps", 4)
    maps = read_split(tmp_path, "train")
    rows = np.array([6, 0, 4, 3, 6])
    np.testing.assert_array_equal(maps.pixels[rows], whole[rows])
    np.testing.assert_array_equal(maps.pixels[2:6], whole[2:6])
    np.testing.assert_array_equal(maps.head(5).pixels[:], whole[:5])


def test_costs_lose_the_rounding_of_half_precision():
    stored = np.array([0.8, 1.2, 5.3, 7.7, 9.2], dtype=np.float16)
    np.testing.assert_array_equal(true_costs(stored), np.array([0.8, 1.2, 5.3, 7.7, 9.2], dtype=np.float32))


def test_a_missing_file_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "val_shortest_paths.npy").unlink()
    with pytest.raises(DataError, match=r"no val_shortest_paths\.npy"):
        load(Settings(data=tmp_path))


def test_the_folder_above_gets_a_hint(tmp_path):
    (tmp_path / "12x12").mkdir()
    write(tmp_path / "12x12")
    with pytest.raises(DataError, match="Did you mean one of its folders: 12x12"):
        read_split(tmp_path, "train")


def test_a_gap_in_the_parts_is_an_error(tmp_path):
    write(tmp_path)
    split_into_parts(tmp_path, "train_maps", 4)
    (tmp_path / "train_maps_part0.npy").unlink()
    with pytest.raises(DataError, match=r"parts \[1\] of train_maps"):
        read_split(tmp_path, "train")


def test_shapes_that_do_not_fit_are_an_error(tmp_path):
    write(tmp_path)
    np.save(tmp_path / "train_maps.npy", np.zeros((7, 24, 24, 3), dtype=np.uint8))
    with pytest.raises(DataError, match=r"train_maps has shape \(7, 24, 24, 3\)"):
        read_split(tmp_path, "train")


def test_labels_that_are_no_paths_are_an_error(tmp_path):
    write(tmp_path)
    np.save(tmp_path / "train_shortest_paths.npy", np.zeros((7, 4, 4), dtype=np.uint8))
    with pytest.raises(DataError, match="must hold 0 and 1"):
        read_split(tmp_path, "train")


def test_a_file_that_is_no_array_is_an_error(tmp_path):
    write(tmp_path)
    (tmp_path / "train_maps.npy").write_bytes(b"not an array")
    with pytest.raises(DataError, match="train_maps cannot be read"):
        read_split(tmp_path, "train")


def test_a_wrong_checksum_is_an_error(tmp_path):
    write(tmp_path)
    with pytest.raises(DataError, match="has MD5"):
        verify_checksums(tmp_path)


def test_splits_of_different_sizes_are_an_error(tmp_path):
    write(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    write(other, size=6)
    for name in ("maps", "shortest_paths", "vertex_weights"):
        (other / f"test_{name}.npy").replace(tmp_path / f"test_{name}.npy")
    with pytest.raises(DataError, match="splits differ in size"):
        load(Settings(data=tmp_path))
