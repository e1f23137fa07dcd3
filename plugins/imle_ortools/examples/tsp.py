"""Small tours."""

from __future__ import annotations

from imle_core.testing import Example


def tsp() -> list[Example]:
    """Return tours of both kinds and of each method, and nodes, sizes and fixed costs that differ by row."""
    exact, by_row = {"exact": True}, {"batched": False}  # whose search takes far longer than the call
    fixed = dict.fromkeys(
        ("check_optimality", "check_scale_invariance"), "there are fixed costs beside theta"
    )
    visits = [{"visit": (0, 2, 4)}, {"visit": (1, 2, 3, 4)}, {}, {"visit": (3,)}]
    offset = tuple(tuple(0.5 * (i - j) % 3 for j in range(4)) for i in range(4))
    return [
        Example(parameters={"nodes": 5}, label="directed", traits=exact),
        Example(parameters={"nodes": 6, "undirected": True}, label="undirected", traits=exact),
        Example(parameters={"nodes": 1}, label="one node", traits=exact),
        Example(parameters={"nodes": 2}, label="two nodes", traits=exact),
        Example(parameters={"nodes": 3, "undirected": True}, label="three nodes", traits=exact),
        Example(parameters={}, event_shape=(4, 4), label="any size", traits=exact),
        Example(parameters={"nodes": 5}, instances=visits, label="visit", traits=exact),
        Example(
            instances=[{"size": 3}, {"size": 5, "visit": (1, 2, 4)}, {"size": 4}], label="sizes", traits=exact
        ),
        Example(
            parameters={"nodes": 4, "offset": offset}, label="offset", traits=exact, expected_failures=fixed
        ),
        Example(
            parameters={"nodes": 4, "offset": 0.0},
            instances=[{"offset": offset}, {}],
            label="offsets",
            traits=exact,
            expected_failures=fixed,
        ),
        Example(parameters={"nodes": 16, "method": "exact"}, label="circuit", traits={**exact, **by_row}),
        Example(parameters={"nodes": 6, "method": "local_search"}, label="local search", traits=by_row),
        Example(parameters={"nodes": 5, "method": "routing"}, label="routing", traits=by_row),
    ]
