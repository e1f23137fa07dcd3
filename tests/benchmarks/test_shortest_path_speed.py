"""Shortest paths on the Warcraft grids: the compiled solver against NetworkX, within one run."""

from __future__ import annotations

import functools

import networkx as nx
import numpy as np
import pytest
from imle_networkx.dag_path import DagPath
from imle_networkx.shortest_path import ShortestPath
from timing import fastest

BATCH = 320


def by_networkx(graph, entries, rows, ends):
    """Solve rows with `nx.dijkstra_path` and a weight function, and return the states."""
    states = np.zeros((len(rows), len(entries)))
    position = {node: i for i, node in enumerate(entries)}
    for state, row in zip(states, rows.tolist(), strict=True):
        cost = dict(zip(entries, row, strict=True))
        path = nx.dijkstra_path(graph, *ends, weight=lambda u, v, d, cost=cost: cost[v])
        state[[position[node] for node in path]] = 1
    return states


@pytest.mark.benchmark
@pytest.mark.parametrize("size", [12, 30])
def test_a_batch_of_grids_is_40_times_faster_than_networkx(size, report, table):
    graph = nx.strong_product(nx.path_graph(size), nx.path_graph(size))
    ends = (0, 0), (size - 1, size - 1)
    theta = np.random.default_rng(0).uniform(0.1, 1.0, (BATCH, size * size))
    few = theta[: 2400 // size**2 + 4]
    calls, rows_of = {}, {}
    for dtype in (np.float32, np.float64):
        for threads in (1, 2):
            solver = ShortestPath(graph, source=ends[0], target=ends[1], weight="node", threads=threads)
            rows = theta.astype(dtype)
            name = f"compiled, {rows.dtype}, {threads} thread{'s' * (threads > 1)}"
            calls[name], rows_of[name] = functools.partial(solver.solve, rows), BATCH
    calls["NetworkX"] = functools.partial(by_networkx, graph, solver.entries, few, ends)
    rows_of["NetworkX"] = len(few)
    np.testing.assert_array_equal(solver.solve(few), calls["NetworkX"]())

    each = {name: seconds / rows_of[name] for name, seconds in fastest(calls, rounds=15).items()}
    report(f"{size}x{size}, batch {BATCH}, node costs" + "us per row".rjust(14) + "ratio".rjust(9))
    for name, seconds in each.items():
        report(f"{name:34s}{seconds * 1e6:14.2f}{each['NetworkX'] / seconds:9.0f}")
    required = {12: 40, 30: 35}[size]
    single = each["compiled, float32, 1 thread"]
    assert (
        table(f"shortest path, {size}x{size} grid, node costs", networkx=each["NetworkX"], compiled=single)
        > required
    )
    assert each["NetworkX"] > required * each["compiled, float64, 1 thread"]


@pytest.mark.benchmark
def test_a_batch_of_longest_paths_is_40_times_faster_than_networkx(report, table):
    graph = nx.DiGraph((u, v) for u in range(60) for v in range(u + 1, min(u + 9, 60)))
    theta = np.random.default_rng(0).normal(size=(BATCH, graph.number_of_edges())).astype(np.float32)
    fast = DagPath(graph, threads=1)
    data = [graph.edges[edge] for edge in fast.entries]

    def by_networkx():
        for row in theta[:16].tolist():
            for attributes, score in zip(data, row, strict=True):
                attributes["weight"] = score
            nx.dag_longest_path(graph)

    times = fastest({"NetworkX": by_networkx, "compiled": lambda: fast.solve(theta)}, rounds=15)
    task = f"longest path, acyclic graph of 60 nodes and {len(data)} edges"
    assert table(task, networkx=times["NetworkX"] / 16, compiled=times["compiled"] / BATCH) > 40
