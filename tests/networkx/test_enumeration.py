"""networkx.shortest_path: the list of all simple paths."""

import networkx as nx
import numpy as np
import pytest

import imle_core as imle


@pytest.mark.parametrize("seed", range(30))
def test_edge_paths_are_those_of_networkx(random_graph, seed):
    graph = random_graph(np.random.default_rng(seed))
    nodes = list(graph)
    solver = imle.solver("networkx.shortest_path", graph=graph, source=nodes[0], target=nodes[-1])
    paths = nx.all_simple_edge_paths(graph, nodes[0], nodes[-1]) if len(nodes) > 1 else [[]]
    column = {entry: i for i, entry in enumerate(solver.entries)}
    if not graph.is_directed():  # an edge may be met from either end
        column |= {(v, u, *key): i for (u, v, *key), i in column.items()}
    expected = {frozenset(column[edge] for edge in path) for path in paths}
    found = solver.enumerate_support()
    assert found.shape == (len(expected), len(solver.entries))
    assert {frozenset(np.flatnonzero(state).tolist()) for state in found} == expected
    assert solver.is_feasible(found).all()


def test_paths_over_the_same_nodes_are_one_state():
    graph = nx.complete_graph(4)
    solver = imle.solver("networkx.shortest_path", graph=graph, source=0, target=3, weight="node")
    assert sorted(map(tuple, solver.enumerate_support().tolist())) == [
        (1, 0, 0, 1),
        (1, 0, 1, 1),
        (1, 1, 0, 1),
        (1, 1, 1, 1),
    ]


def test_an_instance_gives_the_ends_and_the_shape_is_that_of_a_state():
    graph = nx.grid_2d_graph(2, 2)
    solver = imle.solver("networkx.shortest_path", graph=graph, weight="node", shape=(2, 2))
    instance = {"source": (0, 0), "target": (0, 1)}
    found = solver.enumerate_support(instance=instance).tolist()
    assert sorted(found) == [[[1, 1], [0, 0]], [[1, 1], [1, 1]]]
    alone = solver.enumerate_support(instance={"source": (0, 0), "target": (0, 0)})
    assert alone.tolist() == [[[1, 0], [0, 0]]]


def test_no_path_is_an_empty_list():
    graph = nx.DiGraph([(0, 1)])
    solver = imle.solver("networkx.shortest_path", graph=graph, source=1, target=0)
    assert solver.enumerate_support().shape == (0, 1)


def test_too_many_paths_are_an_error_that_says_so():
    solver = imle.solver("networkx.shortest_path", graph=nx.complete_graph(12), source=0, target=11)
    with pytest.raises(
        imle.errors.MissingCapabilityError, match=r"networkx\.shortest_path: .* too many simple paths"
    ):
        solver.enumerate_support()
