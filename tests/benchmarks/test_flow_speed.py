"""Flows of least cost and cuts of least weight: the compiled solvers against NetworkX, within one run."""

from __future__ import annotations

import functools

import networkx as nx
import numpy as np
import pytest
from imle_networkx.min_cost_flow import MinCostFlow
from imle_networkx.minimum_cut import MinimumCut
from timing import fastest

BATCH = 320


def make_network(nodes, edges):
    """A random network that carries shipments between some of its nodes."""
    rng = np.random.default_rng(3)
    graph = nx.gnm_random_graph(nodes, edges, seed=3, directed=True)
    demand = np.zeros(nodes, int)
    for _ in range(nodes):
        demand[rng.permutation(nodes)[:2]] += (-1, 1)
    nx.set_node_attributes(graph, dict(enumerate(demand.tolist())), "demand")
    nx.set_edge_attributes(graph, {edge: int(rng.integers(2, 8)) for edge in graph.edges}, "capacity")
    return graph


def flows_by_networkx(graph, data, rows):
    """Solve rows of integer costs, which NetworkX needs to be exact, and return the least costs."""
    found = []
    for row in rows:
        for attributes, cost in zip(data, row, strict=True):
            attributes["weight"] = cost
        found.append(nx.min_cost_flow_cost(graph))
    return found


def cuts_by_networkx(graph, data, rows, ends):
    """Solve rows of weights, and return the least ones."""
    found = []
    for row in rows:
        for attributes, weight in zip(data, row, strict=True):
            attributes["capacity"] = weight
        found.append(nx.minimum_cut(graph, *ends)[0])
    return found


def compare(report, table, title, theta, make_solver, by_networkx, few):
    """Time a batch of integers, and a few of its rows by NetworkX; return how many times faster a row of it is."""
    calls, rows_of = {"NetworkX": by_networkx}, {"NetworkX": few}
    for dtype in (np.float32, np.float64):
        for threads in (1, 2):
            rows, solver = theta.astype(dtype), make_solver(threads=threads)
            name = f"compiled, {rows.dtype}, {threads} thread{'s' * (threads > 1)}"
            calls[name], rows_of[name] = functools.partial(solver.solve, rows), BATCH
    np.testing.assert_array_equal((solver.solve(theta[:few]) * theta[:few]).sum(1), by_networkx())
    each = {name: seconds / rows_of[name] for name, seconds in fastest(calls, rounds=15).items()}
    report(f"{title}, batch {BATCH}".ljust(50) + "us per row".rjust(14) + "ratio".rjust(9))
    for name, seconds in each.items():
        report(f"{name:50s}{seconds * 1e6:14.2f}{each['NetworkX'] / seconds:9.0f}")
    table(title, networkx=each["NetworkX"], compiled=each["compiled, float32, 1 thread"])
    return min(each["NetworkX"] / each[f"compiled, {kind}, 1 thread"] for kind in ("float32", "float64"))


@pytest.mark.benchmark
@pytest.mark.parametrize("signs", ["positive", "mixed"])
@pytest.mark.parametrize(("nodes", "edges", "few"), [(20, 100, 30), (50, 400, 6)])
def test_a_batch_of_flows_is_20_times_faster_than_networkx(nodes, edges, few, signs, report, table):
    graph = make_network(nodes, edges)
    integers = np.random.default_rng(0).integers(
        2**17 if signs == "positive" else -(2**20), 2**20, (BATCH, edges)
    )
    data = [graph.edges[edge] for edge in graph.edges]
    by_networkx = functools.partial(flows_by_networkx, graph, data, integers[:few].tolist())
    title = f"min-cost flow, {nodes} nodes, {edges} arcs, {signs} costs"
    make_solver = functools.partial(MinCostFlow, graph)
    assert compare(report, table, title, integers.astype(float), make_solver, by_networkx, few) > 20


@pytest.mark.benchmark
@pytest.mark.parametrize(
    ("name", "graph", "ends"),
    [
        ("12x12 grid", nx.grid_2d_graph(12, 12), ((0, 0), (11, 11))),
        ("50 nodes, 300 edges", nx.gnm_random_graph(50, 300, seed=1), (0, 49)),
        ("50 nodes, 300 arcs", nx.gnm_random_graph(50, 300, seed=1, directed=True), (0, 49)),
    ],
    ids=["grid", "undirected", "directed"],
)
def test_a_batch_of_cuts_is_100_times_faster_than_networkx(name, graph, ends, report, table):
    theta = np.random.default_rng(0).integers(0, 2**20, (BATCH, graph.number_of_edges())).astype(float)
    data = [graph.edges[edge] for edge in graph.edges]
    by_networkx = functools.partial(cuts_by_networkx, graph, data, theta[:6].tolist(), ends)
    make_solver = functools.partial(MinimumCut, graph, source=ends[0], target=ends[1])
    assert compare(report, table, f"minimum cut, {name}", theta, make_solver, by_networkx, 6) > 100


@pytest.mark.benchmark
def test_a_batch_of_segmentations_is_50_times_faster_than_networkx(report, table):
    """A source and a target beside a grid, both joined to every pixel: the cut is a labelling of least energy."""
    graph = nx.grid_2d_graph(12, 12)
    pixels = list(graph)
    graph.add_edges_from((end, pixel) for end in "st" for pixel in pixels)
    theta = np.random.default_rng(0).integers(0, 2**20, (BATCH, graph.number_of_edges())).astype(float)
    data = [graph.edges[edge] for edge in graph.edges]
    by_networkx = functools.partial(cuts_by_networkx, graph, data, theta[:3].tolist(), "st")
    make_solver = functools.partial(MinimumCut, graph, source="s", target="t")
    assert compare(report, table, "minimum cut, 12x12 pixels", theta, make_solver, by_networkx, 3) > 50
