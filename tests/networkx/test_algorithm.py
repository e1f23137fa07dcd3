"""networkx.algorithm: functions of NetworkX and of users as solvers, what they are given and what they may return."""

from __future__ import annotations

import copy
import functools
import pickle
import random
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.algorithm import Algorithm
from imle_networkx.shortest_path import ShortestPath

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    MissingCapabilityError,
    SolverError,
    SolverParameterError,
    UnboundedError,
)

COSTS = st.sampled_from([0.0, 1.0, 1.0, 2.0, 0.1, 0.2, 0.30000000000000004, 1e6])


@st.composite
def problems(draw):
    """A graph of any class with loops, parallel edges and nodes of mixed types, and rows of costs."""
    graph = draw(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]))()
    size = draw(st.integers(2, 6))
    names = [("node", i) if i % 2 else f"n{i}" for i in range(size)]
    graph.add_nodes_from(draw(st.permutations(names)))
    node = st.sampled_from(names)
    graph.add_edges_from(draw(st.lists(st.tuples(node, node), min_size=1, max_size=12)))
    entries = graph.number_of_edges()
    row = st.lists(COSTS, min_size=entries, max_size=entries)
    return graph, np.array(draw(st.lists(row, min_size=1, max_size=3)))


def weighted(graph, entries, row):
    """A copy of a graph with a row of weights."""
    copied = graph.copy()
    nx.set_edge_attributes(copied, dict(zip(entries, row.tolist(), strict=True)), "weight")
    return copied


def path_cost(graph, path):
    if graph.is_multigraph():
        return sum(min(data["weight"] for data in graph[u][v].values()) for u, v in pairwise(path))
    return nx.path_weight(graph, path, "weight")


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(problems())
def test_paths_and_trees_are_worth_what_networkx_says(problem):
    graph, theta = problem
    first, *_, last = graph
    solver = imle.solver(
        "networkx.algorithm",
        graph=graph,
        function="dijkstra_path",
        returns="path",
        arguments={"source": first, "target": last},
    )
    copies = [weighted(graph, solver.entries, row) for row in theta]
    if nx.has_path(graph, first, last):
        z = solver.solve(theta)
        costs = [path_cost(each, nx.dijkstra_path(each, first, last)) for each in copies]
        np.testing.assert_allclose((z * theta).sum(1), costs, rtol=1e-12)
        exact = ShortestPath(graph, source=first, target=last)
        assert exact.is_feasible(z).all()
        for path in solver.decode(z):
            assert (path[0], path[-1]) == (first, last)
    else:
        with pytest.raises(InfeasibleError, match="row 0: dijkstra_path raised NetworkXNoPath"):
            solver.solve(theta)
    if not graph.is_directed():
        tree = Algorithm(graph, function=nx.maximum_spanning_tree, returns="graph", sense="max")
        z = tree.solve(theta)
        sizes = [nx.maximum_spanning_tree(each).size("weight") for each in copies]
        np.testing.assert_allclose((z * theta).sum(1), sizes, rtol=1e-12, atol=1e-12)
        assert all(nx.is_forest(each) for each in tree.decode(z) if each)


@pytest.mark.parametrize(
    ("name", "returns"),
    [
        ("dijkstra_path", "path"),
        ("nx.dijkstra_path", "path"),
        ("networkx.bidirectional_dijkstra", (None, "path")),
        ("shortest_paths.dijkstra_path", "path"),
    ],
)
def test_functions_have_the_names_that_networkx_gives_them(name, returns):
    solver = Algorithm(
        nx.cycle_graph(5), function=name, returns=returns, arguments={"source": 0, "target": 2}
    )
    assert solver.decode(solver.solve(np.ones((1, 5)))) == [[0, 1, 2]]


def test_each_thing_that_can_be_returned_is_decoded_and_encoded():
    graph = nx.complete_graph(4)
    theta = np.array([[3.0, 1.0, 2.0, 4.0, 1.0, 5.0]])  # 01 02 03 12 13 23

    def loop(graph, weight):
        return [0, 1, 2, 3]

    cases = {
        "path": (nx.dijkstra_path, {"source": 3, "target": 2}, [3, 0, 2]),
        "cycle": (loop, {}, [0, 1, 2, 3, 0]),
        "matching": (nx.min_weight_matching, {}, {(0, 2), (1, 3)}),
        "edges": (nx.minimum_spanning_edges, {}, [(0, 2), (0, 3), (1, 3)]),
    }
    for returns, (function, arguments, expected) in cases.items():
        solver = Algorithm(graph, function=function, returns=returns, arguments=arguments)
        z = solver.solve(theta)[0]
        assert solver.decode(z) == expected
        np.testing.assert_array_equal(solver.encode(expected), z)
    tree = Algorithm(graph, function=nx.minimum_spanning_tree, returns="graph")
    z = tree.solve(theta)[0]
    found = tree.decode(z)
    assert set(found.edges) == {(0, 2), (0, 3), (1, 3)}
    np.testing.assert_array_equal(tree.encode(found), z)


def test_theta_on_nodes():
    graph = nx.star_graph(3)
    theta = np.array([[1.0, 1.0, 1.0, 1.0], [9.0, 1.0, 1.0, 1.0]])
    solver = Algorithm(
        graph, function="approximation.min_weighted_vertex_cover", returns="nodes", entries="node"
    )
    z = solver.solve(theta)
    assert solver.decode(z) == [[0], [1, 2, 3]]
    assert solver.entries == [0, 1, 2, 3]

    def inner(graph):
        assert dict(graph.nodes("score")) in [dict(enumerate(row)) for row in theta.tolist()]
        return graph.subgraph([1, 0])

    part = Algorithm(graph, function=inner, returns="graph", entries="node", weight="score")
    part.scale_invariant = False
    z = part.solve(theta)
    assert z.tolist() == [[1, 1, 0, 0]] * 2
    assert set(part.decode(z[0]).edges) == {(0, 1)}


def test_a_function_sees_the_other_attributes_as_they_were_read():
    graph = nx.path_graph(3)
    nx.set_edge_attributes(graph, {(0, 1): "tar", (1, 2): "mud"}, "surface")
    nx.set_edge_attributes(graph, 7.0, "length")
    graph.graph["name"] = "roads"
    seen = []

    def function(graph, weight):
        seen.append((graph.graph["name"], copy.deepcopy(list(graph.edges(data=True)))))
        return []

    solver = Algorithm(graph, function=function, returns="edges", weight="length", scale_invariant=False)
    graph.graph["name"] = "changed"
    graph[0][1]["surface"] = "changed"
    graph.add_edge(2, 3)
    solver.solve(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert seen == [
        ("roads", [(0, 1, {"surface": "tar", "length": a}), (1, 2, {"surface": "mud", "length": b})])
        for a, b in [(1.0, 2.0), (3.0, 4.0)]
    ]
    assert graph[0][1]["length"] == 7.0


def test_attributes_of_the_graph_count():
    graph = nx.Graph()
    graph.add_edge("a", "b", toll=True)
    graph.add_edge("b", "c", toll=False)
    graph.add_edge("a", "c", toll=False)

    def free(graph, source, target, weight):
        return nx.dijkstra_path(
            nx.subgraph_view(graph, filter_edge=lambda u, v: not graph[u][v]["toll"]), source, target
        )

    solver = Algorithm(graph, function=free, returns="path", arguments={"source": "a", "target": "b"})
    assert solver.decode(solver.solve(np.array([[1.0, 1.0, 1.0]]))) == [["a", "c", "b"]]


def test_a_function_cannot_change_the_graph_for_the_rows_after():
    def careless(graph):
        graph.remove_edge(0, 1)
        return list(graph.edges)

    def careful(graph):
        return careless(graph.copy())

    with pytest.raises(
        SolverError, match=r"row 0: careless raised NetworkXError: Frozen graph.* work on graph.copy\(\)"
    ):
        Algorithm(nx.path_graph(3), function=careless, returns="edges").solve(np.ones((2, 2)))
    solver = Algorithm(nx.path_graph(3), function=careful, returns="edges")
    assert solver.solve(np.ones((2, 2))).tolist() == [[0, 1], [0, 1]]

    def marking(graph):
        graph.edges[0, 1]["marks"] = graph.edges[0, 1].get("marks", 0) + 1
        return [(0, 1)] * graph.edges[0, 1]["marks"]

    solver = Algorithm(nx.path_graph(2), function=marking, returns="edges", output="integer")
    assert [solver.solve(np.ones((1, 1))).tolist() for _ in range(2)] == [[[1]], [[1]]]


def test_parallel_edges_stand_for_the_best_of_them():
    graph = nx.MultiGraph([("a", "b"), ("a", "b"), ("b", "c"), ("b", "c")])
    theta = np.array([[2.0, 1.0, 1.0, 3.0]])
    arguments = {"source": "a", "target": "c"}
    for sense, expected in (("min", [0, 1, 1, 0]), ("max", [1, 0, 0, 1])):
        solver = Algorithm(graph, function=nx.dijkstra_path, returns="path", sense=sense, arguments=arguments)
        assert solver.sense == sense
        assert solver.solve(theta).tolist() == [expected]


def test_entries_used_several_times_are_counted_if_asked_for():
    graph = nx.path_graph(3)

    def there_and_back(graph):
        return [0, 1, 2, 1, 0]

    solver = Algorithm(graph, function=there_and_back, returns="path", output="integer")
    z = solver.solve(np.ones((1, 2)))
    assert z.tolist() == [[2, 2]]
    assert solver.decode(z) == [[0, 1, 2, 1, 0]]
    np.testing.assert_array_equal(solver.encode([0, 1, 2, 1, 0]), z[0])
    binary = Algorithm(graph, function=there_and_back, returns="path")
    with pytest.raises(
        InvalidSolutionError,
        match=r"row 0: there_and_back returned what is no solution: edge \(0, 1\) is used 2 times; .*output='integer'",
    ):
        binary.solve(np.ones((1, 2)))
    with pytest.raises(InvalidSolutionError, match="is used 2 times"):
        binary.encode([0, 1, 2, 1, 0])


def cheapest_flow(costs):
    """The least cost to send 3 units along a -> b, a -> c, b -> d, b -> c, c -> d, 2 at most along each."""
    ab, ac, bd, bc, cd = costs
    upper, lower, across = ab + bd, ac + cd, ab + bc + cd
    mixed = [  # units over b alone, over c alone, and across; 2 at most leave a and 2 at most arrive each way
        (u, v, w)
        for u in range(3)
        for v in range(3)
        for w in range(3)
        if u + v + w == 3 and u + w <= 2 and v + w <= 2
    ]
    return min(u * upper + v * lower + w * across for u, v, w in mixed)


def test_functions_that_need_integers_get_them():
    clique = Algorithm(
        nx.complete_graph(3),
        function="max_weight_clique",
        returns=("nodes", None),
        entries="node",
        sense="max",
    )
    assert clique.solve(np.array([[0.5, -0.1, 1e-9]])).tolist() == [[1, 0, 1]]
    graph = nx.DiGraph()
    graph.add_edges_from([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("b", "c")], capacity=2)
    nx.set_node_attributes(graph, {"a": -3, "b": 0, "c": 0, "d": 3}, "demand")
    flow = Algorithm(graph, function=nx.min_cost_flow, returns="flow", output="integer", negative="error")
    theta = np.random.default_rng(0).uniform(size=(50, 5))  # with floats, the simplex method runs for ever
    z = flow.solve(theta)
    np.testing.assert_allclose((z * theta).sum(1), [cheapest_flow(row) for row in theta], rtol=1e-12)
    assert flow.decode(z[0])["a"].keys() <= {"b", "c"}
    np.testing.assert_array_equal(flow.encode(flow.decode(z[0])), z[0])

    def types(graph, kind):
        assert all(type(value) is kind for *_, value in graph.edges(data="weight"))
        return []

    for integers, kind in ((None, float), (True, int), (False, float)):
        solver = Algorithm(
            graph, function=types, returns="edges", integers=integers, arguments={"kind": kind}
        )
        solver.solve(theta[:2].astype(np.float32))


def test_rows_bring_arguments_and_graphs_of_their_own():
    path, ring = nx.path_graph("abcd"), nx.cycle_graph(4)
    solver = Algorithm(function="dijkstra_path", returns="path", arguments={"source": "a"})
    theta = np.array([[1.0, 1.0, 1.0, 0.0], [5.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]])
    instances = [
        {"graph": path, "target": "c"},
        {"graph": ring, "source": 0, "target": 1},
        {"graph": path, "target": "a"},
    ]
    z = solver.solve(theta, instances=instances)
    assert solver.decode(z, instances=instances) == [["a", "b", "c"], [0, 3, 2, 1], ["a"]]
    with pytest.raises(InvalidInstanceError, match=r"unknown key 'targt'.* Did you mean 'target'"):
        solver.solve(theta[:1], instances=[{"graph": path, "targt": "c"}])
    with pytest.raises(
        InvalidInstanceError,
        match=r"no target, which function dijkstra_path needs: give it in arguments=, or to each row",
    ):
        solver.solve(theta[:1], instances=[{"graph": path}])


def test_an_argument_may_be_none():
    def function(graph, start="default"):
        return [(0, 1)] if start is None else []

    solver = Algorithm(nx.path_graph(2), function=function, returns="edges")
    assert solver.solve(np.ones((2, 1)), instances=[{}, {"start": None}]).tolist() == [[0], [1]]


def test_a_path_without_direction_is_decoded_from_its_source():
    graph = nx.path_graph(4)
    solver = Algorithm(graph, function=nx.dijkstra_path, returns="path")
    instances = [{"source": 3, "target": 1}, {"source": 1, "target": 3}]
    z = solver.solve(np.ones((2, 3)), instances=instances)
    assert solver.decode(z, instances=instances) == [[3, 2, 1], [1, 2, 3]]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (nx.NetworkXNoPath("nowhere"), InfeasibleError),
        (nx.NetworkXNoCycle("nowhere"), InfeasibleError),
        (nx.NetworkXUnfeasible("nowhere"), InfeasibleError),
        (nx.NetworkXUnbounded("nowhere"), UnboundedError),
        (nx.NetworkXError("nowhere"), SolverError),
        (ZeroDivisionError("nowhere"), SolverError),
    ],
)
def test_errors_are_those_of_solvers_with_the_row(error, kind):
    def function(graph, weight):
        if graph.edges[0, 1]["weight"] > 1:
            raise error
        yield (0, 1)

    solver = Algorithm(nx.path_graph(2), function=function, returns="edges", scale_invariant=False)
    with pytest.raises(
        kind, match=rf"Algorithm: row 2: function raised {type(error).__name__}: nowhere"
    ) as caught:
        solver.solve(np.array([[0.0], [1.0], [2.0]]))
    assert type(caught.value) is kind
    assert caught.value.row == 2
    assert caught.value.__cause__ is error
    mixed = Algorithm(function=function, returns="edges", scale_invariant=False)
    one, other = nx.path_graph(2), nx.path_graph(2)
    with pytest.raises(kind, match="row 3:"):
        mixed.solve(np.array([[0.0], [1.0], [0.0], [2.0]]), instances=[one, other, one, other])


def test_a_negative_cycle_is_unbounded():
    graph = nx.DiGraph([(0, 1), (1, 2), (2, 1), (2, 3)])
    solver = Algorithm(
        graph, function=nx.bellman_ford_path, returns="path", arguments={"source": 0, "target": 3}
    )
    assert solver.solve(np.array([[1.0, -1.0, 2.0, 1.0]])).tolist() == [[1, 1, 0, 1]]
    with pytest.raises(UnboundedError, match="row 1: bellman_ford_path raised NetworkXUnbounded"):
        solver.solve(np.array([[1.0, -1.0, 2.0, 1.0], [1.0, -2.0, 1.0, 1.0]]))


def test_what_a_function_returns_must_be_what_it_is_said_to_return():
    graph = nx.path_graph(3)
    for result, message in (
        (
            None,
            r"function returned what is no solution: None \(NoneType\) is not what returns='path' stands for",
        ),
        ([0, 2], r"edge \(0, 2\) is not in the undirected graph of 3 nodes"),
        ([0, "x"], r"edge \(0, 'x'\) is not in"),
    ):

        def function(graph, result=result):
            return result

        with pytest.raises(InvalidSolutionError, match=f"row 0: .*{message}"):
            Algorithm(graph, function=function, returns="path").solve(np.ones((2, 2)))
    for returns, message in (
        ((None, "path"), "is not a tuple of 2"),
        (("path", None, None), "is not a tuple of 3"),
    ):
        solver = Algorithm(graph, function=lambda graph: [0, 1], returns=returns)
        with pytest.raises(InvalidSolutionError, match=message):
            solver.solve(np.ones((1, 2)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"function": "dijkstra_pth"}, "has no function 'dijkstra_pth'. Did you mean 'dijkstra_path'"),
        ({"function": "steiner_tree"}, "Did you mean 'approximation.steiner_tree'"),
        ({"function": "approximation.steiner"}, "has no function 'approximation.steiner'. Did you mean"),
        ({"function": "approximation"}, "function must be a function on a graph"),
        ({"function": 3}, "function must be a function on a graph, .* got 3"),
        ({"function": lambda: 0}, "takes no graph, which would be its first argument"),
        (
            {"arguments": {"sorce": 0}},
            "takes no argument 'sorce'. Did you mean 'source'. It takes: source, target, weight",
        ),
        ({"arguments": {"weight": 0}}, "give the attribute that it stands for as weight="),
        (
            {"function": nx.find_cycle},
            "function find_cycle takes no argument 'weight'.* It takes: source, orientation",
        ),
        ({"returns": "pathe"}, "returns must be one of .*Did you mean 'path'"),
        ({"returns": ("path", "nodes")}, "returns must name one thing, with None for the rest"),
        ({"returns": (None,)}, "returns must name one thing"),
        ({"returns": "nodes"}, "returns='nodes' has no edges: take entries='node'"),
        ({"returns": "matching", "entries": "node"}, "returns='matching' has no nodes: take entries='edge'"),
        ({"sense": "least"}, "sense must be one of"),
        ({"output": "real"}, "output must be one of"),
        ({"negative": "no"}, "negative must be one of"),
        ({"entries": "arc"}, "entries must be one of"),
        ({"backend": "networkx", "function": lambda graph: []}, "takes no backend= to pass 'networkx' on to"),
        ({"backend": "cugraph"}, "backend 'cugraph' of NetworkX is not installed"),
        ({"graph": "no graph"}, "graph must be a NetworkX graph"),
    ],
)
def test_parameters_that_cannot_be_right_are_refused_at_once(options, message):
    with pytest.raises(SolverParameterError, match=message):
        Algorithm(**{"graph": nx.path_graph(3), "function": "dijkstra_path", "returns": "path", **options})


def test_a_weight_by_another_name_is_named_in_the_arguments():
    graph = nx.DiGraph([("a", "b"), ("b", "a"), ("b", "c")])
    solver = Algorithm(
        graph, function="minimum_spanning_arborescence", returns="graph", arguments={"attr": "weight"}
    )
    assert solver.solve(np.array([[1.0, 2.0, 1.0]])).tolist() == [[1, 0, 1]]


def test_a_function_may_take_any_keyword():
    def function(graph, **options):
        return nx.dijkstra_path(graph, **options)

    solver = Algorithm(
        nx.path_graph(3), function=function, returns="path", arguments={"source": 0, "target": 2}
    )
    z = solver.solve(np.ones((2, 2)), instances=[{}, {"target": 1}])
    assert z.tolist() == [[1, 1], [1, 0]]
    partial = functools.partial(nx.dijkstra_path, source=0, weight="weight")
    solver = Algorithm(nx.path_graph(3), function=partial, returns="path")
    assert solver.solve(np.ones((1, 2)), instances=[{"target": 2}]).tolist() == [[1, 1]]


def test_random_functions_repeat_themselves_by_their_seed():
    graph = nx.complete_graph(7)
    theta = np.random.default_rng(0).uniform(size=(4, 21))

    def walk(graph, weight, seed):
        order = list(graph)
        random.Random(seed).shuffle(order)
        return order

    first = Algorithm(graph, function=walk, returns="path", arguments={"seed": 0})
    again = Algorithm(graph, function=walk, returns="path", arguments={"seed": 0})
    other = Algorithm(graph, function=walk, returns="path", arguments={"seed": 1})
    np.testing.assert_array_equal(first.solve(theta), again.solve(theta[:4]))
    assert (first.solve(theta) != other.solve(theta)).any()


@pytest.mark.parametrize(
    "function", ["dijkstra_path", "shortest_path"]
)  # the second has arguments that are not given
def test_copies_and_pickles_solve_alike(function):
    solver = imle.solver(
        "networkx.algorithm",
        graph=nx.cycle_graph(5),
        function=function,
        returns="path",
        arguments={"source": 0, "target": 2},
    )
    theta = np.random.default_rng(0).uniform(size=(3, 5))
    for other in (copy.deepcopy(solver), pickle.loads(pickle.dumps(solver))):
        np.testing.assert_array_equal(other.solve(theta), solver.solve(theta))


def test_errors_of_solvers_pass_through():
    def closed(graph):
        raise InfeasibleError("the shop is closed")

    with pytest.raises(InfeasibleError, match="row 0: the shop is closed"):
        Algorithm(nx.path_graph(2), function=closed, returns="edges").solve(np.ones((1, 1)))


def test_arguments_may_be_arrays():
    with pytest.raises(SolverParameterError, match="takes no argument 'weight'"):
        Algorithm(nx.path_graph(2), function=nx.find_cycle, returns="edges", arguments={"source": np.ones(2)})


def test_a_layer_learns_through_a_function_of_the_user():
    def widest(graph, source, target, weight):
        tree = nx.maximum_spanning_tree(graph, weight=weight)
        return nx.shortest_path(tree, source, target)

    layer = imle.SolverLayer(
        imle.solver(
            "networkx.algorithm",
            graph=nx.complete_graph(4),
            function=widest,
            returns="path",
            sense="max",
            arguments={"source": 0, "target": 3},
        ),
        imle.IMLE(samples=2),
    )
    theta = torch.zeros(3, 6, requires_grad=True)
    layer(theta).sum().backward()
    assert theta.grad is not None


def test_nobody_knows_the_set_of_a_function():
    solver = Algorithm(nx.path_graph(2), function=lambda graph: [(0, 1)], returns="edges")
    for method in ("is_feasible", "enumerate_support"):
        assert not solver.implements(method)
    with pytest.raises(MissingCapabilityError, match="has no `is_feasible`"):
        solver.solve(np.ones((1, 1)), validate="full")


def test_explain_says_what_is_called():
    solver = Algorithm(
        nx.path_graph(3), function="dijkstra_path", returns="path", weight="length", backend="networkx"
    )
    assert solver.explain() == (
        "Algorithm: the path that dijkstra_path returns by the backend 'networkx', row by row, with theta as the "
        "attribute 'length' of edges; undirected graph of 3 nodes and 2 edges."
    )
