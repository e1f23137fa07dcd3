"""Assignments and matchings: the compiled solvers against NetworkX, and against a loop over SciPy, within one run."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from imle_networkx.assignment import Assignment
from imle_networkx.bipartite_matching import BipartiteMatching
from imle_networkx.max_weight_matching import MaxWeightMatching
from scipy.optimize import linear_sum_assignment
from timing import fastest

BATCH = 320


def compare(solver, graph, function, few, **other):
    """Return the seconds that a row takes: by NetworkX, by the solver in single and double precision, and others.

    Args:
        solver: Of one thread.
        graph: The graph of all rows, whose weights NetworkX reads.
        function: Returns the pairs of a matching of the graph.
        few: How many rows NetworkX solves.
        other: Calls that solve the batch, as functions of theta.
    """
    data = [attributes for *_, attributes in graph.edges(data=True)]
    theta = np.random.default_rng(0).uniform(0.1, 1.0, (BATCH, *solver.event_shape))
    single, rows = theta.astype(np.float32), theta.reshape(BATCH, -1)

    def by_networkx():
        for row in rows[:few].tolist():
            for attributes, weight in zip(data, row, strict=True):
                attributes["weight"] = weight
            found = function(graph)
        return sum(graph.edges[pair]["weight"] for pair in found)

    objective = (solver.solve(theta) * theta).reshape(BATCH, -1).sum(1)
    assert by_networkx() == pytest.approx(objective[few - 1], rel=1e-9)
    calls = {
        "NetworkX": by_networkx,
        "single": lambda: solver.solve(single),
        "double": lambda: solver.solve(theta),
        **{name: lambda call=call: call(theta) for name, call in other.items()},
    }
    times = fastest(calls, rounds=15)
    return times.pop("NetworkX") / few, *(seconds / BATCH for seconds in times.values())


def full_matching(graph):
    """Return the pairs of a full matching of a complete bipartite graph."""
    top = [node for node, side in graph.nodes(data="bipartite") if side == 0]
    partner = nx.bipartite.minimum_weight_full_matching(graph, top)
    return [(node, partner[node]) for node in top]


@pytest.mark.benchmark
def test_a_batch_of_assignments_is_25_times_faster_than_networkx_and_faster_than_a_loop_over_scipy(
    report, table
):
    graph = nx.complete_bipartite_graph(20, 20)
    networkx, single, double, scipy = compare(
        Assignment(shape=(20, 20), threads=1),
        graph,
        full_matching,
        20,
        scipy=lambda theta: [linear_sum_assignment(costs) for costs in theta],
    )
    task = "assignment, 20 x 20"
    assert table(task, networkx=networkx, compiled=single) > 25
    report(
        f"{task}, double precision: {networkx / double:.0f} times; {scipy / double:.1f} times faster than SciPy"
    )
    assert networkx > 25 * double
    assert scipy > 1.5 * double


@pytest.mark.benchmark
def test_a_batch_of_assignments_in_a_graph_is_25_times_faster_than_networkx(report, table):
    graph = nx.complete_bipartite_graph(20, 20)
    networkx, single, double = compare(Assignment(graph, threads=1), graph, full_matching, 20)
    task = "assignment in a graph, 20 and 20 nodes"
    assert table(task, networkx=networkx, compiled=single) > 25
    report(f"{task}, double precision: {networkx / double:.0f} times")
    assert networkx > 25 * double


@pytest.mark.benchmark
def test_a_batch_of_bipartite_matchings_is_35_times_faster_than_networkx(report, table):
    graph = nx.bipartite.gnmk_random_graph(50, 50, 300, seed=0)
    networkx, single, double = compare(BipartiteMatching(graph, threads=1), graph, nx.max_weight_matching, 2)
    task = "bipartite matching, 50 and 50 nodes, 300 edges"
    assert table(task, networkx=networkx, compiled=single) > 35
    report(f"{task}, double precision: {networkx / double:.0f} times")
    assert networkx > 35 * double


@pytest.mark.benchmark
@pytest.mark.parametrize("cardinality", ["any", "perfect"])
def test_a_batch_of_matchings_is_35_times_faster_than_networkx(cardinality, report, table):
    graph = nx.complete_graph(20)
    networkx, single, double = compare(
        MaxWeightMatching(graph, cardinality=cardinality, threads=1),
        graph,
        lambda graph: nx.max_weight_matching(graph, maxcardinality=cardinality != "any"),
        3,
    )
    task = f"matching of {cardinality} cardinality, 20 nodes, all adjacent"
    assert table(task, networkx=networkx, compiled=single) > 35
    report(f"{task}, double precision: {networkx / double:.0f} times")
    assert networkx > 35 * double


@pytest.mark.benchmark
def test_a_large_sparse_graph_is_matched_in_little_time_and_memory(report):
    """The kernel needs memory for each edge and node: for the square of these nodes it would be 20 GB."""
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(200, 250))
    solver = MaxWeightMatching(graph, cardinality="perfect", threads=1)
    theta = np.random.default_rng(0).uniform(0.1, 1.0, (1, graph.number_of_edges()))
    seconds = fastest({"solve": lambda: solver.solve(theta)}, rounds=2)["solve"]
    report(f"perfect matching, grid of 50,000 nodes: {seconds:.2f} s")
    assert seconds < 10
