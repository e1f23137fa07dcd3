"""Spanning trees and arborescences of dense graphs: the compiled solvers against NetworkX, within one run."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from imle_networkx.spanning_arborescence import SpanningArborescence
from imle_networkx.spanning_tree import MinimumSpanningTree
from timing import fastest

BATCH = 320


def compare(solver_class, function, graph, few):
    """Return the seconds that a row takes, by NetworkX and by the solver in single and double precision.

    Args:
        solver_class: The solver.
        function: The function of NetworkX.
        graph: The graph of all rows.
        few: How many rows NetworkX solves.
    """
    solver = solver_class(graph, threads=1)
    data = [attributes for *_, attributes in graph.edges(data=True)]
    theta = np.random.default_rng(0).uniform(0.1, 1.0, (BATCH, len(data)))
    single = theta.astype(np.float32)

    def by_networkx():
        for row in theta[:few].tolist():
            for attributes, cost in zip(data, row, strict=True):
                attributes["weight"] = cost
            found = function(graph)
        return found.size("weight")

    assert by_networkx() == pytest.approx((solver.solve(theta) * theta).sum(1)[few - 1], rel=1e-9)
    calls = {
        "NetworkX": by_networkx,
        "single": lambda: solver.solve(single),
        "double": lambda: solver.solve(theta),
    }
    times = fastest(calls, rounds=10)
    return times["NetworkX"] / few, times["single"] / BATCH, times["double"] / BATCH


@pytest.mark.benchmark
@pytest.mark.parametrize("nodes", [20, 50])
def test_a_batch_of_spanning_trees_is_40_times_faster_than_networkx(nodes, report, table):
    graph = nx.complete_graph(nodes)
    networkx, single, double = compare(MinimumSpanningTree, nx.minimum_spanning_tree, graph, 2000 // nodes)
    task = f"minimum spanning tree, {nodes} nodes, all adjacent"
    assert table(task, networkx=networkx, compiled=single) > 40
    report(f"{task}, double precision: {networkx / double:.0f} times")
    assert networkx > 40 * double


@pytest.mark.benchmark
def test_a_batch_of_spanning_trees_of_a_grid_is_40_times_faster_than_networkx(table):
    graph = nx.grid_2d_graph(30, 30)
    networkx, single, _ = compare(MinimumSpanningTree, nx.minimum_spanning_tree, graph, 4)
    assert table("minimum spanning tree, 30x30 grid", networkx=networkx, compiled=single) > 40


@pytest.mark.benchmark
@pytest.mark.parametrize("nodes", [20, 50])
def test_a_batch_of_arborescences_is_400_times_faster_than_networkx(nodes, report, table):
    graph = nx.complete_graph(nodes, nx.DiGraph)
    few = 4 if nodes == 20 else 1
    networkx, single, double = compare(SpanningArborescence, nx.minimum_spanning_arborescence, graph, few)
    task = f"spanning arborescence, {nodes} nodes, all adjacent"
    assert table(task, networkx=networkx, compiled=single) > 400
    report(f"{task}, double precision: {networkx / double:.0f} times")
    assert networkx > 400 * double


@pytest.mark.benchmark
def test_a_batch_of_arborescences_of_a_sparse_graph_is_400_times_faster_than_networkx(table):
    graph = nx.gnm_random_graph(200, 1000, seed=1, directed=True)
    nx.add_cycle(graph, range(200))
    networkx, single, _ = compare(SpanningArborescence, nx.minimum_spanning_arborescence, graph, 1)
    task = f"spanning arborescence, 200 nodes and {graph.number_of_edges():,} edges"
    assert table(task, networkx=networkx, compiled=single) > 400
