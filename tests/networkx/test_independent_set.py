"""networkx.max_weight_independent_set and networkx.max_weight_clique: against NetworkX and brute force."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx import _node_sets
from imle_networkx._kernels.clique_cover import Cover, build, cover
from imle_networkx._kernels.conflicts import conflicts_of
from imle_networkx._kernels.words import contains, drop, following, highest, lowest, pack, put
from imle_networkx.max_weight_clique import MaxWeightClique
from imle_networkx.max_weight_independent_set import MaxWeightIndependentSet

import imle_core as imle
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    MissingCapabilityError,
    SolverError,
    SolverParameterError,
)

SOLVERS = [MaxWeightIndependentSet, MaxWeightClique]
SCORES = st.sampled_from([0.0, 1.0, 1.0, 2.0, 3.0, -1.0, 0.1, 0.2, 0.30000000000000004, 1e-30, 1e6])


@st.composite
def problems(draw):
    """A graph, simple or not, with loops and nodes of mixed types, and rows of scores with ties."""
    graph = draw(st.sampled_from([nx.Graph, nx.MultiGraph]))()
    size = draw(st.integers(1, 9))
    names = [("node", i) if i % 2 else f"n{i}" for i in range(size)]
    graph.add_nodes_from(draw(st.permutations(names)))
    node = st.sampled_from(names)
    graph.add_edges_from(draw(st.lists(st.tuples(node, node), max_size=3 * size)))
    rows = draw(st.lists(st.lists(SCORES, min_size=size, max_size=size), min_size=1, max_size=3))
    return graph, np.array(rows)


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(problems(), st.sampled_from(SOLVERS))
def test_it_is_as_good_as_networkx(problem, solver_class):
    graph, theta = problem
    fast, slow = (solver_class(graph, method=method) for method in ("compiled", "networkx"))
    z = fast.solve(theta, validate="full")
    np.testing.assert_allclose(
        (z * theta).sum(1), (slow.solve(theta, validate="full") * theta).sum(1), rtol=1e-12
    )
    assert not z[theta <= 0].any()
    for row in range(len(theta)):
        np.testing.assert_array_equal(fast.solve(theta[row : row + 1])[0], z[row])


def states_of(graph, solver_class):
    """The states of the set, by definition."""
    nodes = list(graph)
    for chosen in itertools.product((0.0, 1.0), repeat=len(nodes)):
        pairs = itertools.combinations([node for node, on in zip(nodes, chosen, strict=True) if on], 2)
        if solver_class is MaxWeightClique:
            fits = all(graph.has_edge(*pair) for pair in pairs)
        else:
            loops = any(on and graph.has_edge(node, node) for node, on in zip(nodes, chosen, strict=True))
            fits = not loops and not any(graph.has_edge(*pair) for pair in pairs)
        if fits:
            yield chosen


def small_graphs():
    rng = np.random.default_rng(0)
    for _ in range(60):
        size = int(rng.integers(1, 8))
        graph = [nx.Graph, nx.MultiGraph][rng.integers(2)](nx.empty_graph(size))
        graph.add_edges_from(rng.integers(size, size=(int(rng.integers(0, 3 * size)), 2)).tolist())
        yield rng, graph


@pytest.mark.parametrize("solver_class", SOLVERS)
def test_it_is_the_best_of_all_sets_and_these_are_the_feasible_states(solver_class):
    for rng, graph in small_graphs():
        solver = solver_class(graph)
        expected = set(states_of(graph, solver_class))
        every = np.array(list(itertools.product((0.0, 1.0), repeat=len(graph))))
        feasible = solver.is_feasible(every)
        assert set(map(tuple, every[feasible])) == expected
        support = solver.enumerate_support()
        assert len(support) == len(expected)
        assert set(map(tuple, support)) == expected
        theta = rng.normal(size=(5, len(graph)))
        best = (theta @ np.array(list(expected)).T).max(1)
        np.testing.assert_allclose((solver.solve(theta) * theta).sum(1), best, rtol=1e-12)
        for z in every[feasible]:
            np.testing.assert_array_equal(solver.encode(solver.decode(z)), z)
        for z in every[~feasible]:
            with pytest.raises(InvalidSolutionError, match="adjacent"):
                solver.decode(z)


def test_values_other_than_zero_and_one_are_not_feasible():
    solver = MaxWeightClique(nx.path_graph(2))
    states = np.array([[1.0, 1.0], [1.0, 2.0], [0.5, 1.0], [-1.0, 1.0]])
    assert solver.is_feasible(states).tolist() == [True, False, False, False]
    with pytest.raises(InvalidSolutionError, match="other than 0 and 1"):
        solver.decode(states[1])


@pytest.mark.parametrize("solver_class", SOLVERS)
@pytest.mark.parametrize("size", [63, 64, 65, 128, 129])
def test_sets_of_several_words_are_those_of_networkx(solver_class, size):
    rng = np.random.default_rng(size)
    for density in (0.3, 0.7):
        graph = nx.gnp_random_graph(size, density, seed=size)
        theta = rng.normal(size=(4, size))
        fast, slow = (solver_class(graph, method=method) for method in ("compiled", "networkx"))
        np.testing.assert_array_equal(fast.solve(theta, validate="full"), slow.solve(theta))


@pytest.mark.parametrize("solver_class", SOLVERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_solved_alike_alone_in_batches_and_by_threads(solver_class, dtype):
    graph = nx.gnp_random_graph(50, 0.5, seed=3)
    theta = np.random.default_rng(0).integers(-3, 4, (400, 50)).astype(dtype)  # many ties
    one, two = (solver_class(graph, threads=threads) for threads in (1, 2))
    assert theta.size >= _node_sets.PARALLEL
    z = one.solve(theta)
    assert z.dtype == dtype
    np.testing.assert_array_equal(two.solve(theta), z)
    np.testing.assert_array_equal(one.solve(theta[::-1])[::-1], z)
    np.testing.assert_array_equal([one.solve(row[None])[0] for row in theta[:20]], z[:20])


def best_of_tree(tree, score):
    """The greatest weight of an independent set of a forest, by dynamic programming."""
    total = 0
    for root in (next(iter(part)) for part in nx.connected_components(tree)):
        order = list(nx.dfs_preorder_nodes(tree, root))
        parent = {v: u for u, v in nx.dfs_edges(tree, root)}
        out, taken = dict.fromkeys(order, 0), {node: score[node] for node in order}
        for node in reversed(order[1:]):
            out[parent[node]] += max(out[node], taken[node])
            taken[parent[node]] += out[node]
        total += max(out[root], taken[root])
    return total


def test_trees_need_no_search():
    tree = nx.random_labeled_tree(300, seed=1)
    theta = np.random.default_rng(0).uniform(-0.2, 1.0, (20, 300))
    z = MaxWeightIndependentSet(tree, max_steps=1).solve(theta, validate="full")
    best = [best_of_tree(tree, row) for row in theta.tolist()]
    np.testing.assert_allclose((z * theta).sum(1), best, rtol=1e-12)


def test_parts_that_do_not_hang_together_are_searched_one_by_one():
    ring = nx.cycle_graph(9)
    rings = nx.disjoint_union_all([ring] * 40)
    theta = np.random.default_rng(0).uniform(0.9, 1.0, (3, 40, 9))
    apart = MaxWeightIndependentSet(ring).solve(theta.reshape(-1, 9)).reshape(3, 360)
    np.testing.assert_array_equal(
        MaxWeightIndependentSet(rings, max_steps=2000).solve(theta.reshape(3, 360)), apart
    )


def test_nodes_without_a_positive_score_are_not_taken():
    for solver_class in SOLVERS:
        for graph in (nx.empty_graph(3), nx.complete_graph(3)):
            theta = np.array([[0.0, -1.0, -2.0], [0.0, 0.0, 0.0], [0.0, 1.0, -1.0]])
            z = solver_class(graph).solve(theta)
            assert z.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]
            assert solver_class(graph).decode(z) == [[], [], [1]]


def test_a_great_negative_score_does_not_drown_the_others():
    theta = np.array([[-1e30, 1.0, 2.0], [1e-300, 1.9e-300, 1e-300]])
    z = MaxWeightIndependentSet(nx.path_graph(3)).solve(theta)
    assert z.tolist() == [[0, 0, 1], [1, 0, 1]]


def test_loops_exclude_a_node_from_independent_sets_and_not_from_cliques():
    graph = nx.Graph([("a", "b"), ("a", "a")])
    theta = np.array([[5.0, 1.0]])
    assert MaxWeightIndependentSet(graph).solve(theta).tolist() == [[0, 1]]
    assert MaxWeightClique(graph).solve(theta).tolist() == [[1, 1]]
    lonely = nx.Graph([("a", "a")])
    for method in ("compiled", "networkx"):
        assert MaxWeightIndependentSet(lonely, method=method).solve(np.ones((2, 1))).tolist() == [[0], [0]]
    with pytest.raises(InvalidSolutionError, match=r"node 'a' has a loop, so it is adjacent to itself"):
        MaxWeightIndependentSet(graph).encode(["a"])


def test_rows_bring_graphs_of_their_own():
    solver = imle.solver("networkx.max_weight_independent_set")
    path, ring = nx.path_graph("abc"), nx.cycle_graph(4)
    theta = np.array([[1.0, 3.0, 1.0, 9.0], [2.0, 1.0, 2.0, 1.0], [1.0, 1.5, 1.0, 0.0]])
    instances = [path, ring, {"graph": path}]
    z = solver.solve(theta, instances=instances)
    assert z.tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]]
    assert solver.decode(z, instances=instances) == [["b"], [0, 2], ["a", "c"]]
    assert solver.encode(["a", "c"], instance=path).tolist() == [1, 0, 1]


def test_a_row_that_is_too_hard_is_an_error_and_never_a_guess():
    graph = nx.gnp_random_graph(80, 0.1, seed=1)
    theta = np.full((200, 80), -1.0)
    theta[[20, 170]] = np.random.default_rng(0).uniform(0.9, 1.0, (2, 80))
    for threads in (1, 2):
        solver = imle.solver(
            "networkx.max_weight_independent_set", graph=graph, max_steps=10, threads=threads
        )
        with pytest.raises(
            SolverError,
            match=r"row 20: the search was given up after 10 branches on the undirected graph of 80 nodes and 324 "
            "edges: raise max_steps, or take a smaller graph",
        ):
            solver.solve(theta)
    assert (MaxWeightIndependentSet(graph).solve(theta).sum(1) > 0).nonzero()[0].tolist() == [20, 170]


def test_what_does_not_suit_is_refused_by_name(monkeypatch):
    for solver_class in SOLVERS:
        with pytest.raises(SolverParameterError, match="graph must be undirected; got: directed graph"):
            solver_class(nx.DiGraph([(0, 1)]))
        with pytest.raises(SolverParameterError, match="max_steps must be at least 1; got 0"):
            solver_class(nx.path_graph(2), max_steps=0)
        with pytest.raises(InvalidInstanceError, match="graph must be undirected"):
            solver_class().solve(np.ones((1, 2)), instances=[nx.DiGraph([(0, 1)])])
    monkeypatch.setattr(_node_sets, "MAX_NODES", 4)
    with pytest.raises(
        SolverParameterError,
        match="the undirected graph of 5 nodes and 4 edges is too large: it may have 4 nodes at most",
    ):
        MaxWeightClique(nx.path_graph(5))


@pytest.mark.parametrize(
    ("solver_class", "nodes", "message"),
    [
        (MaxWeightIndependentSet, [0, 1], "nodes 0 and 1 are adjacent"),
        (MaxWeightClique, [0, 2], "nodes 0 and 2 are not adjacent"),
        (MaxWeightClique, [0, 9], "node 9 is not in the undirected graph"),
        (MaxWeightClique, [[0]], r"node \[0\] is not in"),
        (MaxWeightClique, [0, 0], "node 0 is given twice"),
    ],
)
def test_encode_says_why_nodes_are_no_set(solver_class, nodes, message):
    with pytest.raises(InvalidSolutionError, match=message):
        solver_class(nx.path_graph(3)).encode(nodes)


def test_too_many_sets_are_not_listed():
    with pytest.raises(MissingCapabilityError, match="more than 100,000 sets"):
        MaxWeightIndependentSet(nx.empty_graph(20)).enumerate_support()
    assert len(MaxWeightClique(nx.empty_graph(20)).enumerate_support()) == 21


def test_explain_names_the_search_and_its_limit():
    solver = imle.solver("networkx.max_weight_clique", graph=nx.path_graph(3), max_steps=500)
    assert "branch and bound, exact, with at most 500 branches a row" in solver.explain()
    assert "max_weight_clique" in MaxWeightClique(nx.path_graph(3), method="networkx").explain()
    reference = MaxWeightIndependentSet(nx.path_graph(3), method="networkx")
    assert "max_weight_clique of the complement" in reference.explain()


# The kernels, on plain arrays.


def test_sets_of_bits_are_sets():
    rng = np.random.default_rng(0)
    matrix = rng.random((20, 130)) < 0.05
    for members, words in zip(matrix, pack(matrix), strict=True):
        numbers = np.flatnonzero(members).tolist()
        assert [number for number in range(130) if contains(words, number)] == numbers
        found = [lowest(words)]
        while found[-1] >= 0:
            found.append(following(words, found[-1]))
        assert found == [*numbers, -1]
        assert highest(words) == (numbers or [-1])[-1]
    words = pack(np.zeros((1, 65), np.bool_))[0]
    put(words, 64)
    put(words, 63)
    assert (lowest(words), highest(words), following(words, 63)) == (63, 64, 64)
    drop(words, 63)
    assert lowest(words) == 64
    drop(words, 64)
    assert (lowest(words), highest(words)) == (-1, -1)


def test_cliques_bound_the_weight_and_lead_to_a_set():
    rng = np.random.default_rng(1)
    for _ in range(50):
        size = int(rng.integers(1, 12))
        graph = nx.gnp_random_graph(size, rng.uniform(0.1, 0.9), seed=int(rng.integers(1000)))
        conflicts = conflicts_of(nx.to_numpy_array(graph) > 0)
        weight = rng.integers(1, 20, size)
        words = conflicts.near.shape[1]
        memory = Cover(np.zeros(words, np.uint64), *np.zeros((3, size), np.int64), np.zeros(words, np.uint64))
        opened, branch = pack(np.ones((1, size), np.bool_))[0], np.zeros(words, np.uint64)
        best = (np.array(list(states_of(graph, MaxWeightIndependentSet)))[:, conflicts.column] @ weight).max()
        bound, leaders = cover(conflicts.near, weight, opened, branch, memory, 10**6)
        assert bound >= best
        assert lowest(branch) == -1
        found = build(conflicts.near, weight, opened, memory, leaders)
        assert found <= best
        if nx.is_chordal(graph):
            assert found == best == bound
        # What cliques of half of the bound do not cover is there to branch on, and the rest is worth no more than that.
        cover(conflicts.near, weight, opened, branch, memory, int(bound) // 2)
        rest = [place for place in range(size) if not contains(branch, place)]
        part = MaxWeightIndependentSet(graph.subgraph(conflicts.column[rest].tolist())) if rest else None
        if part is not None:
            column = conflicts.column.tolist()
            scores = np.array([[float(weight[column.index(node)]) for node in part.entries]])
            assert (part.solve(scores) * scores).sum() <= bound // 2


def test_the_order_takes_away_the_node_of_fewest_neighbours():
    star = nx.to_numpy_array(nx.star_graph(4)) > 0  # the middle is node 0
    conflicts = conflicts_of(star)
    assert conflicts.column[-2:].tolist() == [
        0,
        4,
    ]  # when one leaf is left, the middle is as good and comes first
    looped = star.copy()
    looped[2, 2] = True
    assert sorted(conflicts_of(looped).column.tolist()) == [0, 1, 3, 4]
