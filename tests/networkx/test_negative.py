"""Negative costs: refused, clipped, or allowed without negative cycles."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from imle_networkx.shortest_path import ShortestPath

import imle_core as imle

METHODS = ["compiled", "networkx"]


def test_negative_costs_are_refused_by_default_and_clipped_on_request():
    graph = nx.path_graph(3)
    theta = np.array([[1.0, -1.0]])
    with pytest.raises(imle.errors.InvalidThetaError, match="negative costs"):
        ShortestPath(graph, source=0, target=2).solve(theta)
    assert ShortestPath(graph, source=0, target=2, negative="clip").solve(theta).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rounding", [False, True])
def test_negative_arcs_without_negative_cycles_give_the_path_of_the_reduced_costs(method, rounding):
    # c'(u, v) = c(u, v) + p(u) - p(v) changes every path between two nodes by the same constant
    rng = np.random.default_rng(1)
    for seed in range(60):
        graph = nx.gnm_random_graph(12, 50, seed=seed, directed=True)
        target = 5 if nx.has_path(graph, 0, 5) else 0
        plain = ShortestPath(graph, source=0, target=target)
        solver = ShortestPath(graph, source=0, target=target, negative="allow", method=method)
        base = rng.integers(0, 4, (18, 50)).astype(float)  # zero-cost circles among them
        potential = rng.normal(size=(18, 12)) if rounding else rng.integers(-5, 6, (18, 12))
        tails, heads = np.array(plain.entries).T
        theta = base + potential[:, tails] - potential[:, heads]
        theta += 1e-9 if rounding else 0  # so that rounding alone makes no circle negative
        z = solver.solve(theta, validate="full")
        cost, best = (base * z).sum(1), (base * plain.solve(base)).sum(1)
        np.testing.assert_array_equal(cost, best)
        assert rounding or (theta < 0).any()


@pytest.mark.parametrize("weight", ["edge", "node"])
def test_negative_costs_on_acyclic_graphs_agree_with_the_reference(weight):
    rng = np.random.default_rng(2)
    for seed in range(40):
        order = rng.permutation(14).tolist()
        graph = nx.DiGraph()
        graph.add_nodes_from(range(14))
        drawn = nx.gnm_random_graph(14, 40, seed=seed).edges
        graph.add_edges_from((order[min(e)], order[max(e)]) for e in drawn)
        graph.add_edge(order[0], order[13])
        ends = {"source": order[0], "target": order[13], "weight": weight, "negative": "allow"}
        fast, slow = (ShortestPath(graph, **ends, method=method) for method in METHODS)
        theta = rng.normal(size=(20, len(fast.entries)))
        z = fast.solve(theta, validate="full")
        np.testing.assert_array_equal(z, slow.solve(theta))
        paths = fast.decode(z)
        np.testing.assert_array_equal([fast.encode(path) for path in paths], z)


@pytest.mark.parametrize("method", METHODS)
def test_a_negative_cycle_on_the_way_is_an_error_with_its_row(method):
    graph = nx.DiGraph([("s", "a"), ("a", "b"), ("b", "a"), ("b", "t")])
    solver = ShortestPath(graph, source="s", target="t", negative="allow", method=method)
    theta = np.ones((40, 4))
    theta[37] = [1.0, 1.0, -1.5, 1.0]
    with pytest.raises(imle.errors.UnboundedError, match="'s' to 't'") as caught:
        solver.solve(theta)
    assert caught.value.row == 37


@pytest.mark.parametrize("method", METHODS)
def test_a_negative_undirected_edge_is_a_negative_cycle(method):
    solver = ShortestPath(nx.path_graph(3), source=0, target=2, negative="allow", method=method)
    with pytest.raises(imle.errors.UnboundedError, match="row 1"):
        solver.solve(np.array([[1.0, 1.0], [1.0, -0.5]]))


@pytest.mark.parametrize("method", METHODS)
def test_negative_cycles_off_the_way_do_no_harm(method):
    # x <-> y is reached from s but does not lead to t; p <-> q leads to t but is not reached
    graph = nx.DiGraph(
        [
            ("s", "t"),
            ("s", "x"),
            ("x", "y"),
            ("y", "x"),
            ("p", "q"),
            ("q", "p"),
            ("p", "t"),
            ("s", "m"),
            ("m", "t"),
        ]
    )
    solver = ShortestPath(graph, source="s", target="t", negative="allow", method=method)
    theta = np.array([[9.0, 1, -1, -1, -1, -1, 1, 2, -3]] * 20)
    assert solver.decode(solver.solve(theta))[19] == ["s", "m", "t"]


@pytest.mark.parametrize("method", METHODS)
def test_a_negative_cycle_through_the_one_node_of_source_and_target_counts(method):
    graph = nx.DiGraph([(0, 1), (1, 0)])
    solver = ShortestPath(graph, source=0, target=0, negative="allow", method=method)
    with pytest.raises(imle.errors.UnboundedError):
        solver.solve(np.array([[1.0, -2.0]]))
    assert not solver.solve(np.array([[2.0, -2.0]])).any()


@pytest.mark.parametrize("method", METHODS)
def test_a_negative_node_is_paid_off_by_its_dear_neighbours(method):
    graph = nx.Graph([("s", "a"), ("a", "t"), ("s", "b"), ("b", "t")])
    solver = ShortestPath(graph, source="s", target="t", weight="node", negative="allow", method=method)
    theta = np.array([[2.0, -1.0, 2.0, 0.5]] * 20)
    assert solver.entries == ["s", "a", "t", "b"]
    assert solver.decode(solver.solve(theta))[3] == ["s", "a", "t"]
    with pytest.raises(imle.errors.UnboundedError):
        solver.solve(theta - np.array([1.5, 0, 0, 0]))


def test_a_row_with_a_negative_cycle_off_the_way_leaves_the_answers_of_the_others():
    graph = nx.DiGraph([("s", "t"), ("s", "x"), ("x", "y"), ("y", "x"), ("s", "m"), ("m", "t")])
    solver = ShortestPath(graph, source="s", target="t", negative="allow")
    theta = np.random.default_rng(4).uniform(0.1, 1.0, (33, 6))
    theta[5, 2:4] = -1
    alone = np.concatenate([solver.solve(theta[row : row + 1]) for row in range(33)])
    np.testing.assert_array_equal(solver.solve(theta), alone)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weight", ["edge", "node"])
def test_a_negative_self_loop_is_never_used(method, weight):
    graph = nx.DiGraph([("s", "s"), ("s", "t"), ("t", "t")])
    solver = ShortestPath(graph, source="s", target="t", weight=weight, negative="allow", method=method)
    theta = np.array([[-2.0, 1.0, -1.0][: len(solver.entries)]] * 20)
    assert solver.solve(theta).tolist() == [[0, 1, 0] if weight == "edge" else [1, 1]] * 20


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("graph", "advice"),
    [
        (nx.Graph, r"undirected .* Take negative='error' or 'clip', or a directed graph"),
        (nx.MultiDiGraph, r"raise the costs along it, or take negative='clip'"),
    ],
)
def test_a_negative_cycle_says_what_to_do(graph, advice, method):
    solver = ShortestPath(graph([(0, 1), (1, 0)]), source=0, target=1, negative="allow", method=method)
    with pytest.raises(imle.errors.UnboundedError, match=advice):
        solver.solve(np.full((1, len(solver.entries)), -1.0))
