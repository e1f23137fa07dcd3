"""Terrain obeys the rules of the published maps, and has their statistics."""

from __future__ import annotations

import numpy as np
import pytest

from imle_core.demos.warcraft.maps import path_solver
from imle_core.demos.warcraft.terrain import COSTS, Terrain, allowed_neighbours, generate_terrain

SHARES = {
    Terrain.GRASS: 0.24,
    Terrain.EARTH: 0.38,
    Terrain.FOREST: 0.10,
    Terrain.WATER: 0.16,
    Terrain.ROCK: 0.12,
}


@pytest.fixture(scope="module")
def terrain():
    return generate_terrain(3000, 12, np.random.default_rng(0))


def neighbours(terrain):
    """All pairs of cells that touch, over edges and corners."""
    yield terrain[:, 1:], terrain[:, :-1]
    yield terrain[:, :, 1:], terrain[:, :, :-1]
    yield terrain[:, 1:, 1:], terrain[:, :-1, :-1]
    yield terrain[:, 1:, :-1], terrain[:, :-1, 1:]


@pytest.mark.parametrize("size", [3, 12, 30])
def test_no_two_kinds_touch_that_may_not(size):
    drawn = generate_terrain(300, size, np.random.default_rng(size))
    allowed = allowed_neighbours()
    assert drawn.shape == (300, size, size)
    assert all(allowed[a, b].all() for a, b in neighbours(drawn))


def test_all_allowed_neighbourhoods_occur(terrain):
    seen = np.zeros((5, 5), dtype=bool)
    for a, b in neighbours(terrain):
        seen[a, b] = seen[b, a] = True
    np.testing.assert_array_equal(seen, allowed_neighbours())


def test_shares_of_terrain_are_those_of_the_published_maps(terrain):
    found = np.bincount(terrain.ravel(), minlength=5) / terrain.size
    for kind, share in SHARES.items():
        assert found[kind] == pytest.approx(share, abs=0.02), kind.name


def test_costs_and_best_paths_are_those_of_the_published_maps(terrain):
    costs = COSTS[terrain]
    paths = path_solver(12).solve(costs)
    assert costs.mean() == pytest.approx(3.50, abs=0.1)
    assert paths.sum((1, 2)).mean() == pytest.approx(14.1, abs=0.4)
    assert (paths * costs).sum((1, 2)).mean() == pytest.approx(34.3, abs=1.5)


def test_a_seed_gives_the_same_terrain():
    first, second, other = (generate_terrain(5, 12, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_the_empty_set_of_maps_works():
    assert generate_terrain(0, 12, np.random.default_rng(0)).shape == (0, 12, 12)
