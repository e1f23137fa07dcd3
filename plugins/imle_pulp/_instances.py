"""Rows with numbers of their own: right-hand sides, bounds and coefficients that an instance names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pulp

from imle_core.errors import InvalidInstanceError, SolverParameterError, closest

if TYPE_CHECKING:
    from imle_pulp._program import Program


class Place(NamedTuple):
    """Where a number stands: the name of an array of the programme, and the position in it."""

    array: Literal["rhs", "lower", "upper", "values"]
    at: int


class Parameters:
    """What the numbers of an instance stand for.

    Args:
        program: The programme.
        declared: For each name what it stands for: a constraint (its right-hand side), a pair (constraint, variable)
            (the coefficient), a pair (variable, ``"lower"``) or (variable, ``"upper"``) (a bound), each by itself or by
            name; or a list of such. Constraints that are not declared go by their own names.
        rows: Names of constraints by their identity, also of those without a name of their own.

    Raises:
        SolverParameterError: a name stands for nothing that the programme has.
    """

    def __init__(self, program: Program, declared: Mapping[str, Any] | None, rows: Mapping[int, str]) -> None:
        self._program = program
        self._row = {name: i for i, name in enumerate(program.row_names)}
        self._column = {name: j for j, name in enumerate(program.names)}
        if not (declared is None or isinstance(declared, Mapping)):
            raise SolverParameterError(f"parameters must be a mapping from names; got {declared!r}.")
        self.places = {name: self._read(name, _named(what, rows)) for name, what in (declared or {}).items()}
        for i, name in enumerate(program.row_names):
            self.places.setdefault(name, [Place("rhs", i)])

    def apply(self, instance: Any) -> Program:
        """Return the programme with the numbers of an instance.

        Raises:
            InvalidInstanceError: it is no mapping from known names to numbers, or leaves bounds without anything
            between.
        """
        if not isinstance(instance, Mapping):
            raise InvalidInstanceError(
                f"an instance is a mapping from names of parameters to numbers, such as {{'capacity': 60}}; got "
                f"{instance!r}."
            )
        program = self._program
        arrays = {
            name: getattr(program, name).copy()
            for name in ("row_lower", "row_upper", "lower", "upper", "values")
        }
        for name, given in instance.items():
            if name not in self.places:
                raise InvalidInstanceError(
                    f"the problem has no parameter {name!r}.{closest(str(name), map(str, self.places))} There are: "
                    f"{', '.join(map(str, self.places)) or 'none'}."
                )
            places = self.places[name]
            for place, number in zip(places, _numbers(name, given, len(places)), strict=True):
                self._set(arrays, place, number)
        return program.with_(**arrays)

    def _set(self, arrays: dict[str, Any], place: Place, number: float) -> None:
        if place.array != "rhs":
            arrays[place.array][place.at] = number
            return
        lower, upper = self._program.row_lower[place.at], self._program.row_upper[place.at]
        if -np.inf < lower < upper < np.inf:
            raise InvalidInstanceError(
                f"the constraint {self._program.row_names[place.at]!r} has two limits, {lower:g} and {upper:g}, "
                "so one number cannot replace them; write it as two constraints."
            )
        if lower > -np.inf:
            arrays["row_lower"][place.at] = number
        if upper < np.inf:
            arrays["row_upper"][place.at] = number

    def _read(self, name: str, what: Any) -> list[Place]:
        if isinstance(what, (list, np.ndarray)):
            return [place for one in what for place in self._read(name, one)]
        if isinstance(what, (str, pulp.LpConstraint)):
            return [Place("rhs", self._row_of(name, what))]
        if isinstance(what, tuple) and len(what) == 2:
            first, second = what
            if isinstance(second, str) and second in ("lower", "upper"):
                return [Place(second, self._column_of(name, first))]  # type: ignore[arg-type]
            return [Place("values", self._entry_of(name, first, second))]
        raise SolverParameterError(
            f"parameter {name!r} stands for a constraint, a pair (constraint, variable), (variable, 'lower') or "
            f"(variable, 'upper'), or a list of such; got {what!r}."
        )

    def _row_of(self, name: str, what: Any) -> int:
        return self._find(name, "constraint", what, self._row)

    def _column_of(self, name: str, what: Any) -> int:
        return self._find(name, "variable", what, self._column)

    def _entry_of(self, name: str, constraint: Any, variable: Any) -> int:
        row, column = self._row_of(name, constraint), self._column_of(name, variable)
        start, stop = self._program.starts[row : row + 2]
        found = np.flatnonzero(self._program.columns[start:stop] == column)
        if not len(found):
            raise SolverParameterError(
                f"parameter {name!r}: the constraint {self._program.row_names[row]!r} has no term in "
                f"{self._program.names[column]!r}; write it into the problem with any coefficient but 0."
            )
        return int(start + found[0])

    def _find(self, name: str, kind: str, what: Any, known: Mapping[str, int]) -> int:
        key = what if isinstance(what, str) else str(getattr(what, "name", None) or what)
        if key not in known:
            raise SolverParameterError(
                f"parameter {name!r}: the problem has no {kind} {key!r}.{closest(str(key), known)}"
            )
        return known[key]


def _named(what: Any, rows: Mapping[int, str]) -> Any:
    """Return what a parameter stands for with the names of the problem's constraints in their place."""
    if isinstance(what, pulp.LpConstraint):
        return rows.get(id(what), what)
    if isinstance(what, (list, tuple)):
        return type(what)(_named(part, rows) for part in what)
    return [_named(part, rows) for part in what] if isinstance(what, np.ndarray) else what


def _numbers(name: str, given: Any, count: int) -> Sequence[float]:
    """Return what an instance gives for the places of a parameter: a number for each, or one for all."""
    single = isinstance(given, str) or np.ndim(given) == 0
    numbers = [given] * count if single else list(given)
    try:
        valid = len(numbers) == count and all(map(math.isfinite, numbers))  # a text is no number to isfinite
    except (TypeError, OverflowError):
        valid = False
    if not valid:
        wanted = "a finite number" if count == 1 else f"a finite number, or {count} of them"
        raise InvalidInstanceError(f"the parameter {name!r} is {wanted}; got {given!r}.")
    return [float(number) for number in numbers]
