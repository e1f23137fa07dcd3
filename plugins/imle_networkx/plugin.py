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

_SPANNING_TREES = (
    "Boruvka (1926), O jistem problemu minimalnim",
    "Kruskal (1956), On the shortest spanning subtree of a graph and the traveling salesman problem",
    "Prim (1957), Shortest connection networks and some generalizations",
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
            name="minimum_spanning_tree",
            factory="imle_networkx.spanning_tree:MinimumSpanningTree",
            summary="Spanning tree of least cost, or a forest, of an undirected graph.",
            parameters=parameters.SpanningTreeParameters,
            sense="min",
            references=_SPANNING_TREES,
            examples="imle_networkx.examples:spanning_tree",
        ),
        _spec(
            name="maximum_spanning_tree",
            factory="imle_networkx.spanning_tree:MaximumSpanningTree",
            summary="Spanning tree of greatest score, or a forest, of an undirected graph.",
            parameters=parameters.SpanningTreeParameters,
            sense="max",
            references=_SPANNING_TREES,
            examples="imle_networkx.examples:spanning_tree",
        ),
        _spec(
            name="spanning_arborescence",
            factory="imle_networkx.spanning_arborescence:SpanningArborescence",
            summary="Best spanning arborescence of a directed graph, with a given or a free root.",
            parameters=parameters.SpanningArborescenceParameters,
            references=(
                "Chu and Liu (1965), On the shortest arborescence of a directed graph",
                "Edmonds (1967), Optimum branchings",
                "Tarjan (1977), Finding optimum branchings",
            ),
            examples="imle_networkx.examples:spanning_arborescence",
        ),
        _spec(
            name="assignment",
            factory="imle_networkx.assignment:Assignment",
            summary="Pairs of least cost for every member of the smaller side, of a matrix or a bipartite graph.",
            parameters=parameters.AssignmentParameters,
            references=(
                "Kuhn (1955), The Hungarian method for the assignment problem",
                "Jonker and Volgenant (1987), A shortest augmenting path algorithm for linear assignment problems",
            ),
            examples="imle_networkx.examples:assignment",
        ),
        _spec(
            name="bipartite_matching",
            factory="imle_networkx.bipartite_matching:BipartiteMatching",
            summary="Matching of greatest or least weight of a bipartite graph; any, maximum or perfect.",
            parameters=parameters.BipartiteMatchingParameters,
            references=(
                "Kuhn (1955), The Hungarian method for the assignment problem",
                "Dulmage and Mendelsohn (1958), Coverings of bipartite graphs",
            ),
            examples="imle_networkx.examples:bipartite_matching",
        ),
        _spec(
            name="max_weight_matching",
            factory="imle_networkx.max_weight_matching:MaxWeightMatching",
            summary="Matching of greatest weight of any graph; any, maximum or perfect.",
            parameters=parameters.MaxWeightMatchingParameters,
            sense="max",
            references=(
                "Edmonds (1965), Maximum matching and a polyhedron with 0,1-vertices",
                "Galil (1986), Efficient algorithms for finding maximum matching in graphs",
            ),
            examples="imle_networkx.examples:max_weight_matching",
        ),
        _spec(
            name="min_cost_flow",
            factory="imle_networkx.min_cost_flow:MinCostFlow",
            summary="Integer flow of least cost that meets the demands of all nodes within capacities.",
            parameters=parameters.MinCostFlowParameters,
            sense="min",
            output="integer",
            references=(
                "Cunningham (1976), A network simplex method",
                "Kiraly and Kovacs (2012), Efficient implementations of minimum-cost flow algorithms",
            ),
            examples="imle_networkx.examples:min_cost_flow",
        ),
        _spec(
            name="minimum_cut",
            factory="imle_networkx.minimum_cut:MinimumCut",
            summary="Edges of least weight whose removal leaves no way from a source to a target.",
            parameters=parameters.MinimumCutParameters,
            sense="min",
            negative="error",
            references=(
                "Ford and Fulkerson (1956), Maximal flow through a network",
                "Dinic (1970), Algorithm for solution of a problem of maximum flow in networks with power estimation",
            ),
            examples="imle_networkx.examples:minimum_cut",
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
    ]
