"""Every set with exact inference, small, its structures listed by definition: a new set is tested by being here."""

from itertools import combinations, permutations, product
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import torch

import imle_core as imle


class ExactSet(NamedTuple):
    """A solver by name and parameters, and all structures of its set, float64 of shape (K, *event)."""

    id: str
    name: str
    parameters: dict[str, Any]
    support: torch.Tensor

    @property
    def solver(self):
        return imle.solver(self.name, **self.parameters)

    @property
    def sign(self):
        return 1 if self.solver.sense == "max" else -1

    def theta(self, rows, scale=1.0, seed=0):
        generator = torch.Generator().manual_seed(seed)
        return scale * torch.randn(rows, *self.support.shape[1:], generator=generator, dtype=torch.float64)

    def scores(self, theta):
        """The score of each structure for each row, shape (N, K)."""
        return self.sign * theta.double().flatten(1) @ self.support.flatten(1).T


SETS: list[ExactSet] = []


def add(id, name, parameters, support):
    SETS.append(ExactSet(id, f"torch.{name}", parameters, torch.tensor(np.array(support, np.float64))))


def indicators(n, keep):
    return [z for z in product((0, 1), repeat=n) if keep(z)]


def edge_sets(edges, size, keep):
    """Indicators of the sets of `size` edges whose indices pass."""
    chosen = [c for c in combinations(range(len(edges)), size) if keep(c)]
    return [[float(i in c) for i in range(len(edges))] for c in chosen]


def spanning_trees(edges, nodes):
    def is_tree(chosen):
        graph = nx.MultiGraph()
        graph.add_nodes_from(range(nodes))
        graph.add_edges_from(edges[i] for i in chosen)
        return nx.is_tree(graph)

    return edge_sets(edges, nodes - 1, is_tree)


def arborescences(edges, nodes, root=None):
    def is_arborescence(chosen):
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(nodes))
        graph.add_edges_from(edges[i] for i in chosen)
        return nx.is_arborescence(graph) and (root is None or graph.in_degree(root) == 0)

    return edge_sets(edges, nodes - 1, is_arborescence)


def paths(edges, source, target):
    graph = nx.MultiDiGraph()
    graph.add_edges_from((u, v, i) for i, (u, v) in enumerate(edges))
    found = nx.all_simple_edge_paths(graph, source, target)
    used = [{key for _, _, key in path} for path in found]
    return [[float(i in keys) for i in range(len(edges))] for keys in used]


def sequences(steps, states):
    found = []
    for y in product(range(states), repeat=steps + 1):
        z = np.zeros((steps, states, states))
        for t in range(steps):
            z[t, y[t], y[t + 1]] = 1
        found.append(z)
    return found


K5 = list(combinations(range(5), 2))
D4 = list(permutations(range(4), 2))
KNOTTY = [
    (0, 1),
    (1, 0),
    (1, 2),
    (2, 2),
    (2, 3),
    (3, 0),
    (0, 2),
    (2, 0),
]  # parallel edges, both ways, and a loop
ONE_ROOT = [(2, 0), (2, 1), (0, 1), (1, 0), (1, 3), (0, 3), (4, 0), (2, 4)]
LAYERS = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (3, 5), (4, 5), (0, 5), (6, 5), (1, 6)]
TWINS = [(0, 1), (0, 1), (1, 2), (0, 2), (1, 2), (1, 2)]
VERTICES = [[0.5, -1.0, 2.0], [0.25, 3.0, -0.5], [0.0, 0.0, 0.0], [-2.0, 1.5, 1.0], [1.0, 1.0, 1.0]]

add("one_of_n", "one_of_n", {"n": 6}, np.eye(6))
add("binary", "binary", {"n": 5}, indicators(5, lambda z: True))
for k, n in [(2, 6), (4, 6), (5, 5)]:
    add(f"k_subset-{k}-{n}", "k_subset", {"k": k, "n": n}, indicators(n, lambda z, k=k: sum(z) == k))
for k, n in [(2, 6), (4, 5), (0, 3)]:
    add(f"at_most_k-{k}-{n}", "at_most_k", {"k": k, "n": n}, indicators(n, lambda z, k=k: sum(z) <= k))
for w, c in [([3, 4, 5, 9, 2], 9), ([0, 3, 20, 2, 0], 4), ([1, 2, 3], 100), ([7, 7, 7, 7], 14)]:
    fits = indicators(len(w), lambda z, w=w, c=c: np.dot(w, z) <= c)
    add(f"knapsack-{w}-{c}", "knapsack", {"weights": w, "capacity": c}, fits)
add("spanning_tree-K5", "spanning_tree", {"graph": K5}, spanning_trees(K5, 5))
add("spanning_tree-K5-min", "spanning_tree", {"graph": K5, "sense": "min"}, spanning_trees(K5, 5))
add("spanning_tree-knotty", "spanning_tree", {"graph": KNOTTY}, spanning_trees(KNOTTY, 4))
add("arborescence-D4", "arborescence", {"graph": D4, "root": 1}, arborescences(D4, 4, 1))
add("arborescence-D4-min", "arborescence", {"graph": D4, "sense": "min"}, arborescences(D4, 4))
add("arborescence-knotty", "arborescence", {"graph": KNOTTY}, arborescences(KNOTTY, 4))
add("arborescence-knotty-3", "arborescence", {"graph": KNOTTY, "root": 3}, arborescences(KNOTTY, 4, 3))
add("arborescence-one-root", "arborescence", {"graph": ONE_ROOT}, arborescences(ONE_ROOT, 5))
add("dag_path", "dag_path", {"graph": LAYERS, "source": 0, "target": 5}, paths(LAYERS, 0, 5))
add(
    "dag_path-min",
    "dag_path",
    {"graph": LAYERS, "source": 1, "target": 5, "sense": "min"},
    paths(LAYERS, 1, 5),
)
add("dag_path-parallel", "dag_path", {"graph": TWINS, "source": 0, "target": 2}, paths(TWINS, 0, 2))
add("chain", "chain", {"steps": 2, "states": 3}, sequences(2, 3))
add("chain-min", "chain", {"steps": 4, "states": 2, "sense": "min"}, sequences(4, 2))
for sense in ("max", "min"):
    matrices = [np.eye(4)[list(p)] for p in permutations(range(4))]
    add(f"assignment-{sense}", "assignment", {"n": 4, "sense": sense}, matrices)
    add(f"ranking-{sense}", "ranking", {"n": 4, "sense": sense}, list(permutations(range(1, 5))))
add("enumerated", "enumerated", {"vertices": VERTICES}, VERTICES)
add(
    "enumerated-min",
    "enumerated",
    {"vertices": [[[1, 0], [2, 1]], [[0, 3], [-1, 0]]], "sense": "min"},
    [[[1, 0], [2, 1]], [[0, 3], [-1, 0]]],
)
