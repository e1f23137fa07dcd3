"""The reader and the generator of planning maps, and ways by their best steps."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from imle_core.demos.data.files import DataError
from imle_core.demos.data.planning import (
    DIRECTIONS,
    demonstrate,
    generate_planning,
    joined,
    read_planning,
    unseen,
)

SIZE = 9


def stored(problems):
    """Return the four arrays of one split, as the files hold them."""
    n = len(problems.free)
    goals = np.zeros((n, 1, SIZE, SIZE))
    goals[np.arange(n), 0, *problems.goals.T] = 1
    steps = np.moveaxis(np.eye(8)[problems.steps], -1, 1)[:, :, None]
    distances = -np.where(problems.distances < 0, SIZE**2, problems.distances)[:, None]
    return [problems.free.astype(np.float32), goals, steps, distances.astype(float)]


@pytest.fixture
def arrays():
    return [array for seed in range(3) for array in stored(generate_planning(4, size=SIZE, seed=seed))]


def write(folder, arrays):
    np.savez(folder / "tiny_032_moore_c8.npz", *arrays)


def grid_of(free):
    """Return the graph of free cells, for an independent count of steps."""
    grid = nx.strong_product(nx.path_graph(SIZE), nx.path_graph(SIZE))
    return grid.subgraph([tuple(cell) for cell in np.argwhere(free).tolist()])


def test_a_file_is_read_back(tmp_path, arrays):
    write(tmp_path, arrays)
    splits = read_planning(tmp_path, "tiny")
    for seed, split in enumerate(("train", "valid", "test")):
        for found, expected in zip(splits[split], generate_planning(4, size=SIZE, seed=seed), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_generated_distances_are_those_of_networkx():
    made = generate_planning(12, size=SIZE, seed=5)
    assert (made.distances >= 0).any(axis=(1, 2)).all()
    for free, goal, distances in zip(made.free, made.goals, made.distances, strict=True):
        lengths = nx.single_source_shortest_path_length(grid_of(free), tuple(goal.tolist()))
        expected = np.full((SIZE, SIZE), -1)
        for cell, length in lengths.items():
            expected[cell] = length
        np.testing.assert_array_equal(distances, expected)


def test_a_step_may_pass_between_walls_that_touch_at_a_corner():
    made = generate_planning(200, size=SIZE, seed=0)
    row, column = made.free[:, :-1, :-1], made.free[:, 1:, 1:]
    between = row & column & ~made.free[:, :-1, 1:] & ~made.free[:, 1:, :-1]
    apart = np.abs(made.distances[:, :-1, :-1] - made.distances[:, 1:, 1:])
    assert between.any()
    assert (apart[between] <= 1).all()


def test_ways_are_shortest_paths_of_free_cells():
    made = generate_planning(20, size=SIZE, seed=3)
    ends, paths = demonstrate(made, np.random.default_rng(0))
    for row, end in enumerate(ends):
        assert end["target"] == tuple(made.goals[row].tolist())
        distance = made.distances[row][end["source"]]
        assert 2 * distance >= made.distances[row].max()
        assert paths[row].sum() == distance + 1
        assert made.free[row][paths[row] == 1].all()
        assert nx.is_connected(grid_of(paths[row] == 1))


def test_steps_that_lead_round_in_a_circle_are_an_error():
    made = generate_planning(1, size=SIZE, seed=0)
    right, left = (DIRECTIONS.tolist().index([0, step]) for step in (1, -1))
    made.steps[:] = np.where(np.arange(SIZE) == SIZE - 1, left, right)
    with pytest.raises(DataError, match="round in a circle"):
        demonstrate(made, np.random.default_rng(0))


def test_maps_of_the_training_set_are_left_out():
    train, test = (generate_planning(5, size=SIZE, seed=seed) for seed in (0, 1))
    mixed = joined([test, train.rows(slice(0, 2))])
    assert len(mixed.free) == len(test.free) + 2
    np.testing.assert_array_equal(unseen(mixed, train).goals, test.goals)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop(), "arr_11"),
        (
            lambda arrays: arrays.__setitem__(4, arrays[4][:-1]),
            r"the arrays of valid have shapes \(\(3, 9, 9\)",
        ),
        (lambda arrays: arrays[9].fill(0), "each map of test must have exactly one goal"),
        (lambda arrays: arrays[1].fill(1), "each map of train must have exactly one goal"),
    ],
)
def test_a_fault_is_named(tmp_path, arrays, change, message):
    change(arrays)
    write(tmp_path, arrays)
    with pytest.raises(DataError, match=message):
        read_planning(tmp_path, "tiny")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"tiny_032_moore_c8\.npz cannot be read.*--download"):
        read_planning(tmp_path, "tiny")
