"""What this plugin offers; imports neither OR-Tools nor NumPy."""

from __future__ import annotations

import functools

from imle_core import SolverSpec, hookimpl
from imle_ortools import parameters

_sat = functools.partial(
    SolverSpec,
    requires=("ortools>=9.15",),
    extra="ortools",
    output="integer",
    releases_gil=True,
    time_limit=True,
    conflicts=("highspy>=1.15",),
)

_graph = functools.partial(
    SolverSpec,
    requires=("ortools>=9.15", "numba>=0.61"),
    extra="ortools",
    conflicts=("highspy>=1.15",),
)


@hookimpl
def imle_register_solvers() -> list[SolverSpec]:
    """Return the descriptions of the solvers."""
    return [
        _sat(
            name="cp_sat",
            factory="imle_ortools.cp_sat:CpSat",
            output=None,
            summary="Any model of CP-SAT, in which theta are the costs of some variables.",
            parameters=parameters.CpSatParameters,
            references=("Perron and Furnon (2025), OR-Tools", "Stuckey (2010), Lazy clause generation"),
            examples="imle_ortools.examples.cp_sat:cp_sat",
        ),
        _sat(
            name="job_shop",
            factory="imle_ortools.job_shop:JobShop",
            summary="Cheapest schedule of jobs on machines, by prices of completion times, makespan, machines or load.",
            parameters=parameters.JobShopParameters,
            sense="min",
            negative="error",
            references=("Simonis et al. (2014), CSPLib problem 059: Energy-cost aware scheduling",),
            examples="imle_ortools.examples.job_shop:job_shop",
        ),
        SolverSpec(
            name="math_opt",
            factory="imle_ortools.math_opt:MathOpt",
            output=None,
            summary="Any linear or integer programme of MathOpt, in which theta are the costs of some variables.",
            parameters=parameters.MathOptParameters,
            requires=("ortools>=9.15",),
            extra="ortools",
            releases_gil=True,
            time_limit=True,
            conflicts=("highspy>=1.13",),
            references=("Perron and Furnon (2025), OR-Tools",),
            examples="imle_ortools.examples.math_opt:math_opt",
        ),
        SolverSpec(
            name="tsp",
            factory="imle_ortools.tsp:TSP",
            summary="Tour of least cost through all nodes; exact up to 13 nodes or by request, good beyond.",
            parameters=parameters.TSPParameters,
            requires=("ortools>=9.15", "numba>=0.61"),
            extra="ortools",
            sense="min",
            output="binary",
            batched=True,
            exact=False,
            releases_gil=True,
            time_limit=True,
            conflicts=("highspy>=1.15",),
            references=(
                "Held and Karp (1962), A dynamic programming approach to sequencing problems",
                "Bentley (1992), Fast algorithms for geometric traveling salesman problems",
                "Lourenco, Martin and Stutzle (2003), Iterated local search",
            ),
            examples="imle_ortools.examples.tsp:tsp",
        ),
        SolverSpec(
            name="vrp",
            factory="imle_ortools.vrp:VehicleRouting",
            summary="Routes of least cost by which vehicles visit all customers; exact for few, good for many.",
            parameters=parameters.VRPParameters,
            requires=("ortools>=9.15", "numba>=0.61"),
            extra="ortools",
            sense="min",
            output="binary",
            batched=True,
            exact=False,
            releases_gil=True,
            time_limit=True,
            conflicts=("highspy>=1.15",),
            references=(
                "Dantzig and Ramser (1959), The truck dispatching problem",
                "Held and Karp (1962), A dynamic programming approach to sequencing problems",
                "Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle routing problems",
            ),
            examples="imle_ortools.examples.vrp:vrp",
        ),
        _graph(
            name="linear_assignment",
            factory="imle_ortools.linear_assignment:LinearAssignment",
            summary="Pairs of least cost for every member of the smaller side of a matrix.",
            parameters=parameters.LinearAssignmentParameters,
            output="binary",
            references=(
                "Goldberg and Kennedy (1995), An efficient cost scaling algorithm for the assignment problem",
            ),
            examples="imle_ortools.examples.graph:linear_assignment",
        ),
        _graph(
            name="min_cost_flow",
            factory="imle_ortools.min_cost_flow:MinCostFlow",
            summary="Integer flow of least cost that ships all supplies, or as much as can be, within capacities.",
            parameters=parameters.MinCostFlowParameters,
            sense="min",
            output="integer",
            references=(
                "Goldberg (1997), An efficient implementation of a scaling minimum-cost flow algorithm",
                "Ford and Fulkerson (1962), Flows in networks",
            ),
            examples="imle_ortools.examples.graph:min_cost_flow",
        ),
        _graph(
            name="max_flow",
            factory="imle_ortools.max_flow:MaxFlow",
            summary="Least cut, the bottleneck of the largest flow, for capacities theta; its weight is the volume.",
            parameters=parameters.MaxFlowParameters,
            sense="min",
            output="binary",
            negative="error",
            references=(
                "Ford and Fulkerson (1956), Maximal flow through a network",
                "Goldberg and Tarjan (1988), A new approach to the maximum-flow problem",
            ),
            examples="imle_ortools.examples.graph:max_flow",
        ),
        _graph(
            name="knapsack",
            factory="imle_ortools.knapsack:Knapsack",
            summary="Items of greatest value that fit into capacities of one dimension or several.",
            parameters=parameters.KnapsackParameters,
            sense="max",
            output="binary",
            time_limit=True,
            references=(
                "Martello and Toth (1990), Knapsack problems: algorithms and computer implementations",
                "Kellerer, Pferschy and Pisinger (2004), Knapsack problems",
            ),
            examples="imle_ortools.examples.knapsack:knapsack",
        ),
    ]
