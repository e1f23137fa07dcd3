"""Small instances of this plugin's solvers, to test them with."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

from imle_core.testing import Example

COMPLETE = list(combinations(range(5), 2))
"""The complete graph of five nodes."""

PARALLEL = [(0, 1), (1, 0), (1, 2), (2, 2), (2, 3), (3, 0), (0, 2), (2, 0)]
"""A graph of four nodes with parallel edges and a loop."""

LAYERED = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (3, 5), (4, 5)]
"""An acyclic graph of six nodes."""


def one_of_n() -> list[Example]:
    """Return few entries, one entry, and any number."""
    return [*_sized((5, 1)), Example(event_shape=(7,), label="n=any")]


def binary() -> list[Example]:
    """Return few entries, one entry, and any number."""
    return [*_sized((5, 1)), Example(event_shape=(7,), label="n=any")]


def k_subset() -> list[Example]:
    """Return subsets of every kind: some, one, none and all of a few entries, and of any number."""
    return _subsets([(2, 6), (1, 5), (4, 5), (0, 4), (4, 4)])


def at_most_k() -> list[Example]:
    """Return bounds of every kind: some, one, none and all of a few entries, and of any number."""
    return _subsets([(2, 6), (1, 5), (0, 4), (4, 4)])


def knapsack() -> list[Example]:
    """Return knapsacks that bind, that hold all, and that hold nothing; items that weigh nothing, or too much."""
    given = {
        "binding": ([3, 4, 5, 9, 2], 9),
        "edge cases": ([0, 3, 20, 2, 0], 4),
        "all fit": ([1, 2, 3], 10),
        "nothing fits": ([1, 2, 3], 0),
    }
    return [Example(parameters={"weights": w, "capacity": c}, label=label) for label, (w, c) in given.items()]


def spanning_tree() -> list[Example]:
    """Return a complete graph, a cycle, a tree, parallel edges with a loop, and costs."""
    cycle, tree = [(i, (i + 1) % 6) for i in range(6)], [(3, 1), (1, 0), (1, 2)]
    return [
        Example(parameters={"graph": COMPLETE}, label="complete"),
        Example(parameters={"graph": cycle, "nodes": 6}, label="cycle"),
        Example(parameters={"graph": tree}, label="tree"),
        Example(parameters={"graph": PARALLEL}, label="parallel edges"),
        Example(parameters={"graph": COMPLETE, "sense": "min"}, label="complete,min"),
    ]


def arborescence() -> list[Example]:
    """Return complete and sparse graphs with a root, without one, with parallel edges, and costs."""
    complete = list(permutations(range(4), 2))
    # only node 2 leads to all others
    one_root: dict[str, Any] = {"graph": [(2, 0), (2, 1), (0, 1), (1, 0), (1, 3), (0, 3)]}
    return [
        Example(parameters={"graph": complete, "root": 1}, label="complete"),
        Example(parameters={"graph": complete}, label="complete,any root"),
        Example(parameters=one_root, label="sparse,any root"),
        Example(parameters={**one_root, "root": 2}, label="sparse"),
        Example(parameters={"graph": PARALLEL, "root": 0}, label="parallel edges"),
        Example(parameters={"graph": complete, "root": 0, "sense": "min"}, label="complete,min"),
    ]


def dag_path() -> list[Example]:
    """Return scores and costs, and graphs with edges that are on no path from source to target."""
    aside = [(7, 1), *LAYERED, (3, 6), (0, 5)]
    return [
        Example(parameters={"graph": LAYERED, "source": 0, "target": 5}, label="layered"),
        Example(parameters={"graph": LAYERED, "source": 0, "target": 5, "sense": "min"}, label="layered,min"),
        Example(parameters={"graph": aside, "source": 0, "target": 5}, label="edges aside"),
        Example(parameters={"graph": aside, "source": 1, "target": 4, "nodes": 9}, label="inner ends"),
    ]


def chain() -> list[Example]:
    """Return chains of several lengths and numbers of states, costs, and any shape."""
    shapes = [(3, 3), (1, 4), (4, 2), (2, 1)]
    return [
        *[Example(parameters={"steps": steps, "states": states}) for steps, states in shapes],
        Example(parameters={"steps": 2, "states": 3, "sense": "min"}),
        Example(event_shape=(3, 2, 2), label="any"),
    ]


def assignment() -> list[Example]:
    """Return scores and costs, and a single assignment."""
    return [*_sized((4, 1)), Example(parameters={"n": 4, "sense": "min"})]


def ranking() -> list[Example]:
    """Return rankings from either end, of one entry, and of any number."""
    support = [list(map(float, p)) for p in permutations(range(1, 6))]
    return [
        *_sized((5, 1)),
        Example(parameters={"n": 4, "sense": "min"}),
        Example(event_shape=(5,), support=support, label="n=any"),
    ]


def enumerated() -> list[Example]:
    """Return binary, integer and real vertices, of one and of two axes."""
    real = [[0.5, -1.0, 2.0], [0.25, 3.0, -0.5], [0.0, 0.0, 0.0], [-2.0, 1.5, 1.0]]
    square = [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[2, 2], [-1, 0]]]
    return [
        Example(parameters={"vertices": [[1, 0, 0, 1], [0, 1, 1, 0], [1, 1, 1, 1]]}, label="binary"),
        Example(parameters={"vertices": real}, label="real"),
        Example(parameters={"vertices": square, "sense": "min"}, label="square,min"),
    ]


def _sized(sizes: tuple[int, ...]) -> list[Example]:
    return [Example(parameters={"n": n}) for n in sizes]


def _subsets(sizes: list[tuple[int, int]]) -> list[Example]:
    given = [Example(parameters={"k": k, "n": n}) for k, n in sizes]
    return [*given, Example(parameters={"k": 2}, event_shape=(7,), label="k=2,n=any")]
