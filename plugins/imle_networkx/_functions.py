"""Functions on graphs: finding them by name, and what they take."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx

from imle_core.errors import SolverParameterError, closest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


FOR_INTEGERS = frozenset(
    {"capacity_scaling", "max_flow_min_cost", "max_weight_clique", "min_cost_flow", "network_simplex"}
)
"""Functions of NetworkX that insist on integers as weights, or may not come to an end without."""


class Function(NamedTuple):
    """A function on a graph.

    Attributes:
        call: It, taking the graph first.
        name: What messages call it.
        takes: The names of its other parameters.
        needs: Those of them that have no default.
        open: Whether it takes any keyword beside them.
        dispatched: Whether it takes ``backend=``, as functions do that NetworkX hands to backends.
        shipped: Whether it is one of NetworkX's.
        for_integers: Whether it needs integers as weights, as far as is known.
    """

    call: Callable[..., Any]
    name: str
    takes: tuple[str, ...]
    needs: tuple[str, ...]
    open: bool
    dispatched: bool
    shipped: bool
    for_integers: bool


def function_of(function: Callable[..., Any] | str) -> Function:
    """Look a function up, and read its signature.

    Args:
        function: It, or its name in NetworkX, such as ``"approximation.steiner_tree"``.

    Raises:
        SolverParameterError: NetworkX has no function of this name, or what is given is no function on a graph.
    """
    call = _named(function) if isinstance(function, str) else function
    if not callable(call):
        raise SolverParameterError(
            f"function must be a function on a graph, or the name of one of NetworkX's; got {function!r}."
        )
    name = function if isinstance(function, str) else getattr(call, "__name__", repr(call))
    shipped = str(getattr(call, "__module__", "")).partition(".")[0] == "networkx"
    try:
        parameters = list(inspect.signature(call).parameters.values())
    except ValueError:  # some functions written in C have no signature
        return Function(call, name, (), (), open=True, dispatched=False, shipped=shipped, for_integers=False)
    if not parameters or parameters[0].kind in (
        inspect.Parameter.KEYWORD_ONLY,
        inspect.Parameter.VAR_KEYWORD,
    ):
        raise SolverParameterError(f"function {name} takes no graph, which would be its first argument.")
    named = [
        each
        for each in parameters[1:]
        if each.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    ]
    rest = [each.name for each in parameters[1:] if each.kind == inspect.Parameter.VAR_KEYWORD]
    takes = [each.name for each in named]
    return Function(
        call,
        name,
        tuple(each for each in takes if each != "backend"),
        tuple(each.name for each in named if each.default is each.empty),
        open=bool(rest) and rest != ["backend_kwargs"],
        dispatched="backend" in takes,
        shipped=shipped,
        for_integers=shipped and getattr(call, "__name__", "") in FOR_INTEGERS,
    )


def weight_of(function: Function, attribute: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the argument that names the attribute of a function, if it is called ``weight``.

    Raises:
        SolverParameterError: the function does not take one of the arguments, or no name of an attribute.
    """
    if "weight" in arguments:
        raise SolverParameterError(
            "theta is the weight: give the attribute that it stands for as weight=, not in arguments."
        )
    takes = ", ".join(function.takes) or "none"
    for name in arguments:
        if name not in function.takes and not function.open:
            raise SolverParameterError(
                f"function {function.name} takes no argument {name!r}.{closest(name, function.takes)} "
                f"It takes: {takes}."
            )
    if "weight" in function.takes:
        return {"weight": attribute}
    if function.shipped and not any(
        isinstance(value, str) and value == attribute for value in arguments.values()
    ):
        raise SolverParameterError(
            f"function {function.name} takes no argument 'weight', so it does not look at theta. If it has another "
            f"name for that, say so in arguments, such as {{'attr': {attribute!r}}}. It takes: {takes}."
        )
    return {}


def _named(name: str) -> Any:
    path = name.removeprefix("networkx.").removeprefix("nx.")
    try:
        return functools.reduce(getattr, path.split("."), nx)
    except AttributeError:
        known = _known()
        elsewhere = [each for each in known if each.rpartition(".")[2] == path.rpartition(".")[2]]
        hint = f" Did you mean {elsewhere[0]!r}?" if elsewhere else closest(path, known)
        raise SolverParameterError(
            f"NetworkX {nx.__version__} has no function {name!r}.{hint} Names are those under networkx, such as "
            "'dijkstra_path' or 'approximation.steiner_tree'."
        ) from None


def _known() -> list[str]:
    """Return the names of NetworkX's functions, those of subpackages of its algorithms with the name of it."""
    known = [name for name, value in vars(nx).items() if inspect.isfunction(value)]
    for name, package in vars(nx.algorithms).items():
        if inspect.ismodule(package) and hasattr(package, "__path__") and getattr(nx, name, None) is package:
            known += [f"{name}.{each}" for each, value in vars(package).items() if inspect.isfunction(value)]
    return known
