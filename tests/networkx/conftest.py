from __future__ import annotations

import networkx as nx
import pytest

CLASSES = [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]


def make_graph(rng):
    """A small graph of any class, with self-loops, isolated nodes, parallel edges, and names that do not sort."""
    n = int(rng.integers(1, 9))
    nodes = [("node", i) if i % 2 else f"n{i}" for i in range(n)]
    graph = CLASSES[rng.integers(4)]()
    graph.add_nodes_from(nodes[i] for i in rng.permutation(n))
    for _ in range(int(rng.integers(0, 3 * n))):
        u, v = rng.integers(n, size=2)
        graph.add_edge(nodes[u], nodes[v])
    return graph


def make_costs(rng, rows, entries):
    """Costs with many ties and zeros, or without ties."""
    kind = rng.integers(3)
    if kind == 0:
        return rng.uniform(0.0, 1.0, (rows, entries))
    if kind == 1:
        return rng.integers(0, 3, (rows, entries)).astype(float)
    return rng.integers(0, 2, (rows, entries)) * rng.uniform(0.1, 1.0, (rows, entries))


@pytest.fixture
def random_graph():
    return make_graph


@pytest.fixture
def random_costs():
    return make_costs


@pytest.fixture
def kings():
    """The Warcraft grid: 8 neighbours, costs on nodes."""
    return lambda n: nx.strong_product(nx.path_graph(n), nx.path_graph(n))
