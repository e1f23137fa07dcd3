"""networkx.minimum_cut: cuts of least weight, and which nodes they separate."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.minimum_cut import MinimumCut
from networkx.algorithms.flow import preflow_push

import imle_core as imle
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
)

METHODS = ["compiled", "networkx"]
CLASSES = [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]


def make_graph(rng, most=12):
    """A graph of any class with loops, bundles, parts apart, and names that do not sort; and two of its nodes."""
    n = int(rng.integers(2, most + 1))
    span = int(rng.integers(1, n + 1))  # the fewer nodes an edge spans, the longer the ways
    nodes = [("node", i) if i % 2 else f"n{i}" for i in range(n)]
    graph = CLASSES[rng.integers(4)]()
    graph.add_nodes_from(nodes[i] for i in rng.permutation(n))
    for _ in range(int(rng.integers(0, 3 * n))):
        u = int(rng.integers(n))
        graph.add_edge(nodes[u], nodes[min(u + int(rng.integers(span + 1)), n - 1)])
    if rng.random() < 0.5:
        return graph, nodes[0], nodes[-1]
    first, second = rng.permutation(n)[:2]
    return graph, nodes[first], nodes[second]


def make_weights(rng, rows, entries):
    """Weights that are integers: few different ones, many zeros, or hardly two alike."""
    kind = rng.integers(4)
    weights = rng.integers(0, (4, 2**20, 2**40, 3)[kind], (rows, entries))
    return weights * (rng.integers(0, 2, weights.shape) if kind == 3 else 1)


def by_networkx(graph, entries, weights, source, target):
    """The least weight of a cut, and the nodes that the source still reaches when the largest flow is sent."""
    simple = nx.DiGraph() if graph.is_directed() else nx.Graph()
    simple.add_nodes_from(graph)
    for (u, v, *_), weight in zip(entries, weights, strict=True):
        before = simple[u][v]["capacity"] if simple.has_edge(u, v) else 0
        simple.add_edge(u, v, capacity=before + weight)
    rest = preflow_push(simple, source, target)
    value = nx.minimum_cut_value(simple, source, target)
    open_arcs = [(u, v) for u, v, data in rest.edges(data=True) if data["flow"] < data["capacity"]]
    reached = nx.DiGraph(open_arcs)
    reached.add_node(source)
    return value, {source} | nx.descendants(reached, source)


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1))
def test_cuts_are_the_least_and_the_nearest_ones_by_networkx(seed):
    rng = np.random.default_rng(seed)
    graph, source, target = make_graph(rng)
    solver = MinimumCut(graph, source=source, target=target, threads=1)
    if not solver.entries:
        return
    weights = make_weights(rng, 2, len(solver.entries))
    states = solver.solve(weights * 2.0 ** rng.integers(-60, 20), validate="full")
    for z, row in zip(states, weights.tolist(), strict=True):
        value, near = by_networkx(graph, solver.entries, row, source, target)
        assert sum(int(cut) * weight for cut, weight in zip(z, row, strict=True)) == value
        assert solver.decode(z) == (near, set(graph) - near)


def cut_by(graph, entries, near):
    """The edges that lead from some nodes to others, by definition."""
    both = not graph.is_directed()
    crosses = [
        (u in near and v not in near) or (both and v in near and u not in near) for u, v, *_ in entries
    ]
    return tuple(map(float, crosses))


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1))
def test_cuts_are_the_least_of_all_cuts(seed):
    rng = np.random.default_rng(seed)
    graph, source, target = make_graph(rng, most=6)
    graph.remove_edges_from(list(graph.edges)[8:])
    solver = MinimumCut(graph, source=source, target=target)
    free = [node for node in graph if node not in (source, target)]
    sides = [{source, *some} for k in range(len(free) + 1) for some in itertools.combinations(free, k)]
    cuts = {cut_by(graph, solver.entries, near) for near in sides}

    assert sorted(map(tuple, solver.enumerate_support())) == sorted(cuts)
    states = np.array(list(itertools.product((0.0, 1.0), repeat=len(solver.entries))))
    feasible = solver.is_feasible(states)
    assert set(map(tuple, states[feasible])) == cuts
    for z in states[feasible][:20]:
        near, far = solver.decode(z)
        np.testing.assert_array_equal(solver.encode((near, far)), z)
        np.testing.assert_array_equal(solver.encode(near), z)
        sizes = [len(side) for side in sides if cut_by(graph, solver.entries, side) == tuple(z)]
        assert len(near) == min(sizes) or not graph.is_directed()
    if not solver.entries:
        return
    theta = rng.uniform(0, 1, (4, len(solver.entries)))
    for method in METHODS:
        z = MinimumCut(graph, source=source, target=target, method=method).solve(theta, validate="full")
        best = (np.array(sorted(cuts)) @ theta.T).min(0)
        np.testing.assert_allclose((z * theta).sum(1), best, rtol=1e-9)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_does_not_depend_on_others_nor_on_threads_nor_on_the_method(directed, dtype, monkeypatch):
    rng = np.random.default_rng(1)
    graph = nx.gnm_random_graph(30, 120, seed=1, directed=directed)
    theta = rng.integers(0, 5, (40, 120)).astype(dtype)  # with ties
    instances = [
        dict(zip(("source", "target"), rng.permutation(30)[:2].tolist(), strict=True)) for _ in theta
    ]
    solver = MinimumCut(graph, threads=1)
    z = solver.solve(theta, instances=instances, validate="full")
    assert z.dtype == dtype
    for row, (costs, instance) in enumerate(zip(theta, instances, strict=True)):
        np.testing.assert_array_equal(solver.solve(costs[None], instances=[instance])[0], z[row])
    monkeypatch.setattr("imle_networkx._kernels.max_flow.PARALLEL", 0)
    for other in (MinimumCut(graph, threads=2), MinimumCut(graph, method="networkx")):
        np.testing.assert_array_equal(other.solve(theta, instances=instances), z)


def test_graphs_may_differ_by_row():
    ring, chain = nx.cycle_graph(4), nx.MultiDiGraph([("a", "b"), ("b", "c"), ("b", "c")])
    instances = [{"graph": ring, "source": 0, "target": 2}, {"graph": chain, "source": "a", "target": "c"}]
    solver = MinimumCut()
    z = solver.solve(
        np.array([[1.0, 4.0, 2.0, 3.0], [3.0, 1.0, 1.0, 0.0]]), instances=instances, validate="full"
    )
    assert z.tolist() == [[1, 0, 0, 1], [0, 1, 1, 0]]
    assert solver.decode(z[0], instance=instances[0]) == ({0, 3}, {1, 2})
    assert solver.decode(z[1, :3], instance=instances[1]) == ({"a", "b"}, {"c"})


@pytest.mark.parametrize("heavy", [1e3, 1e9, 1e15, 1e30, 1e300])
def test_weights_that_stand_for_infinity_cost_no_precision(heavy):
    rng = np.random.default_rng(2)
    graph = nx.gnm_random_graph(12, 40, seed=2, directed=True)
    graph.add_edges_from([("s", 0), ("s", 1), (10, "t"), (11, "t")])
    solver = MinimumCut(graph, source="s", target="t")
    theta = rng.uniform(0.1, 1, (30, 44))
    infinite = [solver.entries.index(edge) for edge in graph.edges if set(edge) & {"s", "t"}]
    theta[:, infinite] = heavy
    expected = theta.copy()
    expected[:, infinite] = 100.0
    z = solver.solve(theta)
    np.testing.assert_array_equal(z, solver.solve(expected))
    assert not z[:, infinite].any()


def test_tiny_and_zero_weights_are_told_apart():
    graph = nx.path_graph(4)
    solver = MinimumCut(graph, source=0, target=3)
    theta = np.array([[1.0, 1e-30, 2e-30], [1.0, 0.0, 1e-300], [0.0, 0.0, 0.0], [1e-300, 0.0, 1.0]])
    assert solver.solve(theta).tolist() == [[0, 1, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("method", METHODS)
def test_bundles_are_cut_as_a_whole_and_loops_never(method):
    graph = nx.MultiGraph([("a", "b"), ("b", "a"), ("b", "c"), ("b", "b")])
    solver = MinimumCut(graph, source="a", target="c", method=method)
    assert solver.entries == [("a", "b", 0), ("a", "b", 1), ("b", "c", 0), ("b", "b", 0)]
    theta = np.array([[1.0, 1.0, 3.0, 0.0], [2.0, 2.0, 3.0, 9.0]])
    assert solver.solve(theta).tolist() == [[1, 1, 0, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize("method", METHODS)
def test_without_a_way_to_the_target_nothing_is_cut(method):
    graph = nx.DiGraph([("t", "s"), ("a", "t"), ("s", "b")])
    graph.add_node("alone")
    solver = MinimumCut(graph, source="s", target="t", method=method)
    z = solver.solve(np.ones((2, 3)))
    assert not z.any()
    # what the source does not reach is on the target's side; NetworkX has it on the other
    assert solver.decode(z[0]) == ({"s", "b"}, {"t", "a", "alone"})


def test_in_parts_apart_the_first_node_is_on_the_side_of_the_target():
    graph = nx.Graph([("s", "t"), ("a", "b"), ("c", "d")])
    solver = MinimumCut(graph, source="s", target="t")
    assert solver.decode(np.array([1.0, 1.0, 0.0])) == ({"s", "b"}, {"t", "a", "c", "d"})
    assert solver.is_feasible(np.array([[1.0, 1, 1], [1, 0, 0], [0, 1, 0]])).tolist() == [True, True, False]


def test_weights_below_zero_are_refused_or_clipped():
    graph = nx.path_graph(3)
    theta = np.array([[1.0, -1.0]])
    with pytest.raises(InvalidThetaError, match="negative costs"):
        MinimumCut(graph, source=0, target=2).solve(theta)
    assert MinimumCut(graph, source=0, target=2, negative="clip").solve(theta).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"source": "q"}, "source 'q' is not in the"),
        ({"target": ["a"]}, r"target \['a'\] is not in the"),
        ({"target": "a"}, "source and target are the same node 'a'"),
        ({"negative": "allow"}, "negative must be one of 'error', 'clip'; got 'allow'"),
        ({"method": "dinic"}, "method must be one of"),
        ({"graph": nx.Graph()}, "with nodes; got Graph with 0 nodes"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        MinimumCut(**{"graph": nx.Graph(["ab", "bc"]), "source": "a", "target": "c", **parameters})


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({}, "no target: give it to the constructor, or to each row"),
        ({"target": "a"}, "source and target are the same node 'a'"),
        ({"target": "q"}, "target 'q' is not in the"),
        ({"sink": "c"}, "unknown key 'sink'"),
        ("ac", "is a graph or a mapping"),
    ],
)
def test_a_wrong_instance_is_named(instance, message):
    solver = MinimumCut(nx.Graph(["ab", "bc"]), source="a")
    with pytest.raises(InvalidInstanceError, match=message):
        solver.solve(np.ones((1, 2)), instances=[instance])


def test_one_node_has_no_cut():
    graph = nx.Graph()
    graph.add_node("a")
    with pytest.raises(SolverParameterError, match="the same node"):
        MinimumCut(graph, source="a", target="a")
    with pytest.raises(InvalidInstanceError, match="no source"):
        MinimumCut(graph).prepare({})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", CLASSES)
def test_a_graph_without_edges_has_the_empty_cut(kind, method):
    graph = kind()
    graph.add_nodes_from("ab")
    solver = MinimumCut(graph, source="a", target="b", method=method)
    raw = MinimumCut.solve.__wrapped__  # what the core calls with rows that it has checked
    assert raw(solver, np.zeros((2, 0))).shape == (2, 0)
    assert solver.is_feasible(np.zeros((2, 0))).all()
    assert solver.enumerate_support().shape == (1, 0)
    assert solver.decode(np.zeros(0)) == ({"a"}, {"b"})


def test_what_is_no_cut_is_refused():
    solver = MinimumCut(nx.cycle_graph("abcd"), source="a", target="c")
    for z in ([1, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0.5, 0, 0.5, 0], [np.nan] * 4):
        with pytest.raises(InvalidSolutionError, match="the state is no cut between 'a' and 'c'"):
            solver.decode(np.array(z, float))
        assert not solver.is_feasible(np.array([z], float))[0]
    for sides in (
        ("a", "b"),
        ({"a", "b"}, {"b", "c", "d"}),
        {"a", "q"},
        ({"a"}, {"b"}, {"c"}),
        3,
        ([["a"]], []),
    ):
        with pytest.raises(InvalidSolutionError, match=r"a pair of sets|does not divide the nodes"):
            solver.encode(sides)


def test_too_many_cuts_are_not_listed():
    graph = nx.path_graph(19)
    graph.add_nodes_from(range(19, 40))  # which multiply nothing
    with pytest.raises(MissingCapabilityError, match=r"at most 16 nodes with edges .* there are 17"):
        MinimumCut(graph, source=0, target=18).enumerate_support()
    graph.remove_node(9)
    assert len(MinimumCut(graph, source=0, target=18).enumerate_support()) == 2**16


def test_a_graph_changed_by_its_owner_has_no_effect():
    graph = nx.path_graph(3)
    solver = MinimumCut(graph, source=0, target=2)
    graph.remove_edge(0, 1)
    assert solver.solve(np.array([[1.0, 2.0]])).tolist() == [[1, 0]]


def test_it_explains_itself():
    solver = MinimumCut(nx.path_graph(3), source=0, target=2)
    assert "Dinic" in solver.explain()
    assert "moved are clipped at 0" in solver.explain()
    assert "NetworkX's minimum_cut" in MinimumCut(nx.path_graph(3), method="networkx").explain()
    assert imle.solver("networkx.minimum_cut", graph=nx.path_graph(3)).negative == "error"
