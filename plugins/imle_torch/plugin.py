"""What this plugin offers, described without importing torch."""

from __future__ import annotations

import functools

import imle_core as imle
from imle_torch import parameters

_spec = functools.partial(imle.SolverSpec, output="binary", batched=True, devices="any")


@imle.hookimpl
def imle_register_solvers() -> list[imle.SolverSpec]:
    """Return the solvers native to torch; all of them have exact inference."""
    return [
        _spec(
            name="one_of_n",
            factory="imle_torch._one_of_n:OneOfN",
            summary="The entry with the largest score.",
            parameters=parameters.SizeParameters,
            sense="max",
            references=("Gumbel (1954), Statistical theory of extreme values",),
            examples="imle_torch.examples:one_of_n",
        ),
        _spec(
            name="binary",
            factory="imle_torch._binary:Binary",
            summary="The entries with positive scores, each on its own.",
            parameters=parameters.SizeParameters,
            sense="max",
            references=("Wainwright and Jordan (2008), Graphical models, exponential families",),
            examples="imle_torch.examples:binary",
        ),
        _spec(
            name="k_subset",
            factory="imle_torch._k_subset:KSubset",
            summary="The k entries with the largest scores.",
            parameters=parameters.KSubsetParameters,
            sense="max",
            references=("Niepert, Minervini and Franceschi (2021), Implicit MLE, section 5.1",),
            examples="imle_torch.examples:k_subset",
        ),
        _spec(
            name="at_most_k",
            factory="imle_torch._at_most_k:AtMostK",
            summary="The at most k entries with the largest positive scores.",
            parameters=parameters.AtMostKParameters,
            sense="max",
            references=("Swersky et al. (2012), Cardinality restricted Boltzmann machines",),
            examples="imle_torch.examples:at_most_k",
        ),
        _spec(
            name="knapsack",
            factory="imle_torch._knapsack:Knapsack",
            summary="0/1 knapsack with integer weights, by dynamic programming over the capacity.",
            parameters=parameters.KnapsackParameters,
            sense="max",
            references=("Kellerer, Pferschy and Pisinger (2004), Knapsack problems, section 2.3",),
            examples="imle_torch.examples:knapsack",
        ),
        _spec(
            name="spanning_tree",
            factory="imle_torch._spanning_tree:SpanningTree",
            summary="Best spanning tree of an undirected graph, by Prim's algorithm.",
            parameters=parameters.SpanningTreeParameters,
            references=(
                "Prim (1957), Shortest connection networks and some generalizations",
                "Kirchhoff (1847), the matrix-tree theorem",
            ),
            examples="imle_torch.examples:spanning_tree",
        ),
        _spec(
            name="arborescence",
            factory="imle_torch._arborescence:Arborescence",
            summary="Best arborescence (directed spanning tree) of a directed graph, from a given or any root.",
            parameters=parameters.ArborescenceParameters,
            references=(
                "Edmonds (1967), Optimum branchings",
                "Tutte (1948), The dissection of equilateral triangles into equilateral triangles",
                "Koo et al. (2007), Structured prediction models via the matrix-tree theorem",
            ),
            examples="imle_torch.examples:arborescence",
        ),
        _spec(
            name="dag_path",
            factory="imle_torch._dag_path:DagPath",
            summary="Best path between two nodes of a directed acyclic graph, by edge scores of any sign.",
            parameters=parameters.DagPathParameters,
            references=("Mohri (2002), Semiring frameworks and algorithms for shortest-distance problems",),
            examples="imle_torch.examples:dag_path",
        ),
        _spec(
            name="chain",
            factory="imle_torch._chain:Chain",
            summary="Best sequence of states of a linear chain, by Viterbi's algorithm.",
            parameters=parameters.ChainParameters,
            references=(
                "Viterbi (1967), Error bounds for convolutional codes",
                "Lafferty, McCallum and Pereira (2001), Conditional random fields",
            ),
            examples="imle_torch.examples:chain",
        ),
        _spec(
            name="assignment",
            factory="imle_torch._assignment:Assignment",
            summary="Best assignment of n rows to n columns, by SciPy on the host.",
            parameters=parameters.AssignmentParameters,
            requires=("scipy>=1.14",),
            extra="scipy",
            batched=False,
            devices="host",
            references=(
                "Crouse (2016), On implementing 2D rectangular assignment algorithms",
                "Ryser (1963), Combinatorial mathematics",
            ),
            examples="imle_torch.examples:assignment",
        ),
        _spec(
            name="ranking",
            factory="imle_torch._ranking:Ranking",
            summary="The ranks of n entries, by sorting.",
            parameters=parameters.RankingParameters,
            output="integer",
            references=(
                "Hardy, Littlewood and Polya (1952), Inequalities, section 10.2",
                "Blondel et al. (2020), Fast differentiable sorting and ranking",
            ),
            examples="imle_torch.examples:ranking",
        ),
        _spec(
            name="enumerated",
            factory="imle_torch._enumerated:Enumerated",
            summary="The best of a list of vertices.",
            parameters=parameters.EnumeratedParameters,
            output="real",
            references=("Wainwright and Jordan (2008), Graphical models, exponential families, section 3.4",),
            examples="imle_torch.examples:enumerated",
        ),
    ]
