"""networkx.dag_path: agreement with NetworkX and with the list of all paths; open and given ends."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.dag_path import DagPath

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    SolverParameterError,
)

VALUES = st.sampled_from([0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 0.1, -0.3, 1e-300, 1e6])


@st.composite
def problems(draw):
    """An acyclic graph whose nodes are in any order, ends or none, and rows of theta with ties."""
    graph = draw(st.sampled_from([nx.DiGraph, nx.MultiDiGraph]))()
    size = draw(st.integers(1, 7))
    graph.add_nodes_from(draw(st.permutations(range(size))))
    node = st.integers(0, size - 1)
    for u, v in draw(st.lists(st.tuples(node, node), max_size=12)):
        if u != v:
            graph.add_edge(min(u, v), max(u, v))
    source, target = (draw(st.one_of(st.none(), node)) for _ in range(2))
    weight = draw(st.sampled_from(["edge", "node"]))
    entries = graph.number_of_edges() if weight == "edge" else size
    rows = draw(st.lists(st.lists(VALUES, min_size=entries, max_size=entries), min_size=1, max_size=2))
    return graph, source, target, weight, np.array(rows).reshape(len(rows), entries)


def all_paths(graph, source, target, weight, entries):
    """The states of all paths, by definition."""
    column = {entry: i for i, entry in enumerate(entries)}
    states = set()
    for start in graph if source is None else [source]:
        for end in graph if target is None else [target]:
            paths = [[]] if start == end else nx.all_simple_edge_paths(graph, start, end)
            for path in paths:
                nodes = [start, *(edge[1] for edge in path)]
                chosen = [column[each] for each in (nodes if weight == "node" else path)]
                states.add(tuple(float(i in chosen) for i in range(len(entries))))
    return np.array(sorted(states)).reshape(len(states), len(entries))


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(problems(), st.sampled_from(["max", "min"]))
def test_it_agrees_with_networkx_and_with_the_list_of_all_paths(problem, sense):
    graph, source, target, weight, theta = problem
    options = {"source": source, "target": target, "weight": weight, "sense": sense}
    fast, slow = (DagPath(graph, **options, method=method) for method in ("compiled", "networkx"))
    solve = DagPath.solve.__wrapped__  # also of rows without entries, which the core need not pass on
    support = all_paths(graph, source, target, weight, fast.entries)
    if not len(support):
        for solver in (fast, slow):
            with pytest.raises(InfeasibleError, match=f"no path from {source} to {target}"):
                solve(solver, theta)
        return
    best = (theta @ support.T).max(1) if sense == "max" else (theta @ support.T).min(1)
    for solver in (fast, slow):
        z = solve(solver, theta)
        assert solver.is_feasible(z).all()
        np.testing.assert_allclose((z * theta).sum(1), best, rtol=1e-12, atol=1e-12)
    z = solve(fast, theta)
    np.testing.assert_array_equal(
        solve(fast, np.resize(theta, (20, theta.shape[1]))), np.resize(z, (20, theta.shape[1]))
    )
    listed = fast.enumerate_support()
    assert sorted(map(tuple, listed.tolist())) == sorted(map(tuple, support.tolist()))
    for state in support:
        path = fast.decode(state)
        if (
            weight == "node" or not graph.is_multigraph()
        ):  # a list of nodes does not tell parallel edges apart
            np.testing.assert_array_equal(fast.encode(path), state)


def test_infeasible_states_are_told_from_paths():
    graph = nx.DiGraph([(0, 1), (1, 2), (2, 3), (0, 2), (4, 3)])
    every = np.array(np.meshgrid(*[[0.0, 1.0]] * 5)).reshape(5, -1).T
    for ends in ({}, {"source": 0}, {"target": 3}, {"source": 0, "target": 3}, {"source": 2, "target": 2}):
        for weight in ("edge", "node"):
            solver = DagPath(graph, **ends, weight=weight)
            paths = set(
                map(
                    tuple,
                    all_paths(graph, ends.get("source"), ends.get("target"), weight, solver.entries).tolist(),
                )
            )
            assert solver.is_feasible(every).tolist() == [tuple(row) in paths for row in every.tolist()]
    assert not solver.is_feasible(np.full((1, 5), 0.5)).any()


def test_of_equally_long_paths_one_with_the_fewest_edges_is_returned():
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    solver = DagPath(graph, source="a", target="d")
    assert solver.decode(solver.solve(np.array([[1.0, 2.0, 1.0, 1.0]]))) == [["a", "c", "d"]]


def test_the_best_of_parallel_edges_may_differ_from_row_to_row():
    graph = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "c")])
    theta = np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0]])
    for method in ("compiled", "networkx"):
        assert DagPath(graph, source="a", target="c", method=method).solve(theta).tolist() == [
            [0, 1, 1],
            [1, 0, 1],
        ]
        assert DagPath(graph, source="a", target="c", sense="min", method=method).solve(theta).tolist() == [
            [1, 0, 1],
            [0, 1, 1],
        ]


def test_a_path_of_one_node_is_the_state_of_zeros():
    solver = DagPath(nx.DiGraph([("a", "b")]))
    z = solver.solve(np.array([[-1.0]]))
    assert z.tolist() == [[0.0]]
    assert solver.decode(z) == [[]]
    assert DagPath(nx.DiGraph([("a", "b")]), source="a").decode(np.zeros(1)) == ["a"]
    assert DagPath(nx.DiGraph([("a", "b")]), weight="node").solve(np.array([[-1.0, -2.0]])).tolist() == [
        [1, 0]
    ]


def test_rows_have_their_own_ends_and_graphs():
    chain, fork = nx.DiGraph([(0, 1), (1, 2)]), nx.DiGraph([("r", "x"), ("r", "y"), ("y", "z")])
    layer = imle.SolverLayer("networkx.dag_path").eval()
    instances = [chain, {"graph": fork, "source": "r"}, {"graph": chain, "source": 1, "target": 2}]
    theta = [torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0, 3.0]), torch.tensor([5.0, -2.0])]
    z = layer(theta, instances=instances)
    assert [state.tolist() for state in z] == [[1, 1], [0, 1, 1], [0, 1]]
    decoded = [layer.solver.decode(state, instance=one) for state, one in zip(z, instances, strict=True)]
    assert decoded == [[0, 1, 2], ["r", "y", "z"], [1, 2]]


@pytest.mark.parametrize(
    ("graph", "options", "message"),
    [
        (
            nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a")]),
            {},
            r"acyclic, but has the cycle 'a' -> 'b' -> 'c' -> 'a'",
        ),
        (nx.DiGraph([("a", "a")]), {}, "has the cycle 'a' -> 'a'"),
        (nx.path_graph(3), {}, r"must be directed; got: undirected graph.*Give each edge the direction"),
        (nx.DiGraph([("a", "b")]), {"source": "q"}, "source 'q' is not in the directed graph of 2 nodes"),
        (nx.DiGraph([("a", "b")]), {"sense": "most"}, "sense must be one of 'max', 'min'"),
    ],
)
def test_what_is_no_such_problem_is_refused(graph, options, message):
    with pytest.raises(SolverParameterError, match=message):
        DagPath(graph, **options)


def test_a_cycle_in_the_graph_of_a_row_is_named():
    solver = DagPath()
    with pytest.raises(InvalidInstanceError, match="has the cycle 1 -> 2 -> 1"):
        solver.prepare(nx.DiGraph([(0, 1), (1, 2), (2, 1)]))


def test_the_row_without_a_path_is_named():
    solver = DagPath(nx.DiGraph([(0, 1), (2, 1)]), target=1)
    with pytest.raises(InfeasibleError, match="no path from 0 to 2") as caught:
        solver.solve(np.ones((3, 2)), instances=[{}, {"source": 2}, {"source": 0, "target": 2}])
    assert caught.value.row == 2


def test_what_is_no_path_is_not_decoded_or_encoded():
    solver = DagPath(nx.DiGraph([(0, 1), (1, 2), (3, 2)]))
    with pytest.raises(InvalidSolutionError, match="not one path"):
        solver.decode(np.array([1.0, 1.0, 1.0]))
    with pytest.raises(InvalidSolutionError, match="no edge leads from 1 to 0"):
        solver.encode([1, 0])
    with pytest.raises(InvalidSolutionError, match="at least one node"):
        DagPath(nx.DiGraph([(0, 1)]), weight="node").encode([])
