"""Graphs of each row: read once, kept apart, and what happens when they do not suit."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import weakref

import networkx as nx
import numpy as np
import pytest
import torch
from imle_networkx.shortest_path import ShortestPath

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
)


def journeys():
    """Graphs of different kinds and sizes, with ends of their own."""
    return [
        {"graph": nx.path_graph(4), "source": 0, "target": 3},
        {"graph": nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c")]), "source": "a", "target": "c"},
        {"graph": nx.grid_2d_graph(3, 3), "source": (0, 0), "target": (2, 2)},
        {"graph": nx.MultiGraph([(0, 1), (0, 1)]), "source": 0, "target": 1},
    ]


def theta_of(instances, weight="edge", seed=0):
    generator = torch.Generator().manual_seed(seed)
    sizes = [len(ShortestPath(weight=weight).entries_of(one["graph"])) for one in instances]
    return [torch.rand(size, generator=generator, dtype=torch.float64) + 0.1 for size in sizes]


@pytest.mark.parametrize("weight", ["edge", "node"])
@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_each_row_is_solved_on_its_own_graph(weight, method):
    instances = journeys() * 3
    theta = theta_of(instances, weight)
    layer = imle.SolverLayer("networkx.shortest_path", weight=weight, method=method).eval()
    for row, z, one in zip(theta, layer(theta, instances=instances), instances, strict=True):
        alone = ShortestPath(one["graph"], source=one["source"], target=one["target"], weight=weight)
        np.testing.assert_array_equal(z, alone.solve(row[None].numpy())[0])
        assert layer.solver.decode(z, instance=one) == alone.decode(z)


def test_a_training_step_runs_over_graphs_of_different_size():
    instances = journeys()
    theta = [row.requires_grad_() for row in theta_of(instances)]
    layer = imle.SolverLayer("networkx.shortest_path", imle.IMLE(samples=4))
    states = layer(theta, instances=instances)
    sum((z * torch.rand(len(z))).sum() for z in states).backward()
    assert all(row.grad is not None and row.grad.shape == row.shape for row in theta)
    assert any(row.grad.any() for row in theta)


def test_a_graph_alone_is_an_instance_where_the_rest_is_given():
    solver = ShortestPath(source=0, target=3)
    z = solver.solve(np.ones((2, 4)), instances=[nx.cycle_graph(4), nx.cycle_graph(4)])
    assert z.sum(1).tolist() == [1, 1]
    assert solver.entries is None
    assert solver.entries_of(nx.path_graph(3)) == [(0, 1), (1, 2)]


def test_padding_is_ignored_and_stays_zero():
    instances = journeys()
    rows = theta_of(instances)
    theta, mask = imle.pad(rows)
    theta[~mask] = 1e-9  # cheaper than all else
    solver = ShortestPath()
    z = solver.solve(theta.numpy(), instances=instances, validate="full")
    assert not z[~mask.numpy()].any()
    paths = solver.decode(z, instances=instances)
    assert paths == [
        solver.decode(state.numpy(), instance=one)
        for state, one in zip(
            imle.SolverLayer(solver).eval()(rows, instances=instances), instances, strict=True
        )
    ]
    z[0, -1] = 1
    assert not solver.is_feasible(z, instances=[solver.prepare(one) for one in instances])[0]


def test_a_graph_is_lowered_once_however_many_instances_share_it(monkeypatch):
    lowered = []
    original = ShortestPath._lower
    monkeypatch.setattr(
        ShortestPath, "_lower", lambda self, *args: lowered.append(args) or original(self, *args)
    )
    graph = nx.path_graph(5)
    layer = imle.SolverLayer(ShortestPath()).eval()
    for _ in range(3):
        layer(torch.ones(4, 4), instances=[{"graph": graph, "source": 0, "target": i} for i in range(4)])
    assert len(lowered) == 1


def test_what_its_owner_changes_in_a_graph_has_no_effect():
    graph = nx.path_graph(4)
    solver = ShortestPath(graph, source=0, target=3)
    reference = ShortestPath(graph, source=0, target=3, method="networkx")
    brought = ShortestPath(source=0, target=3)
    theta = np.ones((1, 3))
    z = solver.solve(theta)
    brought.solve(theta, instances=[graph])
    graph.add_edge(0, 3)
    graph.remove_node(1)
    graph.add_node("new")
    for each, instances in ((solver, None), (reference, None), (brought, [graph])):
        np.testing.assert_array_equal(each.solve(theta, instances=instances), z)
    assert solver.entries == [(0, 1), (1, 2), (2, 3)]
    assert solver.decode(z) == [[0, 1, 2, 3]]
    # A copy is another graph, and is read as it is now.
    assert brought.entries_of(graph.copy()) == [(0, 3), (2, 3)]


def test_weights_that_stand_in_the_graph_are_not_read():
    graph = nx.Graph()
    graph.add_edge(0, 1, weight=100.0)
    graph.add_edge(1, 2, weight=math.nan)
    graph.add_edge(0, 2, weight="heavy")
    for method in ("compiled", "networkx"):
        solver = ShortestPath(graph, source=0, target=2, method=method)
        assert solver.decode(solver.solve(np.array([[1.0, 5.0, 1.0]]))) == [[0, 1, 2]]


def test_a_graph_that_nobody_needs_is_let_go():
    solver = ShortestPath(source=0, target=1)
    graph = nx.path_graph(2)
    solver.solve(np.ones((1, 1)), instances=[graph])
    watch = weakref.ref(graph)
    del graph
    gc.collect()
    assert watch() is None


def test_graphs_are_told_apart_by_what_they_are_and_not_by_an_equality_of_their_class():
    class Alike(nx.Graph):
        def __eq__(self, other):
            return True

        __hash__ = None  # nor need they be hashable for a direct call

    solver = ShortestPath(source=0, target=2)
    graphs = [Alike(nx.path_graph(3)), Alike([(0, 1), (0, 2)])]
    assert solver.solve(np.ones((2, 2)), instances=graphs).tolist() == [[1, 1], [0, 1]]


def test_copies_know_nodes_by_their_identity():
    class Place:
        pass

    places = [Place() for _ in range(3)]
    graph = nx.relabel_nodes(nx.path_graph(3), dict(enumerate(places)))
    solver = ShortestPath(graph, target=places[2])
    instances = [{"source": places[0]}]
    for twin in (solver.clone(), copy.deepcopy(solver)):
        assert twin.solve(np.ones((1, 2)), instances=instances).all()
    layer = copy.deepcopy(imle.SolverLayer(solver).eval())
    assert layer(torch.ones(1, 2), instances=instances).all()


def test_the_row_of_a_wrong_instance_is_named():
    solver = ShortestPath(nx.path_graph(3), target=2)
    instances = [{"source": 0}, {"source": 1}, {"source": 9}]
    for call in (solver.solve, imle.SolverLayer(solver)):
        theta = np.ones((3, 2)) if call == solver.solve else torch.ones(3, 2)
        with pytest.raises(InvalidInstanceError, match="row 2: source 9 is not in the"):
            call(theta, instances=instances)
    with pytest.raises(InvalidInstanceError, match=r"row 1: .*tuple of pairs in place of a dict"):
        imle.SolverLayer(solver)(torch.ones(2, 2), instances=[{"source": 0}, {"source": [0]}])


def test_what_stands_in_the_padding_counts_for_nothing():
    instances = [nx.complete_graph(4), nx.complete_graph(5)]
    solver = imle.solver("networkx.minimum_spanning_tree")
    theta = np.random.default_rng(0).random((2, 10))
    theta[0] *= 1e-300
    theta[0, 6:] = 0
    z = solver.solve(theta, instances=instances)
    theta[0, 6:] = 1e300
    np.testing.assert_array_equal(solver.solve(theta, instances=instances), z)
    theta[0, 6:] = -1.0
    planner = ShortestPath(source=0, target=3)  # which refuses negative costs
    assert planner.solve(theta, instances=instances)[0, :6].any()


@pytest.mark.parametrize("structure", [None, 5, [0, 9], "ab"])
@pytest.mark.parametrize(
    "name",
    ["shortest_path", "minimum_spanning_tree", "max_weight_clique", "max_weight_matching", "steiner_tree"],
)
def test_what_is_no_structure_is_not_encoded(name, structure):
    solver = imle.solver(f"networkx.{name}", graph=nx.path_graph(4))
    with pytest.raises(InvalidSolutionError):
        solver.encode(structure)


def test_a_search_for_a_path_among_chords_is_given_up():
    solver = ShortestPath(nx.complete_bipartite_graph(9, 11), source=0, target=1, weight="node")
    with pytest.raises(MissingCapabilityError, match="is not known"):
        solver.is_feasible(np.ones((1, 20)))


def test_copies_of_a_solver_read_graphs_of_instances_anew():
    solver, graph = ShortestPath(source=0, target=2), nx.path_graph(3)
    z = solver.solve(np.ones((1, 2)), instances=[graph])
    for twin in (copy.deepcopy(solver), pickle.loads(pickle.dumps(solver)), solver.clone()):
        np.testing.assert_array_equal(twin.solve(np.ones((1, 2)), instances=[graph]), z)


@pytest.mark.parametrize("node", [math.nan, ("a", math.nan)])
def test_a_node_that_is_not_equal_to_itself(node):
    graph = nx.Graph([(node, 1)])
    if node == node:  # a tuple with NaN compares by identity first, and can be looked up
        assert ShortestPath(graph, source=node, target=1).solve(np.ones((1, 1))).all()
    else:
        with pytest.raises(SolverParameterError, match="node nan of the graph is not equal to itself"):
            ShortestPath(graph)


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({}, "no graph: give it to the constructor, or to each row"),
        ({"graph": 3, "source": 0, "target": 1}, "graph must be a NetworkX graph.*got 3"),
        ({"graph": nx.Graph(), "source": 0, "target": 1}, "graph must be a NetworkX graph with nodes"),
        (
            {"graph": nx.path_graph(2), "sorce": 0},
            "unknown key 'sorce' in an instance. Did you mean 'source'?",
        ),
        (
            {"graph": nx.path_graph(2), "source": 7, "target": 1},
            "source 7 is not in the undirected graph of 2 nodes",
        ),
        (nx.path_graph(2), "no source: give it to the constructor"),
        ("graph", "an instance is a graph or a mapping"),
    ],
)
def test_an_instance_that_says_too_little_or_too_much(instance, message):
    with pytest.raises(InvalidInstanceError, match=message):
        ShortestPath().prepare(instance)


def test_a_graph_of_another_size_than_the_one_of_the_constructor():
    solver = ShortestPath(nx.path_graph(3), source=0, target=2)
    with pytest.raises(InvalidInstanceError, match="has 3 entries, the one of the constructor 2"):
        solver.prepare(nx.path_graph(4))
    other = nx.Graph([(0, 2), (1, 2)])  # of the same size, it may be another graph
    assert solver.decode(solver.solve(np.ones((1, 2)), instances=[other]), instance=other) == [[0, 2]]


def test_theta_of_the_wrong_length_names_the_row_and_its_graph():
    solver = ShortestPath()
    instances = journeys()[:3]
    with pytest.raises(
        InvalidThetaError, match=r"row 2 of theta has shape \(3,\), but its instance has shape \(12,\)"
    ):
        solver.solve(np.ones((3, 3)), instances=instances)
    with pytest.raises(InvalidThetaError, match=r"theta has rows of shape \(13,\), but the largest instance"):
        solver.solve(np.ones((3, 13)), instances=instances)


def test_an_error_of_a_row_names_it_in_a_batch_of_several_graphs():
    good, bad = nx.path_graph(3), nx.Graph([(0, 1), (2, 3)])
    instances = [{"graph": good, "source": 0, "target": 2}] * 5 + [{"graph": bad, "source": 0, "target": 2}]
    for method in ("compiled", "networkx"):
        with pytest.raises(InfeasibleError, match="no path from 0 to 2") as caught:
            ShortestPath(method=method).solve(np.ones((6, 2)), instances=instances)
        assert caught.value.row == 5
    layer = imle.SolverLayer(ShortestPath())
    with pytest.raises(InfeasibleError, match="row 5"):
        layer(torch.ones(6, 2), instances=instances)


def test_a_shape_needs_a_graph():
    with pytest.raises(SolverParameterError, match="shape= goes with a graph"):
        ShortestPath(shape=(2, 2))


def test_a_solver_without_a_graph_says_so():
    assert "each row brings its graph" in ShortestPath().explain()
    with pytest.raises(InvalidInstanceError, match="no graph"):
        ShortestPath(source=0, target=1).solve(np.ones((1, 1)))


def test_a_backend_that_is_not_installed_is_named_with_those_that_are():
    with pytest.raises(
        SolverParameterError, match=r"backend 'cugraph' of NetworkX is not installed.*networkx"
    ):
        ShortestPath(nx.path_graph(2), backend="cugraph")
    with pytest.raises(SolverParameterError, match="take method='networkx'"):
        ShortestPath(nx.path_graph(2), backend="networkx", method="compiled")
    solver = ShortestPath(nx.path_graph(2), source=0, target=1, backend="networkx")
    assert solver.method == "networkx"
    assert "by its backend 'networkx'" in solver.explain()
    assert solver.solve(np.ones((1, 1))).all()
