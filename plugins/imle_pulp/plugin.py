"""What this plugin offers; imports neither PuLP nor NumPy."""

from __future__ import annotations

import functools

from imle_core import SolverSpec, hookimpl
from imle_pulp import parameters

_spec = functools.partial(
    SolverSpec,
    requires=("pulp>=3.3", "highspy>=1.12,<1.13", "scipy>=1.14", "numba>=0.61"),
    extra="pulp",
    releases_gil=True,
)


@hookimpl
def imle_register_solvers() -> list[SolverSpec]:
    """Return the descriptions of the solvers."""
    return [
        _spec(
            name="ilp",
            factory="imle_pulp.ilp:ILP",
            summary="Any integer linear programme of PuLP, or of an MPS file; theta: costs of its variables.",
            output=None,
            parameters=parameters.ILPParameters,
            time_limit=True,
            references=(
                "Land and Doig (1960), An automatic method of solving discrete programming problems",
                "Mulamba et al. (2021), Contrastive losses and solution caching for predict-and-optimize",
            ),
            examples="imle_pulp.examples:ilp",
        ),
        _spec(
            name="lp",
            factory="imle_pulp.lp:LP",
            summary="Any linear programme of PuLP, or of an MPS file, solved at a vertex.",
            parameters=parameters.LPParameters,
            references=(
                "Dantzig (1951), Maximization of a linear function of variables subject to linear inequalities",
            ),
            examples="imle_pulp.examples:lp",
        ),
        _spec(
            name="knapsack",
            factory="imle_pulp.knapsack:knapsack",
            summary="Knapsack with several capacities, and one, several or any number of copies of each item.",
            parameters=parameters.KnapsackParameters,
            sense="max",
            output=None,
            time_limit=True,
            references=("Kellerer, Pferschy and Pisinger (2004), Knapsack problems",),
            examples="imle_pulp.examples:knapsack",
        ),
        _spec(
            name="set_cover",
            factory="imle_pulp.set_cover:set_cover",
            summary="Sets of least cost that cover or partition elements, or of greatest value that pack them.",
            parameters=parameters.SetCoverParameters,
            output="binary",
            time_limit=True,
            references=(
                "Karp (1972), Reducibility among combinatorial problems",
                "Balas and Padberg (1976), Set partitioning: a survey",
            ),
            examples="imle_pulp.examples:set_cover",
        ),
        _spec(
            name="scheduling",
            factory="imle_pulp.scheduling:scheduling",
            summary="Tasks on machines at the least cost of energy; theta: its price in each slot of the day.",
            parameters=parameters.SchedulingParameters,
            sense="min",
            time_limit=True,
            references=("Simonis et al. (2014), Energy-cost aware scheduling (CSPLib, problem 59)",),
            examples="imle_pulp.examples:scheduling",
        ),
    ]
