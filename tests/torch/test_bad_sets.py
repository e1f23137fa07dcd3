"""What the sets with exact inference refuse, and how they say so; graphs in each form that a user may have."""

import pickle

import networkx as nx
import numpy as np
import pytest
import torch

import imle_core as imle

PATH = {"graph": [(0, 1), (1, 2), (0, 2)], "source": 0, "target": 2}


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("at_most_k", {"k": 5, "n": 4}, "at most k = 5 of n = 4"),
        ("knapsack", {"weights": [1, -2], "capacity": 3}, "integers of at least 0"),
        ("knapsack", {"weights": [], "capacity": 3}, "one an item"),
        ("knapsack", {"weights": [0.5], "capacity": 3}, "integers of at least 0"),
        ("knapsack", {"weights": [1], "capacity": -1}, "capacity.*>= 0"),
        ("spanning_tree", {"graph": [(0, 1), (2, 3)]}, "not connected: there is no way from 0 to 2"),
        ("spanning_tree", {"graph": [(0, 1)], "nodes": 3}, "no way from 0 to 2"),
        ("spanning_tree", {"graph": [(0, 3)], "nodes": 3}, r"join nodes 0 to 3; with nodes=3"),
        ("spanning_tree", {"graph": [(0, -1)]}, r"join nodes -1 to 0"),
        ("spanning_tree", {"graph": [(0, 1, 2)]}, r"edges \(E, 2\).*got int64 \(1, 3\)"),
        ("spanning_tree", {"graph": [(0.5, 1.0)]}, r"edges \(E, 2\)"),
        ("spanning_tree", {"graph": [(0, 1), (2,)]}, "no array of edges"),
        (
            "spanning_tree",
            {"graph": nx.DiGraph([(0, 1)])},
            "must be undirected; got a graph that is directed",
        ),
        ("spanning_tree", {"graph": nx.path_graph(3), "nodes": 3}, "nodes= goes with an array"),
        ("spanning_tree", {"graph": np.zeros((0, 2), int), "nodes": 1}, "1 nodes and 0 edges"),
        ("arborescence", {"graph": [(1, 0), (2, 0)]}, "no node leads to all others"),
        ("arborescence", {"graph": [(0, 1), (1, 2)], "root": 1}, "the root 1 does not lead"),
        ("arborescence", {"graph": [(0, 1)], "root": 7}, "root 7 is not in the graph"),
        ("arborescence", {"graph": nx.path_graph(3)}, "must be directed"),
        ("dag_path", {**PATH, "target": 9}, "target 9 is not in the graph"),
        ("dag_path", {**PATH, "source": 2, "target": 0}, "no path from 2 to 0"),
        (
            "dag_path",
            {**PATH, "graph": [(0, 1), (1, 3), (3, 4), (4, 1), (1, 2)]},
            r"cycle \[[134], [134], [134]\]",
        ),
        ("dag_path", {**PATH, "graph": [(0, 2), (1, 1)]}, r"has the cycle \[1\]"),
        ("chain", {"steps": 0}, "steps.*>= 1"),
        ("ranking", {"sense": "up"}, "sense"),
        ("enumerated", {"vertices": [[1, 0], [1, 0]]}, "must be distinct; 1 of 2 repeat"),
        ("enumerated", {"vertices": [1, 2]}, r"shape \(M, \*event\)"),
        ("enumerated", {"vertices": [[1, 2], [3]]}, "no array of numbers"),
        ("enumerated", {"vertices": [[np.nan]]}, "must be finite"),
    ],
)
def test_bad_parameters_are_refused_with_the_reason(name, parameters, message):
    with pytest.raises(imle.errors.SolverParameterError, match=rf"torch\.{name}: .*{message}"):
        imle.solver(f"torch.{name}", **parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "structure"),
    [
        ("one_of_n", {"n": 3}, 3),
        ("binary", {"n": 3}, [0, 0]),
        ("at_most_k", {"n": 3, "k": 1}, [0, 2]),
        ("knapsack", {"weights": [2, 2], "capacity": 3}, [0, 1]),
        ("spanning_tree", {"graph": [(0, 1), (1, 2), (0, 2)]}, [(0, 1)]),
        ("spanning_tree", {"graph": [(0, 1), (1, 2), (0, 2)]}, [(0, 1), (1, 3)]),
        ("arborescence", {"graph": [(0, 1), (1, 0)], "root": 0}, [(1, 0)]),
        ("dag_path", PATH, [0, 1]),
        ("dag_path", PATH, [1, 2]),
        ("dag_path", PATH, [0, 2, 1]),
        ("dag_path", PATH, []),
        ("chain", {"steps": 2, "states": 2}, [0, 1]),
        ("chain", {"steps": 2, "states": 2}, [0, 1, 2]),
        ("assignment", {"n": 3}, [0, 0, 1]),
        ("ranking", {"n": 3}, [0, 1]),
        ("enumerated", {"vertices": [[1, 0]]}, 1),
    ],
)
def test_what_is_no_structure_is_not_encoded(name, parameters, structure):
    with pytest.raises(imle.errors.InvalidSolutionError, match=rf"torch\.{name}: "):
        imle.solver(f"torch.{name}", **parameters).encode(structure)


@pytest.mark.parametrize(
    ("name", "parameters", "state"),
    [
        ("one_of_n", {"n": 3}, [0, 1, 1]),
        ("knapsack", {"weights": [2, 2], "capacity": 3}, [1, 1]),
        ("spanning_tree", {"graph": [(0, 1), (1, 2), (0, 2)]}, [1, 1, 1]),
        ("arborescence", {"graph": [(0, 1), (1, 0), (1, 1)], "root": 0}, [0, 0, 1]),
        ("dag_path", PATH, [1, 0, 0]),
        ("chain", {"steps": 2, "states": 2}, [[[1, 0], [0, 0]], [[0, 0], [1, 0]]]),
        ("assignment", {"n": 2}, [[1, 0], [1, 0]]),
        ("ranking", {"n": 3}, [1, 1, 3]),
        ("enumerated", {"vertices": [[1, 0]]}, [0, 1]),
    ],
)
def test_what_is_no_state_of_the_set_is_not_decoded(name, parameters, state):
    with pytest.raises(imle.errors.InvalidSolutionError, match=rf"torch\.{name}: the state is"):
        imle.solver(f"torch.{name}", **parameters).decode(np.array(state, float))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("binary", {"n": 30}, "1,073,741,824 subsets of 30 entries are too many"),
        ("at_most_k", {"n": 60, "k": 30}, "subsets of at most 30 of 60 entries are too many"),
        ("knapsack", {"weights": [1] * 40, "capacity": 20}, "sets of items are too many"),
        ("spanning_tree", {"graph": nx.complete_graph(9)}, "4,782,969 spanning trees are too many"),
        ("arborescence", {"graph": nx.complete_graph(40, nx.DiGraph)}, "arborescences are too many"),
        (
            "dag_path",
            {"graph": nx.DiGraph((i, i + j) for i in range(60) for j in (1, 2)), "source": 0, "target": 60},
            "paths are too many",
        ),
        ("chain", {"steps": 20, "states": 3}, "10,460,353,203 sequences are too many"),
        ("chain", {"states": 3}, "depends on the shape of theta"),
        ("assignment", {"n": 10}, "3,628,800 permutations are too many"),
        ("ranking", {"n": 10}, "3,628,800 permutations are too many"),
        ("ranking", {}, "depends on the number of entries"),
        ("one_of_n", {}, "depends on the number of entries"),
    ],
)
def test_a_set_that_cannot_be_listed_says_so(name, parameters, message):
    with pytest.raises(imle.errors.MissingCapabilityError, match=rf"torch\.{name}: .*{message}"):
        imle.solver(f"torch.{name}", **parameters).enumerate_support()


@pytest.mark.parametrize(("name", "shape"), [("assignment", (13, 13)), ("ranking", (13,))])
def test_permutations_have_exact_inference_up_to_twelve(name, shape):
    solver, theta = imle.solver(f"torch.{name}", n=13), torch.zeros(1, *shape)
    for method in (lambda: solver.log_partition(theta), lambda: solver.sample(theta, 1)):
        with pytest.raises(imle.errors.MissingCapabilityError, match=r"for n up to 12.*13"):
            method()
    assert solver.is_feasible(solver.solve(theta)).all()


def test_k_larger_than_theta_is_refused():
    solver = imle.solver("torch.at_most_k", k=5)
    for method in (solver.solve, solver.log_partition, lambda theta: solver.sample(theta, 1)):
        with pytest.raises(imle.errors.InvalidThetaError, match=r"k = 5 .* 3 entries"):
            method(torch.zeros(2, 3))


def test_encode_needs_what_the_solver_was_not_told():
    with pytest.raises(imle.errors.SolverParameterError, match="with n="):
        imle.solver("torch.at_most_k", k=2).encode([1])
    with pytest.raises(imle.errors.SolverParameterError, match="with states="):
        imle.solver("torch.chain", steps=2).encode([1, 0, 1])


def test_a_graph_of_networkx_keeps_its_labels_and_the_order_of_its_edges():
    trees = imle.solver("torch.spanning_tree", graph=nx.cycle_graph("abcd"))
    assert trees.entries == [("a", "b"), ("a", "d"), ("b", "c"), ("c", "d")]
    z = trees.solve(torch.tensor([[1.0, 4, 3, 2]]))
    assert trees.decode(z) == [[("a", "d"), ("b", "c"), ("c", "d")]]
    assert torch.equal(torch.from_numpy(trees.encode([("d", "a"), ("c", "d"), ("c", "b")])).float(), z[0])
    roads = nx.DiGraph([("home", "hill"), ("home", "lake"), ("hill", "town"), ("lake", "town")])
    paths = imle.solver("torch.dag_path", graph=roads, source="home", target="town", sense="min")
    assert paths.decode(paths.solve(torch.tensor([[1.0, 1, 5, 2]]))) == [["home", "lake", "town"]]


def test_parallel_edges_have_keys():
    twins = imle.solver("torch.spanning_tree", graph=[(0, 1), (1, 0), (1, 2)])
    assert twins.entries == [(0, 1, 0), (1, 0, 1), (1, 2, 0)]
    assert twins.decode(twins.encode([(0, 1, 1), (2, 1, 0)])) == [(1, 0, 1), (1, 2, 0)]
    graph = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "a")])
    assert imle.solver("torch.arborescence", graph=graph, root="a").entries == [
        ("a", "b", 0),
        ("a", "b", 1),
        ("b", "a", 0),
    ]


def test_edges_may_be_an_array_or_a_tensor():
    edges = [(0, 1), (1, 2), (0, 2)]
    for graph in (np.array(edges), np.array(edges, np.uint8), torch.tensor(edges)):
        assert imle.solver("torch.spanning_tree", graph=graph).entries == edges


def test_a_path_to_where_it_starts_has_no_edges():
    solver = imle.solver("torch.dag_path", graph=[(0, 1), (1, 2)], source=1, target=1)
    theta = torch.randn(3, 2, requires_grad=True)
    assert solver.decode(solver.solve(theta)) == [[1], [1], [1]]
    log_z = solver.log_partition(theta)
    assert log_z.tolist() == [0, 0, 0]
    assert not torch.autograd.grad(log_z.sum(), theta)[0].any()
    assert not solver.sample(theta, 4).any()


def test_solvers_are_pickled_without_the_tensors_of_their_devices():
    solver = imle.solver("torch.dag_path", **PATH)
    solver.log_partition(torch.zeros(1, 3))
    twin = pickle.loads(pickle.dumps(solver))
    assert twin._paths._levels._on == {}
    theta = torch.randn(4, 3)
    assert torch.equal(twin.log_partition(theta), solver.log_partition(theta))
