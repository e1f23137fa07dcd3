"""What an instance of a tour says: which nodes to visit, and fixed costs."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.errors import InvalidInstanceError, SolverParameterError, closest

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYS = ("size", "visit", "offset")


class Visits(NamedTuple):
    """A prepared instance.

    Attributes:
        size: Number of nodes of a row; None: as many as theta has.
        nodes: The nodes that it visits, ascending; None: all.
        offset: Fixed costs, shape ``(size, size)``; None: none.
    """

    size: int | None
    nodes: NDArray[np.int64] | None
    offset: NDArray[np.float64] | None


def read_instance(instance: Any, own: Visits, *, fixed: bool) -> Visits:
    """Return what an instance says, or else the solver.

    Args:
        instance: A mapping with some of the keys :data:`KEYS`.
        own: What the solver says.
        fixed: Whether there may be fixed costs.

    Raises:
        InvalidInstanceError: it is no mapping, has an unknown key, or a value that is not valid.
    """
    if not isinstance(instance, Mapping):
        raise InvalidInstanceError(
            f"an instance is a mapping with some of the keys {', '.join(KEYS)}; got {instance!r}."
        )
    for key in set(instance) - set(KEYS):
        raise InvalidInstanceError(
            f"unknown key {key!r} in an instance.{closest(str(key), KEYS)} Keys: {', '.join(KEYS)}."
        )
    size, offset = own.size, own.offset
    if "size" in instance:
        if size is not None:
            raise InvalidInstanceError(
                f"'size' is for solvers made without nodes=; this one has {size}. Take 'visit' for fewer."
            )
        size = _number("'size'", instance["size"], InvalidInstanceError)
    if size is None:
        raise InvalidInstanceError("it needs a 'size', the number of nodes, as the solver has no nodes=.")
    if "offset" in instance:
        if not fixed:
            raise InvalidInstanceError(
                "'offset' is for solvers made with offset=, such as offset=0.0: theta is not scaled then."
            )
        offset = _matrix(instance["offset"], size, InvalidInstanceError)
    return Visits(size, _places(instance["visit"], size) if "visit" in instance else None, offset)


def read_parameters(nodes: Any, offset: Any) -> Visits:
    """Return what the solver's own parameters say; a fixed cost that is one number changes no tour.

    Raises:
        SolverParameterError: one of them is not valid.
    """
    size = None if nodes is None else _number("nodes", nodes, SolverParameterError)
    if offset is None:
        return Visits(size, None, None)
    if np.ndim(offset) == 0 and isinstance(offset, (int, float)):
        if not np.isfinite(offset):
            raise SolverParameterError(f"offset must be finite; got {offset!r}.")
        return Visits(size, None, None)
    size = np.shape(offset)[0] if size is None and np.ndim(offset) else size
    return Visits(size, None, _matrix(offset, size or 0, SolverParameterError))


def _number(name: str, value: Any, error: type[Exception]) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise error(f"{name} must be a whole number, at least 1; got {value!r}.")
    return number


def _places(visit: Any, size: int) -> NDArray[np.int64]:
    """Return the nodes to visit, ascending."""
    try:
        nodes = sorted(map(operator.index, visit))
    except TypeError:
        raise InvalidInstanceError(
            f"'visit' must be a collection of numbers of nodes; got {visit!r}."
        ) from None
    if not nodes:
        raise InvalidInstanceError("'visit' must have a node at least.")
    wrong = [node for node in nodes if not 0 <= node < size]
    if wrong:
        raise InvalidInstanceError(f"'visit' has node {wrong[0]}, but nodes are 0 to {size - 1}.")
    twice = [node for node, after in itertools.pairwise(nodes) if node == after]
    if twice:
        raise InvalidInstanceError(f"'visit' has node {twice[0]} twice.")
    return np.array(nodes)


def _matrix(offset: Any, size: int, error: type[Exception]) -> NDArray[np.float64]:
    try:
        matrix = np.array(offset, dtype=float)
    except (TypeError, ValueError):
        matrix = np.full(0, np.nan)
    if matrix.shape != (size, size) or not np.isfinite(matrix).all():
        raise error(
            f"offset must be a finite number for each pair of {size} nodes, shape ({size}, {size}); got {offset!r}."
        )
    return matrix
