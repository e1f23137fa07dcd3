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
    ]
