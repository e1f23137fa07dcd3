"""A model of CP-SAT as it is kept: its protocol buffer without the objective, and the objective beside it."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from ortools.sat.python import cp_model_helper

from imle_core.errors import SolverParameterError
from imle_ortools._sat_objective import WIDEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Proto = cp_model_helper.CpModelProto


@dataclass(frozen=True, eq=False)
class SatModel:
    r"""A model, the variables that theta stands for, and the terms of its objective that theta does not cover.

    .. math:: \min_x \; \langle x_C, c \rangle + f^\top x_F + \text{offset} \quad \text{s.t. the model's constraints}

    Nothing here ever changes; it may be shared by threads and copies.

    Args:
        proto: The model without an objective.
        columns: Indices C of the variables that theta stands for, shape ``(entries,)``.
        others: Indices F of further variables of the objective.
        fixed: Their costs f; those of a model that maximises are negated.
        offset: The constant of the objective, in the model's own sense.
    """

    proto: Any
    columns: NDArray[np.int64]
    others: NDArray[np.int64]
    fixed: NDArray[np.float64]
    offset: float

    def __post_init__(self) -> None:
        """Refuse domains too wide for integers of 64 bits.

        Raises:
            SolverParameterError: they are.
        """
        total = self.reach.sum()
        if total > WIDEST:
            widest = int(self.objective_columns[self.reach.argmax()])
            raise SolverParameterError(
                f"the variables of the objective have magnitudes up to {total:.3g} in sum, the largest of them "
                f"{self.name_of(widest)!r}; CP-SAT counts in integers of 64 bits: bound them so that the sum is below "
                f"{WIDEST:.3g}."
            )

    @functools.cached_property
    def objective_columns(self) -> NDArray[np.int64]:
        """The variables of the objective: those of theta, then the others."""
        return np.concatenate([self.columns, self.others])

    @functools.cached_property
    def bounds(self) -> NDArray[np.float64]:
        """Least and largest value of each variable of the objective, shape ``(2, variables)``."""
        domains = [self.proto.variables[column].domain for column in self.objective_columns.tolist()]
        return np.array([[d[0] for d in domains], [d[len(d) - 1] for d in domains]], np.float64)

    @functools.cached_property
    def reach(self) -> NDArray[np.float64]:
        """The largest magnitude of each variable of the objective."""
        return np.abs(self.bounds).max(0, initial=0.0)

    @functools.cached_property
    def span(self) -> NDArray[np.float64]:
        """The largest minus the least value of each variable of the objective."""
        return self.bounds[1] - self.bounds[0]

    @property
    def limits(self) -> NDArray[np.float64]:
        """Least and largest value of each variable of theta."""
        return self.bounds[:, : len(self.columns)]

    @property
    def size(self) -> int:
        """Number of variables and constraints."""
        return len(self.proto.variables) + len(self.proto.constraints)

    @functools.cached_property
    def domains(self) -> list[NDArray[np.float64]]:
        """The intervals of each variable of theta, shape ``(intervals, 2)`` each."""
        return [
            np.array(list(self.proto.variables[column].domain), np.float64).reshape(-1, 2)
            for column in self.columns.tolist()
        ]

    @functools.cached_property
    def hints(self) -> dict[int, int]:
        """The user's hints, by variable."""
        given = self.proto.solution_hint
        return dict(zip(given.vars, given.values, strict=True)) if self.proto.has_solution_hint() else {}

    @functools.cached_property
    def keys(self) -> list[str | int]:
        """What variables are called: their name, or their index where they have none or share it."""
        names = [variable.name for variable in self.proto.variables]
        count = Counter(names)
        return [name if name and count[name] == 1 else index for index, name in enumerate(names)]

    @functools.cached_property
    def places(self) -> dict[str, list[tuple[bool, int]]]:
        """Where each name stands: whether among the variables, and its index there or among the constraints."""
        found: dict[str, list[tuple[bool, int]]] = {}
        for is_variable, parts in ((True, self.proto.variables), (False, self.proto.constraints)):
            for index, part in enumerate(parts):
                if part.name:
                    found.setdefault(part.name, []).append((is_variable, index))
        return found

    def name_of(self, column: int) -> str:
        """Return the name of a variable, or what shows its index."""
        return self.proto.variables[column].name or f"variable {column}"

    def copy(self) -> Any:
        """Return a copy of the model's protocol buffer, to be changed."""
        copied = Proto()
        copied.copy_from(self.proto)
        return copied

    def fix(self, state: NDArray[np.float64]) -> Self | None:
        """Return the model with theta's variables at these values; None if one is not in its variable's domain."""
        for value, domain in zip(state, self.domains, strict=True):
            if value != np.rint(value) or not ((domain[:, 0] <= value) & (value <= domain[:, 1])).any():
                return None
        proto = self.copy()
        for column, value in zip(self.columns.tolist(), state.tolist(), strict=True):
            domain = proto.variables[column].domain
            domain.clear()
            domain.extend([int(value)] * 2)
        return self.with_proto(proto)

    def with_proto(self, proto: Any) -> Self:
        """Return the same objective over another model."""
        return dataclasses.replace(self, proto=proto)

    def __getstate__(self) -> dict[str, Any]:
        """Write the protocol buffer as text, the one form that its Python class offers."""
        state = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**state, "proto": str(self.proto)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read it again."""
        proto = Proto()
        proto.parse_text_format(state["proto"])
        self.__dict__.update(state, proto=proto)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself: it never changes."""
        return self


def validate_model(proto: Any) -> str:
    """Return what is wrong with a model in CP-SAT's words; empty if nothing is."""
    return str(cp_model_helper.CpSatHelper.validate_model(proto)).strip()


def lower(model: Any, columns: Sequence[int]) -> tuple[SatModel, bool | None]:
    """Return a model of the user's as it is kept, and whether it maximises; None if it has no objective.

    The user's model is copied. What its objective says about the variables of theta is dropped.

    Args:
        model: A ``CpModel``.
        columns: Indices of the variables that theta stands for.

    Raises:
        SolverParameterError: the model is not valid.
    """
    fault = validate_model(model.proto)
    if fault:
        raise SolverParameterError(f"the model is not valid: {fault}")
    proto = Proto()
    proto.copy_from(model.proto)
    terms, offset, maximise = _objective(proto)
    proto.clear_objective()
    proto.clear_floating_point_objective()
    for column in columns:
        terms.pop(column, None)
    sign = -1.0 if maximise else 1.0
    kept = {column: sign * value for column, value in terms.items() if value}
    lowered = SatModel(
        proto,
        np.array(columns, np.int64),
        np.array(list(kept), np.int64),
        np.array(list(kept.values()), np.float64),
        offset,
    )
    return lowered, maximise


def _objective(proto: Any) -> tuple[dict[int, float], float, bool | None]:
    """Return the terms of the objective in its own sense, its constant, and whether it is maximised."""
    maximise: bool | None
    if proto.has_floating_point_objective():
        given, scale = proto.floating_point_objective, 1.0
        offset, maximise = float(given.offset), bool(given.maximize)
    elif proto.has_objective():
        given = proto.objective
        scale = given.scaling_factor or 1.0
        offset, maximise = scale * given.offset, scale < 0
        if len(given.domain):
            raise SolverParameterError(
                "the model's objective has a domain, which means nothing once theta takes the place of its terms; "
                "give it as a constraint."
            )
    else:
        return {}, 0.0, None
    terms: dict[int, float] = {}
    for reference, coefficient in zip(given.vars, given.coeffs, strict=True):
        if float(coefficient) != coefficient:
            raise SolverParameterError(
                f"the objective's coefficient {coefficient} has more than 53 bits; theta are floats, and so must the "
                "terms beside them be."
            )
        column, sign = (reference, 1.0) if reference >= 0 else (-reference - 1, -1.0)
        terms[column] = terms.get(column, 0.0) + sign * scale * coefficient
    return terms, offset, maximise
