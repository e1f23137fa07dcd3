"""The paths are shortest ones, whichever method, dtype and graph."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from imle_networkx.shortest_path import ShortestPath

import imle_core as imle

LANES_USED = 20  # rows enough for the lanes, with a block that is not full


def enumerated(graph, source, target, weight, costs, entries):
    """The least cost of all simple paths, by enumerating them; None if there is none."""
    cost = dict(zip(entries, costs, strict=True))
    paths = [[source]] if source == target else list(nx.all_simple_paths(graph, source, target))

    def of_edge(u, v):
        if graph.is_multigraph():
            keys = [(u, v, key) for key in graph[u][v]] + [(v, u, key) for key in graph[u][v]]
        else:
            keys = [(u, v), (v, u)]
        keys = keys if not graph.is_directed() else [key for key in keys if key[0] == u]
        return min(cost[key] for key in keys if key in cost)

    def of_path(path):
        if weight == "node":
            return sum(cost[node] for node in path)
        return sum(of_edge(u, v) for u, v in itertools.pairwise(path))

    return min(map(of_path, paths), default=None)


@pytest.mark.parametrize("weight", ["edge", "node"])
@pytest.mark.parametrize("rows", [2, LANES_USED])  # Dijkstra, lanes
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_methods_find_the_least_cost_of_all_simple_paths(
    weight, rows, dtype, random_graph, random_costs
):
    rng = np.random.default_rng(7)
    tried = 0
    for _ in range(400):
        graph = random_graph(rng)
        nodes = list(graph.nodes)
        source, target = (nodes[i] for i in rng.integers(len(nodes), size=2))
        solvers = [
            ShortestPath(graph, source=source, target=target, weight=weight, method=method)
            for method in ("compiled", "networkx")
        ]
        entries = solvers[0].entries
        theta = random_costs(rng, rows, len(entries)).astype(dtype)
        if not theta.size:
            continue
        if enumerated(graph, source, target, weight, theta[0], entries) is None:
            for solver in solvers:
                with pytest.raises(imle.errors.InfeasibleError, match="no path from"):
                    solver.solve(theta)
            continue
        tried += 1
        best = [enumerated(graph, source, target, weight, row, entries) for row in theta.astype(float)]
        for solver in solvers:
            z = solver.solve(theta, validate="full")
            assert z.dtype == dtype
            np.testing.assert_allclose((z * theta.astype(float)).sum(1), best, rtol=1e-5, atol=1e-6)
    assert tried > 150


@pytest.mark.parametrize("weight", ["edge", "node"])
def test_methods_agree_where_every_row_has_other_ends(weight):
    rng = np.random.default_rng(11)
    for seed in range(15):
        graph = nx.gnm_random_graph(40, 160, seed=seed, directed=bool(seed % 2))
        component = max(
            (nx.strongly_connected_components if seed % 2 else nx.connected_components)(graph), key=len
        )
        nodes = sorted(component)
        instances = [
            dict(zip(("source", "target"), rng.choice(nodes, 2).tolist(), strict=True)) for _ in range(50)
        ]
        fast, slow = (
            ShortestPath(graph, weight=weight, method=method) for method in ("compiled", "networkx")
        )
        theta = rng.uniform(0.01, 1.0, (50, len(fast.entries)))
        z = fast.solve(theta, instances=instances, validate="full")
        np.testing.assert_array_equal(z, slow.solve(theta, instances=instances))


@pytest.mark.parametrize("weight", ["edge", "node"])
def test_sweeps_and_heap_give_the_same_path_among_ties(weight, kings):
    rng = np.random.default_rng(3)
    solver = ShortestPath(kings(7), source=(0, 0), target=(6, 5), weight=weight)
    theta = rng.integers(0, 3, (64, len(solver.entries))).astype(np.float32)
    alone = np.concatenate([solver.solve(theta[row : row + 1]) for row in range(64)])
    np.testing.assert_array_equal(solver.solve(theta, validate="full"), alone)


def test_costs_of_zero_everywhere_give_a_path_of_fewest_edges(kings):
    for weight, entries in (("node", 12), ("edge", 11)):
        solver = ShortestPath(kings(12), source=(0, 0), target=(11, 11), weight=weight)
        z = solver.solve(np.zeros((20, len(solver.entries)), np.float32), validate="full")
        assert (z.sum(1) == entries).all()


def test_a_node_path_pays_for_both_ends():
    solver = ShortestPath(nx.path_graph(3), source=0, target=2, weight="node")
    assert solver.solve(np.ones((1, 3))).tolist() == [[1, 1, 1]]


def test_the_cheapest_of_parallel_edges_is_used():
    graph = nx.MultiGraph([("a", "b"), ("b", "a"), ("a", "b")])
    solver = ShortestPath(graph, source="b", target="a")
    assert solver.entries == [("a", "b", 0), ("a", "b", 1), ("a", "b", 2)]
    for method in ("compiled", "networkx"):
        solver = ShortestPath(graph, source="b", target="a", method=method)
        assert solver.solve(np.array([[3.0, 1.0, 2.0]])).tolist() == [[0, 1, 0]]


def test_source_equal_to_target_is_the_empty_edge_set_or_the_one_node():
    graph = nx.path_graph(3)
    assert not ShortestPath(graph, source=1, target=1).solve(np.ones((20, 2))).any()
    z = ShortestPath(graph, source=1, target=1, weight="node").solve(np.ones((20, 3)))
    assert z.tolist() == [[0, 1, 0]] * 20


def test_an_edge_of_a_digraph_is_used_one_way_only():
    graph = nx.DiGraph([("t", "s"), ("s", "a"), ("a", "t")])
    solver = ShortestPath(graph, source="s", target="t")
    z = solver.solve(np.array([[0.0, 5.0, 5.0]] * 20))
    assert solver.decode(z[0]) == ["s", "a", "t"]


def test_a_graph_changed_by_its_owner_has_no_effect():
    graph = nx.path_graph(4)
    solver = ShortestPath(graph, source=0, target=3)
    graph.add_edge(0, 3)
    graph.remove_node(1)
    assert solver.solve(np.ones((1, 3))).tolist() == [[1, 1, 1]]
    assert solver.decode(np.ones(3)) == [0, 1, 2, 3]


def test_a_graph_too_large_for_lanes_is_solved_by_dijkstra_with_equal_answers(kings, monkeypatch):
    solver = ShortestPath(kings(9), source=(0, 0), target=(8, 8), weight="node")
    theta = np.random.default_rng(0).integers(0, 4, (40, 81)).astype(np.float64)
    lanes = solver.solve(theta)
    assert "Bellman-Ford" in solver.explain()
    monkeypatch.setattr("imle_networkx._kernels.paths.LARGE", 0)
    assert "Dijkstra" in solver.explain()
    np.testing.assert_array_equal(solver.solve(theta), lanes)


def test_scales_and_shape_do_not_matter(kings):
    flat = ShortestPath(kings(6), source=(0, 0), target=(5, 5), weight="node")
    grid = ShortestPath(kings(6), source=(0, 0), target=(5, 5), weight="node", shape=(6, 6))
    theta = np.random.default_rng(5).uniform(0.1, 1, (24, 36)).astype(np.float32)
    scales = np.geomspace(1e-12, 1e12, 24, dtype=np.float32)[:, None]
    z = grid.solve((theta * scales).reshape(24, 6, 6))
    assert grid.event_shape == (6, 6)
    np.testing.assert_array_equal(z.reshape(24, 36), flat.solve(theta))
