"""networkx.bipartite_matching: the best matching of a bipartite graph, of any, maximum or perfect cardinality."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.bipartite_matching import BipartiteMatching
from imle_networkx.max_weight_matching import MaxWeightMatching
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

import imle_core as imle
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    SolverParameterError,
)

CARDINALITIES = ["any", "maximum", "perfect"]
SENSES = ["max", "min"]


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(CARDINALITIES), st.sampled_from(SENSES))
def test_it_is_as_good_as_networkx_on_random_graphs(seed, cardinality, sense):
    rng = np.random.default_rng(seed)
    graph, top = make_bipartite(rng)
    if cardinality == "perfect" and rng.random() < 0.5:  # make it more likely that there is one
        bottom = [node for node in graph if node not in top]
        top, bottom = top[: len(bottom)], bottom[: len(top)]
        graph = graph.subgraph([*top, *bottom]).copy()
        graph.add_edges_from(zip(top, bottom, strict=True))
    solvers = both(
        lambda method: BipartiteMatching(
            graph, cardinality=cardinality, sense=sense, method=method, threads=1
        )
    )
    if solvers is None:
        assert cardinality == "perfect"
        assert 2 * len(nx.max_weight_matching(nx.Graph(graph), maxcardinality=True)) < len(graph)
        return
    theta = make_theta(rng, (3, graph.number_of_edges()))
    z, reference = (solver.solve(theta, validate="full") for solver in solvers)
    assert_as_good(z, reference, theta)
    np.testing.assert_array_equal(rows_alone(solvers[0], theta), z)


@pytest.mark.parametrize("cardinality", CARDINALITIES)
@pytest.mark.parametrize("sense", SENSES)
def test_it_is_the_best_of_all_matchings(cardinality, sense):
    rng = np.random.default_rng(3)
    tried = 0
    while tried < 100:
        graph, _ = make_bipartite(rng, most=3)
        edges = list(graph.edges)
        largest = max(map(len, all_matchings(edges)))
        size = {"any": None, "maximum": largest, "perfect": len(graph) / 2}[cardinality]
        if size is not None and size > largest:
            with pytest.raises(SolverParameterError, match="no perfect matching"):
                BipartiteMatching(graph, cardinality=cardinality)
            continue
        tried += 1
        states = states_of(edges, size)
        solver = BipartiteMatching(graph, cardinality=cardinality, sense=sense)
        assert len(solver.enumerate_support()) == len(states)
        assert {tuple(z) for z in solver.enumerate_support()} == {tuple(z) for z in states}
        assert solver.is_feasible(states).all()
        theta = make_theta(rng, (4, len(edges)))
        objective, rounding = value(solver.solve(theta), theta)
        best = getattr(theta @ states.T, sense)(1)
        assert (np.abs(objective - best) <= 1e-9 * np.abs(best) + rounding).all()


@pytest.mark.parametrize("cardinality", CARDINALITIES)
def test_it_agrees_with_the_blossom_algorithm_on_larger_graphs(cardinality):
    rng = np.random.default_rng(7)
    for seed in range(12):
        graph = nx.bipartite.random_graph(30, 20 + seed, 0.03 + 0.01 * seed, seed=seed)
        if cardinality == "perfect":
            graph = nx.bipartite.random_graph(25, 25, 0.1, seed=seed)
            graph.add_edges_from((i, 25 + i) for i in range(25))
        general = MaxWeightMatching(graph, cardinality=cardinality)
        for largest in (3, 1000):
            theta = rng.integers(-largest, largest, (5, graph.number_of_edges())).astype(float)
            z = BipartiteMatching(graph, cardinality=cardinality).solve(theta, validate="full")
            np.testing.assert_array_equal((z * theta).sum(1), (general.solve(theta) * theta).sum(1))
            lowest = BipartiteMatching(graph, cardinality=cardinality, sense="min").solve(-theta)
            np.testing.assert_array_equal(lowest, z)


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_edges_that_do_not_improve_the_sum_are_taken_only_where_the_cardinality_asks_for_them(method):
    graph = nx.path_graph(4)
    theta = np.array([[0.0, 0.0, 0.0], [-1.0, -2.0, -1.0], [0.0, 1.0, 0.0], [-1.0, 1.0, -1.0]])
    z = BipartiteMatching(graph, method=method).solve(theta)
    assert z.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0]]
    z = BipartiteMatching(graph, sense="min", method=method).solve(-theta)
    assert z.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0]]
    for cardinality in ("maximum", "perfect"):
        z = BipartiteMatching(graph, cardinality=cardinality, method=method).solve(theta)
        assert z.tolist() == [[1, 0, 1]] * 4


@pytest.mark.parametrize("method", ["compiled", "networkx"])
def test_the_best_of_parallel_edges_is_taken(method):
    graph = nx.MultiGraph([("a", 1), (1, "a")])
    scores = np.array([[1.0, 3.0], [3.0, 1.0]])
    for sense, expected in (("max", [[0, 1], [1, 0]]), ("min", [[1, 0], [0, 1]])):
        solver = BipartiteMatching(graph, sense=sense, cardinality="perfect", method=method)
        assert solver.solve(scores).tolist() == expected
    assert solver.decode(np.array([0.0, 1.0])) == [("a", 1, 1)]


def test_pairs_begin_with_the_top_node():
    graph = nx.Graph([(1, "a"), ("a", 2), ("b", 2), ("x", "y")])
    solver = BipartiteMatching(graph)
    assert solver.decode(np.array([1.0, 0.0, 1.0, 1.0])) == [(1, "a"), (2, "b"), ("x", "y")]
    nx.set_node_attributes(graph, {node: int(str(node) in "12x") for node in graph}, "bipartite")
    solver = BipartiteMatching(graph)
    assert solver.decode(np.array([1.0, 0.0, 1.0, 1.0])) == [("a", 1), ("b", 2), ("y", "x")]
    for pairs in ([("a", 1), ("b", 2)], [(1, "a"), (2, "b")]):
        assert solver.encode(pairs).tolist() == [1, 0, 1, 0]


def test_a_difference_of_a_trillionth_decides():
    solver = BipartiteMatching(nx.path_graph(3), cardinality="maximum")
    theta = np.array([[1.0, 1.0 + 1e-12], [1.0 + 1e-12, 1.0], [1.0, -1.0]])
    assert solver.solve(theta).tolist() == [[0, 1], [1, 0], [1, 0]]


@pytest.mark.parametrize("cardinality", CARDINALITIES)
def test_scales_dtypes_threads_and_order_of_rows_do_not_matter(cardinality):
    graph = nx.complete_bipartite_graph(8, 8)
    one, two, many = (
        BipartiteMatching(graph, cardinality=cardinality, threads=threads) for threads in (1, 2, 7)
    )
    theta = np.random.default_rng(6).integers(-4, 9, (400, 64)).astype(np.float32)
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
    for graph in (nx.empty_graph(3), nx.empty_graph(1)):
        for cardinality in ("any", "maximum"):
            assert BipartiteMatching(graph, cardinality=cardinality).solve(np.ones((2, 0))).shape == (2, 0)
            assert not BipartiteMatching(graph, cardinality=cardinality).decode(np.ones(0))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            nx.star_graph(["hub", "a", "b"]),
            r"the 2 nodes 'b', 'a' have only 1 neighbour, 'hub'\. Add edges, or ",
        ),
        (nx.Graph([("a", 1), ("a", 2), ("b", 3), ("c", 3)]), "the 2 nodes 2, 1 have only 1 neighbour, 'a'"),
        (
            nx.complete_bipartite_graph(9, 8),
            "the 9 nodes .*, .*, .*, .*, . and 4 more have only 8 neighbours, ",
        ),
        (
            nx.disjoint_union(nx.path_graph(3), nx.empty_graph(1)),
            "the 2 nodes 2, 0 have only 1 neighbour, 1",
        ),
    ],
)
def test_a_graph_without_perfect_matching_is_refused_with_nodes_that_have_too_few_neighbours(graph, message):
    with pytest.raises(SolverParameterError, match=f"^no perfect matching: {message}"):
        BipartiteMatching(graph, cardinality="perfect")
    with pytest.raises(InvalidInstanceError, match=f"^BipartiteMatching: no perfect matching: {message}"):
        BipartiteMatching(cardinality="perfect").prepare(graph)


@pytest.mark.parametrize(
    ("graph", "options", "message"),
    [
        (
            nx.cycle_graph("abc"),
            {},
            r"^the graph is not bipartite: the edge \('b', 'c'\) closes an odd cycle\.$",
        ),
        (nx.Graph([("a", "a")]), {}, r"not bipartite: the edge \('a', 'a'\) is a self-loop"),
        (nx.DiGraph([(0, 1)]), {}, "must be undirected.*to_undirected"),
        (nx.path_graph(2), {"cardinality": "full"}, "cardinality must be one of 'any', 'maximum', 'perfect'"),
        (nx.path_graph(2), {"sense": "least"}, "sense must be one of"),
    ],
)
def test_parameters_are_checked(graph, options, message):
    with pytest.raises(SolverParameterError, match=message):
        BipartiteMatching(graph, **options)


def test_an_attribute_that_contradicts_an_edge_is_refused():
    graph = nx.path_graph("abc")
    nx.set_node_attributes(graph, {"a": 0, "b": 1, "c": 1}, "bipartite")
    with pytest.raises(
        SolverParameterError, match=r"edge \('b', 'c'\) are on the bottom side by the attribute"
    ):
        BipartiteMatching(graph)


def test_a_graph_whose_sums_would_overflow_is_refused(monkeypatch):
    monkeypatch.setattr("imle_networkx._matchings.PRECISION", 53)
    for cardinality in ("any", "maximum"):
        with pytest.raises(SolverParameterError, match=r"too many nodes.*only 52 for each"):
            BipartiteMatching(nx.path_graph(3), cardinality=cardinality)


def test_rows_may_have_different_graphs():
    graphs = [nx.complete_bipartite_graph(3, 2), nx.path_graph(4), nx.MultiGraph([(0, 1), (0, 1), (1, 2)])]
    instances = [{"graph": graphs[i]} for i in (0, 1, 2, 0, 1, 2)]
    theta = np.random.default_rng(8).standard_normal((6, 6))
    solver = BipartiteMatching(cardinality="maximum")
    z = solver.solve(theta, instances=instances, validate="full")
    for instance, row, scores in zip(instances, z, theta, strict=True):
        size = instance["graph"].number_of_edges()
        alone = BipartiteMatching(instance["graph"], cardinality="maximum").solve(scores[None, :size])[0]
        np.testing.assert_array_equal(row[:size], alone)
        assert not row[size:].any()
    assert len(solver.decode(z[0], instance=graphs[0])) == 2


def test_decode_and_encode_refuse_what_is_no_matching():
    solver = BipartiteMatching(nx.path_graph("abcd"), cardinality="perfect")
    with pytest.raises(InvalidSolutionError, match=r"both \('a', 'b'\) and \('b', 'c'\), which share a node"):
        solver.decode(np.array([1.0, 1.0, 0.0]))
    with pytest.raises(InvalidSolutionError, match="the matching has 1 edges; each has 2 here"):
        solver.encode([("b", "c")])
    with pytest.raises(InvalidSolutionError, match="is not an edge"):
        solver.encode([("a", "d")])


def test_explain_and_parameters_by_name():
    graph = nx.complete_bipartite_graph(3, 4)
    solver = imle.solver("networkx.bipartite_matching", graph=graph, shape=(3, 4), sense="min", threads=2)
    assert "shortest augmenting paths along the edges, in integers, exact to 2^-52" in solver.explain()
    assert not solver.solve(np.ones((2, 3, 4))).any()
    assert "max_weight_matching" in BipartiteMatching(graph, method="networkx").explain()


@pytest.mark.parametrize("cardinality", CARDINALITIES)
@pytest.mark.parametrize("sense", SENSES)
def test_entries_that_forbid_an_edge_cost_no_precision(cardinality, sense):
    rng = np.random.default_rng(7)
    solved = 0
    while solved < 20:
        graph, _ = make_bipartite(rng, most=4)
        edges = list(graph.edges)
        largest = max(map(len, all_matchings(edges)))
        size = {"any": None, "maximum": largest, "perfect": len(graph) / 2}[cardinality]
        if not edges or size not in (None, largest):
            continue
        solved += 1
        costs = forbid(rng, rng.uniform(0.1, 1.0, (4, len(edges))) - (cardinality == "any"))
        solver = BipartiteMatching(graph, cardinality=cardinality, sense=sense)
        z = solver.solve(costs if sense == "min" else -costs)
        np.testing.assert_allclose((z * costs).sum(1), (costs @ states_of(edges, size).T).min(1), rtol=1e-9)


def test_a_score_that_forbids_an_edge_does_not_hide_others():
    z = BipartiteMatching(nx.complete_bipartite_graph(2, 2)).solve(np.array([[1, -1e17, 0.75, 0.5]]))
    assert z.tolist() == [[1, 0, 0, 1]]


@pytest.mark.parametrize("cardinality", ["maximum", "perfect"])
def test_a_huge_score_on_an_edge_that_no_matching_has_does_not_hide_others(cardinality):
    graph = nx.Graph([(0, "a"), (0, "b"), ("a", 1), ("a", 2), ("b", 1), (2, "c")])
    theta = np.array([[0.5, 0.25, 0.25, 1e17, 0.75, 0.5], [0.5, 1.5, 0.25, 1e17, 0.75, 0.5]])
    solver = BipartiteMatching(graph, cardinality=cardinality)
    assert solver.solve(theta).tolist() == [[1, 0, 0, 0, 1, 1], [0, 1, 1, 0, 0, 1]]
    theta[:, 3] *= -1
    assert solver.solve(theta).tolist() == [[1, 0, 0, 0, 1, 1], [0, 1, 1, 0, 0, 1]]
    assert "by NetworkX where the best entry by far is in no solution" in solver.explain()
