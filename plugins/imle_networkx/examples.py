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
            instances=[
                {"graph": layers, "source": 0, "target": 5},
                {"graph": cyclic, "source": 0, "target": 4},
                {"graph": layers, "source": 1, "target": 4},
            ],
            label="graphs",
        ),
        Example(
            parameters={"graph": grid, "source": 0, "target": 8, "method": "networkx"},
            label="networkx",
            traits={"batched": False},
        ),
    ]


def dag_path() -> list[Example]:
    """Return acyclic graphs, both senses, theta on edges and nodes, and given and open ends."""
    layers = nx.DiGraph([(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (3, 5), (4, 5)])
    several = nx.MultiDiGraph([("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")])
    ends = {"graph": layers, "source": 0, "target": 5}
    return [
        Example(parameters=ends, label="longest"),
        Example(parameters={**ends, "sense": "min"}, label="shortest"),
        Example(parameters={**ends, "weight": "node"}, label="nodes"),
        Example(parameters={"graph": layers}, label="open"),
        Example(parameters={"graph": layers, "weight": "node", "sense": "min"}, label="nodes,open,shortest"),
        Example(parameters={"graph": layers, "target": 4}, instances=[{}, {"source": 1}], label="instances"),
        Example(instances=[layers, several], label="graphs"),
        Example(
            parameters={"graph": several, "source": "a", "method": "networkx"},
            label="networkx",
            traits={"batched": False},
        ),
    ]


def max_weight_independent_set() -> list[Example]:
    """Return graphs with loops and parallel edges, one without edges, and graphs that differ by row."""
    several = nx.MultiGraph(
        [("a", "b"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("d", "d"), ("d", "e")]
    )
    return [
        Example(parameters={"graph": nx.petersen_graph()}, label="petersen"),
        Example(parameters={"graph": nx.grid_2d_graph(3, 3), "shape": (3, 3)}, label="grid"),
        Example(parameters={"graph": several}, label="multigraph"),
        Example(parameters={"graph": nx.empty_graph(4)}, label="no edges"),
        Example(instances=[nx.cycle_graph(5), several, nx.star_graph(3)], label="graphs"),
        Example(
            parameters={"graph": nx.cycle_graph(7), "method": "networkx"},
            label="networkx",
            traits={"batched": False},
        ),
    ]


def max_weight_clique() -> list[Example]:
    """Return graphs with loops and parallel edges, one without edges, and graphs that differ by row."""
    several = nx.MultiGraph(
        [("a", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "d"), ("d", "e")]
    )
    return [
        Example(parameters={"graph": nx.complement(nx.cycle_graph(7))}, label="dense"),
        Example(parameters={"graph": nx.turan_graph(8, 4), "shape": (2, 4)}, label="parts"),
        Example(parameters={"graph": several}, label="multigraph"),
        Example(parameters={"graph": nx.empty_graph(4)}, label="no edges"),
        Example(instances=[nx.complete_graph(4), several, nx.path_graph(3)], label="graphs"),
        Example(
            parameters={"graph": nx.complement(nx.cycle_graph(6)), "method": "networkx"},
            label="networkx",
            traits={"batched": False},
        ),
    ]


def algorithm() -> list[Example]:
    """Return functions that minimise and maximise, over edges and nodes, and arguments that differ by row."""
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 3))
    path: dict[str, object] = {"function": "dijkstra_path", "returns": "path", "negative": "error"}
    ends = {"source": 0, "target": 8}
    tree = {"function": nx.maximum_spanning_tree, "returns": "graph", "sense": "max"}
    cover = {"function": "approximation.min_weighted_vertex_cover", "returns": "nodes", "entries": "node"}
    flow = nx.DiGraph()
    flow.add_edges_from([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("b", "c")], capacity=2)
    flow.add_node("a", demand=-3)
    flow.add_node("d", demand=3)
    return [
        Example(parameters={**path, "graph": grid, "arguments": ends}, label="path"),
        Example(
            parameters={**path, "graph": grid, "arguments": {"source": 0}},
            instances=[{"target": 8}, {"target": 4}, {"source": 2, "target": 3}],
            label="instances",
        ),
        Example(
            parameters=path,
            instances=[{"graph": grid, **ends}, {"graph": nx.path_graph(9), **ends}],
            label="graphs",
        ),
        Example(parameters={**tree, "graph": nx.complete_graph(5)}, label="tree"),
        Example(
            parameters={
                "graph": nx.complete_graph(6),
                "function": "max_weight_matching",
                "returns": "matching",
                "sense": "max",
            },
            label="matching",
        ),
        Example(parameters={**cover, "graph": nx.petersen_graph(), "negative": "clip"}, label="nodes"),
        Example(
            parameters={
                "graph": flow,
                "function": nx.min_cost_flow,
                "returns": "flow",
                "output": "integer",
                "negative": "error",
            },
            label="flow",
        ),
    ]


def steiner_tree() -> list[Example]:
    """Return both approximations, terminals and graphs that differ by row, and parallel edges."""
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 3))
    several = nx.MultiGraph(
        [("a", "b"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("d", "d"), ("e", "f")]
    )
    return [
        Example(parameters={"graph": grid, "terminals": (0, 2, 7)}, label="mehlhorn"),
        Example(parameters={"graph": grid, "terminals": (0, 2, 7), "approximation": "kou"}, label="kou"),
        Example(parameters={"graph": several, "terminals": ("a", "c")}, label="multigraph"),
        Example(
            parameters={"graph": grid},
            instances=[{"terminals": (0, 8)}, {"terminals": (1, 3, 5, 7)}, {"terminals": (4,)}],
            label="instances",
        ),
        Example(
            instances=[{"graph": grid, "terminals": (0, 8, 2)}, {"graph": several, "terminals": ("a", "c")}],
            label="graphs",
        ),
    ]


def travelling_salesman() -> list[Example]:
    """Return complete and other graphs, both directions, all nodes and some, closed walks and open ones."""
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 3))
    ring = nx.DiGraph([(0, 1), (1, 2), (2, 3), (3, 0), (1, 0), (3, 1)])
    return [
        Example(parameters={"graph": nx.complete_graph(5)}, label="complete"),
        Example(parameters={"graph": grid, "nodes": (0, 2, 7)}, label="some"),
        Example(parameters={"graph": grid, "cycle": False}, label="open"),
        Example(parameters={"graph": ring}, label="directed"),
        Example(
            parameters={"graph": nx.complete_graph(5), "approximation": "simulated_annealing_tsp"},
            label="annealing",
        ),
        Example(
            parameters={"graph": grid},
            instances=[{"nodes": (0, 8)}, {"nodes": (1, 3, 5, 7)}, {"nodes": (4,)}],
            label="instances",
        ),
        Example(instances=[grid, {"graph": ring, "nodes": (0, 2)}], label="graphs"),
    ]
