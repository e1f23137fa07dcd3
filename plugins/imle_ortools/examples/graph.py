"""Small assignments, flows and cuts for the conformance kit."""

from __future__ import annotations

from imle_core.testing import Example

ARCS = (
    ("s", "a"), ("s", "b"), ("a", "b"), ("b", "a"), ("a", "t"), ("b", "t"), ("a", "t"), ("b", "b")
)  # fmt: skip
"""A network with parallel arcs, arcs to and fro, and one from a node to itself."""


def linear_assignment() -> list[Example]:
    """Return matrices of each shape and sense, with and without forbidden pairs, also by row."""
    return [
        Example(parameters={"shape": (3, 3)}, label="square"),
        Example(parameters={"shape": (2, 4), "sense": "max"}, label="wide,max"),
        Example(parameters={"shape": (5, 2)}, label="tall"),
        Example(parameters={"shape": (1, 6)}, label="long"),
        Example(parameters={"shape": (3, 4), "forbidden": ((0, 0), (0, 1), (2, 3))}, label="forbidden"),
        Example(
            parameters={"shape": (3, 3), "sense": "max"},
            instances=[{"forbidden": ((0, 1),)}, {}, {"forbidden": ((0, 0), (1, 2), (2, 2))}],
            label="instances",
        ),
    ]


def min_cost_flow() -> list[Example]:
    """Return supplies that are all shipped or as far as they can be, one to one and several, also by row."""
    capacities = (2, 2, 1, 1, 1, 2, 1, 2)
    return [
        Example(
            parameters={"arcs": ARCS, "capacities": capacities, "supplies": {"s": 3, "t": -3}}, label="all"
        ),
        Example(
            parameters={
                "arcs": ARCS,
                "capacities": capacities,
                "supplies": {"s": 9, "a": 1, "t": -8, "b": -1},
                "volume": "most",
            },
            label="most",
        ),
        Example(
            parameters={"arcs": ARCS, "capacities": capacities, "supplies": {}, "negative": "clip"},
            label="circulation,clip",
        ),
        Example(
            parameters={"arcs": ARCS, "capacities": capacities},
            instances=[
                {"supplies": (("s", 2), ("t", -2))},
                {"supplies": (("s", 1), ("a", 1), ("t", -2)), "capacities": (1, 1, 1, 1, 1, 1, 0, 1)},
                {"supplies": ()},
            ],
            label="instances",
        ),
    ]


def max_flow() -> list[Example]:
    """Return networks with ends that are given, apart or differ by row, and negative capacities clipped."""
    return [
        Example(parameters={"arcs": ARCS, "source": "s", "sink": "t"}, label="ends"),
        Example(parameters={"arcs": ARCS, "source": "s", "sink": "t", "negative": "clip"}, label="clip"),
        Example(parameters={"arcs": ARCS, "source": "a", "sink": "s"}, label="apart"),
        Example(
            parameters={"arcs": ARCS, "sink": "t"},
            instances=[{"source": "s"}, {"source": "a"}, {"source": "a", "sink": "b"}],
            label="instances",
        ),
    ]
