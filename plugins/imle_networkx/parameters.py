"""The parameters of each solver; imports neither NetworkX, numba nor NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from imle_core import parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    import networkx


@dataclass(frozen=True, kw_only=True)
class GraphParameters:
    """What every solver on graphs takes."""

    graph: networkx.Graph | None = parameter(
        None, help="A graph of NetworkX, read once; None: each row's instance brings one."
    )
    method: Literal["auto", "compiled", "networkx"] = parameter(
        "auto", help="The implementation that solves; explain() says which and why."
    )
    threads: int | None = parameter(None, ge=1, help="Threads at most; None: the CPUs of this process.")
    backend: str | None = parameter(None, help="Backend of NetworkX's dispatch, with method='networkx'.")


@dataclass(frozen=True, kw_only=True)
class PathParameters(GraphParameters):
    """What solvers on paths take."""

    source: Hashable | None = parameter(None, help="First node; None: in each row's instance.")
    target: Hashable | None = parameter(None, help="Last node; None: in each row's instance.")
    weight: Literal["edge", "node"] = parameter("edge", help="What carries theta.")
    shape: Sequence[int] | None = parameter(None, help="Shape of one row of theta; None: one axis.")


@dataclass(frozen=True, kw_only=True)
class ShortestPathParameters(PathParameters):
    """Parameters of ``networkx.shortest_path``."""

    negative: Literal["error", "clip", "allow"] = parameter("error", help="What happens to negative costs.")


@dataclass(frozen=True, kw_only=True)
class DagPathParameters(PathParameters):
    """Parameters of ``networkx.dag_path``."""

    source: Hashable | None = parameter(None, help="First node; None: any, unless the instance gives one.")
    target: Hashable | None = parameter(None, help="Last node; None: any, unless the instance gives one.")
    sense: Literal["max", "min"] = parameter("max", help="'max': the longest path; 'min': the shortest.")


@dataclass(frozen=True, kw_only=True)
class SpanningTreeParameters(GraphParameters):
    """Parameters of ``networkx.minimum_spanning_tree`` and ``networkx.maximum_spanning_tree``."""

    forest: bool = parameter(False, help="Whether to span each component of a graph that is not connected.")


@dataclass(frozen=True, kw_only=True)
class SpanningArborescenceParameters(GraphParameters):
    """Parameters of ``networkx.spanning_arborescence``."""

    root: Hashable | None = parameter(None, help="Its root; None: the best, unless the instance gives one.")
    sense: Literal["min", "max"] = parameter("min", help="'min': theta are costs; 'max': they are scores.")


@dataclass(frozen=True, kw_only=True)
class IndependentSetParameters(GraphParameters):
    """Parameters of ``networkx.max_weight_independent_set`` and ``networkx.max_weight_clique``."""

    max_steps: int = parameter(
        1_000_000, ge=1, help="Branches of the search at most for a row, then an error."
    )
    shape: Sequence[int] | None = parameter(None, help="Shape of one row of theta; None: one axis.")


@dataclass(frozen=True, kw_only=True)
class FunctionParameters:
    """What solvers take that hand each row to a function."""

    graph: networkx.Graph | None = parameter(
        None, help="A graph of NetworkX, read once; None: each row's instance brings one."
    )
    backend: str | None = parameter(
        None, help="Backend of NetworkX's dispatch; None: networkx.config decides."
    )
    shape: Sequence[int] | None = parameter(None, help="Shape of one row of theta; None: one axis.")


@dataclass(frozen=True, kw_only=True)
class AlgorithmParameters(FunctionParameters):
    """Parameters of ``networkx.algorithm``."""

    function: Callable[..., Any] | str = parameter(
        help="A function on a graph, or the name of one of NetworkX's, such as 'approximation.steiner_tree'."
    )
    returns: (
        Literal["path", "cycle", "nodes", "edges", "graph", "matching", "flow"] | tuple[str | None, ...]
    ) = parameter(help="What it returns; of a tuple, with None for the rest of it.")
    sense: Literal["min", "max"] = parameter("min", help="'min': theta are costs; 'max': they are scores.")
    weight: str = parameter("weight", help="The attribute that theta stands for.")
    entries: Literal["edge", "node"] = parameter("edge", help="What carries theta.")
    arguments: Mapping[str, Any] | None = parameter(None, help="Other arguments of the function, by name.")
    integers: bool | None = parameter(
        None, help="Whether it is given integers; None: if it is known to need them."
    )
    output: Literal["binary", "integer"] = parameter(
        "binary", help="'integer': entries may be used repeatedly."
    )
    negative: Literal["error", "clip", "allow"] = parameter("allow", help="What happens to negative theta.")
    scale_invariant: bool = parameter(True, help="Whether a positive factor of theta changes nothing.")


@dataclass(frozen=True, kw_only=True)
class SteinerTreeParameters(FunctionParameters):
    """Parameters of ``networkx.steiner_tree``."""

    terminals: Iterable[Any] | None = parameter(None, help="Nodes to connect; None: in each row's instance.")
    approximation: Literal["mehlhorn", "kou"] = parameter("mehlhorn", help="NetworkX's algorithm.")
    negative: Literal["error", "clip"] = parameter("error", help="What happens to negative costs.")


@dataclass(frozen=True, kw_only=True)
class TravellingSalesmanParameters(FunctionParameters):
    """Parameters of ``networkx.travelling_salesman``."""

    nodes: Iterable[Any] | None = parameter(None, help="Nodes to visit; None: all, or those of the instance.")
    cycle: bool = parameter(True, help="Whether the walk returns to where it began.")
    approximation: (
        Literal["christofides", "greedy_tsp", "simulated_annealing_tsp", "threshold_accepting_tsp"] | None
    ) = parameter(None, help="NetworkX's algorithm; None: christofides, or greedy_tsp on directed graphs.")
    seed: int = parameter(0, help="Of the random algorithms.")
    negative: Literal["error", "clip"] = parameter("error", help="What happens to negative costs.")


@dataclass(frozen=True, kw_only=True)
class MinCostFlowParameters(GraphParameters):
    """Parameters of ``networkx.min_cost_flow``."""

    demand: str = parameter("demand", help="Attribute of nodes; below zero is supply.")
    capacity: str = parameter("capacity", help="Attribute of edges; without it an edge has no limit.")
    negative: Literal["allow", "clip", "error"] = parameter("allow", help="What happens to negative costs.")


@dataclass(frozen=True, kw_only=True)
class MinimumCutParameters(GraphParameters):
    """Parameters of ``networkx.minimum_cut``."""

    source: Hashable | None = parameter(None, help="A node; None: in each row's instance.")
    target: Hashable | None = parameter(None, help="Another node; None: in each row's instance.")
    negative: Literal["error", "clip"] = parameter("error", help="What happens to negative weights.")


@dataclass(frozen=True, kw_only=True)
class AssignmentParameters(GraphParameters):
    """Parameters of ``networkx.assignment``."""

    shape: Sequence[int] | None = parameter(None, help="Rows and columns of a matrix, instead of a graph.")
    sense: Literal["max", "min"] = parameter("min", help="'min': theta are costs; 'max': they are scores.")
    partial: bool = parameter(False, help="Whether members of the smaller side may go without a partner.")
    top: Iterable[Any] | None = parameter(None, help="Nodes of one side; None: found by colouring.")


@dataclass(frozen=True, kw_only=True)
class MaxWeightMatchingParameters(GraphParameters):
    """Parameters of ``networkx.max_weight_matching``."""

    cardinality: Literal["any", "maximum", "perfect"] = parameter(
        "any", help="Any number of edges, as many as can be, or every node matched."
    )
    shape: Sequence[int] | None = parameter(None, help="Shape of one row of theta; None: one axis.")


@dataclass(frozen=True, kw_only=True)
class BipartiteMatchingParameters(MaxWeightMatchingParameters):
    """Parameters of ``networkx.bipartite_matching``."""

    sense: Literal["max", "min"] = parameter("max", help="'max': theta are scores; 'min': they are costs.")
