"""Arcs and numbers as users write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import SolverParameterError, closest

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

LARGEST = 2**53
"""Integers are at most so large: states of float64 do not hold every one beyond."""


def one_of(parameter: str, value: object, valid: Sequence[str]) -> None:
    """Raise SolverParameterError unless a parameter has one of its values."""
    if value not in valid:
        raise SolverParameterError(
            f"{parameter} must be one of {', '.join(map(repr, valid))}; got {value!r}.{closest(str(value), valid)}"
        )


@dataclass(frozen=True, eq=False)
class Arcs:
    """The arcs of a directed network, whose nodes are numbered as they appear.

    Attributes:
        pairs: The user's ``(tail, head)`` of each arc; parallel ones are arcs of their own.
        number: The number of each node.
        ends: Numbers of tails and heads, shape ``(2, arcs)``.
    """

    pairs: tuple[tuple[Hashable, Hashable], ...]
    number: Mapping[Hashable, int]
    ends: NDArray[np.int32]

    @property
    def nodes(self) -> tuple[Hashable, ...]:
        """The user's names of the nodes."""
        return tuple(self.number)

    def node(self, role: str, node: Any) -> int:
        """Return the number of a node; the message of SolverParameterError begins with its role."""
        try:
            return self.number[node]
        except (KeyError, TypeError):
            raise SolverParameterError(
                f"{role} {node!r} is no node of the {len(self.pairs):,} arcs; their nodes are {listed(self.nodes)}."
            ) from None


def read_arcs(arcs: Any) -> Arcs:
    """Return arcs from pairs ``(tail, head)`` of hashable names of nodes, or an array of shape ``(arcs, 2)``.

    Raises:
        SolverParameterError: there is none, or one is no pair.
    """
    pairs = []
    try:
        for arc in arcs.tolist() if isinstance(arcs, np.ndarray) else arcs:
            tail, head = arc
            hash((tail, head))
            pairs.append((tail, head))
    except (TypeError, ValueError):
        raise SolverParameterError(
            f"arcs must be pairs (tail, head) of names of nodes; number {len(pairs)} of {_short(arcs)} is none."
        ) from None
    if not pairs:
        raise SolverParameterError("arcs must have at least one pair (tail, head); got none.")
    number: dict[Hashable, int] = {}
    for pair in pairs:
        for node in pair:
            number.setdefault(node, len(number))
    ends = np.array([[number[tail], number[head]] for tail, head in pairs], np.int32)
    return Arcs(tuple(pairs), number, np.ascontiguousarray(ends.T))


def read_integers(values: Any, size: int, what: str) -> NDArray[np.int64]:
    """Return integers, of whatever type, that must be of at least 0 and at most 2^53.

    Raises:
        SolverParameterError: one is not, or there are not ``size`` of them; the message begins with ``what``.
    """
    try:
        array = np.asarray(values)
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        raise SolverParameterError(f"{what} must be {size:,} integers; got {_short(values)}.") from None
    if array.shape != (size,):
        raise SolverParameterError(f"{what} must be {size:,} integers; got shape {array.shape}.")
    valid = (numbers == np.floor(numbers)) & (numbers >= 0) & (numbers <= LARGEST)  # False for nan
    if not valid.all() or array.dtype.kind not in "iuf":
        first = int(np.argmin(valid))
        raise SolverParameterError(
            f"{what} must be integers from 0 to 2^53; got {array[first]!r} at place {first}. If there are fractions, "
            "multiply them all, and what they limit, by a common factor."
        )
    return array.astype(np.int64)


def read_supplies(supplies: Any, arcs: Arcs) -> NDArray[np.int64]:
    """Return the supply of each node, from a mapping or pairs; nodes that are left out have none.

    Raises:
        SolverParameterError: one is no integer, or of no node.
    """
    try:
        given: Iterable[tuple[Any, Any]] = dict(supplies).items()
    except (TypeError, ValueError):
        raise SolverParameterError(
            f"supplies must be a mapping {{node: supply}}, or pairs of these; got {_short(supplies)}."
        ) from None
    found = np.zeros(len(arcs.number), np.int64)
    for node, supply in given:
        place = arcs.node("supplies: the node", node)
        try:
            magnitude, sends = abs(supply), bool(supply > 0)
        except (TypeError, ValueError):
            raise SolverParameterError(
                f"the supply of {node!r} must be an integer; got {supply!r}."
            ) from None
        amount = read_integers([magnitude], 1, f"the supply of {node!r}, without its sign,")[0]
        found[place] = amount if sends else -amount
    return found


def listed(names: Iterable[Any], most: int = 6) -> str:
    """Return a few names for a message."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
