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
            instances=[{"graph": grid, **ends}, {"graph": nx.circulant_graph(9, [1, 3]), **ends}],
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
                "graph": nx.turan_graph(7, 3),
                "function": "max_weight_clique",
                "returns": ("nodes", None),
                "entries": "node",
                "sense": "max",
            },
            label="tuple",
        ),
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


def min_cost_flow() -> list[Example]:
    """Return networks with and without capacities and cycles, loops, parallel edges, and demands that differ by row."""
    grid = nx.DiGraph()
    grid.add_nodes_from([(0, {"demand": -3}), (1, {"demand": 1}), (4, {"demand": 2})])
    limits = [(0, 1, 2), (0, 2, 3), (1, 3, 2), (2, 1, 1), (2, 3, 2), (3, 4, 3), (2, 4, 1)]
    grid.add_weighted_edges_from(limits, "capacity")
    free = nx.DiGraph([("a", "b"), ("a", "c"), ("b", "c"), ("b", "d"), ("c", "d")])
    nx.set_node_attributes(free, {"a": -2, "d": 2}, "demand")
    cyclic = nx.DiGraph([(0, 1), (0, 2), (1, 2), (2, 0), (2, 3), (3, 1)])
    several = nx.MultiDiGraph()
    several.add_nodes_from([("a", {"need": -2}), ("b", {"need": 2}), ("alone", {"need": 0})])
    edges = [("a", "b", 1), ("a", "b", 2), ("b", "a", 1), ("b", "b", 1), ("a", "a", 0)]
    several.add_weighted_edges_from(edges, "limit")
    trips = [{"demand": ((0, -1), (3, 1))}, {"demand": ((1, -2), (0, 1), (3, 1))}, {"demand": ((2, 0),)}]
    roads = tuple(((tail, head), 1) for tail, head in cyclic.edges)
    return [
        Example(parameters={"graph": grid}, label="capacities"),
        Example(parameters={"graph": free}, label="unlimited"),
        Example(
            parameters={"graph": several, "demand": "need", "capacity": "limit"}, label="multigraph,loops"
        ),
        Example(parameters={"graph": cyclic}, instances=trips, label="cyclic,instances"),
        Example(parameters={"graph": cyclic, "negative": "clip"}, instances=trips, label="cyclic,clip"),
        Example(
            parameters={"graph": cyclic},
            instances=[{"demand": ((0, -1), (3, 1)), "capacity": roads}, {"demand": (), "capacity": roads}],
            label="cyclic,limits",
        ),
        Example(instances=[grid, free], label="graphs"),
        Example(
            parameters={"graph": grid, "method": "networkx"}, label="networkx", traits={"batched": False}
        ),
    ]


def minimum_cut() -> list[Example]:
    """Return graphs of each class, with loops, parts that cannot be reached, and ends and graphs that differ by row."""
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 3))
    layers = nx.DiGraph([(0, 1), (0, 2), (1, 2), (2, 1), (1, 3), (2, 3), (3, 0), (2, 4), (4, 3), (4, 4)])
    several = nx.MultiGraph([("a", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "c"), ("d", "e")])
    arcs = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "a"), ("b", "c"), ("a", "c"), ("d", "c")])
    ends = [{"source": 0, "target": 8}, {"source": 4, "target": 3}, {"source": 8, "target": 0}]
    return [
        Example(parameters={"graph": layers, "source": 0, "target": 3}, label="directed"),
        Example(parameters={"graph": layers, "source": 0, "target": 3, "negative": "clip"}, label="clip"),
        Example(parameters={"graph": several, "source": "a", "target": "c"}, label="multigraph"),
        Example(parameters={"graph": arcs, "source": "a", "target": "c"}, label="directed,multigraph"),
        Example(parameters={"graph": several, "source": "a", "target": "d"}, label="apart"),
        Example(parameters={"graph": grid}, instances=ends, label="instances"),
        Example(
            instances=[
                {"graph": layers, "source": 0, "target": 3},
                {"graph": several, "source": "b", "target": "c"},
            ],
            label="graphs",
        ),
        Example(
            parameters={"graph": layers, "source": 0, "target": 3, "method": "networkx"},
            label="networkx",
            traits={"batched": False},
        ),
    ]


def spanning_tree() -> list[Example]:
    """Return graphs and multigraphs, dense and sparse, with loops, of several components, or differing by row."""
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 3))
    several = nx.MultiGraph([("a", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "c"), ("d", "c")])
    parts = nx.Graph([(0, 1), (1, 2), (2, 0), (3, 4), (4, 4)])
    return [
        Example(parameters={"graph": nx.complete_graph(6)}, label="dense"),
        Example(parameters={"graph": grid}, label="sparse"),
        Example(parameters={"graph": several}, label="multigraph,loops"),
        Example(parameters={"graph": parts, "forest": True}, label="forest"),
        Example(instances=[several, grid, nx.complete_graph(4)], label="graphs"),
        Example(
            parameters={"graph": several, "method": "networkx"}, label="networkx", traits={"batched": False}
        ),
    ]


def spanning_arborescence() -> list[Example]:
    """Return graphs and multigraphs with loops, of both senses, with roots that are free, given, or differ by row."""
    layers = nx.DiGraph([(0, 1), (0, 2), (1, 2), (2, 1), (1, 3), (2, 3), (3, 2), (4, 3), (3, 4), (4, 4)])
    several = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "a"), ("b", "c"), ("c", "a"), ("c", "c")])
    complete = nx.complete_graph(5, nx.DiGraph)
    ring = nx.cycle_graph(70, nx.DiGraph)
    return [
        Example(parameters={"graph": complete}, label="free"),
        Example(parameters={"graph": complete, "root": 2}, label="root"),
        Example(parameters={"graph": complete, "sense": "max"}, label="max"),
        Example(parameters={"graph": layers}, label="one root"),
        Example(parameters={"graph": several}, label="multigraph,loops"),
        Example(parameters={"graph": ring}, label="sparse"),
        Example(
            parameters={"graph": several}, instances=[{"root": "c"}, {}, {"root": "a"}], label="instances"
        ),
        Example(instances=[{"graph": several, "root": "b"}, layers, {"graph": complete}], label="graphs"),
        Example(
            parameters={"graph": several, "method": "networkx"}, label="networkx", traits={"batched": False}
        ),
    ]


def assignment() -> list[Example]:
    """Return matrices of each shape, a sparse graph, one with parallel edges, and graphs that differ by row."""
    sparse = nx.Graph([("a", 1), ("a", 2), ("b", 2), ("b", 3), ("c", 3), ("c", 1), ("c", 4)])
    several = nx.MultiGraph([("a", 1), ("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 2)])
    return [
        Example(parameters={"shape": (3, 3)}, label="square"),
        Example(parameters={"shape": (2, 4), "sense": "max"}, label="wide,max"),
        Example(parameters={"shape": (4, 2), "partial": True}, label="tall,partial"),
        Example(parameters={"graph": sparse}, label="sparse"),
        Example(parameters={"graph": sparse, "partial": True, "sense": "max"}, label="sparse,partial,max"),
        Example(parameters={"graph": several, "top": [1, 2]}, label="multigraph"),
        Example(instances=[sparse, several, nx.complete_bipartite_graph(3, 2)], label="graphs"),
        Example(
            parameters={"shape": (3, 2), "method": "networkx"},
            label="networkx",
            traits={"batched": False},
        ),
    ]


def bipartite_matching() -> list[Example]:
    """Return graphs in one and several parts, each cardinality and sense, and graphs that differ by row."""
    hook = nx.Graph([("a", 1), ("a", 2), ("a", 3), ("b", 3), ("c", 3), ("d", 4), ("d", 5)])
    ladder = nx.ladder_graph(4)
    several = nx.MultiGraph([("a", 1), ("a", 1), ("a", 2), ("b", 2), ("b", 2)])
    return [
        Example(parameters={"graph": hook}, label="any"),
        Example(parameters={"graph": hook, "cardinality": "maximum"}, label="maximum"),
        Example(parameters={"graph": ladder, "cardinality": "perfect"}, label="perfect"),
        Example(parameters={"graph": hook, "cardinality": "maximum", "sense": "min"}, label="maximum,min"),
        Example(parameters={"graph": ladder, "sense": "min"}, label="any,min"),
        Example(parameters={"graph": several}, label="multigraph"),
        Example(parameters={"cardinality": "maximum"}, instances=[hook, ladder, several], label="graphs"),
        Example(
            parameters={"graph": nx.cycle_graph(6), "method": "networkx"},
            label="networkx",
            traits={"batched": False},
        ),
    ]


def max_weight_matching() -> list[Example]:
    """Return graphs with odd cycles, loops and parallel edges, each cardinality, and graphs that differ by row."""
    flower = nx.Graph([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 6), (6, 4)])
    several = nx.MultiGraph([("a", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "c"), ("c", "d")])
    complete = nx.complete_graph(5)
    return [
        Example(parameters={"graph": flower}, label="any"),
        Example(parameters={"graph": flower, "cardinality": "maximum"}, label="maximum"),
        Example(parameters={"graph": nx.circular_ladder_graph(3), "cardinality": "perfect"}, label="perfect"),
        Example(parameters={"graph": several}, label="multigraph"),
        Example(parameters={"cardinality": "maximum"}, instances=[complete, flower, several], label="graphs"),
        Example(
            parameters={"graph": complete, "method": "networkx"},
            label="networkx",
            traits={"batched": False},
        ),
    ]
