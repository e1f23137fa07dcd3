"""Properties of the answers, for any small graph that hypothesis can think of."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.shortest_path import ShortestPath

from imle_core.errors import InfeasibleError

COSTS = st.sampled_from(
    [0.0, 0.0, 1.0, 2.0, 0.1, 0.2, 0.30000000000000004, 1e-300, 1e6]
)  # ties, and near ones


@st.composite
def problems(draw):
    """A graph of any class with self-loops and parallel edges, its ends, and rows of costs."""
    graph = draw(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]))()
    node = st.integers(0, draw(st.integers(0, 6)))
    graph.add_nodes_from(draw(st.lists(node, min_size=1, unique=True)))
    graph.add_edges_from(draw(st.lists(st.tuples(node, node), max_size=16)))
    weight = draw(st.sampled_from(["edge", "node"]))
    source, target = (draw(st.sampled_from(sorted(graph))) for _ in range(2))
    entries = graph.number_of_edges() if weight == "edge" else len(graph)
    row = st.lists(COSTS, min_size=entries, max_size=entries)
    rows = draw(st.lists(row, min_size=1, max_size=3))
    return graph, weight, source, target, np.array(rows).reshape(len(rows), entries)


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(problems(), st.sampled_from(["error", "allow"]))
def test_methods_agree_on_objective_and_feasibility(problem, negative):
    graph, weight, source, target, theta = problem
    rows = np.resize(theta, (20, theta.shape[1]))  # enough for the lanes; those of theta alone go to Dijkstra
    ends = {"source": source, "target": target, "weight": weight, "negative": negative}
    fast, slow = (ShortestPath(graph, **ends, method=method) for method in ("compiled", "networkx"))
    solve = ShortestPath.solve.__wrapped__  # also of rows without entries, which the core need not pass on
    if not nx.has_path(graph, source, target):
        for solver in (fast, slow):
            with pytest.raises(InfeasibleError):
                solve(solver, theta)
        with pytest.raises(InfeasibleError):
            solve(fast, rows)
        return
    z, z_lanes, z_slow = solve(fast, theta), solve(fast, rows), solve(slow, theta)
    np.testing.assert_array_equal(z_lanes, np.resize(z, rows.shape))
    np.testing.assert_allclose((z * theta).sum(1), (z_slow * theta).sum(1), rtol=1e-12)
    for solver in (fast, slow):
        assert solver.is_feasible(z).all()
        assert solver.is_feasible(z_slow).all()
