"""networkx.travelling_salesman: walks through all nodes, as cheap as NetworkX's approximations."""

from __future__ import annotations

import itertools
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.travelling_salesman import TravellingSalesman

import imle_core as imle
from imle_core.errors import InfeasibleError, InvalidInstanceError, InvalidSolutionError, SolverParameterError

COSTS = st.sampled_from([0.0, 1.0, 1.0, 2.0, 0.1, 0.2, 0.30000000000000004, 1e6])
RANDOM = ["simulated_annealing_tsp", "threshold_accepting_tsp"]


@st.composite
def problems(draw):
    """A graph of any class with loops, parallel edges and other components, nodes that are connected, and costs."""
    graph = draw(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]))()
    size = draw(st.integers(1, 6))
    names = [("node", i) if i % 2 else f"n{i}" for i in range(size)]
    graph.add_nodes_from(draw(st.permutations(names)))
    node = st.sampled_from(names)
    graph.add_edges_from(draw(st.lists(st.tuples(node, node), min_size=1, max_size=14)))
    directed = graph.is_directed()
    parts = nx.strongly_connected_components(graph) if directed else nx.connected_components(graph)
    part = sorted(max(parts, key=len), key=repr)
    nodes = draw(st.lists(st.sampled_from(part), min_size=1, max_size=5, unique=True))
    entries = graph.number_of_edges()
    row = st.lists(COSTS, min_size=entries, max_size=entries)
    return graph, nodes, np.array(draw(st.lists(row, min_size=1, max_size=2)))


def distances(graph, entries, row):
    copied = graph.copy()
    nx.set_edge_attributes(copied, dict(zip(entries, row.tolist(), strict=True)), "weight")
    return dict(nx.all_pairs_dijkstra_path_length(copied))


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(problems(), st.sampled_from([None, None, "greedy_tsp", *RANDOM]), st.booleans())
def test_walks_visit_all_nodes_and_cost_what_they_should(problem, approximation, cycle):
    graph, nodes, theta = problem
    solver = TravellingSalesman(graph, nodes=nodes, approximation=approximation, cycle=cycle)
    z = solver.solve(theta, validate="full")
    for row, state, walk in zip(theta, z, solver.decode(z), strict=True):
        assert set(walk) >= set(nodes)
        assert not cycle or walk[0] == walk[-1]
        again = TravellingSalesman(graph, nodes=nodes, cycle=cycle).encode(walk)
        assert again.sum() == state.sum()
        if not graph.is_multigraph():
            np.testing.assert_array_equal(again, state)
        far = distances(graph, solver.entries, row)
        orders = itertools.permutations(nodes[cycle:])
        closed = [(nodes[0], *order, nodes[0]) if cycle else order for order in orders]
        best = min(sum(far[u][v] for u, v in pairwise(order)) for order in closed)
        cost = state @ row
        assert cost >= best * (1 - 1e-9)
        if approximation is None and cycle and not graph.is_directed():  # Christofides' promise
            assert cost <= 1.5 * best * (1 + 1e-9)


def test_costs_are_those_of_networkx():
    rng = np.random.default_rng(0)
    for seed in range(60):
        directed = seed % 2 == 1
        graph = nx.complete_graph(6, nx.DiGraph() if directed else nx.Graph())
        theta = rng.uniform(size=(2, graph.number_of_edges()))
        name = ["christofides", "greedy_tsp"][directed]
        solver = TravellingSalesman(graph)
        z = solver.solve(theta)
        for state, row in zip(z, theta, strict=True):
            nx.set_edge_attributes(graph, dict(zip(solver.entries, row.tolist(), strict=True)), "weight")
            tour = nx.approximation.traveling_salesman_problem(graph, method=getattr(nx.approximation, name))
            np.testing.assert_allclose(state @ row, nx.path_weight(graph, tour, "weight"), rtol=1e-12)


def test_an_edge_that_is_used_several_times_is_counted():
    solver = imle.solver("networkx.travelling_salesman", graph=nx.star_graph(3))
    z = solver.solve(np.ones((1, 3)))
    assert z.tolist() == [[2, 2, 2]]
    walk = solver.decode(z)[0]
    assert walk[0] == walk[-1] == 0
    assert walk[::2] == [0, 0, 0, 0]
    assert sorted(walk[1::2]) == [1, 2, 3]
    np.testing.assert_array_equal(solver.encode(walk), z[0])
    np.testing.assert_array_equal(solver.encode(walk[:-1]), z[0])  # closed by itself


def test_the_cheapest_of_parallel_edges_is_used():
    graph = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "a")])
    solver = TravellingSalesman(graph)
    assert solver.solve(np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0]])).tolist() == [[0, 1, 1], [1, 0, 1]]


def test_an_open_walk_leaves_out_the_longest_way():
    solver = TravellingSalesman(nx.cycle_graph(5), cycle=False)
    theta = np.array([[1.0, 1.0, 1.0, 2.0, 1.0]])  # 01 04 12 23 34
    z = solver.solve(theta, validate="full")
    assert z.tolist() == [[1, 1, 1, 0, 1]]
    assert solver.decode(z) == [[2, 1, 0, 4, 3]]


def test_one_node_and_two_nodes():
    for approximation in ("christofides", "greedy_tsp", *RANDOM):
        solver = TravellingSalesman(nx.path_graph("abc"), approximation=approximation)
        instances = [{"nodes": ("b",)}, {"nodes": ("a", "b")}, {"nodes": ("b", "b")}]
        z = solver.solve(np.ones((3, 2)), instances=instances)
        assert z.tolist() == [[0, 0], [2, 0], [0, 0]]
        assert solver.decode(z, instances=instances) == [["b"], ["a", "b", "a"], ["b"]]
    lonely = nx.Graph([("a", "a")])
    assert TravellingSalesman(lonely).solve(np.ones((1, 1))).tolist() == [[0]]


@pytest.mark.parametrize("approximation", RANDOM)
def test_random_approximations_repeat_themselves_by_their_seed(approximation):
    graph = nx.complete_graph(9)
    theta = np.random.default_rng(0).uniform(size=(6, 36))
    first, again, other = (
        TravellingSalesman(graph, approximation=approximation, seed=seed) for seed in (0, 0, 1)
    )
    z = first.solve(theta, validate="full")
    np.testing.assert_array_equal(again.solve(theta), z)
    np.testing.assert_array_equal([again.solve(row[None])[0] for row in theta], z)
    assert (other.solve(theta) != z).any()
    greedy = TravellingSalesman(graph, approximation="greedy_tsp").solve(theta)
    assert (z * theta).sum() < (greedy * theta).sum()


def test_nodes_that_are_not_connected_are_infeasible_by_name():
    graph = nx.Graph([("a", "b"), ("c", "d")])
    with pytest.raises(
        InfeasibleError, match="row 0: no path leads between 'a' and 'c': they must be connected"
    ):
        TravellingSalesman(graph).solve(np.ones((1, 2)))
    arc = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "b")])
    solver = TravellingSalesman(arc)
    with pytest.raises(InfeasibleError, match="row 0: no path leads there and back between 'a' and 'b'"):
        solver.solve(np.ones((1, 3)))
    assert solver.solve(np.ones((1, 3)), instances=[{"nodes": ("c", "b")}]).tolist() == [[0, 1, 1]]


def test_rows_bring_nodes_and_graphs_of_their_own():
    solver = imle.solver("networkx.travelling_salesman")
    path, ring = nx.path_graph(4), nx.DiGraph([(0, 1), (1, 2), (2, 0)])
    instances = [path, ring, {"graph": path, "nodes": (3, 1)}]
    z = solver.solve(np.ones((3, 3)), instances=instances)
    assert z.tolist() == [[2, 2, 2], [1, 1, 1], [0, 2, 2]]
    assert solver.decode(z, instances=instances) == [[0, 1, 2, 3, 2, 1, 0], [0, 1, 2, 0], [3, 2, 1, 2, 3]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nodes": (0, 9)}, "one of nodes, 9 is not in the undirected graph of 3 nodes"),
        ({"nodes": ()}, r"nodes must have a node at least; got \(\)"),
        ({"nodes": 7}, "nodes must be a collection of nodes.*got 7"),
        ({"approximation": "chrstofides"}, "approximation must be one of .*Did you mean 'christofides'"),
        ({"approximation": "asadpour_atsp"}, "approximation must be one of 'christofides'"),
        (
            {"approximation": "christofides", "graph": nx.DiGraph([(0, 1), (1, 0)])},
            r"'christofides' is for undirected graphs; take another one, or graph.to_undirected\(\)",
        ),
        ({"negative": "allow"}, "negative must be one of"),
    ],
)
def test_parameters_that_cannot_be_right_are_refused_at_once(options, message):
    with pytest.raises(SolverParameterError, match=message):
        TravellingSalesman(**{"graph": nx.path_graph(3), **options})


def test_instances_that_cannot_be_right_are_refused():
    solver = TravellingSalesman(nx.path_graph(3), approximation="christofides")
    with pytest.raises(InvalidInstanceError, match="one of nodes, 'x' is not in"):
        solver.solve(np.ones((1, 2)), instances=[{"nodes": (0, "x")}])
    with pytest.raises(InvalidInstanceError, match="'christofides' is for undirected graphs"):
        solver.solve(np.ones((1, 2)), instances=[nx.DiGraph([(0, 1), (1, 0)])])


def test_states_that_are_no_walk_are_not_feasible():
    solver = TravellingSalesman(nx.cycle_graph(4), nodes=(0, 2))  # 01 03 12 23
    states = {
        (1, 1, 1, 1): True,
        (2, 0, 2, 0): True,
        (2, 0, 0, 0): False,  # 2 is not visited
        (1, 0, 1, 0): False,  # not closed
        (2, 0, 0, 2): False,  # in two parts
        (0, 0, 0, 0): False,
        (0.5, 0.5, 0.5, 0.5): False,
        (-1, 1, 1, 1): False,
        (3, 1, 1, 1): True,
        (2, 2, 2, 2): True,
    }
    assert solver.is_feasible(np.array(list(states), float)).tolist() == list(states.values())
    open_walk = TravellingSalesman(nx.cycle_graph(4), nodes=(0, 2), cycle=False)
    assert open_walk.is_feasible(np.array([[1.0, 0, 1, 0], [3.0, 1, 1, 1], [2.0, 0, 0, 2]])).tolist() == [
        True,
        True,
        False,
    ]
    with pytest.raises(
        InvalidSolutionError, match="the state does not count the edges of a closed walk that visits"
    ):
        solver.decode(np.array([1.0, 0.0, 1.0, 0.0]))


@pytest.mark.parametrize(
    ("walk", "message"), [([0, 2], r"edge \(0, 2\) is not in"), (7, "is not what returns='cycle'")]
)
def test_encode_says_why_nodes_are_no_walk(walk, message):
    with pytest.raises(InvalidSolutionError, match=message):
        TravellingSalesman(nx.cycle_graph(4)).encode(walk)


def test_explain_names_the_approximation():
    solver = TravellingSalesman(nx.path_graph(3), approximation="greedy_tsp")
    assert "approximation.traveling_salesman_problem (greedy_tsp), row by row" in solver.explain()
