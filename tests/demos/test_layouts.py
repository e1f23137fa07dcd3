"""The reader and the generator of trajectories."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from imle_core.demos.data.files import DataError
from imle_core.demos.data.layouts import generate_layouts, read_layouts


@pytest.fixture
def arrays():
    """Tiny splits in the form of the file."""
    found = {}
    for seed, split in enumerate(("train", "valid", "test")):
        made = generate_layouts(3 + seed, nodes=5, steps=4, seed=seed)
        found |= {
            f"data_{split}": made.positions.swapaxes(2, 3),
            f"edges_{split}": made.trees.astype(np.uint8),
        }
    return found


def test_a_file_is_read_back(tmp_path, arrays):
    np.savez(tmp_path / "x.npz", **arrays)
    splits = read_layouts(tmp_path / "x.npz")
    for seed, split in enumerate(("train", "valid", "test")):
        made = generate_layouts(3 + seed, nodes=5, steps=4, seed=seed)
        np.testing.assert_array_equal(splits[split].positions, made.positions)
        np.testing.assert_array_equal(splits[split].trees, made.trees)


def test_a_missing_file_and_a_missing_array_are_errors(tmp_path, arrays):
    with pytest.raises(DataError, match="cannot be read as trajectories"):
        read_layouts(tmp_path / "x.npz")
    del arrays["edges_valid"]
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match="edges_valid"):
        read_layouts(tmp_path / "x.npz")


def test_what_is_no_tree_is_an_error(tmp_path, arrays):
    arrays["edges_test"][0] = 0
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match="edges_test holds graphs that are no spanning trees"):
        read_layouts(tmp_path / "x.npz")


def test_shapes_that_do_not_fit_are_an_error(tmp_path, arrays):
    arrays["edges_test"] = arrays["edges_test"][:-1]
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=r"edges_test has shape \(4, 5, 5\), expected \(5, 5, 5\)"):
        read_layouts(tmp_path / "x.npz")


def test_generated_rows_are_layout_steps_of_a_spanning_tree():
    made = generate_layouts(4, nodes=6, steps=3)
    for positions, adjacency in zip(made.positions, made.trees, strict=True):
        tree = nx.from_numpy_array(adjacency)
        assert nx.is_tree(tree)
        for before, after in pairwise(positions):
            drawn = nx.spring_layout(tree, pos=dict(enumerate(before)), iterations=1, seed=0)
            np.testing.assert_allclose([drawn[node] for node in range(6)], after, atol=1e-6)


def test_each_drawing_is_centred_and_scaled():
    made = generate_layouts(4)
    np.testing.assert_allclose(made.positions.mean(2), 0, atol=1e-6)
    np.testing.assert_allclose(np.abs(made.positions).max((2, 3)), 1, atol=1e-6)


def test_the_seed_decides_and_the_global_one_is_not_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, same, other = (generate_layouts(2, seed=seed).positions for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
