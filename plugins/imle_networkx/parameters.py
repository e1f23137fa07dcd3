"""The parameters of each solver; imports neither NetworkX, numba nor NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from imle_core import parameter

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

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
