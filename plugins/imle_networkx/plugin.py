"""What this plugin offers; imports neither NetworkX, numba nor NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from imle_core import SolverSpec, hookimpl, parameter

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import networkx


@dataclass(frozen=True, kw_only=True)
class ShortestPathParameters:
    """Parameters of ``networkx.shortest_path``."""

    graph: networkx.Graph = parameter(help="Any of NetworkX's four classes of graph.")
    source: Hashable | None = parameter(None, help="First node; None: in each row's instance.")
    target: Hashable | None = parameter(None, help="Last node; None: in each row's instance.")
    weight: Literal["edge", "node"] = parameter("edge", help="What carries a cost.")
    negative: Literal["error", "clip", "allow"] = parameter("error", help="What happens to negative costs.")
    method: Literal["auto", "compiled", "networkx"] = parameter(
        "auto", help="The implementation that solves."
    )
    shape: Sequence[int] | None = parameter(None, help="Shape of one row of costs; None: one axis.")
    threads: int | None = parameter(None, ge=1, help="Threads at most; None: the CPUs of this process.")


@hookimpl
def imle_register_solvers() -> list[SolverSpec]:
    """Return the descriptions of the graph solvers."""
    return [
        SolverSpec(
            name="shortest_path",
            factory="imle_networkx.shortest_path:ShortestPath",
            summary="Shortest path between two nodes of a graph, by edge or node costs.",
            parameters=ShortestPathParameters,
            requires=("networkx>=3.4", "numba>=0.61"),
            extra="networkx",
            sense="min",
            output="binary",
            batched=True,
            negative="error",
            releases_gil=True,
            references=(
                "Bellman (1958), On a routing problem",
                "Dijkstra (1959), A note on two problems in connexion with graphs",
                "Vlastelica et al. (2020), Differentiation of blackbox combinatorial solvers",
            ),
            examples="imle_networkx.examples:shortest_path",
        )
    ]
