"""The parameters of each solver; imports neither OR-Tools nor NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from imle_core import parameter

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class LimitParameters:
    """What solvers take whose search may be ended by a time limit."""

    time_limit: float | None = parameter(None, gt=0, le=1e8, help="Seconds for a row; None: no limit.")
    on_timeout: Literal["use", "error"] = parameter(
        "use", help="At the limit, 'use' the best structure found, or 'error'."
    )


@dataclass(frozen=True, kw_only=True)
class SatParameters(LimitParameters):
    """What solvers over CP-SAT take."""

    parameters: Mapping[str, Any] | None = parameter(
        None, help="Parameters of CP-SAT under its own names, such as {'linearization_level': 2}."
    )
    threads: int | None = parameter(
        None, ge=1, help="Rows solved at the same time; None: the CPUs of this process."
    )


@dataclass(frozen=True, kw_only=True)
class CpSatParameters(SatParameters):
    """Parameters of ``ortools.cp_sat``."""

    model: Any = parameter(help="A CpModel, with or without an objective; it is copied.")
    variables: Any = parameter(
        help="Its variables that theta stands for: a list, nested lists, an array or a dictionary."
    )
    sense: Literal["min", "max"] | None = parameter(
        None, help="'min' or 'max'; None: as the model's objective says, 'min' where it has none."
    )
    output: Literal["binary", "integer"] | None = parameter(
        None, help="What the entries are; None: 'binary' where all domains are within 0 and 1."
    )


@dataclass(frozen=True, kw_only=True)
class JobShopParameters(SatParameters):
    """Parameters of ``ortools.job_shop``."""

    jobs: Any = parameter(help="For each job its tasks (machine, duration), in their order.")
    objective: (
        Literal["completion", "makespan", "machines", "load"]
        | Sequence[Literal["completion", "makespan", "machines", "load"]]
    ) = parameter("completion", help="What of a schedule theta are the prices of; one, or several.")
    horizon: int | None = parameter(
        None, ge=0, help="Time at which all is done; None: as long as all tasks one after the other."
    )
    release: Any = parameter(None, help="For each job the time before which it does not begin.")
    deadline: Any = parameter(
        None, help="For each job the time at which it must be done, None in it for no limit."
    )
    power: Mapping[Hashable, int] | None = parameter(
        None, help="What each machine draws while it runs; 1 where none is given."
    )
    negative: Literal["error", "clip", "allow"] = parameter(
        "error", help="What happens to prices below zero."
    )


@dataclass(frozen=True, kw_only=True)
class MathOptParameters(LimitParameters):
    """Parameters of ``ortools.math_opt``."""

    model: Any = parameter(help="A Model of MathOpt with a linear objective, or none; it is copied.")
    variables: Any = parameter(
        help="Its variables that theta stands for: a list, nested lists, an array or a dictionary."
    )
    solver_type: str = parameter("gscip", help="'gscip', 'highs', 'cp_sat', 'glop', 'pdlp', ...")
    sense: Literal["min", "max"] | None = parameter(
        None, help="'min' or 'max'; None: as the model's objective says, 'min' where it has none."
    )
    output: Literal["binary", "integer", "real"] | None = parameter(
        None, help="What the entries are; None: as the variables are."
    )
    parameters: Any = parameter(None, help="A mathopt.SolveParameters, or a mapping to make one of.")
    threads: int | None = parameter(
        None, ge=1, help="Rows solved at the same time; None: the CPUs of this process."
    )


@dataclass(frozen=True, kw_only=True)
class RoutingParameters(LimitParameters):
    """What solvers over the routing library take."""

    first_solution_strategy: str | None = parameter(
        None, help="Of the routing library, under its own name; None: one that ends soon."
    )
    local_search_metaheuristic: str | None = parameter(
        None, help="Of the routing library, under its own name; None: GREEDY_DESCENT."
    )
    solution_limit: int | None = parameter(
        None, ge=1, help="Solutions at most that the routing library goes through."
    )
    seed: int = parameter(0, ge=0, le=2**31 - 1, help="Of whatever draws at random, the same for every row.")
    threads: int | None = parameter(None, ge=1, help="Threads at most; None: the CPUs of this process.")


@dataclass(frozen=True, kw_only=True)
class TSPParameters(RoutingParameters):
    """Parameters of ``ortools.tsp``."""

    nodes: int | None = parameter(
        None, ge=1, help="Number of nodes; None: as theta or the instance of a row says."
    )
    undirected: bool = parameter(False, help="Whether z is symmetric, an undirected tour.")
    method: Literal["auto", "exact", "local_search", "routing"] = parameter(
        "auto", help="'auto': exact up to 13 nodes, local search beyond; explain() says which."
    )
    kicks: int = parameter(5, ge=0, help="Kicks of the local search out of local optima, for each node.")
    offset: Any = parameter(
        None, help="Fixed costs added to theta, a matrix; 0.0 if only instances have any."
    )


@dataclass(frozen=True, kw_only=True)
class VRPParameters(RoutingParameters):
    """Parameters of ``ortools.vrp``."""

    problem: Any = parameter(
        None, help="A RoutingProblem, or a mapping of its options; None: each row brings one."
    )
    method: Literal["auto", "exact", "local_search", "routing"] = parameter(
        "auto", help="'auto': exact up to 10 customers, local search beyond; explain() says which."
    )
    iterations: int | None = parameter(
        None, ge=1, help="Iterations of the local search; None: 1,000 to 20,000, by the number of customers."
    )
    negative: Literal["allow", "clip", "error"] = parameter("allow", help="What happens to costs below zero.")


@dataclass(frozen=True, kw_only=True)
class LinearAssignmentParameters:
    """Parameters of ``ortools.linear_assignment``."""

    shape: Sequence[int] = parameter(help="Rows and columns of the matrix.")
    forbidden: Any = parameter(
        (), help="Pairs (row, column) that are not allowed, or a matrix of booleans; or by instance."
    )
    sense: Literal["min", "max"] = parameter("min", help="'min': theta are costs; 'max': they are scores.")


@dataclass(frozen=True, kw_only=True)
class ArcParameters:
    """What solvers on networks take."""

    arcs: Any = parameter(help="Pairs (tail, head) of names of nodes, or an array (arcs, 2).")


@dataclass(frozen=True, kw_only=True)
class MinCostFlowParameters(ArcParameters):
    """Parameters of ``ortools.min_cost_flow``."""

    capacities: Any = parameter(None, help="One integer an arc; None: in each row's instance.")
    supplies: Any = parameter(
        None, help="A mapping from nodes to integers, below zero: demand; None: in each row's instance."
    )
    volume: Literal["all", "most"] = parameter(
        "all", help="'all' of the supplies are shipped, or as much as can be: 'most'."
    )
    negative: Literal["allow", "clip", "error"] = parameter("allow", help="What happens to negative costs.")


@dataclass(frozen=True, kw_only=True)
class MaxFlowParameters(ArcParameters):
    """Parameters of ``ortools.max_flow``."""

    source: Hashable | None = parameter(None, help="A node; None: in each row's instance.")
    sink: Hashable | None = parameter(None, help="Another node; None: in each row's instance.")
    negative: Literal["error", "clip"] = parameter("error", help="What happens to negative capacities.")


@dataclass(frozen=True, kw_only=True)
class KnapsackParameters(LimitParameters):
    """Parameters of ``ortools.knapsack``."""

    weights: Any = parameter(
        None, help="Of shape (dimensions, items), or (items,); None: in each row's instance."
    )
    capacities: Any = parameter(None, help="One number a dimension; None: in each row's instance.")
    items: int | None = parameter(None, ge=1, help="Number of items, where weights do not tell.")
    method: Literal[
        "auto", "64_items", "dynamic_programming", "divide_and_conquer", "branch_and_bound", "cp_sat"
    ] = parameter("auto", help="OR-Tools' algorithm; explain() says which 'auto' is.")
    threads: int | None = parameter(
        None, ge=1, help="Threads at most of 'cp_sat'; None: the CPUs of this process."
    )
