"""Spanning trees: optimal by every method, and every promise of both solvers."""

from __future__ import annotations

import copy
import itertools
import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx._kernels.boruvka import solve_boruvka
from imle_networkx._kernels.forests import all_forests, are_forests, components
from imle_networkx._kernels.prim import solve_prim
from imle_networkx._kernels.trees import edges_of
from imle_networkx.spanning_tree import MaximumSpanningTree, MinimumSpanningTree

import imle_core as imle
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    MissingCapabilityError,
    SolverParameterError,
)

SOLVERS = [MinimumSpanningTree, MaximumSpanningTree]
THETA = st.sampled_from([0.0, -0.0, 0.0, 1.0, 2.0, -1.0, 0.1, 0.2, 0.30000000000000004, 1e-300, -1e6])


@st.composite
def problems(draw):
    """A graph or multigraph with loops, parallel edges and isolated nodes, and rows of theta with many ties."""
    graph = draw(st.sampled_from([nx.Graph, nx.MultiGraph]))()
    node = st.integers(0, draw(st.integers(0, 6)))
    graph.add_nodes_from(draw(st.lists(node, min_size=1, unique=True)))
    graph.add_edges_from(draw(st.lists(st.tuples(node, node), max_size=16)))
    edges = graph.number_of_edges()
    rows = draw(st.lists(st.lists(THETA, min_size=edges, max_size=edges), min_size=1, max_size=3))
    return graph, np.array(rows).reshape(len(rows), edges)


@pytest.mark.parametrize("solver_class", SOLVERS)
@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(problem=problems())
def test_the_forest_is_the_one_that_networkx_finds_also_among_ties(solver_class, problem):
    graph, theta = problem
    fast, slow = (solver_class(graph, forest=True, method=method) for method in ("compiled", "networkx"))
    z = fast.solve(theta, validate="full")
    np.testing.assert_array_equal(z, slow.solve(theta, validate="full"))
    if nx.is_connected(graph):
        np.testing.assert_array_equal(z, solver_class(graph).solve(theta))
        assert (z.sum(1) == len(graph) - 1).all()
    else:
        with pytest.raises(SolverParameterError, match="is not connected: no way leads from"):
            solver_class(graph)


def spanning_forests(graph):
    """The sets of edges, as columns, that span each component, by trying all sets of their size."""
    edges = list(graph.edges(keys=True)) if graph.is_multigraph() else list(graph.edges)
    size = len(graph) - nx.number_connected_components(graph)
    for columns in itertools.combinations(range(len(edges)), size):
        part = nx.MultiGraph()
        part.add_nodes_from(graph)
        part.add_edges_from(edges[column][:2] for column in columns)
        if nx.number_connected_components(part) == len(graph) - size:
            yield columns


def small_graphs(seed, count, most_edges):
    rng = np.random.default_rng(seed)
    while count:
        n = int(rng.integers(1, 6))
        nodes = [("node", i) if i % 2 else f"n{i}" for i in range(n)]  # names that do not sort
        graph = [nx.Graph, nx.MultiGraph][rng.integers(2)]()
        graph.add_nodes_from(nodes[i] for i in rng.permutation(n))
        for u, v in rng.integers(n, size=(int(rng.integers(0, 3 * n)), 2)):
            graph.add_edge(nodes[u], nodes[v])
        if graph.number_of_edges() <= most_edges:
            count -= 1
            yield rng, graph


def test_it_is_the_best_of_all_spanning_forests():
    for rng, graph in small_graphs(0, 200, 10):
        theta = rng.normal(size=(4, graph.number_of_edges()))
        values = np.array([theta[:, columns].sum(1) for columns in spanning_forests(graph)])
        for solver_class, best in zip(SOLVERS, (values.min(0), values.max(0)), strict=True):
            z = solver_class(graph, forest=True).solve(theta)
            np.testing.assert_allclose((z * theta).sum(1), best, rtol=1e-12, atol=1e-14)


def test_feasible_states_are_exactly_the_spanning_forests():
    for _, graph in small_graphs(1, 100, 8):
        solver = MinimumSpanningTree(graph, forest=True)
        entries = graph.number_of_edges()
        states = ((np.arange(2**entries)[:, None] >> np.arange(entries)) & 1).astype(float)
        expected = {tuple(np.isin(np.arange(entries), f).astype(float)) for f in spanning_forests(graph)}
        feasible = solver.is_feasible(states)
        assert set(map(tuple, states[feasible])) == expected
        support = solver.enumerate_support()
        assert len(support) == len(expected)
        assert set(map(tuple, support)) == expected
        for z in states[feasible]:
            np.testing.assert_array_equal(solver.encode(solver.decode(z)), z)
        for z in states[~feasible]:
            with pytest.raises(InvalidSolutionError, match="not the indicator of a spanning tree"):
                solver.decode(z)


def test_values_other_than_zero_and_one_are_not_feasible():
    solver = MinimumSpanningTree(nx.path_graph(3))
    assert solver.is_feasible(np.array([[1.0, 1.0], [1.0, 2.0], [0.5, 1.0], [-1.0, 1.0]])).tolist() == [
        True,
        False,
        False,
        False,
    ]


# The kernels, on plain arrays.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("graph", [nx.complete_graph(40), nx.gnm_random_graph(60, 200, seed=1)], ids=str)
def test_prim_and_boruvka_find_the_same_forest(graph, dtype):
    rng = np.random.default_rng(0)
    ends = rng.permutation(np.array(graph.edges))
    nodes, entries = len(graph), len(ends)
    table = np.full((nodes, nodes), entries, np.int32)
    table[ends[:, 0], ends[:, 1]] = table[ends[:, 1], ends[:, 0]] = np.arange(entries)
    costs = [rng.normal(size=(20, entries)), rng.integers(0, 4, (20, entries)), np.zeros((1, entries))]
    for sign in (1.0, -1.0):
        for theta in (rows.astype(dtype) for rows in costs):
            z, other = np.zeros_like(theta), np.zeros_like(theta)
            solve_prim(theta, sign, table, z)
            solve_boruvka(theta, sign, ends, np.arange(entries), nodes, other)
            np.testing.assert_array_equal(z, other)
            size = nodes - nx.number_connected_components(graph)
            assert are_forests(z != 0, ends, nodes, size, False, np.empty(0, np.int64)).all()


def test_dense_graphs_get_a_table_and_others_a_list():
    dense = edges_of(np.array(nx.complete_graph(10).edges), 10)
    assert dense.table is not None
    parallel = edges_of(np.array([*nx.complete_graph(10).edges, (3, 2)]), 10)
    assert parallel.table is None
    sparse = edges_of(np.array([*nx.path_graph(20).edges, (3, 3)]), 20)
    assert sparse.table is None
    assert len(sparse.ends) == 19


@pytest.mark.parametrize("solver_class", SOLVERS)
@pytest.mark.parametrize(
    "graph", [nx.complete_graph(30), nx.grid_2d_graph(12, 15), nx.barbell_graph(12, 40)], ids=str
)
def test_larger_graphs_get_the_tree_that_networkx_finds(graph, solver_class):
    theta = np.random.default_rng(2).integers(-50, 50, (6, graph.number_of_edges())).astype(np.float32)
    fast, slow = (solver_class(graph, method=method) for method in ("compiled", "networkx"))
    np.testing.assert_array_equal(fast.solve(theta, validate="full"), slow.solve(theta))


def test_components_are_named_by_their_first_node():
    ends = np.array([(4, 2), (1, 5), (5, 3), (6, 6)])
    assert components(ends, 8).tolist() == [0, 1, 2, 1, 2, 1, 6, 7]
    assert components(np.empty((0, 2), np.int64), 2).tolist() == [0, 1]


def test_as_many_trees_are_listed_as_cayley_counts():
    for nodes in range(1, 7):
        ends = np.array(nx.complete_graph(nodes).edges, np.int64).reshape(-1, 2)
        states = all_forests(ends, nodes, nodes - 1)
        assert len(np.unique(states, axis=0)) == len(states) == max(1, nodes ** (nodes - 2))


# The solvers.


@pytest.mark.parametrize("graph", [nx.complete_graph(20), nx.grid_2d_graph(9, 9)], ids=str)
def test_a_row_does_not_depend_on_batch_or_threads(graph):
    theta = np.random.default_rng(3).integers(0, 9, (700, graph.number_of_edges())).astype(np.float64)
    expected = MinimumSpanningTree(graph, threads=1).solve(theta)
    for threads in (2, 3, None):
        np.testing.assert_array_equal(MinimumSpanningTree(graph, threads=threads).solve(theta), expected)
    solver = MinimumSpanningTree(graph)
    for row in (0, 1, 350, 699):
        np.testing.assert_array_equal(solver.solve(theta[row : row + 1])[0], expected[row])


def test_scales_do_not_matter():
    graph = nx.complete_graph(7)
    theta = np.random.default_rng(4).normal(size=(20, 21)).astype(np.float32)
    scales = np.geomspace(1e-12, 1e12, 20, dtype=np.float32)[:, None]
    for solver_class in SOLVERS:
        solver = solver_class(graph)
        np.testing.assert_array_equal(solver.solve(theta * scales), solver.solve(theta))


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_the_best_of_parallel_edges_is_used_which_differs_by_row(method):
    graph = nx.MultiGraph([("a", "b"), ("b", "a"), ("b", "c"), ("c", "c")])
    theta = np.array([[1.0, 2.0, 3.0, -9.0], [2.0, 1.0, 3.0, -9.0], [2.0, 2.0, 3.0, 9.0]])
    least = MinimumSpanningTree(graph, method=method)
    assert least.entries == [("a", "b", 0), ("a", "b", 1), ("b", "c", 0), ("c", "c", 0)]
    assert least.solve(theta).tolist() == [[1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 1, 0]]
    assert least.decode(least.solve(theta))[1] == [("a", "b", 1), ("b", "c", 0)]
    most = MaximumSpanningTree(graph, method=method)
    assert most.solve(theta).tolist() == [[0, 1, 1, 0], [1, 0, 1, 0], [1, 0, 1, 0]]


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_a_graph_of_one_node_has_the_empty_tree(method):
    graph = nx.Graph()
    graph.add_node("alone")
    solver = MinimumSpanningTree(graph, method=method)
    assert solver.solve(np.zeros((3, 0))).shape == (3, 0)
    assert solver.decode(np.zeros(0)) == []
    graph.add_edge("alone", "alone")
    solver = MinimumSpanningTree(graph, method=method)
    assert solver.solve(-np.ones((2, 1))).tolist() == [[0], [0]]
    assert solver.enumerate_support().tolist() == [[0]]


def test_edges_are_encoded_in_any_order_and_direction_and_from_a_graph():
    graph = nx.Graph(["ab", "bc", "ca", "cd"])
    solver = MinimumSpanningTree(graph)
    z = solver.encode([("d", "c"), ("b", "a"), ["a", "c"]])
    assert z.tolist() == [1, 1, 0, 1]
    tree = nx.minimum_spanning_tree(graph)
    np.testing.assert_array_equal(solver.encode(tree), solver.encode(tree.edges))
    several = nx.MultiGraph(["ab", "ab"])
    solver = MinimumSpanningTree(several)
    assert solver.encode([("b", "a", 1)]).tolist() == [0, 1]
    assert solver.encode([("b", "a")]).tolist() == [1, 0]
    several.remove_edge("a", "b", 0)
    assert solver.encode(several).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([(0, 2), (0, 1)], r"\(0, 2\) is not an edge of the undirected graph"),
        ([(0, 1), (1, 0)], r"\(1, 0\) is given twice"),
        ([(0, 1)], "the edges are not those of a spanning tree"),
        ([(0, 1), (1, 2), (2, 3), (3, 0)], "the edges are not those of a spanning tree"),
        ([5], "5 is not an edge"),
        ([(0, 1, 7)], r"\(0, 1, 7\) is not an edge"),
    ],
)
def test_encode_refuses_what_is_no_tree(edges, message):
    with pytest.raises(InvalidSolutionError, match=message):
        MinimumSpanningTree(nx.cycle_graph(4)).encode(edges)


def test_rows_bring_graphs_of_different_size():
    graphs = [nx.complete_graph(4), nx.MultiGraph(["ab", "ab"]), nx.grid_2d_graph(3, 4)]
    solver = MinimumSpanningTree()
    rng = np.random.default_rng(5)
    theta = rng.normal(size=(6, 17))
    instances = [graphs[i] for i in (0, 1, 2, 2, 1, 0)]
    z = solver.solve(theta, instances=instances, validate="full")
    for row, graph in enumerate(instances):
        size = graph.number_of_edges()
        np.testing.assert_array_equal(
            z[row, :size], MinimumSpanningTree(graph).solve(theta[row : row + 1, :size])[0]
        )
        assert not z[row, size:].any()
    assert solver.decode(z[1], instance=graphs[1])[0][:2] == ("a", "b")


def test_a_graph_changed_by_its_owner_has_no_effect():
    graph = nx.path_graph(4)
    solver = MinimumSpanningTree(graph)
    graph.add_edge(0, 3)
    assert solver.solve(np.ones((1, 3))).tolist() == [[1, 1, 1]]
    assert solver.decode(np.ones(3)) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"graph": nx.Graph([(0, 1), ("x", "y")])}, "not connected: no way leads from 0 to 'x'.*forest=True"),
        ({"graph": nx.DiGraph([(0, 1)])}, "must be undirected; got: directed graph of 2 nodes"),
        ({"graph": nx.Graph()}, "with nodes"),
        ({"graph": [(0, 1)]}, "NetworkX graph"),
        ({"graph": nx.path_graph(2), "method": "prim"}, "method must be one of"),
        ({"graph": nx.path_graph(2), "threads": 0}, "threads must be at least 1"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        MinimumSpanningTree(**parameters)


def test_a_wrong_instance_is_named():
    solver = imle.solver("networkx.minimum_spanning_tree")
    with pytest.raises(InvalidInstanceError, match=r"networkx\.minimum_spanning_tree: .* is not connected"):
        solver.solve(np.ones((1, 1)), instances=[nx.Graph([(0, 1), (2, 2)])])
    with pytest.raises(InvalidInstanceError, match="must be undirected"):
        solver.solve(np.ones((1, 1)), instances=[nx.DiGraph([(0, 1)])])
    with pytest.raises(InvalidInstanceError, match="no graph"):
        solver.solve(np.ones((1, 1)))


def test_too_many_trees_are_not_listed():
    with pytest.raises(MissingCapabilityError, match=r"more than 300,000 forests"):
        MinimumSpanningTree(nx.complete_graph(9)).enumerate_support()


@pytest.mark.parametrize(
    ("graph", "options", "words"),
    [
        (nx.complete_graph(9), {}, ["compiled Prim", "dense", "9 nodes and 36 edges"]),
        (nx.path_graph(99), {"threads": 3}, ["compiled Borůvka", "sparse", "up to 3 threads"]),
        (None, {}, ["Prim's or Borůvka's", "each row brings its graph"]),
        (nx.path_graph(3), {"method": "networkx"}, ["NetworkX's maximum_spanning_tree"]),
        (nx.path_graph(3), {"backend": "networkx"}, ["by its backend 'networkx'"]),
    ],
)
def test_explain_says_which_algorithm_runs(graph, options, words):
    text = MaximumSpanningTree(graph, **options).explain()
    assert all(word in text for word in words)


def test_it_is_found_by_name_and_copied():
    for name, sense in (("minimum", "min"), ("maximum", "max")):
        solver = imle.solver(f"networkx.{name}_spanning_tree", graph=nx.complete_graph(5))
        assert solver.sense == sense
        theta = np.random.default_rng(6).normal(size=(8, 10))
        z = solver.solve(theta)
        for twin in (copy.deepcopy(solver), pickle.loads(pickle.dumps(solver)), solver.clone()):
            np.testing.assert_array_equal(twin.solve(theta), z)
    with pytest.raises(SolverParameterError, match="'forest' must be bool"):
        imle.solver("networkx.minimum_spanning_tree", graph=nx.path_graph(2), forest="yes")
