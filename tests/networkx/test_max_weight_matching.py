"""networkx.max_weight_matching: the best matching of any graph, of any, maximum or perfect cardinality."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.max_weight_matching import MaxWeightMatching
from matching_cases import (
    all_matchings,
    assert_as_good,
    both,
    forbid,
    make_graph,
    make_theta,
    rows_alone,
    states_of,
    value,
)

import imle_core as imle
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    MissingCapabilityError,
    SolverParameterError,
)

CARDINALITIES = ["any", "maximum", "perfect"]


LARGER = [  # on which blossoms nest, and are taken apart again while a search goes on
    nx.complete_graph(30),
    nx.triangular_lattice_graph(5, 8),
    nx.random_regular_graph(3, 40, seed=0),
    nx.random_geometric_graph(50, 0.25, seed=1),
    *(nx.gnm_random_graph(45, edges, seed=edges) for edges in (60, 80, 90, 100)),
    nx.disjoint_union_all([nx.complete_graph(k) for k in (3, 5, 7, 9)]),
]


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(CARDINALITIES))
def test_it_is_as_good_as_networkx_on_random_graphs(seed, cardinality):
    rng = np.random.default_rng(seed)
    graph = make_graph(rng)
    solvers = both(lambda method: MaxWeightMatching(graph, cardinality=cardinality, method=method, threads=1))
    if solvers is None:
        pairs = nx.max_weight_matching(nx.Graph(graph), maxcardinality=True)
        assert cardinality == "perfect"
        assert 2 * len(pairs) < len(graph)
        return
    theta = make_theta(rng, (3, graph.number_of_edges()))
    z, reference = (solver.solve(theta, validate="full") for solver in solvers)
    assert_as_good(z, reference, theta)
    np.testing.assert_array_equal(rows_alone(solvers[0], theta), z)


@pytest.mark.parametrize("cardinality", CARDINALITIES)
def test_it_is_the_best_of_all_matchings(cardinality):
    rng = np.random.default_rng(3)
    tried = 0
    while tried < 150:
        graph = make_graph(rng, most=6)
        edges = list(graph.edges)
        largest = max(map(len, all_matchings(edges)))
        size = {"any": None, "maximum": largest, "perfect": len(graph) / 2}[cardinality]
        if size is not None and size > largest:
            with pytest.raises(SolverParameterError, match="no perfect matching"):
                MaxWeightMatching(graph, cardinality=cardinality)
            continue
        tried += 1
        states = states_of(edges, size)
        solver = MaxWeightMatching(graph, cardinality=cardinality)
        assert len(solver.enumerate_support()) == len(states)
        assert {tuple(z) for z in solver.enumerate_support()} == {tuple(z) for z in states}
        theta = make_theta(rng, (4, len(edges)))
        objective, rounding = value(solver.solve(theta), theta)
        best = (theta @ states.T).max(1)
        assert (np.abs(objective - best) <= 1e-9 * np.abs(best) + rounding).all()


@pytest.mark.parametrize("graph", LARGER, ids=str)
@pytest.mark.parametrize("cardinality", ["any", "maximum"])
def test_it_is_as_good_as_networkx_where_blossoms_nest(graph, cardinality):
    rng = np.random.default_rng(4)
    fast, slow = (
        MaxWeightMatching(graph, cardinality=cardinality, method=method)
        for method in ("compiled", "networkx")
    )
    for largest in (2, 4, 12, 1000):
        theta = rng.integers(1, largest, (3, graph.number_of_edges()), endpoint=True).astype(float)
        z = fast.solve(theta, validate="full")
        np.testing.assert_array_equal((z * theta).sum(1), (slow.solve(theta) * theta).sum(1))


def test_feasible_states_are_exactly_the_matchings():
    rng = np.random.default_rng(5)
    seen = 0
    for _ in range(80):
        graph = make_graph(rng, most=5)
        edges = list(graph.edges)
        if not 0 < len(edges) <= 8:
            continue
        states = ((np.arange(2 ** len(edges))[:, None] >> np.arange(len(edges))) & 1).astype(float)
        largest = max(map(len, all_matchings(edges)))
        for cardinality, size in (("any", None), ("maximum", largest)):
            solver = MaxWeightMatching(graph, cardinality=cardinality)
            expected = {tuple(z) for z in states_of(edges, size)}
            found = solver.is_feasible(states)
            assert found.tolist() == [tuple(z) in expected for z in states]
            for z in states[found]:
                np.testing.assert_array_equal(solver.encode(solver.decode(z)), z)
            seen += found.sum()
        assert not solver.is_feasible(np.full((1, len(edges)), 0.5)).any()
    assert seen > 300


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_edges_of_zero_or_less_are_never_taken_unless_the_cardinality_asks_for_them(method):
    graph = nx.path_graph(4)
    theta = np.array([[0.0, 0.0, 0.0], [-1.0, -2.0, -1.0], [0.0, 1.0, 0.0], [-1.0, 1.0, -1.0]])
    any_size = MaxWeightMatching(graph, method=method).solve(theta)
    assert any_size.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0]]
    for cardinality in ("maximum", "perfect"):
        z = MaxWeightMatching(graph, cardinality=cardinality, method=method).solve(theta)
        assert z.tolist() == [[1, 0, 1]] * 4


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_the_best_of_parallel_edges_is_taken_and_a_self_loop_never(method):
    graph = nx.MultiGraph([("a", "b"), ("b", "a"), ("a", "a"), ("a", "b")])
    solver = MaxWeightMatching(graph, method=method)
    z = solver.solve(np.array([[1.0, 3.0, 2.0, 9.0], [3.0, 1.0, 2.0, 9.0]]))
    assert [solver.entries[column] for column in z.argmax(1)] == [("a", "b", 1), ("a", "b", 0)]
    assert solver.decode(z) == [[("a", "b", 1)], [("a", "b", 0)]]
    assert (z.sum(1) == 1).all()


def test_equal_scores_give_a_matching_of_the_largest_size():
    for graph in LARGER:
        size = len(nx.max_weight_matching(graph, maxcardinality=True))
        z = MaxWeightMatching(graph).solve(np.ones((1, graph.number_of_edges())), validate="full")
        assert z.sum() == size


def test_a_difference_of_a_trillionth_decides():
    solver = MaxWeightMatching(nx.path_graph(3), cardinality="maximum")
    theta = np.array([[1.0, 1.0 + 1e-12], [1.0 + 1e-12, 1.0], [1.0, -1.0]])
    assert solver.solve(theta).tolist() == [[0, 1], [1, 0], [1, 0]]


@pytest.mark.parametrize("cardinality", CARDINALITIES)
def test_scales_dtypes_threads_and_order_of_rows_do_not_matter(cardinality):
    graph = nx.complete_graph(12)
    one, two, many = (
        MaxWeightMatching(graph, cardinality=cardinality, threads=threads) for threads in (1, 2, 7)
    )
    theta = np.random.default_rng(6).integers(-4, 9, (400, 66)).astype(np.float32)
    z = one.solve(theta, validate="full")
    assert z.dtype == np.float32
    for solver in (two, many):
        np.testing.assert_array_equal(solver.solve(theta), z)
    np.testing.assert_array_equal(one.solve(theta.astype(float)), z)
    np.testing.assert_array_equal(one.solve(theta[::-1])[::-1], z)
    np.testing.assert_array_equal(rows_alone(one, theta[:20]), z[:20])
    scales = np.geomspace(1e-12, 1e12, 400)[:, None]
    assert_as_good(one.solve(theta * scales), z, theta * scales)


def test_a_graph_without_edges_or_with_one_node_has_the_empty_matching():
    for graph in (nx.empty_graph(3), nx.empty_graph(1), nx.Graph([(0, 0)])):
        for cardinality in ("any", "maximum"):
            solver = MaxWeightMatching(graph, cardinality=cardinality)
            z = solver.solve(np.ones((2, graph.number_of_edges())))
            assert not z.any()
            assert solver.decode(z) == [[], []]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.path_graph(3), "it needs an even number of nodes, but the .* has 3"),
        (
            nx.star_graph(["hub", "a", "b", "c"]),
            "have 1 edges at most, and one of them leaves '.', '.' alone",
        ),
        (nx.empty_graph(20), r"leaves 0, 1, 2, 3, 4 and 15 more alone\. Take cardinality='maximum'"),
        (nx.Graph([(0, 0), (1, 2), (2, 3), (3, 1)]), "leaves 0, [123] alone"),
    ],
)
def test_a_graph_without_perfect_matching_is_refused_by_name(graph, message):
    with pytest.raises(SolverParameterError, match=f"^no perfect matching: .*{message}"):
        MaxWeightMatching(graph, cardinality="perfect")
    with pytest.raises(InvalidInstanceError, match=f"^MaxWeightMatching: no perfect matching: .*{message}"):
        MaxWeightMatching(cardinality="perfect").prepare(graph)


@pytest.mark.parametrize(
    ("graph", "options", "message"),
    [
        (nx.DiGraph([(0, 1)]), {}, "must be undirected.*to_undirected"),
        (nx.Graph(), {}, "with nodes"),
        (nx.path_graph(3), {"cardinality": "maximal"}, "must be one of 'any', .*Did you mean 'maximum'"),
        (nx.path_graph(3), {"shape": (3,)}, "does not hold the 2 edges"),
        (nx.path_graph(3), {"method": "fast"}, "method must be one of"),
    ],
)
def test_parameters_are_checked(graph, options, message):
    with pytest.raises(SolverParameterError, match=message):
        MaxWeightMatching(graph, **options)


def test_a_graph_whose_sums_would_overflow_is_refused(monkeypatch):
    monkeypatch.setattr("imle_networkx._matchings.PRECISION", 53)
    with pytest.raises(
        SolverParameterError, match=r"3 nodes and 2 edges has too many nodes.*only 52 for each"
    ):
        MaxWeightMatching(nx.path_graph(3))


def test_rows_may_have_different_graphs():
    rng = np.random.default_rng(8)
    graphs = [nx.complete_graph(5), nx.path_graph(["a", "b", "c"]), nx.MultiGraph([(0, 1), (0, 1), (1, 2)])]
    instances = [graphs[i] for i in (0, 1, 2, 0, 1, 2)]
    theta = rng.standard_normal((6, 10))
    solver = MaxWeightMatching(cardinality="maximum")
    z = solver.solve(theta, instances=instances, validate="full")
    for graph, row, scores in zip(instances, z, theta, strict=True):
        size = graph.number_of_edges()
        alone = MaxWeightMatching(graph, cardinality="maximum").solve(scores[None, :size])[0]
        np.testing.assert_array_equal(row[:size], alone)
        assert not row[size:].any()
    assert len(solver.decode(z[0], instance=graphs[0])) == 2


@pytest.mark.parametrize(
    ("z", "message"),
    [
        ([1, 1, 0, 0], r"the state has both \('a', 'b'\) and \('b', 'c'\), which share a node"),
        ([0, 0, 0, 1], r"the state has the self-loop \('d', 'd'\)"),
        ([0.5, 0, 0, 0], "the state has entries other than 0 and 1"),
        ([0, 1, 0, 0], "the state has 1 edges; each has 2 here"),
    ],
)
def test_decode_says_why_a_state_is_no_matching(z, message):
    graph = nx.Graph([("a", "b"), ("b", "c"), ("c", "d"), ("d", "d")])
    with pytest.raises(InvalidSolutionError, match=f"^MaxWeightMatching: {message}"):
        MaxWeightMatching(graph, cardinality="maximum").decode(np.array(z, float))


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([("a", "z")], "is not an edge"),
        ([("a", "b"), ("b", "a")], "given twice"),
        ([("a", "b"), ("c", "b")], "the matching has both"),
        ([("d", "d")], "self-loop"),
    ],
)
def test_encode_takes_edges_either_way_and_refuses_what_is_no_matching(edges, message):
    solver = MaxWeightMatching(nx.Graph([("a", "b"), ("b", "c"), ("d", "d")]))
    assert solver.encode({("b", "a")}).tolist() == [1, 0, 0]
    with pytest.raises(InvalidSolutionError, match=message):
        solver.encode(edges)


def test_encode_takes_what_networkx_returns():
    graph = nx.random_geometric_graph(20, 0.4, seed=3)
    pairs = nx.max_weight_matching(graph)
    solver = MaxWeightMatching(graph)
    assert {frozenset(edge) for edge in solver.decode(solver.encode(pairs))} == set(map(frozenset, pairs))


def test_too_many_matchings_are_not_listed():
    with pytest.raises(MissingCapabilityError, match=r"too many matchings.*1,000,000 steps"):
        MaxWeightMatching(nx.complete_graph(20)).enumerate_support()


def test_a_graph_changed_by_its_owner_has_no_effect():
    graph = nx.path_graph(4)
    solver = MaxWeightMatching(graph)
    graph.remove_node(0)
    assert solver.solve(np.ones((1, 3))).tolist() == [[1, 0, 1]]


def test_explain_and_parameters_by_name():
    solver = imle.solver("networkx.max_weight_matching", graph=nx.complete_graph(6), shape=(3, 5), threads=2)
    assert "compiled blossom algorithm in integers, exact to 2^-52" in solver.explain()
    assert solver.solve(np.ones((2, 3, 5)), validate="full").sum() == 6
    assert "max_weight_matching" in MaxWeightMatching(nx.path_graph(2), method="networkx").explain()
    assert "each row brings its graph" in MaxWeightMatching().explain()
    with pytest.raises(SolverParameterError, match=r"networkx\.max_weight_matching.*cardinality"):
        imle.solver("networkx.max_weight_matching", graph=nx.path_graph(2), cardinality=3)


@pytest.mark.parametrize("cardinality", CARDINALITIES)
def test_scores_that_forbid_an_edge_cost_no_precision(cardinality):
    rng = np.random.default_rng(8)
    solved = 0
    while solved < 20:
        graph = make_graph(rng, most=7)
        edges = list(graph.edges)
        largest = max(map(len, all_matchings(edges)))
        size = {"any": None, "maximum": largest, "perfect": len(graph) / 2}[cardinality]
        if not edges or size not in (None, largest):
            continue
        solved += 1
        costs = forbid(rng, rng.uniform(0.1, 1.0, (4, len(edges))) - (cardinality == "any"))
        z = MaxWeightMatching(graph, cardinality=cardinality).solve(-costs)
        np.testing.assert_allclose((z * costs).sum(1), (costs @ states_of(edges, size).T).min(1), rtol=1e-9)


@pytest.mark.parametrize("cardinality", CARDINALITIES)
@pytest.mark.parametrize("size", [1e17, -1e17])
def test_a_self_loop_does_not_hide_other_scores(cardinality, size):
    graph = nx.Graph([("a", "b"), ("a", "d"), ("a", "a"), ("b", "c"), ("c", "d")])
    theta = np.array([[0.5, 0.75, size, 0.5, 0.5], [0.75, 0.5, size, 0.5, 0.5]])
    z = MaxWeightMatching(graph, cardinality=cardinality).solve(theta)
    assert z.tolist() == [[0, 1, 0, 1, 0], [1, 0, 0, 0, 1]]
