"""What functions on graphs return, as states; and the walks that counts stand for."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx._returns import flow_of, read_state
from imle_networkx._snapshot import read
from imle_networkx._walks import walk_of

from imle_core.errors import InvalidSolutionError


def state(result, returns, graph, weight="edge", choose=min):
    return read_state(result, returns, read(graph, weight), choose).tolist()


RING = nx.cycle_graph("abcd")  # ab, ad, bc, cd
PARALLEL = nx.MultiGraph([("a", "b"), ("a", "b"), ("b", "c")])
ARCS = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a")])


@pytest.mark.parametrize(
    ("result", "returns", "graph", "expected"),
    [
        (["a", "d", "c"], "path", RING, [0, 1, 0, 1]),
        (iter("adc"), "path", RING, [0, 1, 0, 1]),
        (["a"], "path", RING, [0, 0, 0, 0]),
        ([], "path", RING, [0, 0, 0, 0]),
        (["a", "b", "a", "b"], "path", RING, [3, 0, 0, 0]),
        (["a", "b", "c", "d"], "cycle", RING, [1, 1, 1, 1]),
        (["c", "d", "a", "b", "c"], "cycle", RING, [1, 1, 1, 1]),
        (["a", "b"], "cycle", RING, [2, 0, 0, 0]),
        ([], "cycle", RING, [0, 0, 0, 0]),
        (["b"], "cycle", RING, [0, 0, 0, 0]),
        ({("b", "a"), ("c", "b")}, "edges", RING, [1, 0, 1, 0]),
        ([("a", "b", {"weight": 3})], "edges", RING, [1, 0, 0, 0]),
        (RING.edges, "edges", RING, [1, 1, 1, 1]),
        ([("a", "b"), ("b", "c")], "edges", PARALLEL, [1, 0, 1]),
        ([("b", "a", 1), ("b", "c", 0, {})], "edges", PARALLEL, [0, 1, 1]),
        (nx.path_graph("abc"), "graph", RING, [1, 0, 1, 0]),
        (nx.path_graph("abc"), "graph", PARALLEL, [1, 0, 1]),
        (nx.MultiGraph([("a", "b", 1)]), "graph", PARALLEL, [0, 1, 0]),
        (nx.MultiGraph([("a", "b"), ("a", "b")]), "graph", RING, [2, 0, 0, 0]),
        ({("b", "a"), ("c", "d")}, "matching", RING, [1, 0, 0, 1]),
        ({"a": "b", "b": "a", "c": None}, "matching", RING, [1, 0, 0, 0]),
        ({"a": "d"}, "matching", RING, [0, 1, 0, 0]),
        ([("b", "a")], "matching", ARCS, [1, 0, 0]),
        ([("b", "a", 1)], "matching", PARALLEL, [0, 1, 0]),
        ({"a": {"b": 2}, "b": {"c": 2, "a": 0}, "c": {}}, "flow", ARCS, [2, 2, 0]),
        ({"a": {"b": {0: 0, 1: 3}}}, "flow", nx.MultiDiGraph([("a", "b"), ("a", "b")]), [0, 3]),
    ],
)
def test_results_are_counted_by_edges(result, returns, graph, expected):
    assert state(result, returns, graph) == expected


@pytest.mark.parametrize(
    ("result", "returns", "expected"),
    [
        (["a", "d"], "path", [1, 0, 0, 1]),
        (["a", "d", "a"], "path", [2, 0, 0, 1]),
        (["a", "b", "c", "d", "a"], "cycle", [1, 1, 1, 1]),
        ({"c"}, "nodes", [0, 0, 1, 0]),
        (RING.nodes, "nodes", [1, 1, 1, 1]),
        (nx.path_graph("ab"), "graph", [1, 1, 0, 0]),
    ],
)
def test_results_are_counted_by_nodes(result, returns, expected):
    assert state(result, returns, RING, "node") == expected


def test_parallel_edges_are_chosen_where_the_result_does_not_say():
    values = [3.0, 1.0, 2.0]
    assert state(["a", "b", "c"], "path", PARALLEL, choose=lambda c: min(c, key=values.__getitem__)) == [
        0,
        1,
        1,
    ]
    assert state(["a", "b", "c"], "path", PARALLEL, choose=lambda c: max(c, key=values.__getitem__)) == [
        1,
        0,
        1,
    ]


@pytest.mark.parametrize(
    ("result", "returns", "graph", "weight", "message"),
    [
        (
            None,
            "path",
            RING,
            "edge",
            r"None \(NoneType\) is not what returns='path' stands for: the nodes of a path",
        ),
        ("adc", "path", RING, "edge", r"'adc' \(str\) is not what"),
        ({"a": 1}, "nodes", RING, "node", r"\(dict\) is not what returns='nodes'"),
        (nx.path_graph("ab"), "path", RING, "edge", r"\(Graph\) is not what returns='path'"),
        ([("a", "b")], "graph", RING, "edge", r"\(list\) is not what returns='graph' stands for: a graph"),
        ({"a": 3}, "flow", ARCS, "edge", "is not what returns='flow'"),
        (
            ["a", "c", "x"],
            "path",
            RING,
            "edge",
            r"edge \('a', 'c'\) is not in the undirected graph of 4 nodes",
        ),
        (["x"], "path", RING, "edge", "node 'x' is not in the undirected graph"),
        (["a", ["b"]], "path", RING, "edge", r"edge \('a', \['b'\]\) is not in"),
        ([["b"]], "nodes", RING, "node", r"node \['b'\] is not in"),
        ([1, 2], "edges", RING, "edge", "edge 1 is not in"),
        (
            [("a", "b", 7)],
            "edges",
            PARALLEL,
            "edge",
            r"edge \('a', 'b', 7\) is not in the undirected multigraph",
        ),
        ([("a", "b", "forward")], "edges", RING, "edge", "'forward'.* is not in"),
        (["b", "a"], "path", ARCS, "edge", r"edge \('b', 'a'\) is not in the directed graph"),
        (
            [("a", "b"), ("b", "c")],
            "matching",
            RING,
            "edge",
            r"node 'b' is matched twice, with 'a' and in \('b', 'c'\)",
        ),
        ({"a": "b", "b": "c"}, "matching", RING, "edge", "node 'b' is matched twice"),
        ([("a", "c")], "matching", RING, "edge", "is not in the undirected graph"),
        ([3], "matching", RING, "edge", "3 is not a pair of nodes"),
    ],
)
def test_what_does_not_fit_is_named(result, returns, graph, weight, message):
    with pytest.raises(InvalidSolutionError, match=message):
        state(result, returns, graph, weight)


@pytest.mark.parametrize("graph", [ARCS, nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "c")])])
def test_flows_are_written_as_networkx_does(graph):
    snapshot = read(graph, "edge")
    amounts = np.array([2.0, 0.0, 3.0])
    flow = flow_of(snapshot, amounts)
    keys = {"a": {"b": {0: 2}}, "b": {"c": {0: 3}}}
    assert flow == (keys if graph.is_multigraph() else {"a": {"b": 2}, "c": {"a": 3}})
    np.testing.assert_array_equal(read_state(flow, "flow", snapshot, min), amounts)


@st.composite
def counted(draw):
    """A small graph of any class, how often each edge is used, and where to begin."""
    graph = draw(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]))()
    node = st.integers(0, draw(st.integers(0, 4)))
    graph.add_edges_from(draw(st.lists(st.tuples(node, node), min_size=1, max_size=8)))
    size = graph.number_of_edges()
    counts = draw(st.lists(st.sampled_from([0, 1, 1, 2]), min_size=size, max_size=size))
    return graph, np.array(counts, float), draw(st.one_of(st.none(), st.integers(0, len(graph) - 1)))


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(counted(), st.booleans())
def test_counts_are_a_walk_exactly_if_their_multigraph_has_an_eulerian_one(problem, closed):
    graph, counts, start = problem
    snapshot = read(graph, "edge")
    used = nx.MultiDiGraph() if graph.is_directed() else nx.MultiGraph()
    for edge, count in zip(snapshot.edges, counts, strict=True):
        used.add_edges_from([edge[:2]] * int(count))
    walk = walk_of(snapshot, counts, start, closed=closed)
    if not used:
        assert walk == ([] if start is None else [start])
        return
    assert (walk is not None) == (nx.is_eulerian(used) if closed else nx.has_eulerian_path(used))
    if walk is None:
        return
    nodes = [snapshot.nodes[number] for number in walk]
    direct = (lambda u, v: (u, v)) if graph.is_directed() else (lambda u, v: frozenset((u, v)))
    assert Counter(direct(u, v) for u, v in pairwise(nodes)) == Counter(direct(u, v) for u, v in used.edges())
    assert not closed or walk[0] == walk[-1]
    if (
        start is not None
        and snapshot.nodes[start] in used
        and nx.has_eulerian_path(used, snapshot.nodes[start])
    ):
        assert walk[0] == start
    else:
        assert start is None or walk[0] != start
