"""How the solver runs: threads, copies, processes, and what it says of itself."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import numpy as np
import pytest
from imle_networkx.shortest_path import ShortestPath

import imle_core as imle


@pytest.fixture
def grid(kings):
    return lambda **options: ShortestPath(kings(10), source=(0, 0), target=(9, 9), weight="node", **options)


def costs(rows=333):
    return np.random.default_rng(8).integers(0, 5, (rows, 100)).astype(np.float32)


def test_answers_do_not_depend_on_the_number_of_threads(grid):
    theta = costs()
    expected = grid(threads=1).solve(theta)
    for threads in (2, 3, 7, None):
        np.testing.assert_array_equal(grid(threads=threads).solve(theta), expected)


def test_the_row_of_an_error_is_that_of_the_batch_also_in_a_later_thread():
    graph = nx.disjoint_union(nx.complete_graph(40), nx.path_graph(2))
    solver = ShortestPath(graph, source=0, target=5, threads=4)
    instances = [{}] * 170 + [{"target": 41}] + [{}] * 30 + [{"target": 40}]
    with pytest.raises(imle.errors.InfeasibleError, match="to 41") as caught:
        solver.solve(np.ones((202, len(solver.entries))), instances=instances)
    assert caught.value.row == 170


def test_one_solver_serves_many_threads(grid):
    solver, theta = grid(), costs()
    expected = solver.solve(theta)
    with ThreadPoolExecutor(4) as pool:
        for z in pool.map(lambda _: solver.solve(theta), range(12)):
            np.testing.assert_array_equal(z, expected)


def test_copies_solve_as_the_original_does(grid):
    solver, theta = grid(), costs()
    z = solver.solve(theta)
    for twin in (copy.deepcopy(solver), pickle.loads(pickle.dumps(solver))):
        np.testing.assert_array_equal(twin.solve(theta), z)
        assert twin.entries == solver.entries


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_solves_after_its_parent_used_threads(grid):
    solver, theta = grid(threads=2), costs()
    expected = solver.solve(theta)  # starts the pool of the parent, whose threads a child does not have

    def child(connection):
        # The core's own torch operations are not the point, and torch's threads do not survive a fork.
        import torch

        torch.set_num_threads(1)
        connection.send(bool((solver.solve(theta) == expected).all()))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork beside threads
        parent_end, child_end = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(target=child, args=(child_end,))
        process.start()
    try:
        assert parent_end.poll(60)
        assert parent_end.recv()
    finally:
        process.kill()
        process.join()


def test_theta_of_the_caller_is_left_alone(grid):
    theta = costs()
    before = theta.copy()
    grid().solve(theta)
    np.testing.assert_array_equal(theta, before)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ["compiled Bellman-Ford, 16 rows", "100 nodes and 342 edges", "refused"]),
        ({"threads": 3}, ["up to 3 threads"]),
        ({"negative": "clip"}, ["Negative costs are clipped"]),
        ({"negative": "allow"}, ["because costs may be negative", "negative cycle"]),
        ({"method": "networkx"}, ["NetworkX's Dijkstra"]),
        ({"method": "networkx", "negative": "allow"}, ["NetworkX's Bellman-Ford"]),
    ],
)
def test_explain_says_which_algorithm_runs(options, words, grid):
    text = grid(**options).explain()
    assert all(word in text for word in words)


def test_the_description_imports_no_solver_library():
    code = (
        "import sys, imle_networkx.plugin as p; specs = p.imle_register_solvers(); "
        "print(len(specs), sorted({'networkx', 'numba', 'numpy', 'scipy', 'torch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "15 []"


def test_it_is_found_by_name_with_checked_parameters(kings):
    solver = imle.solver(
        "networkx.shortest_path", graph=kings(3), source=(0, 0), target=(2, 2), weight="node"
    )
    z = solver.solve(np.ones((2, 9)))
    assert solver.decode(z[0]) == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(imle.errors.SolverParameterError, match=r"networkx\.shortest_path.*grph"):
        imle.solver("networkx.shortest_path", grph=kings(3))
    with pytest.raises(imle.errors.SolverParameterError, match=r"networkx\.shortest_path.*'graph'"):
        imle.solver("networkx.shortest_path", graph=3)


@pytest.mark.parametrize("shape", [[3, 3], (3, 3), [np.int64(3), 3]])
def test_its_shape_is_any_sequence_of_integers(shape, kings):
    ends = {"source": (0, 0), "target": (2, 2)}
    solver = imle.solver("networkx.shortest_path", graph=kings(3), **ends, weight="node", shape=shape)
    assert solver.event_shape == (3, 3)
    assert {type(n) for n in solver.event_shape} == {int}
    assert solver.solve(np.ones((2, 3, 3))).shape == (2, 3, 3)


@pytest.mark.parametrize("shape", ["33", [3, 3.0], 9])
def test_a_shape_of_other_things_is_refused(shape, kings):
    with pytest.raises(imle.errors.SolverParameterError, match=r"'shape' must be Sequence\[int\] \| None"):
        imle.solver("networkx.shortest_path", graph=kings(3), shape=shape)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"source": 9}, "source 9 is not in the undirected graph of 3 nodes and 2 edges."),
        ({"shape": [2, 2]}, "shape (2, 2) does not hold the 2 edges of the graph."),
        (
            {"graph": nx.Graph()},
            "graph must be a NetworkX graph with nodes; got Graph with 0 nodes and 0 edges.",
        ),
    ],
)
def test_an_error_of_its_constructor_begins_with_its_full_name(parameters, message):
    with pytest.raises(imle.errors.SolverParameterError) as caught:
        imle.solver("shortest_path", **{"graph": nx.path_graph(3), **parameters})
    assert str(caught.value) == f"networkx.shortest_path: {message}"
