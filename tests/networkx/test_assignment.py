"""networkx.assignment: every member of the smaller side with a different one of the other, at the least cost."""

from __future__ import annotations

import itertools
import sys

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.assignment import Assignment
from matching_cases import (
    all_matchings,
    assert_as_good,
    both,
    forbid,
    make_bipartite,
    make_theta,
    rows_alone,
    states_of,
    value,
)
from scipy.optimize import linear_sum_assignment

import imle_core as imle
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    MissingDependencyError,
    SolverParameterError,
)

SENSES = ["min", "max"]


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(SENSES), st.booleans())
def test_matrices_are_as_good_as_networkx(seed, sense, partial):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 7, 2).tolist())
    fast, slow = (
        Assignment(shape=shape, sense=sense, partial=partial, method=method, threads=1)
        for method in ("compiled", "networkx")
    )
    theta = make_theta(rng, (3, *shape))
    z = fast.solve(theta, validate="full")
    assert_as_good(z, slow.solve(theta, validate="full"), theta)
    np.testing.assert_array_equal(rows_alone(fast, theta), z)


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(SENSES), st.booleans())
def test_sparse_graphs_are_as_good_as_networkx(seed, sense, partial):
    rng = np.random.default_rng(seed)
    graph, top = make_bipartite(rng)
    bottom = [node for node in graph if node not in top]
    if rng.random() < 0.7:  # make it more likely that there is a full assignment
        graph.add_edges_from(zip(top, bottom, strict=False))
    solvers = both(
        lambda method: Assignment(graph, top=top, sense=sense, partial=partial, method=method, threads=1)
    )
    if solvers is None:
        largest = nx.max_weight_matching(nx.Graph(graph), maxcardinality=True)
        assert not partial
        assert len(largest) < min(len(top), len(bottom))
        return
    theta = make_theta(rng, (3, graph.number_of_edges()))
    z, reference = (solver.solve(theta, validate="full") for solver in solvers)
    assert_as_good(z, reference, theta)
    np.testing.assert_array_equal(rows_alone(solvers[0], theta), z)


@pytest.mark.parametrize("sense", SENSES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 3), (4, 2), (3, 4)])
def test_a_matrix_gets_the_best_of_all_assignments(sense, shape):
    rng = np.random.default_rng(2)
    rows, columns = shape
    longer = max(shape)
    full = []
    for chosen in itertools.permutations(range(longer), min(shape)):
        z = np.zeros((min(shape), longer))
        z[range(min(shape)), chosen] = 1
        full.append(z if rows <= columns else z.T)
    edges = [(f"row {i}", f"column {j}") for i in range(rows) for j in range(columns)]
    for partial, states in ((False, np.array(full)), (True, states_of(edges).reshape(-1, *shape))):
        solver = Assignment(shape=shape, sense=sense, partial=partial)
        support = solver.enumerate_support()
        assert len(support) == len(states)
        assert {z.tobytes() for z in support} == {z.tobytes() for z in states}
        assert solver.is_feasible(states).all()
        for _ in range(20):
            theta = make_theta(rng, (4, *shape))
            objective, rounding = value(solver.solve(theta), theta)
            best = getattr(theta.reshape(4, -1) @ states.reshape(len(states), -1).T, sense)(1)
            assert (np.abs(objective - best) <= 1e-9 * np.abs(best) + rounding).all()


@pytest.mark.parametrize("sense", SENSES)
def test_a_graph_gets_the_best_of_all_assignments(sense):
    rng = np.random.default_rng(3)
    tried = 0
    while tried < 100:
        graph, top = make_bipartite(rng, most=3)
        edges, size = list(graph.edges), min(len(top), len(graph) - len(top))
        if max(map(len, all_matchings(edges))) < size:
            with pytest.raises(SolverParameterError, match="no full assignment"):
                Assignment(graph, top=top)
            continue
        tried += 1
        for partial in (False, True):
            states = states_of(edges, None if partial else size)
            solver = Assignment(graph, top=top, sense=sense, partial=partial)
            assert {tuple(z) for z in solver.enumerate_support()} == {tuple(z) for z in states}
            theta = make_theta(rng, (4, len(edges)))
            objective, rounding = value(solver.solve(theta), theta)
            best = getattr(theta @ states.T, sense)(1)
            assert (np.abs(objective - best) <= 1e-9 * np.abs(best) + rounding).all()


@pytest.mark.parametrize("shape", [(60, 60), (40, 70), (70, 40), (200, 190)])
def test_large_matrices_and_complete_graphs_are_as_good_as_scipy(shape):
    rng = np.random.default_rng(4)
    graph = nx.complete_bipartite_graph(*shape)
    matrix, sparse = Assignment(shape=shape), Assignment(graph)
    for theta in (
        rng.standard_normal((2, *shape)),
        rng.integers(0, 4, (2, *shape)).astype(float),
        np.fromfunction(lambda _, i, j: (i + 1.0) * (j + 1.0), (1, *shape)),
    ):
        best = [each[linear_sum_assignment(each)].sum() for each in theta]
        flat = theta.reshape(len(theta), -1)
        for z in (matrix.solve(theta).reshape(flat.shape), sparse.solve(flat)):
            np.testing.assert_allclose((z * flat).sum(1), best, rtol=1e-9)


@pytest.mark.parametrize("method", ["compiled", "networkx"])
@pytest.mark.parametrize("make", [{"shape": (2, 2)}, {"graph": nx.complete_bipartite_graph(2, 2)}])
def test_partial_assignments_take_only_pairs_that_pay(method, make):
    theta = np.array([[[0.0, 0.0], [0.0, 0.0]], [[-2.0, -3.0], [-3.0, 1.0]], [[1.0, 1.0], [1.0, -1.0]]])
    least = Assignment(**make, partial=True, method=method)
    z = least.solve(theta.reshape(3, *least.event_shape)).reshape(3, 4)
    assert z.tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
    most = Assignment(**make, partial=True, sense="max", method=method)
    np.testing.assert_array_equal(most.solve(-theta.reshape(3, *most.event_shape)).reshape(3, 4), z)


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_the_cheapest_of_parallel_edges_is_used(method):
    graph = nx.MultiGraph([("a", 1), (1, "a"), ("a", 2)])
    solver = Assignment(graph, method=method)
    assert solver.solve(np.array([[3.0, 2.0, 9.0], [2.0, 3.0, 9.0]])).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert solver.decode(np.array([0.0, 1.0, 0.0])) == [("a", 1, 1)]


def test_pairs_are_in_the_labels_of_the_user_top_first():
    graph = nx.Graph([(1, "a"), ("a", 2), ("b", 2)])
    for options, expected in (
        ({}, [(1, "a"), (2, "b")]),
        ({"top": ["b", "a"]}, [("a", 1), ("b", 2)]),
        ({"top": iter([1, 2])}, [(1, "a"), (2, "b")]),
    ):
        solver = Assignment(graph, **options)
        assert solver.decode(np.array([1.0, 0.0, 1.0])) == expected
        for pairs in (expected, [pair[::-1] for pair in expected], set(expected)):
            assert solver.encode(pairs).tolist() == [1, 0, 1]
    nx.set_node_attributes(graph, {node: int(node in (1, 2)) for node in graph}, "bipartite")
    assert Assignment(graph).decode(np.array([1.0, 0.0, 1.0])) == [("a", 1), ("b", 2)]


def test_pairs_of_a_matrix_are_row_and_column():
    solver = Assignment(shape=(2, 3))
    assert solver.event_shape == (2, 3)
    assert solver.entries == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    z = solver.encode([(1, 0), (0, np.int64(2))])
    assert z.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert solver.decode(z) == [(0, 2), (1, 0)]
    assert solver.decode(np.stack([z, z]).reshape(2, 1, 2, 3)) == [[[(0, 2), (1, 0)]]] * 2


@pytest.mark.parametrize("make", [{"shape": (8, 9)}, {"graph": nx.complete_bipartite_graph(8, 9)}])
@pytest.mark.parametrize("partial", [False, True])
def test_scales_dtypes_threads_and_order_of_rows_do_not_matter(make, partial):
    one, two, many = (Assignment(**make, partial=partial, threads=threads) for threads in (1, 2, 7))
    theta = np.random.default_rng(6).integers(-4, 9, (400, *one.event_shape)).astype(np.float32)
    z = one.solve(theta, validate="full")
    assert z.dtype == np.float32
    for solver in (two, many):
        np.testing.assert_array_equal(solver.solve(theta), z)
    np.testing.assert_array_equal(one.solve(theta.astype(float)), z)
    np.testing.assert_array_equal(one.solve(theta[::-1])[::-1], z)
    np.testing.assert_array_equal(rows_alone(one, theta[:20]), z[:20])
    scales = np.geomspace(1e-12, 1e12, 400).reshape(-1, *[1] * (theta.ndim - 1))
    assert_as_good(one.solve(theta * scales), z, theta * scales)


def test_a_difference_of_a_trillionth_decides():
    solver = Assignment(shape=(1, 2))
    theta = np.array([[[1.0, 1.0 + 1e-12]], [[1.0 + 1e-12, 1.0]], [[1.0, -1.0]]])
    assert solver.solve(theta)[:, 0].tolist() == [[1, 0], [0, 1], [0, 1]]


def test_one_node_or_no_edges_with_known_sides_have_the_empty_assignment():
    for solver in (
        Assignment(nx.empty_graph(1)),
        Assignment(nx.empty_graph(3), top=[0], partial=True),
        Assignment(nx.empty_graph(3), top=[]),
    ):
        assert solver.solve(np.ones((2, 0))).shape == (2, 0)
        assert solver.decode(np.ones(0)) == []


@pytest.mark.parametrize(
    ("graph", "top", "message"),
    [
        (
            nx.Graph([("a", 1), ("b", 1), ("c", 2), ("c", 3)]),
            "abc",
            "the 2 nodes 'b', 'a' have only 1 neighbour, 1",
        ),
        (
            nx.Graph([("a", 1), ("a", 2), ("b", 3), ("c", 3), (4, "a")]),
            "abc",
            "the 2 nodes 'c', 'b' have only 1 ",
        ),
        (nx.empty_graph(2), [0], "node 0 has no neighbour"),
    ],
)
def test_a_graph_without_full_assignment_is_refused_with_nodes_that_have_too_few_neighbours(
    graph, top, message
):
    advice = r".*\. Add edges, or take partial=True\.$"
    with pytest.raises(SolverParameterError, match=f"^no full assignment: {message}{advice}"):
        Assignment(graph, top=list(top))
    with pytest.raises(InvalidInstanceError, match=f"^Assignment: no full assignment: {message}{advice}"):
        Assignment(top=list(top)).prepare({"graph": graph})
    assert Assignment(graph, top=list(top), partial=True).decode(np.zeros(graph.number_of_edges())) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (0, 2)}, r"shape must be two positive integers, rows and columns; got \(0, 2\)"),
        ({"shape": (2, 2, 2)}, "shape must be two positive integers"),
        ({"shape": 3}, "shape must be two positive integers"),
        ({"shape": (2, 2.5)}, "shape must be two positive integers"),
        ({"shape": (2, 2), "top": [0]}, "leave out graph= and top="),
        ({"shape": (1, 1), "graph": nx.path_graph(2)}, "leave out graph= and top="),
        ({"graph": nx.path_graph(2), "sense": "least"}, "sense must be one of"),
        ({"graph": nx.DiGraph([(0, 1)])}, "must be undirected.*to_undirected"),
        ({"graph": nx.cycle_graph("abc")}, r"not bipartite: the edge \('b', 'c'\) closes an odd cycle"),
        ({"graph": nx.cycle_graph(3), "top": [0]}, r"not bipartite: the edge \(1, 2\) closes an odd cycle"),
        ({"graph": nx.Graph([("a", "a")])}, r"not bipartite: the edge \('a', 'a'\) is a self-loop"),
        ({"graph": nx.path_graph("abc"), "top": ["a"]}, r"edge \('b', 'c'\) are on the bottom side by top="),
        (
            {"graph": nx.path_graph("abc"), "top": ["a", "b"]},
            r"edge \('a', 'b'\) are on the top side by top=",
        ),
        (
            {"graph": nx.path_graph("abc"), "top": ["a", "z", "y"]},
            "^top has nodes that are not in the graph: 'y', 'z'",
        ),
        ({"graph": nx.path_graph("abc"), "top": "ac"}, "top must be a collection of nodes; got 'ac'"),
        ({"graph": nx.path_graph("abc"), "top": [["a"]]}, "top must be a collection of nodes"),
        (
            {"graph": nx.Graph([("a", "b"), ("c", "d"), ("d", "e")])},
            "the sides of the .* are not known, because it has 2 parts .* one of them: 'a', 'b'.* Give top=",
        ),
    ],
)
def test_parameters_are_checked(options, message):
    with pytest.raises(SolverParameterError, match=message):
        Assignment(**options)


def test_problems_whose_sums_would_overflow_are_refused(monkeypatch):
    monkeypatch.setattr("imle_networkx._matchings.PRECISION", 53)
    with pytest.raises(SolverParameterError, match="the matrix of 2 rows and 3 columns has too many nodes"):
        Assignment(shape=(2, 3))
    with pytest.raises(SolverParameterError, match=r"too many nodes.*only 52 for each"):
        Assignment(nx.path_graph(3))


def test_rows_may_have_different_graphs():
    workers = ["Ada", "Ben", "Cyd"]
    graphs = [
        nx.Graph([("Ada", 1), ("Ada", 2), ("Ben", 2), ("Ben", 1)]),
        nx.Graph([("Ben", 1), ("Cyd", 1), ("Cyd", 4)]),
        nx.MultiGraph([("Ada", 1), ("Ada", 1), ("Cyd", 3)]),  # in two parts, whose sides top= tells
    ]
    instances = [graphs[i] for i in (0, 1, 2, 0, 1, 2)]
    theta = np.random.default_rng(8).standard_normal((6, 4))
    solver = Assignment(top=workers)
    z = solver.solve(theta, instances=instances, validate="full")
    pairs = solver.decode(z, instances=instances)
    for graph, row, costs, chosen in zip(instances, z, theta, pairs, strict=True):
        top = [node for node in workers if node in graph]
        size = graph.number_of_edges()
        np.testing.assert_array_equal(row[:size], Assignment(graph, top=top).solve(costs[None, :size])[0])
        assert not row[size:].any()
        assert sorted(pair[0] for pair in chosen) == sorted(top)


@pytest.mark.parametrize(
    ("options", "pairs", "message"),
    [
        (
            {"shape": (2, 3)},
            [(0, 3), (1, 0)],
            r"\(0, 3\) is not an edge of the matrix of 2 rows and 3 columns",
        ),
        ({"shape": (2, 3)}, [(0, -1)], "is not an edge"),
        ({"shape": (2, 3)}, [(0, "b")], "is not an edge"),
        ({"shape": (2, 3)}, [(0, 1, 2)], "is not an edge"),
        ({"shape": (2, 3)}, [5], "is not an edge"),
        (
            {"shape": (2, 3)},
            [(0, 1), (1, 1)],
            r"the matching has both \(0, 1\) and \(1, 1\), which share a node",
        ),
        ({"shape": (2, 3)}, [(0, 1)], "the matching has 1 edges; each has 2 here"),
        ({"graph": nx.path_graph("abc")}, [("a", "c")], "is not an edge"),
    ],
)
def test_encode_refuses_what_is_no_assignment(options, pairs, message):
    with pytest.raises(InvalidSolutionError, match=message):
        Assignment(**options).encode(pairs)


@pytest.mark.parametrize(
    ("z", "message"),
    [
        ([[1, 0, 0], [1, 0, 0]], r"the state has both \(0, 0\) and \(1, 0\), which share a node"),
        ([[1, 1, 0], [0, 0, 1]], r"the state has both \(0, 0\) and \(0, 1\), which share a node"),
        ([[1, 0, 0], [0, 0, 0]], "the state has 1 edges; each has 2 here"),
        ([[0.5, 0.5, 0], [0, 0, 1]], "the state has entries other than 0 and 1"),
    ],
)
def test_decode_says_why_a_state_is_no_assignment(z, message):
    solver = Assignment(shape=(2, 3))
    assert not solver.is_feasible(np.array([z], float)).any()
    with pytest.raises(InvalidSolutionError, match=message):
        solver.decode(np.array(z, float))


def test_a_full_matching_of_networkx_needs_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'imle-core\[scipy\]'"):
        Assignment(shape=(2, 2), method="networkx").solve(np.ones((1, 2, 2)))
    assert Assignment(shape=(2, 2)).solve(np.ones((1, 2, 2))).sum() == 2


def test_a_graph_changed_by_its_owner_has_no_effect():
    graph = nx.path_graph(4)
    solver = Assignment(graph)
    graph.remove_node(0)
    assert solver.solve(np.ones((1, 3))).tolist() == [[1, 0, 1]]


def test_explain_and_parameters_by_name():
    solver = imle.solver("networkx.assignment", shape=[2, 3], threads=2)
    assert "on the full matrix" in solver.explain()
    assert "matrix of 2 rows and 3 columns, up to 2 threads" in solver.explain()
    assert solver.solve(np.ones((2, 2, 3)), validate="full").sum() == 4
    sparse = imle.solver("networkx.assignment", graph=nx.path_graph(4), top=[0, 2], partial=True)
    assert "along the edges, with a heap" in sparse.explain()
    assert "minimum_weight_full_matching" in Assignment(shape=(2, 2), method="networkx").explain()
    assert "max_weight_matching" in Assignment(shape=(2, 2), method="networkx", partial=True).explain()
    assert "each row brings its graph" in Assignment().explain()


@pytest.mark.parametrize("sense", SENSES)
@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_costs_that_forbid_a_pair_cost_no_precision(sense, partial, dtype):
    rng = np.random.default_rng(5)
    costs = forbid(rng, rng.uniform(0.1, 1.0, (20, 5, 5)) - partial).astype(dtype)
    theta = costs if sense == "min" else -costs
    edges = [(f"row {i}", f"column {j}") for i in range(5) for j in range(5)]
    best = (costs.reshape(20, -1).astype(float) @ states_of(edges, None if partial else 5).T).min(1)
    solver = Assignment(shape=(5, 5), sense=sense, partial=partial)
    z = solver.solve(theta)
    np.testing.assert_allclose((z * costs.astype(float)).sum((1, 2)), best, rtol=1e-9)
    np.testing.assert_array_equal(rows_alone(solver, theta), z)


@pytest.mark.parametrize("sense", SENSES)
def test_costs_that_forbid_an_edge_cost_no_precision(sense):
    rng = np.random.default_rng(6)
    for _ in range(20):
        graph = nx.complete_bipartite_graph(5, 6)
        graph.remove_edges_from([(i, 5 + int(rng.integers(5))) for i in range(5)])
        costs = forbid(rng, rng.uniform(0.1, 1.0, (4, graph.number_of_edges())))
        solver = Assignment(graph, top=range(5), sense=sense)
        z = solver.solve(costs if sense == "min" else -costs)
        best = (costs @ states_of(list(graph.edges), 5).T).min(1)
        np.testing.assert_allclose((z * costs).sum(1), best, rtol=1e-9)
