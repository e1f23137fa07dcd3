"""networkx.steiner_tree: trees that contain the terminals, as cheap as NetworkX's approximations and near the best."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from imle_networkx.steiner_tree import SteinerTree

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
)

COSTS = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 0.1, 0.2, 0.30000000000000004, 1e6])


@st.composite
def problems(draw, classes=(nx.Graph, nx.MultiGraph), most=14):
    """An undirected graph with loops, parallel edges and other components, terminals that are connected, and costs."""
    graph = draw(st.sampled_from(classes))()
    size = draw(st.integers(1, 7))
    names = [("node", i) if i % 2 else f"n{i}" for i in range(size)]
    graph.add_nodes_from(draw(st.permutations(names)))
    node = st.sampled_from(names)
    graph.add_edges_from(draw(st.lists(st.tuples(node, node), max_size=most)))
    assume(graph.number_of_edges())
    part = sorted(nx.node_connected_component(graph, draw(node)), key=repr)
    terminals = draw(st.lists(st.sampled_from(part), min_size=1, max_size=4))
    entries = graph.number_of_edges()
    row = st.lists(COSTS, min_size=entries, max_size=entries)
    return graph, terminals, np.array(draw(st.lists(row, min_size=1, max_size=2)))


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(problems(), st.sampled_from(["mehlhorn", "kou"]))
def test_trees_contain_the_terminals_at_most_at_twice_the_least_cost(problem, approximation):
    graph, terminals, theta = problem
    solver = SteinerTree(graph, terminals=terminals, approximation=approximation)
    z = solver.solve(theta, validate="full")
    for state, tree in zip(z, solver.decode(z), strict=True):
        np.testing.assert_array_equal(solver.encode(tree), state)
        part = nx.MultiGraph(edge[:2] for edge in tree)
        assert all(node in terminals for node, degree in part.degree if degree == 1)
    if graph.number_of_edges() <= 7:
        best = (theta @ solver.enumerate_support().T).min(1)
        assert ((z * theta).sum(1) <= 2 * best * (1 + 1e-12)).all()
        assert ((z * theta).sum(1) >= best * (1 - 1e-12)).all()


@pytest.mark.parametrize("approximation", ["mehlhorn", "kou"])
def test_costs_are_those_of_networkx(approximation):
    rng = np.random.default_rng(0)
    for seed in range(100):
        graph = nx.connected_watts_strogatz_graph(12, 4, 0.4, seed=seed)
        terminals = rng.choice(12, 4, replace=False).tolist()
        theta = rng.uniform(size=(2, graph.number_of_edges()))
        solver = SteinerTree(graph, terminals=terminals, approximation=approximation)
        z = solver.solve(theta)
        for state, row in zip(z, theta, strict=True):
            nx.set_edge_attributes(graph, dict(zip(solver.entries, row.tolist(), strict=True)), "weight")
            tree = nx.approximation.steiner_tree(graph, terminals, method=approximation)
            np.testing.assert_allclose(state @ row, tree.size("weight"), rtol=1e-12)


def test_the_cheapest_of_parallel_edges_is_used():
    graph = nx.MultiGraph([("a", "b"), ("a", "b"), ("a", "c"), ("c", "b")])
    theta = np.array([[9.0, 5.0, 1.0, 1.0], [9.0, 1.0, 1.0, 1.0], [1.0, 9.0, 9.0, 9.0]])
    solver = SteinerTree(graph, terminals=("a", "b"))
    assert solver.solve(theta).tolist() == [[0, 0, 1, 1], [0, 1, 0, 0], [1, 0, 0, 0]]
    assert solver.decode(np.array([0.0, 1.0, 0.0, 0.0])) == [("a", "b", 1)]


def trees(graph, terminals):
    """The states of all trees that contain the terminals, by definition."""
    edges = list(graph.edges)
    for chosen in itertools.product((0.0, 1.0), repeat=len(edges)):
        part = nx.MultiGraph()
        part.add_nodes_from(terminals)
        part.add_edges_from(edge[:2] for edge, on in zip(edges, chosen, strict=True) if on)
        if nx.is_connected(part) and part.number_of_edges() == len(part) - 1:
            yield chosen


def test_feasible_states_are_exactly_the_trees_that_contain_the_terminals():
    rng = np.random.default_rng(1)
    for _ in range(40):
        size = int(rng.integers(2, 6))
        graph = [nx.Graph, nx.MultiGraph][rng.integers(2)](nx.path_graph(size))
        graph.add_edges_from(rng.integers(size, size=(int(rng.integers(0, 4)), 2)).tolist())
        terminals = rng.choice(size, int(rng.integers(1, size + 1)), replace=False).tolist()
        solver = SteinerTree(graph, terminals=terminals)
        expected = set(trees(graph, terminals))
        every = np.array(list(itertools.product((0.0, 1.0), repeat=graph.number_of_edges())))
        feasible = solver.is_feasible(every)
        assert set(map(tuple, every[feasible])) == expected
        assert set(map(tuple, solver.enumerate_support())) == expected
        for z in every[~feasible][:5]:
            with pytest.raises(InvalidSolutionError, match="the state is not a tree that contains"):
                solver.decode(z)


def test_values_other_than_zero_and_one_are_not_feasible():
    solver = SteinerTree(nx.path_graph(3), terminals=(0, 2))
    states = np.array([[1.0, 1.0], [1.0, 2.0], [0.5, 1.0], [-1.0, 1.0]])
    assert solver.is_feasible(states).tolist() == [True, False, False, False]


def test_one_terminal_needs_no_edge():
    for terminals in ((0,), (0, 0)):
        solver = SteinerTree(nx.path_graph(3), terminals=terminals)
        z = solver.solve(np.ones((2, 2)))
        assert z.tolist() == [[0, 0], [0, 0]]
        assert solver.decode(z) == [[], []]


def test_terminals_that_are_not_connected_are_infeasible_by_name():
    graph = nx.Graph([("a", "b"), ("c", "d")])
    solver = imle.solver("networkx.steiner_tree", graph=graph)
    instances = [{"terminals": ("a", "b")}, {"terminals": ("b", "a", "d")}]
    with pytest.raises(
        InfeasibleError, match="row 1: no path leads between 'b' and 'd': they must be connected"
    ):
        solver.solve(np.ones((2, 2)), instances=instances)
    assert solver.solve(np.ones((1, 2)), instances=instances[:1]).tolist() == [[1, 0]]


def test_rows_bring_terminals_and_graphs_of_their_own():
    solver = imle.solver("networkx.steiner_tree", terminals=(0, 2))
    path, ring = nx.path_graph(4), nx.cycle_graph(5)
    theta = np.array([[1.0, 1.0, 1.0, 0.0, 0.0], [5.0, 1.0, 5.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0, 0.0]])
    instances = [path, ring, {"graph": path, "terminals": (3, 1)}]
    z = solver.solve(theta, instances=instances)
    assert z.tolist() == [[1, 1, 0, 0, 0], [0, 1, 0, 1, 1], [0, 1, 1, 0, 0]]
    assert solver.decode(z, instances=instances)[2] == [(1, 2), (2, 3)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"terminals": (0, 9)}, "one of terminals, 9 is not in the undirected graph of 3 nodes"),
        ({"terminals": ()}, r"terminals must have a node at least; got \(\)"),
        ({"terminals": "ab"}, "terminals must be a collection of nodes.*got 'ab'"),
        ({"terminals": 3}, "terminals must be a collection of nodes.*got 3"),
        ({"approximation": "best"}, "approximation must be one of 'mehlhorn', 'kou'; got 'best'"),
        ({"negative": "allow"}, "negative must be one of"),
        ({"graph": nx.DiGraph([(0, 1)])}, "graph must be undirected; got: directed graph"),
    ],
)
def test_parameters_that_cannot_be_right_are_refused_at_once(options, message):
    with pytest.raises(SolverParameterError, match=message):
        SteinerTree(**{"graph": nx.path_graph(3), "terminals": (0, 2), **options})


def test_instances_that_cannot_be_right_are_refused():
    solver = SteinerTree(nx.path_graph(3))
    with pytest.raises(InvalidInstanceError, match="terminals must be a collection of nodes"):
        solver.solve(np.ones((1, 2)))
    with pytest.raises(InvalidInstanceError, match="one of terminals, 'x' is not in"):
        solver.solve(np.ones((1, 2)), instances=[{"terminals": (0, "x")}])
    with pytest.raises(InvalidThetaError, match="negative"):
        SteinerTree(nx.path_graph(3), terminals=(0, 2)).solve(np.array([[1.0, -1.0]]))
    assert SteinerTree(nx.path_graph(3), terminals=iter((0, 2)), negative="clip").solve(
        np.array([[1.0, -1.0]])
    ).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([(0, 1), (1, 2), (0, 2)], "the edges are not a tree"),
        ([(0, 1), (2, 3)], "the edges are not a tree"),
        ([(0, 9)], r"\(0, 9\) is not an edge of the"),
        ([(0, 1), (1, 0)], "given twice"),
    ],
)
def test_encode_says_why_edges_are_no_tree(edges, message):
    with pytest.raises(InvalidSolutionError, match=message):
        SteinerTree(nx.complete_graph(4), terminals=(0, 1)).encode(edges)


def test_trees_of_larger_graphs_are_not_listed():
    with pytest.raises(MissingCapabilityError, match="trees are listed for 16 edges at most; there are 20"):
        SteinerTree(nx.cycle_graph(20), terminals=(0, 1)).enumerate_support()


def test_explain_names_the_approximation():
    solver = SteinerTree(nx.path_graph(3), terminals=(0, 2), approximation="kou")
    assert "NetworkX's approximation.steiner_tree (kou), row by row" in solver.explain()
