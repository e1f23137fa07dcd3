"""What this plugin offers; imports neither NetworkX, numba nor NumPy."""

from __future__ import annotations

import functools

from imle_core import SolverSpec, hookimpl
from imle_networkx import parameters

_spec = functools.partial(
    SolverSpec,
    requires=("networkx>=3.4", "numba>=0.61"),
    extra="networkx",
    output="binary",
    batched=True,
    releases_gil=True,
)


@hookimpl
def imle_register_solvers() -> list[SolverSpec]:
    """Return the descriptions of the graph solvers."""
    return [
        _spec(
            name="shortest_path",
            factory="imle_networkx.shortest_path:ShortestPath",
            summary="Shortest path between two nodes of a graph, by edge or node costs.",
            parameters=parameters.ShortestPathParameters,
            sense="min",
            negative="error",
            references=(
                "Bellman (1958), On a routing problem",
                "Dijkstra (1959), A note on two problems in connexion with graphs",
                "Vlastelica et al. (2020), Differentiation of blackbox combinatorial solvers",
            ),
            examples="imle_networkx.examples:shortest_path",
        ),
        _spec(
            name="dag_path",
            factory="imle_networkx.dag_path:DagPath",
            summary="Longest or shortest path of a directed acyclic graph, with given or open ends.",
            parameters=parameters.DagPathParameters,
            references=("Mohri (2002), Semiring frameworks and algorithms for shortest-distance problems",),
            examples="imle_networkx.examples:dag_path",
        ),
        _spec(
            name="max_weight_independent_set",
            factory="imle_networkx.max_weight_independent_set:MaxWeightIndependentSet",
            summary="Nodes of greatest weight of which no two are adjacent, by exact search.",
            parameters=parameters.IndependentSetParameters,
            sense="max",
            references=(
                "Warren and Hicks (2006), Combinatorial branch-and-bound for maximum weight independent sets",
                "Frank (1975), Some polynomial algorithms for certain graphs and hypergraphs",
            ),
            examples="imle_networkx.examples:max_weight_independent_set",
        ),
        _spec(
            name="max_weight_clique",
            factory="imle_networkx.max_weight_clique:MaxWeightClique",
            summary="Nodes of greatest weight of which any two are adjacent, by exact search.",
            parameters=parameters.IndependentSetParameters,
            sense="max",
            references=(
                "Warren and Hicks (2006), Combinatorial branch-and-bound for maximum weight independent sets",
            ),
            examples="imle_networkx.examples:max_weight_clique",
        ),
        _spec(
            name="algorithm",
            factory="imle_networkx.algorithm:Algorithm",
            summary="Any function of NetworkX, or your own on a graph, that returns a path, nodes, edges, a tree, ...",
            parameters=parameters.AlgorithmParameters,
            batched=False,
            releases_gil=False,
            exact=False,  # as exact as the function
            examples="imle_networkx.examples:algorithm",
        ),
        _spec(
            name="steiner_tree",
            factory="imle_networkx.steiner_tree:SteinerTree",
            summary="Cheap tree that connects some nodes, by NetworkX's approximations.",
            parameters=parameters.SteinerTreeParameters,
            sense="min",
            negative="error",
            batched=False,
            releases_gil=False,
            exact=False,
            references=(
                "Mehlhorn (1988), A faster approximation algorithm for the Steiner problem in graphs",
                "Kou, Markowsky and Berman (1981), A fast algorithm for Steiner trees",
            ),
            examples="imle_networkx.examples:steiner_tree",
        ),
        _spec(
            name="travelling_salesman",
            factory="imle_networkx.travelling_salesman:TravellingSalesman",
            summary="Cheap closed walk through some nodes, by NetworkX's approximations.",
            parameters=parameters.TravellingSalesmanParameters,
            sense="min",
            output="integer",
            negative="error",
            batched=False,
            releases_gil=False,
            exact=False,
            references=(
                "Christofides (1976), Worst-case analysis of a new heuristic for the travelling salesman problem",
            ),
            examples="imle_networkx.examples:travelling_salesman",
        ),
    ]
