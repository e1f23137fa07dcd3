"""Spanning arborescences: optimal by every method, and every promise of the solver."""

from __future__ import annotations

import copy
import itertools
import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx._kernels.arborescences import in_arcs, unreached
from imle_networkx._kernels.edmonds import solve_dense
from imle_networkx._kernels.edmonds_heap import solve_sparse
from imle_networkx._kernels.forests import all_forests, are_forests
from imle_networkx.spanning_arborescence import SpanningArborescence

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    MissingCapabilityError,
    SolverParameterError,
)

KERNELS = [solve_dense, solve_sparse]
THETA = st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.0, -1.0, 0.1, 0.2, 0.30000000000000004, 1e-300, 1e3])


def edges_of(graph):
    return list(graph.edges(keys=True)) if graph.is_multigraph() else list(graph.edges)


def ends_of(graph):
    number = {node: i for i, node in enumerate(graph)}
    return np.array([(number[e[0]], number[e[1]]) for e in edges_of(graph)], np.int64).reshape(-1, 2)


def arborescences(graph, root=None):
    """The sets of edges, as columns, that are arborescences, by trying all sets of their size."""
    edges = edges_of(graph)
    for columns in itertools.combinations(range(len(edges)), len(graph) - 1):
        part = nx.MultiDiGraph()
        part.add_nodes_from(graph)
        part.add_edges_from(edges[column][:2] for column in columns)
        if nx.is_arborescence(part) and (root is None or not part.in_degree(root)):
            yield columns


def best_by_brute_force(graph, root, theta):
    """The least cost of each row; None if there is no arborescence."""
    values = [theta[:, columns].sum(1) for columns in arborescences(graph, root)]
    return np.min(values, axis=0) if values else None


@st.composite
def problems(draw, nodes, edges):
    """A digraph or multigraph with loops and parallel edges, a root or None, and rows of theta with many ties."""
    graph = draw(st.sampled_from([nx.DiGraph, nx.MultiDiGraph]))()
    names = draw(st.lists(st.integers(0, nodes - 1), min_size=1, max_size=nodes, unique=True))
    graph.add_nodes_from(names)
    if draw(st.sampled_from([True, True, True, False])):  # so that there mostly is an arborescence
        places = [draw(st.integers(0, i)) for i in range(len(names) - 1)]
        graph.add_edges_from((names[place], names[i + 1]) for i, place in enumerate(places))
    node = st.sampled_from(names)
    graph.add_edges_from(draw(st.lists(st.tuples(node, node), max_size=edges - graph.number_of_edges())))
    count = graph.number_of_edges()
    rows = draw(st.lists(st.lists(THETA, min_size=count, max_size=count), min_size=1, max_size=2))
    root = draw(st.sampled_from([None, None, *names]))
    return graph, root, np.array(rows).reshape(len(rows), count)


def check_all_ways(graph, root, theta, sense="min"):
    """Check the solver, both kernels and NetworkX against each other; return the objectives, or None."""
    may_be_root = [node for node in graph if len(nx.descendants(graph, node)) == len(graph) - 1]
    if not may_be_root:
        with pytest.raises(SolverParameterError, match="no node reaches all others"):
            SpanningArborescence(graph)
        return None
    solver, slow = (
        SpanningArborescence(graph, root=root, sense=sense, method=method)
        for method in ("compiled", "networkx")
    )
    if root is not None and root not in may_be_root:
        for each in (solver, slow):
            with pytest.raises(InfeasibleError, match="no way leads from the root"):
                each.solve(theta)
        return None
    ends, nodes = ends_of(graph), len(graph)
    roots = np.full(len(theta), -1 if root is None else list(graph).index(root))
    best = (slow.solve(theta, validate="full") * theta).sum(1)
    states = [solver.solve(theta, validate="full")]
    for kernel in KERNELS:
        states.append(np.zeros_like(theta))
        kernel(theta, 1.0 if sense == "min" else -1.0, roots, in_arcs(ends, nodes), states[-1])
        assert are_forests(states[-1] != 0, ends, nodes, nodes - 1, True, roots).all()
    scale = np.abs(theta).max(initial=1e-300)
    for z in states:
        np.testing.assert_allclose((z * theta).sum(1), best, rtol=1e-9, atol=1e-12 * scale)
    return best


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(problem=problems(nodes=7, edges=18), sense=st.sampled_from(["min", "max"]))
def test_all_ways_agree_with_networkx(problem, sense):
    check_all_ways(*problem, sense)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(problem=problems(nodes=5, edges=10))
def test_all_ways_agree_with_brute_force(problem):
    graph, root, theta = problem
    best, expected = check_all_ways(*problem), best_by_brute_force(graph, root, theta)
    assert (best is None) == (expected is None)
    if best is not None:
        np.testing.assert_allclose(best, expected, rtol=1e-9, atol=1e-12 * np.abs(theta).max(initial=1e-300))


@pytest.mark.parametrize("root", [None, 0])
@pytest.mark.parametrize(
    "graph",
    [
        nx.complete_graph(9, nx.DiGraph),
        nx.grid_2d_graph(4, 5).to_directed(),
        nx.cycle_graph(25).to_directed(),
    ],
    ids=["complete", "grid", "ring"],
)
def test_cycles_within_cycles(graph, root):
    graph = nx.convert_node_labels_to_integers(graph)
    rng = np.random.default_rng(0)
    edges = graph.number_of_edges()
    check_all_ways(graph, root, rng.normal(size=(3, edges)))
    check_all_ways(graph, root, rng.integers(0, 5, (3, edges)).astype(float), "max")


@pytest.mark.parametrize("root", [-1, 3])
@pytest.mark.parametrize("edges", [900, 6000])
def test_both_kernels_agree_on_larger_graphs(edges, root):
    nodes = 300
    graph = nx.gnm_random_graph(nodes, edges, seed=1, directed=True)
    nx.add_cycle(graph, range(nodes))
    ends = ends_of(graph)
    arcs, roots = in_arcs(ends, nodes), np.full(8, root)
    theta = np.random.default_rng(2).normal(size=(8, len(ends)))
    states = [np.zeros_like(theta) for _ in KERNELS]
    for kernel, z in zip(KERNELS, states, strict=True):
        kernel(theta, 1.0, roots, arcs, z)
    np.testing.assert_array_equal(*states)
    assert are_forests(states[0] != 0, ends, nodes, nodes - 1, True, roots).all()
    assert arcs.sparse == (edges == 900)


def test_an_arborescence_that_networkx_misses_is_found():
    # Node 2 must be the root. The minimum_spanning_arborescence of NetworkX 3.6 says that there is none, because it
    # prefers fewer edges that cost less.
    graph = nx.DiGraph()
    graph.add_nodes_from(range(5))
    graph.add_edges_from([(0, 4), (0, 1), (1, 0), (2, 3), (3, 1), (3, 4), (4, 3)])
    theta = np.array([[-3.0, -2.0, 2.0, 2.0, 1.0, 0.0, -3.0]])
    assert best_by_brute_force(graph, None, theta).tolist() == [2.0]
    assert check_all_ways(graph, None, theta).tolist() == [2.0]


def test_the_free_root_is_the_best_one_to_the_last_digit():
    graph = nx.cycle_graph(3, nx.DiGraph)  # without one edge, which must be the greatest
    greater = np.nextafter(1.0, 2.0)
    theta = np.ones((3, 3)) + (greater - 1) * np.eye(3)
    for kernel in KERNELS:
        z = np.zeros_like(theta)
        kernel(theta, 1.0, np.full(3, -1), in_arcs(ends_of(graph), 3), z)
        np.testing.assert_array_equal(z, 1 - np.eye(3))


def test_single_precision_is_solved_in_double():
    graph = nx.complete_graph(12, nx.DiGraph)
    theta = np.random.default_rng(3).normal(size=(50, 132)).astype(np.float32)
    solver = SpanningArborescence(graph)
    z = solver.solve(theta)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z, solver.solve(theta.astype(np.float64)))


def test_nodes_that_reach_all_others_are_known():
    graph = nx.DiGraph([(0, 1), (1, 0), (1, 2), (2, 3), (3, 2)])
    arcs = in_arcs(ends_of(graph), 4)
    assert arcs.may_be_root.tolist() == [True, True, False, False]
    assert arcs.candidates == 2
    assert unreached(ends_of(graph), 4, 2).tolist() == [0, 1]
    graph.add_edge(4, 2)
    arcs = in_arcs(ends_of(graph), 5)
    assert not arcs.may_be_root.any()
    assert unreached(ends_of(graph), 5, arcs.likeliest)[0] == 0


def test_as_many_arborescences_are_listed_as_cayley_counts():
    for nodes in range(1, 6):
        ends = ends_of(nx.complete_graph(nodes, nx.DiGraph))
        for root, expected in ((-1, nodes ** (nodes - 1)), (0, max(1, nodes ** (nodes - 2)))):
            states = all_forests(ends, nodes, nodes - 1, entered_once=True, root=root)
            assert len(np.unique(states, axis=0)) == len(states) == expected


def test_feasible_states_are_exactly_the_arborescences():
    rng = np.random.default_rng(4)
    seen = 0
    while seen < 60:
        n = int(rng.integers(1, 5))
        nodes = [("node", i) if i % 2 else f"n{i}" for i in range(n)]  # names that do not sort
        graph = [nx.DiGraph, nx.MultiDiGraph][rng.integers(2)]()
        graph.add_nodes_from(nodes)
        for u, v in rng.integers(n, size=(int(rng.integers(0, 3 * n)), 2)):
            graph.add_edge(nodes[u], nodes[v])
        entries = graph.number_of_edges()
        if entries > 8 or not any(arborescences(graph)):
            continue
        seen += 1
        root = [None, nodes[0]][seen % 2]
        solver = SpanningArborescence(graph, root=root)
        states = ((np.arange(2**entries)[:, None] >> np.arange(entries)) & 1).astype(float)
        expected = {tuple(np.isin(np.arange(entries), a).astype(float)) for a in arborescences(graph, root)}
        feasible = solver.is_feasible(states)
        assert set(map(tuple, states[feasible])) == expected
        support = solver.enumerate_support()
        assert len(support) == len(expected)
        assert set(map(tuple, support)) == expected
        for z in states[feasible]:
            np.testing.assert_array_equal(solver.encode(solver.decode(z)), z)
        for z in states[~feasible]:
            with pytest.raises(InvalidSolutionError, match="not the indicator of a spanning arborescence"):
                solver.decode(z)


# The solver.


@pytest.mark.parametrize("graph", [nx.complete_graph(12, nx.DiGraph), nx.cycle_graph(80).to_directed()])
def test_a_row_does_not_depend_on_batch_or_threads(graph):
    theta = np.random.default_rng(5).integers(0, 9, (900, graph.number_of_edges())).astype(np.float64)
    expected = SpanningArborescence(graph, threads=1).solve(theta)
    for threads in (2, 3, None):
        np.testing.assert_array_equal(SpanningArborescence(graph, threads=threads).solve(theta), expected)
    solver = SpanningArborescence(graph)
    for row in (0, 1, 450, 899):
        np.testing.assert_array_equal(solver.solve(theta[row : row + 1])[0], expected[row])


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_rows_have_their_own_roots(method):
    graph = nx.complete_graph(["a", ("b", 1), 3], nx.DiGraph)
    solver = SpanningArborescence(graph, root="a", method=method)
    theta = np.random.default_rng(6).normal(size=(4, 6))
    instances = [{"root": ("b", 1)}, {}, {"root": 3}, {"root": None}]
    z = solver.solve(theta, instances=instances, validate="full")
    for row, root in enumerate([("b", 1), "a", 3, None]):
        one = SpanningArborescence(graph, root=root).solve(theta[row : row + 1])
        np.testing.assert_array_equal(z[row], one[0])
        entered = {head for _, head in solver.decode(z[row], instance=instances[row])}
        assert root not in entered
        assert len(entered) == 2


def test_rows_bring_graphs_of_different_size():
    graphs = [nx.complete_graph(4, nx.DiGraph), nx.MultiDiGraph(["ab", "ab", "ba"])]
    solver = SpanningArborescence(sense="max")
    theta = np.random.default_rng(7).normal(size=(3, 12))
    instances = [graphs[0], {"graph": graphs[1], "root": "b"}, graphs[1]]
    z = solver.solve(theta, instances=instances, validate="full")
    assert z[1, :3].tolist() == [0, 0, 1]
    assert not z[1:, 3:].any()
    expected = SpanningArborescence(graphs[0], sense="max").solve(theta[:1])
    np.testing.assert_array_equal(z[:1], expected)


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_the_best_of_parallel_edges_is_used_which_differs_by_row(method):
    graph = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "a"), ("b", "b")])
    theta = np.array([[1.0, 2.0, 9.0, -9.0], [2.0, 1.0, 9.0, -9.0]])
    solver = SpanningArborescence(graph, method=method)
    assert solver.entries == [("a", "b", 0), ("a", "b", 1), ("b", "a", 0), ("b", "b", 0)]
    assert solver.solve(theta).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert solver.decode(solver.solve(theta)) == [[("a", "b", 0)], [("a", "b", 1)]]
    most = SpanningArborescence(graph, method=method, sense="max", root="a")
    assert most.solve(theta).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_a_graph_of_one_node_has_the_empty_arborescence(method):
    graph = nx.DiGraph()
    graph.add_node("alone")
    for root in (None, "alone"):
        solver = SpanningArborescence(graph, root=root, method=method)
        assert solver.solve(np.zeros((3, 0))).shape == (3, 0)
        assert solver.decode(np.zeros(0)) == []
    graph.add_edge("alone", "alone")
    for root in (None, "alone"):
        solver = SpanningArborescence(graph, root=root, method=method)
        assert solver.solve(-np.ones((2, 1))).tolist() == [[0], [0]]
        assert solver.enumerate_support().tolist() == [[0]]


def test_edges_are_encoded_in_any_order_and_from_a_graph():
    solver = SpanningArborescence(nx.DiGraph(["ab", "ba", "bc", "ca"]))
    assert solver.encode([("b", "c"), ("a", "b")]).tolist() == [1, 0, 1, 0]
    assert solver.encode(nx.DiGraph(["bc", "ca"])).tolist() == [0, 0, 1, 1]
    solver = SpanningArborescence(nx.MultiDiGraph(["ab", "ab"]))
    assert solver.encode([("a", "b", 1)]).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([("b", "a"), ("c", "b")], r"\('c', 'b'\) is not an edge of the directed graph"),
        ([("a", "b")], "the edges are not those of a spanning arborescence"),
        ([("b", "a"), ("c", "a")], "the edges are not those of a spanning arborescence"),  # a twice
        ([("a", "b"), ("b", "a")], "the edges are not those of a spanning arborescence"),
    ],
)
def test_encode_refuses_what_is_no_arborescence(edges, message):
    with pytest.raises(InvalidSolutionError, match=message):
        SpanningArborescence(nx.DiGraph(["ab", "ba", "bc", "ca"])).encode(edges)


def test_a_graph_changed_by_its_owner_has_no_effect():
    graph = nx.path_graph(3, nx.DiGraph)
    solver = SpanningArborescence(graph)
    graph.remove_edge(0, 1)
    assert solver.decode(solver.solve(np.ones((1, 2)))) == [[(0, 1), (1, 2)]]


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_a_root_that_does_not_reach_all_nodes_is_named_with_the_row(method):
    graph = nx.DiGraph(["ab", "ba", "bc"])
    solver = SpanningArborescence(graph, method=method)
    instances = [{"root": "a"}, {}, {"root": "c"}, {"root": "c"}]
    with pytest.raises(InfeasibleError, match=r"no way leads from the root 'c' to 'a': check") as caught:
        solver.solve(np.ones((4, 3)), instances=instances)
    assert caught.value.row == 2
    with pytest.raises(InfeasibleError, match="from the root 'c'") as caught:
        SpanningArborescence(graph, root="c", method=method).solve(np.ones((2, 3)))
    assert caught.value.row == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"graph": nx.DiGraph(["ac", "bc"])},
            "no spanning arborescence, because no node reaches all others: none reaches both 'b' and 'a'",
        ),
        ({"graph": nx.DiGraph(["ab"]), "root": "z"}, "root 'z' is not in the directed graph of 2 nodes"),
        ({"graph": nx.DiGraph(["ab"]), "root": ["a"]}, "root .* is not in the directed graph"),
        ({"graph": nx.DiGraph(["ab"]), "sense": "least"}, "sense must be one of 'min', 'max'; got 'least'"),
        ({"graph": nx.Graph(["ab"])}, "must be directed; got: undirected graph"),
        ({"graph": nx.DiGraph()}, "with nodes"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        SpanningArborescence(**parameters)


def test_a_wrong_instance_is_named():
    solver = imle.solver("networkx.spanning_arborescence", graph=nx.DiGraph(["ab", "ba"]))
    name = r"networkx\.spanning_arborescence: "
    for instance, message in [
        ({"root": "z"}, "root 'z' is not in the directed graph"),
        ({"rot": "a"}, "unknown key 'rot'.* Did you mean 'root'"),
        (nx.DiGraph([(0, 1), (2, 1)]), "no node reaches all others: none reaches both 2 and 0"),
        (nx.Graph(["ab", "bc"]), "must be directed"),
    ]:
        with pytest.raises(InvalidInstanceError, match=name + ".*" + message):
            solver.solve(np.ones((1, 2)), instances=[instance])


def test_too_many_arborescences_are_not_listed():
    with pytest.raises(MissingCapabilityError, match=r"more than 300,000 forests"):
        SpanningArborescence(nx.complete_graph(8, nx.DiGraph)).enumerate_support()


@pytest.mark.parametrize(
    ("graph", "options", "words"),
    [
        (nx.complete_graph(9, nx.DiGraph), {}, ["Edmonds on a table", "9 nodes and 72 edges"]),
        (nx.path_graph(99, nx.DiGraph), {"threads": 3}, ["Edmonds with heaps", "up to 3 threads"]),
        (None, {}, ["Edmonds, on a table or with heaps", "each row brings its graph"]),
        (nx.DiGraph(["ab"]), {"method": "networkx"}, ["NetworkX's maximum_branching"]),
        (nx.DiGraph(["ab"]), {"backend": "networkx"}, ["by its backend 'networkx'"]),
    ],
)
def test_explain_says_which_algorithm_runs(graph, options, words):
    text = SpanningArborescence(graph, **options).explain()
    assert all(word in text for word in words)


def test_it_is_found_by_name_and_copied():
    graph = nx.complete_graph(5, nx.DiGraph)
    solver = imle.solver("networkx.spanning_arborescence", graph=graph, root=2, sense="max")
    assert solver.sense == "max"
    theta = np.random.default_rng(8).normal(size=(8, 20))
    z = solver.solve(theta)
    for twin in (copy.deepcopy(solver), pickle.loads(pickle.dumps(solver)), solver.clone()):
        np.testing.assert_array_equal(twin.solve(theta), z)
    with pytest.raises(SolverParameterError, match=r"networkx\.spanning_arborescence: .*'sense'"):
        imle.solver("networkx.spanning_arborescence", graph=graph, sense="least")
