"""Small graphs to match nodes of, and what must come out, found without the solvers."""

import networkx as nx
import numpy as np

from imle_core.errors import SolverParameterError


def names(count):
    """Return names of nodes that cannot be sorted."""
    return [("node", i) if i % 2 else f"n{i}" for i in range(count)]


def make_graph(rng, most=9):
    """Return an undirected graph or multigraph with loops, isolated nodes and parallel edges."""
    nodes = names(int(rng.integers(1, most + 1)))
    graph = (nx.Graph, nx.MultiGraph)[rng.integers(2)]()
    graph.add_nodes_from(nodes[i] for i in rng.permutation(len(nodes)))
    for _ in range(int(rng.integers(0, 3 * len(nodes)))):
        u, v = rng.integers(len(nodes), size=2)
        graph.add_edge(nodes[u], nodes[v])
    return graph


def make_bipartite(rng, most=6):
    """Return a bipartite graph or multigraph with isolated nodes and parallel edges, and the nodes of its top side."""
    tops, bottoms = rng.integers(1, most + 1, size=2).tolist()
    nodes = names(tops + bottoms)
    nodes = [nodes[i] for i in rng.permutation(len(nodes))]
    top, bottom = nodes[:tops], nodes[tops:]
    graph = (nx.Graph, nx.MultiGraph)[rng.integers(2)]()
    graph.add_nodes_from(nodes[i] for i in rng.permutation(len(nodes)))
    for _ in range(int(rng.integers(0, 1 + round(1.5 * tops * bottoms)))):
        edge = [top[rng.integers(tops)], bottom[rng.integers(bottoms)]]
        graph.add_edge(*(edge if rng.random() < 0.5 else edge[::-1]))
    return graph, top


def make_theta(rng, shape):
    """Return numbers of both signs with many ties, with near ones, or with none; of very different magnitudes."""
    kind = rng.integers(6)
    if kind == 0:
        return rng.integers(-2, 4, shape).astype(float)
    if kind == 1:
        return rng.integers(0, 2, shape).astype(float)
    if kind == 2:
        return rng.choice([0.0, 0.1, 0.2, 0.1 + 0.2, 0.3, -0.1], shape)
    if kind == 3:
        return rng.standard_normal(shape) * 10.0 ** rng.integers(-8, 9, shape)
    if kind == 4:
        return rng.uniform(0.1, 1.0, shape)
    return rng.standard_normal(shape)


def forbid(rng, costs):
    """Return costs one or several of which are so large, in each row, that they forbid an entry."""
    costs = costs.copy()
    for row in costs.reshape(len(costs), -1):
        some = rng.choice(len(row), min(len(row), int(rng.integers(1, 7))), replace=False)
        row[some] = rng.choice([1e9, 1e12, 1e17, 1e30], len(some))
    return costs


def all_matchings(edges):
    """Return every set of edges of which no two share a node, as lists of their places."""
    found = [([], frozenset())]
    for place, (u, v, *_) in enumerate(edges):
        if u != v:
            found += [([*chosen, place], used | {u, v}) for chosen, used in found if not used & {u, v}]
    return [chosen for chosen, _ in found]


def states_of(edges, size=None):
    """Return the states of all matchings, those of so many edges, shape ``(K, edges)``."""
    chosen = [each for each in all_matchings(edges) if size is None or len(each) == size]
    states = np.zeros((len(chosen), len(edges)))
    for state, places in zip(states, chosen, strict=True):
        state[places] = 1
    return states


def value(z, theta):
    """Return the objective of each row, and what rounding may change of it."""
    z, theta = z.reshape(len(z), -1), theta.reshape(len(theta), -1).astype(float)
    return (z * theta).sum(1), 1e-12 * np.abs(theta).max(1, initial=0)


def assert_as_good(z, other, theta):
    """Fail unless the states of two methods have the same objective to rounding."""
    (one, rounding), (two, _) = value(z, theta), value(other, theta)
    assert (np.abs(one - two) <= 1e-9 * np.abs(two) + rounding).all(), (one - two, theta)


def rows_alone(solver, theta):
    """Return the states of rows that are solved one by one."""
    return np.concatenate([solver.solve(row[None]) for row in theta]) if len(theta) else solver.solve(theta)


def both(make):
    """Return the solvers that a function of the method makes, compiled and of NetworkX; None where both refuse.

    Fails if only one of them does.
    """
    solvers, refused = [], []
    for method in ("compiled", "networkx"):
        try:
            solvers.append(make(method))
        except SolverParameterError as error:
            refused.append(str(error))
    assert not (solvers and refused), refused
    return solvers or None
