"""The parameters of this plugin's solvers; imports neither torch nor NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import imle_core as imle

if TYPE_CHECKING:
    from collections.abc import Hashable

_SENSE = "Whether theta are scores ('max') or costs ('min')."
_N = "How many entries there are; None takes the last axis of theta as it comes."
_NODES = "How many nodes an array of edges joins; None: up to the largest in an edge."


@dataclass(frozen=True, kw_only=True)
class SizeParameters:
    """Parameters of ``torch.one_of_n`` and ``torch.binary``."""

    n: int | None = imle.parameter(None, help=_N, ge=1)


@dataclass(frozen=True, kw_only=True)
class KSubsetParameters:
    """Parameters of ``torch.k_subset``."""

    k: int = imle.parameter(help="How many entries a subset has.", ge=0)
    n: int | None = imle.parameter(None, help=_N, ge=1)


@dataclass(frozen=True, kw_only=True)
class AtMostKParameters:
    """Parameters of ``torch.at_most_k``."""

    k: int = imle.parameter(help="How many entries a subset has at most.", ge=0)
    n: int | None = imle.parameter(None, help=_N, ge=1)


@dataclass(frozen=True, kw_only=True)
class KnapsackParameters:
    """Parameters of ``torch.knapsack``."""

    weights: Any = imle.parameter(help="The weight of each item, integers of at least 0.")
    capacity: int = imle.parameter(help="Largest total weight.", ge=0)


@dataclass(frozen=True, kw_only=True)
class SpanningTreeParameters:
    """Parameters of ``torch.spanning_tree``."""

    graph: Any = imle.parameter(help="Edges (E, 2) between node numbers, or an undirected graph of NetworkX.")
    nodes: int | None = imle.parameter(None, help=_NODES, ge=1)
    sense: Literal["max", "min"] = imle.parameter("max", help=_SENSE)


@dataclass(frozen=True, kw_only=True)
class ArborescenceParameters:
    """Parameters of ``torch.arborescence``."""

    graph: Any = imle.parameter(
        help="Edges (E, 2) from parent to child, as node numbers, or a directed graph of NetworkX."
    )
    root: Hashable | None = imle.parameter(None, help="The node without a parent; None: any node may be it.")
    nodes: int | None = imle.parameter(None, help=_NODES, ge=1)
    sense: Literal["max", "min"] = imle.parameter("max", help=_SENSE)


@dataclass(frozen=True, kw_only=True)
class DagPathParameters:
    """Parameters of ``torch.dag_path``."""

    graph: Any = imle.parameter(
        help="Edges (E, 2) from tail to head, as node numbers, or a directed graph of NetworkX; without cycles."
    )
    source: Hashable = imle.parameter(help="First node.")
    target: Hashable = imle.parameter(help="Last node.")
    nodes: int | None = imle.parameter(None, help=_NODES, ge=1)
    sense: Literal["max", "min"] = imle.parameter("max", help=_SENSE)


@dataclass(frozen=True, kw_only=True)
class ChainParameters:
    """Parameters of ``torch.chain``."""

    steps: int | None = imle.parameter(
        None, help="How many transitions there are; None takes the axis of theta as it comes.", ge=1
    )
    states: int | None = imle.parameter(
        None, help="How many states there are; None takes the axes of theta as they come.", ge=1
    )
    sense: Literal["max", "min"] = imle.parameter("max", help=_SENSE)


@dataclass(frozen=True, kw_only=True)
class AssignmentParameters:
    """Parameters of ``torch.assignment``."""

    n: int = imle.parameter(help="How many rows and columns there are.", ge=1)
    sense: Literal["max", "min"] = imle.parameter("max", help=_SENSE)


@dataclass(frozen=True, kw_only=True)
class RankingParameters:
    """Parameters of ``torch.ranking``."""

    n: int | None = imle.parameter(None, help=_N, ge=1)
    sense: Literal["max", "min"] = imle.parameter(
        "max", help="Whether the largest entry has rank n ('max') or rank 1 ('min')."
    )


@dataclass(frozen=True, kw_only=True)
class EnumeratedParameters:
    """Parameters of ``torch.enumerated``."""

    vertices: Any = imle.parameter(help="Distinct vertices (M, *event), integers or floats.")
    sense: Literal["max", "min"] = imle.parameter("max", help=_SENSE)
