"""A model of MathOpt as it is kept: its protocol buffer without an objective, and the objective beside it."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from imle_core.errors import SolverParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TOLERANCE = 1e-6
"""By so much a state may leave bounds and limits, as those of solvers do."""

_NOT_LINEAR = (
    "quadratic_constraints",
    "second_order_cone_constraints",
    "sos1_constraints",
    "sos2_constraints",
    "indicator_constraints",
)


@dataclass(frozen=True, eq=False)
class LinearModel:
    r"""A model, the variables that theta stands for, and the terms of its objective that theta does not cover.

    .. math:: \min_x \; \langle x_C, c \rangle + f^\top x_F + \text{offset} \quad \text{s.t. the model's constraints}

    Nothing here ever changes; it may be shared by threads and copies.

    Args:
        proto: The model without an objective and without names, which MathOpt wants to be distinct.
        columns: Places C of the variables that theta stands for, among all variables.
        others: Places F of further variables of the objective.
        fixed: Their costs f; those of a model that maximises are negated.
        offset: The constant of the objective, in the model's own sense.
        names: Of the variables.
        row_names: Of the linear constraints.
    """

    proto: Any
    columns: NDArray[np.int64]
    others: NDArray[np.int64]
    fixed: NDArray[np.float64]
    offset: float
    names: tuple[str, ...]
    row_names: tuple[str, ...]

    @functools.cached_property
    def ids(self) -> NDArray[np.int64]:
        """MathOpt's number of each variable."""
        return np.array(self.proto.variables.ids, np.int64)

    @functools.cached_property
    def objective_columns(self) -> NDArray[np.int64]:
        """The variables of the objective: those of theta, then the others."""
        return np.concatenate([self.columns, self.others])

    @functools.cached_property
    def bounds(self) -> NDArray[np.float64]:
        """Lower and upper bound of each variable, shape ``(2, variables)``; those of integers are integers."""
        limits = np.array([self.proto.variables.lower_bounds, self.proto.variables.upper_bounds], np.float64)
        return np.where(self.integer, np.stack([np.ceil(limits[0]), np.floor(limits[1])]), limits)

    @property
    def limits(self) -> NDArray[np.float64]:
        """Bounds of each variable of theta."""
        return self.bounds[:, self.columns]

    @functools.cached_property
    def integer(self) -> NDArray[np.bool_]:
        """Which variables are integers."""
        return np.array(self.proto.variables.integers, np.bool_)

    @functools.cached_property
    def keys(self) -> list[str | int]:
        """What variables are called: their name, or MathOpt's number where they have none or share it."""
        count = Counter(self.names)
        return [
            name if name and count[name] == 1 else number
            for name, number in zip(self.names, self.ids.tolist(), strict=True)
        ]

    @functools.cached_property
    def places(self) -> dict[str, list[tuple[bool, int]]]:
        """Where each name stands: whether among the variables, and its place there or among the linear constraints."""
        found: dict[str, list[tuple[bool, int]]] = {}
        for is_variable, names in ((True, self.names), (False, self.row_names)):
            for place, name in enumerate(names):
                if name:
                    found.setdefault(name, []).append((is_variable, place))
        return found

    def decided(self) -> bool | None:
        """Return whether the only values that the variables can have satisfy the constraints; None if there are more.

        Also None where a constraint is not linear, which only a solver can judge.
        """
        low, high = self.bounds
        if (low < high).any() or any(len(getattr(self.proto, kind)) for kind in _NOT_LINEAR):
            return None
        return bool((low <= high).all() and not self.broken(low).any())

    @functools.cached_property
    def _entries(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Row, column and coefficient of each entry of the linear constraints."""
        rows, matrix = self.proto.linear_constraints, self.proto.linear_constraint_matrix
        return (
            np.searchsorted(np.array(rows.ids, np.int64), np.array(matrix.row_ids, np.int64)),
            np.searchsorted(self.ids, np.array(matrix.column_ids, np.int64)),
            np.array(matrix.coefficients, np.float64),
        )

    def rows_with(self, entries: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which linear constraints have one of these entries."""
        return np.bincount(self._entries[0], entries, len(self.proto.linear_constraints.ids)) > 0

    @functools.cached_property
    def rounded_rows(self) -> NDArray[np.bool_]:
        """Which linear constraints have an integer, and may break where it is rounded."""
        return self.rows_with(self.integer[self._entries[1]])

    @functools.cached_property
    def _whole_rows(self) -> NDArray[np.bool_]:
        """Which linear constraints have integers alone, as variables and as coefficients."""
        _, column, coefficient = self._entries
        return ~self.rows_with(~self.integer[column] | (coefficient != np.rint(coefficient)))

    def broken(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which linear constraints values of all variables break.

        The tolerance is relative to the terms; with integers alone it is only that of the limits.
        """
        row, column, coefficient = self._entries
        limits = self.proto.linear_constraints
        low, high = np.array(limits.lower_bounds), np.array(limits.upper_bounds)
        terms = coefficient * values[column]
        size = np.bincount(row, np.abs(terms), len(low))
        activity = np.bincount(row, terms, len(low))
        slack = TOLERANCE * np.where(self._whole_rows, 1.0, 1 + size)
        broken = (activity + slack < low) | (activity - slack > high)
        for number in np.flatnonzero(self._whole_rows & (size >= 2.0**53)):  # floats would round these sums
            mine = row == number
            products = zip(coefficient[mine].tolist(), values[column[mine]].tolist(), strict=True)
            total = sum(int(a) * int(x) for a, x in products)
            broken[number] = not float(low[number]) <= total <= float(high[number])  # exact; NumPy's are not
        return broken

    def copy(self) -> Any:
        """Return a copy of the model's protocol buffer, to be changed."""
        copied = type(self.proto)()
        copied.CopyFrom(self.proto)
        return copied

    def fix(self, state: NDArray[np.float64]) -> Self | None:
        """Return the model with theta's variables at these values; None if one is no value of its variable."""
        near = np.clip(state, *self.limits)
        whole = self.integer[self.columns]
        far = np.abs(state - near) > np.where(whole, 0.0, TOLERANCE * (1 + np.abs(near)))
        if far.any() or (state != np.rint(state))[whole].any():
            return None
        proto = self.copy()
        for column, value in zip(self.columns.tolist(), near.tolist(), strict=True):
            proto.variables.lower_bounds[column] = proto.variables.upper_bounds[column] = value
        return self.with_proto(proto)

    def with_proto(self, proto: Any) -> Self:
        """Return the same objective over another model."""
        return dataclasses.replace(self, proto=proto)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is derived."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set what was kept, though the class is frozen."""
        self.__dict__.update(state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself: it never changes."""
        return self


def lower(model: Any, numbers: Sequence[int]) -> tuple[LinearModel, bool | None]:
    """Return a model of the user's as it is kept, and whether it maximises; None if its objective is empty.

    The user's model is copied. What its objective says about the variables of theta is dropped.

    Args:
        model: A ``mathopt.Model``.
        numbers: MathOpt's numbers of the variables that theta stands for.

    Raises:
        SolverParameterError: the objective is quadratic, or there are several.
    """
    proto = model.export_model()
    objective = proto.objective
    if objective.quadratic_coefficients.row_ids or proto.auxiliary_objectives:
        raise SolverParameterError("the model's objective must be linear, and the only one.")
    given = dict(zip(objective.linear_coefficients.ids, objective.linear_coefficients.values, strict=True))
    maximise = bool(objective.maximize) if given or objective.maximize or objective.offset else None
    sign = -1.0 if maximise else 1.0
    place = {number: column for column, number in enumerate(proto.variables.ids)}
    covered = set(numbers)
    kept = {place[number]: sign * cost for number, cost in given.items() if number not in covered and cost}
    names = tuple(proto.variables.names) or ("",) * len(place)
    row_names = tuple(proto.linear_constraints.names) or ("",) * len(proto.linear_constraints.ids)
    offset = float(objective.offset)
    proto.ClearField("objective")
    _forget_names(proto)
    lowered = LinearModel(
        proto,
        np.array([place[number] for number in numbers], np.int64),
        np.array(list(kept), np.int64),
        np.array(list(kept.values()), np.float64),
        offset,
        names,
        row_names,
    )
    return lowered, maximise


def require_limits_in_order(model: LinearModel) -> None:
    """Raise SolverParameterError if a variable or a constraint has a lower limit above its upper one."""
    variables, rows = model.proto.variables, model.proto.linear_constraints
    for what, part, names in (
        ("variable", variables, model.keys),
        ("linear constraint", rows, [n or i for n, i in zip(model.row_names, rows.ids, strict=True)]),
    ):
        low, high = np.array(part.lower_bounds), np.array(part.upper_bounds)
        for place in np.flatnonzero(~(low <= high)):
            raise SolverParameterError(
                f"the {what} {names[place]!r} has a lower limit of {low[place]:g}, above its upper limit of "
                f"{high[place]:g}."
            )


def _forget_names(proto: Any) -> None:
    proto.variables.ClearField("names")
    proto.linear_constraints.ClearField("names")
    for kind in _NOT_LINEAR:
        for constraint in getattr(proto, kind).values():
            constraint.ClearField("name")
