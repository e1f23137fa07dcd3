"""Parameters of CP-SAT, under its own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ortools.sat.python import cp_model, cp_model_helper

from imle_core.errors import SolverParameterError, closest

if TYPE_CHECKING:
    from collections.abc import Mapping

SatParameters = cp_model_helper.SatParameters

_OURS = {
    "max_time_in_seconds": "time_limit=",
    "enumerate_all_solutions": "enumerate_support()",
}
_LIMITS = ("max_deterministic_time", "max_number_of_conflicts")

SMALL = 1_000
"""Models with no more variables and constraints are solved without presolve, which takes longer than the search."""


def parameters_of(given: Mapping[str, Any] | None, *, size: int) -> Any:
    """Return the parameters of a search: the user's, and for the others what gives one answer, proven, on one thread.

    Args:
        given: The user's, by name.
        size: Number of variables and constraints of the model.

    Raises:
        SolverParameterError: CP-SAT has no such parameter, or it takes another type or range.
    """
    parameters = SatParameters()
    parameters.num_workers = 1
    parameters.random_seed = 0
    parameters.absolute_gap_limit = 0.0
    parameters.relative_gap_limit = 0.0
    # Its own handler would end a search at Ctrl-C as if it had reached a limit, and Python's would be gone afterwards.
    parameters.catch_sigint_signal = False
    parameters.cp_model_presolve = size > SMALL
    for name, value in dict(given or {}).items():
        _set(parameters, name, value)
    wrapper = cp_model_helper.SolveWrapper()
    wrapper.set_parameters(parameters)
    response: Any = wrapper.solve(cp_model.CpModel().proto)  # type: ignore[no-untyped-call]
    if response.status.name == "MODEL_INVALID":
        raise SolverParameterError(f"CP-SAT refuses its parameters {given!r}: {response.solution_info}")
    return parameters


def ends_early(parameters: Any) -> bool:
    """Whether some limit can end a search before it is complete."""
    fresh = SatParameters()
    return any(getattr(parameters, name) != getattr(fresh, name) for name in _LIMITS)


def _set(parameters: Any, name: str, value: Any) -> None:
    valid = [each for each in dir(parameters) if each.islower() and not callable(getattr(parameters, each))]
    if name in _OURS:
        raise SolverParameterError(f"parameters has {name!r}; use {_OURS[name]} instead.")
    if name not in valid:
        raise SolverParameterError(f"CP-SAT has no parameter {name!r}.{closest(str(name), valid)}")
    current = getattr(parameters, name)
    try:
        if hasattr(current, "extend"):
            current.clear()
            current.extend(list(value))
        elif isinstance(value, str) and hasattr(type(current), "__members__"):
            setattr(parameters, name, type(current).__members__[value])
        else:
            setattr(parameters, name, value)
    except (TypeError, KeyError, ValueError) as error:
        members = getattr(type(current), "__members__", None)
        wanted = f"one of {', '.join(members)}" if members else f"{type(current).__name__}, within its range"
        raise SolverParameterError(f"CP-SAT's parameter {name!r} must be {wanted}; got {value!r}.") from error
