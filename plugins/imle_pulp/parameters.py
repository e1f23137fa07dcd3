"""The parameters of each solver; imports neither PuLP nor NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from imle_core import parameter

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import pulp


@dataclass(frozen=True, kw_only=True)
class SearchParameters:
    """How programmes are solved."""

    backend: str = parameter(
        "auto", help="What solves: 'highs', 'cp_sat', 'scipy', 'cbc', 'gurobi', 'scip', or a name of PuLP's."
    )
    time_limit: float | None = parameter(None, gt=0, help="Seconds for each row's search; None: no limit.")
    on_timeout: Literal["use", "error"] = parameter(
        "use", help="What happens to the best solution found when the time of a row runs out."
    )
    threads: int | None = parameter(None, ge=1, help="Threads at most; None: the CPUs of this process.")


@dataclass(frozen=True, kw_only=True)
class ProblemParameters:
    """What is solved."""

    problem: pulp.LpProblem | str | os.PathLike[str] = parameter(
        help="The problem, or the path of an MPS file."
    )
    theta: Any = parameter(
        None, help="Variables, or their names, in a list, a dict or an array; None: all of them."
    )
    parameters: Mapping[str, Any] | None = parameter(
        None, help="What numbers of an instance stand for: a constraint, or a pair; see imle_pulp.ilp.ILP."
    )


@dataclass(frozen=True, kw_only=True)
class ILPParameters(SearchParameters, ProblemParameters):
    """Parameters of ``pulp.ilp``."""


@dataclass(frozen=True, kw_only=True)
class LPParameters(ProblemParameters):
    """Parameters of ``pulp.lp``."""

    relax: bool = parameter(False, help="Whether integer variables of the problem may take any value.")
    threads: int | None = parameter(None, ge=1, help="Threads at most; None: the CPUs of this process.")


@dataclass(frozen=True, kw_only=True)
class KnapsackParameters(SearchParameters):
    """Parameters of ``pulp.knapsack``."""

    weights: Any = parameter(help="What each item uses: (items,) or (constraints, items), at least 0.")
    capacity: Any = parameter(help="How much there is: one number, or one for each constraint.")
    upper: int | Sequence[int] | None = parameter(1, help="Copies of each item at most; None: any number.")


@dataclass(frozen=True, kw_only=True)
class SetCoverParameters(SearchParameters):
    """Parameters of ``pulp.set_cover``."""

    sets: Any = parameter(help="The elements of each set, or an array (elements, sets): how much each holds.")
    requirement: Any = parameter(1, help="How often elements are needed: a number, or one for each element.")
    kind: Literal["cover", "packing", "partition"] = parameter(
        "cover", help="At least, at most (then maximised) or exactly that often."
    )


@dataclass(frozen=True, kw_only=True)
class SchedulingParameters(SearchParameters):
    """Parameters of ``pulp.scheduling``."""

    instance: str | os.PathLike[str] | Mapping[str, Any] = parameter(
        help="A file of the ICON challenge, or {'minutes': ..., 'capacities': ..., 'tasks': [...]}."
    )
    relax: bool = parameter(False, help="Whether to solve the linear relaxation, which is much faster.")
