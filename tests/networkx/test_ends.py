"""Which ends a row has, and what is said where they are wrong."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from imle_networkx.shortest_path import ShortestPath

import imle_core as imle
from imle_core.errors import InvalidInstanceError, SolverParameterError


def two_parts():
    return nx.Graph([("a", "b"), ("b", "c"), ("x", "y")])


def test_an_instance_overrides_and_completes_the_ends_of_the_constructor():
    solver = ShortestPath(two_parts(), source="a")
    instances = [{"target": "b"}, {"target": "c"}, {"source": "c", "target": "b"}]
    z = solver.solve(np.ones((3, 3)), instances=instances)
    assert z.tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert [solver.decode(row, instance=i) for row, i in zip(z, instances, strict=True)] == [
        ["a", "b"],
        ["a", "b", "c"],
        ["c", "b"],
    ]


@pytest.mark.parametrize("method", ["compiled", "networkx"])
@pytest.mark.parametrize("rows", [3, 40])
def test_no_path_names_the_ends_and_the_row(method, rows):
    solver = ShortestPath(two_parts(), source="a", method=method)
    instances = [{"target": "c"}] * (rows - 1) + [{"target": "y"}]
    with pytest.raises(imle.errors.InfeasibleError, match="no path from 'a' to 'y'") as caught:
        solver.solve(np.ones((rows, 3)), instances=instances)
    assert caught.value.row == rows - 1


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({"sorce": "a"}, "unknown key 'sorce'.* Did you mean 'source'"),
        ({"source": "q"}, "source 'q' is not in the undirected graph"),
        ({"source": ["a"]}, r"source \['a'\] is not in the undirected graph"),
        ({}, "no source"),
        ("a", "or a mapping"),
    ],
)
def test_a_wrong_instance_is_named(instance, message):
    solver = ShortestPath(two_parts(), target="c")
    with pytest.raises(InvalidInstanceError, match=message):
        solver.solve(np.ones((1, 3)), instances=[instance])


def test_no_ends_at_all_is_an_error_that_says_where_to_give_them():
    with pytest.raises(InvalidInstanceError, match=r"no target: give it to the constructor, or .*instances="):
        ShortestPath(two_parts(), source="a").solve(np.ones((1, 3)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"source": "q"}, "source 'q' is not in the undirected graph"),
        ({"target": ["a"]}, "target .* is not in the undirected graph"),
        ({"weight": "edges"}, "weight must be one of .* Did you mean 'edge'"),
        ({"negative": "shift"}, "negative must be one of"),
        ({"method": "dijkstra"}, "method must be one of"),
        ({"shape": (-1, -3)}, r"shape \(-1, -3\) does not hold the 3 edges"),
        ({"shape": (2, 2)}, r"shape \(2, 2\) does not hold the 3 edges"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"graph": nx.Graph()}, "with nodes; got Graph with 0 nodes"),
        ({"graph": [(0, 1)]}, "must be a NetworkX graph"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        ShortestPath(**{"graph": two_parts(), **parameters})


def test_a_node_that_is_false_is_a_node():
    solver = ShortestPath(nx.path_graph(2), source=0, target=1)
    assert solver.decode(solver.solve(np.ones((1, 1)))[0]) == [0, 1]


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_no_path_says_what_to_do(method):
    graph = nx.DiGraph([(1, 0), (2, 1)])
    with pytest.raises(
        imle.errors.InfeasibleError, match=r"no path from 0 to 2: check .* direction, or give another"
    ):
        ShortestPath(graph, source=0, target=2, method=method).solve(np.ones((1, 2)))


@pytest.mark.parametrize("method", ["compiled", "networkx"])
@pytest.mark.parametrize("negative", ["error", "clip", "allow"])
@pytest.mark.parametrize("rows", [2, 20])  # Dijkstra, lanes
@pytest.mark.parametrize("graph", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_a_graph_without_edges_has_a_path_from_a_node_to_itself_alone(graph, rows, negative, method):
    graph = graph()
    graph.add_nodes_from("ab")
    apart, here = (
        ShortestPath(graph, source="a", target=target, negative=negative, method=method) for target in "ba"
    )
    raw = ShortestPath.solve.__wrapped__  # what the core calls with rows that it has checked
    with pytest.raises(imle.errors.InfeasibleError, match="no path from 'a' to 'b'") as caught:
        raw(apart, np.zeros((rows, 0)))
    assert caught.value.row == 0
    assert raw(here, np.zeros((rows, 0))).shape == (rows, 0)
    assert here.is_feasible(np.zeros((rows, 0))).all()
    assert not apart.is_feasible(np.zeros((rows, 0))).any()


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_no_rows_give_no_states(method):
    solver = ShortestPath(two_parts(), source="a", target="c", method=method)
    assert ShortestPath.solve.__wrapped__(solver, np.zeros((0, 3))).shape == (0, 3)
