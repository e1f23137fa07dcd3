"""States to paths and back, and which states are paths."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from imle_networkx.shortest_path import ShortestPath

from imle_core.errors import InvalidInstanceError, InvalidSolutionError, InvalidThetaError


@pytest.mark.parametrize("weight", ["edge", "node"])
def test_feasible_states_are_exactly_the_simple_paths(weight, random_graph):
    rng = np.random.default_rng(0)
    paths_seen = 0
    for _ in range(300):
        graph = random_graph(rng)
        nodes = list(graph.nodes)
        source, target = (nodes[i] for i in rng.integers(len(nodes), size=2))
        solver = ShortestPath(graph, source=source, target=target, weight=weight)
        n = len(solver.entries)
        if not 0 < n <= 9:
            continue
        states = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        if source == target:
            paths = {(repr(source),) if weight == "node" else ()}
        elif weight == "node":
            paths = {tuple(sorted(map(repr, p))) for p in nx.all_simple_paths(graph, source, target)}
        else:
            found = nx.all_simple_edge_paths(graph, source, target)
            paths = {tuple(sorted(repr(entry(solver, graph, e)) for e in p)) for p in found}
        chosen = [
            tuple(sorted(repr(e) for e, on in zip(solver.entries, z, strict=True) if on)) for z in states
        ]
        expected = [c in paths for c in chosen]
        np.testing.assert_array_equal(solver.is_feasible(states.astype(float)), expected)
        for z in states[expected]:
            path = solver.decode(z)
            assert path[0] == source
            assert path[-1] == target
            assert len(path) == len(set(path)) == z.sum() + (weight == "edge")
            if not graph.is_multigraph() or weight == "node":
                np.testing.assert_array_equal(solver.encode(path), z)
        paths_seen += sum(expected)
    assert paths_seen > 100


def entry(solver, graph, edge):
    u, v, *key = edge
    return edge if graph.is_directed() or edge in solver.entries else (v, u, *key)


def test_a_path_with_a_disjoint_cycle_is_not_feasible():
    graph = nx.disjoint_union(nx.path_graph(3), nx.cycle_graph(3))
    for weight in ("edge", "node"):
        solver = ShortestPath(graph, source=0, target=2, weight=weight)
        z = np.ones(len(solver.entries))
        assert not solver.is_feasible(z[None])[0]
        with pytest.raises(InvalidSolutionError, match="not one simple path from 0 to 2"):
            solver.decode(z)


def test_wrong_ends_and_values_are_not_feasible():
    solver = ShortestPath(nx.path_graph(4), source=0, target=2)
    states = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 0], [2, 1, 0], [0.5, 1, 0]])
    assert solver.is_feasible(states).tolist() == [True] + [False] * 6
    ends = [{"target": 3}, {"target": 1}]
    prepared = [solver.prepare(each) for each in ends]
    assert solver.is_feasible(states[:2], instances=prepared).tolist() == [False, True]
    with pytest.raises(InvalidInstanceError, match="as `prepare` returns them"):
        solver.is_feasible(states[:2], instances=ends)


def test_nodes_with_chords_are_decoded_by_search():
    # all five nodes of a complete graph: many ways to go on, the target only at the end
    solver = ShortestPath(nx.complete_graph(5), source=1, target=3, weight="node")
    path = solver.decode(np.ones(5))
    assert (path[0], path[-1], sorted(path)) == (1, 3, [0, 1, 2, 3, 4])
    solver = ShortestPath(nx.star_graph(4), source=1, target=2, weight="node")
    with pytest.raises(InvalidSolutionError):
        solver.decode(np.ones(5))


def test_decode_takes_batches_and_the_shape_of_a_grid(kings):
    solver = ShortestPath(kings(5), source=(0, 0), target=(4, 4), weight="node", shape=(5, 5))
    z = solver.solve(np.random.default_rng(0).uniform(size=(6, 5, 5)))
    paths = solver.decode(z.reshape(2, 3, 5, 5))
    assert len(paths) == 2
    np.testing.assert_array_equal([solver.encode(p) for half in paths for p in half], z)
    assert solver.decode(z[0]) == paths[0][0]


@pytest.mark.parametrize(
    ("path", "message"), [([0, 2], "no edge leads from 0 to 2"), ([0, 1, 0], "twice"), ([], "empty")]
)
def test_encode_refuses_what_is_no_path(path, message):
    solver = ShortestPath(nx.path_graph(3), source=0, target=2)
    with pytest.raises(InvalidSolutionError, match=message):
        solver.encode(path)


def test_encode_names_an_unknown_node():
    with pytest.raises(
        InvalidSolutionError, match="node 9 is not in the undirected graph of 3 nodes and 2 edges"
    ):
        ShortestPath(nx.path_graph(3)).encode([0, 9])


def test_encode_respects_the_direction_of_arcs():
    solver = ShortestPath(nx.DiGraph([("a", "b")]))
    assert solver.encode(["a", "b"]).tolist() == [1]
    with pytest.raises(InvalidSolutionError, match="no edge leads"):
        solver.encode(["b", "a"])


@pytest.mark.parametrize(
    "states", [np.zeros((2, 4)), np.zeros((2, 2)), np.zeros((2, 0)), np.zeros(3), np.ones(())]
)
@pytest.mark.parametrize("weight", ["edge", "node"])
def test_states_of_another_width_are_refused_before_compiled_code_reads_them(weight, states):
    graph = nx.path_graph(6) if weight == "edge" else nx.path_graph(5)
    solver = ShortestPath(graph, source=0, target=2, weight=weight)
    with pytest.raises(InvalidThetaError, match=r"states must have shape \(N, 5\); got \("):
        solver.is_feasible(states)


def test_feasibility_is_told_of_no_rows_and_of_rows_in_the_shape_of_a_grid(kings):
    solver = ShortestPath(kings(2), source=(0, 0), target=(1, 1), weight="node", shape=(2, 2))
    assert solver.is_feasible(np.zeros((0, 2, 2))).shape == (0,)
    assert solver.is_feasible(np.array([[[1, 0], [0, 1]], [[1, 0], [0, 0]]])).tolist() == [True, False]
