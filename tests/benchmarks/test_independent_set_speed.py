"""Independent sets and cliques: the compiled search against NetworkX's, within one run."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from imle_networkx.max_weight_clique import MaxWeightClique
from imle_networkx.max_weight_independent_set import MaxWeightIndependentSet
from timing import fastest

BATCH = 320

TASKS = {
    "independent set, 50 nodes, a fifth adjacent": (
        MaxWeightIndependentSet,
        nx.gnp_random_graph(50, 0.2, seed=0),
        (0.1, 1.0),
        50,
    ),
    "independent set, 8x8 grid": (
        MaxWeightIndependentSet,
        nx.convert_node_labels_to_integers(nx.grid_2d_graph(8, 8)),
        (-0.5, 1.0),
        500,
    ),
    "clique, 100 nodes, half adjacent": (
        MaxWeightClique,
        nx.gnp_random_graph(100, 0.5, seed=0),
        (0.1, 1.0),
        40,
    ),
}
"""Solver, graph, range of scores, and how many times faster it must be."""


@pytest.mark.benchmark
@pytest.mark.parametrize("task", TASKS)
def test_a_batch_of_sets_is_40_times_faster_than_networkx(task, table):
    kind, graph, scores, required = TASKS[task]
    theta = np.random.default_rng(0).uniform(*scores, (BATCH, len(graph)))
    fast = kind(graph, threads=1)
    cliques = graph.copy() if kind is MaxWeightClique else nx.complement(graph)
    data = [cliques.nodes[node] for node in fast.entries]
    few = theta[:4]
    states = np.zeros_like(few)

    def by_networkx():
        states[:] = 0
        for state, row in zip(states, few.tolist(), strict=True):
            for attributes, score in zip(data, row, strict=True):
                attributes["weight"] = int(score * 2**50)  # it takes no floats
            state[nx.max_weight_clique(cliques)[0]] = 1

    times = fastest({"NetworkX": by_networkx, "compiled": lambda: fast.solve(theta)}, rounds=5)
    np.testing.assert_allclose((states * few).sum(1), (fast.solve(few) * few).sum(1), rtol=1e-12)
    assert table(task, networkx=times["NetworkX"] / len(few), compiled=times["compiled"] / BATCH) > required
