"""Small instances of this plugin's solvers, to test them with."""

from __future__ import annotations

import networkx as nx

from imle_core.testing import Example


def shortest_path() -> list[Example]:
    """Return graphs of each class, with costs on edges and on nodes, all policies, and ends that differ by row."""
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 3))
    kings = nx.strong_product(nx.path_graph(3), nx.path_graph(3))
    layers = nx.DiGraph([(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (3, 5), (4, 5)])
    cyclic = nx.DiGraph([(0, 1), (1, 2), (2, 0), (2, 3), (1, 3), (3, 4), (4, 1)])
    ends = [{"source": 0, "target": 8}, {"source": 2, "target": 3}, {"source": 7, "target": 7}]
    diagonal = {"graph": kings, "source": (0, 0), "target": (2, 2), "weight": "node", "shape": (3, 3)}
    acyclic = {"graph": layers, "source": 0, "target": 5}
    return [
        Example(parameters={"graph": grid, "source": 0, "target": 8}, label="undirected"),
        Example(parameters=diagonal, label="nodes"),
        Example(parameters={**diagonal, "negative": "clip"}, label="nodes,clip"),
        Example(parameters=acyclic, label="directed"),
        Example(parameters={**acyclic, "negative": "allow"}, label="directed,allow"),
        Example(parameters={**acyclic, "negative": "allow", "weight": "node"}, label="directed,nodes,allow"),
        Example(
            parameters={"graph": cyclic, "source": 0, "target": 4, "negative": "allow"}, label="cyclic,allow"
        ),
        Example(parameters={"graph": grid}, instances=ends, label="instances"),
        Example(
            parameters={"graph": grid, "source": 0, "target": 8, "method": "networkx"},
            label="networkx",
            expected_failures={"check_batched": "the reference solves row by row"},
        ),
    ]
