"""From a model of PuLP to arrays."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pulp

from imle_core.errors import SolverParameterError
from imle_pulp._program import Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray


_DUMMY = "__dummy"


class Model(NamedTuple):
    """A programme with its objective as its owner wrote it.

    Args:
        program: The programme; its costs are still zeros.
        objective: Coefficient of each column in the objective, in the sense of the model.
        constant: The objective's constant.
        maximise: Whether the objective is maximised.
        rows: Names of the rows, by the identity of the constraints that they were.
    """

    program: Program
    objective: NDArray[np.float64]
    constant: float
    maximise: bool
    rows: Mapping[int, str] = MappingProxyType({})


def lower(problem: pulp.LpProblem, further: Iterable[pulp.LpVariable] = ()) -> Model:
    """Read a model of PuLP; nothing of it is changed.

    Args:
        problem: The model.
        further: Variables that belong to it although neither objective nor constraints need name them.

    Raises:
        SolverParameterError: names that are used twice, special ordered sets, or numbers that are not finite.
    """
    if problem.sos1 or problem.sos2:
        raise SolverParameterError(
            "the problem has special ordered sets, which are not supported; write them with binary variables."
        )
    constraints = _constraints(problem)
    objective = problem.objective if problem.objective is not None else pulp.LpAffineExpression()
    own = _variables(
        *(one.keys() for one in (objective, *constraints.values())), getattr(problem, "_variables", ())
    )
    for variable in further:
        if own.get(variable.name, variable) is not variable:
            raise SolverParameterError(
                f"theta has a variable {variable.name!r} that is not the one of this name in the problem, but of "
                "another problem or a copy. Give the problem's own variables, or their names."
            )
    variables = _variables(own.values(), further)
    column = {name: j for j, name in enumerate(variables)}
    costs = np.zeros(len(column))
    for variable, coefficient in objective.items():
        costs[column[variable.name]] += _finite(
            coefficient, f"the objective's coefficient of {variable.name!r}"
        )
    return Model(
        program=_program(constraints, variables, column),
        objective=costs,
        constant=_finite(objective.constant, "the objective's constant"),
        maximise=problem.sense == pulp.LpMaximize,
        rows={id(constraint): name for name, constraint in constraints.items()},
    )


def without_dummy(model: Model) -> Model:
    """Return the model without the variable that PuLP adds when it solves or writes a problem without an objective."""
    program = model.program
    if _DUMMY not in program.names:
        return model
    place = program.names.index(_DUMMY)
    if program.lower[place] or program.upper[place] or (program.columns == place).any():
        return model  # somebody's own
    left = np.delete(np.arange(program.width), place)
    return model._replace(
        program=replace(
            program,
            cost=program.cost[left],
            columns=program.columns - (program.columns > place).astype(np.int32),
            lower=program.lower[left],
            upper=program.upper[left],
            integer=program.integer[left],
            names=tuple(program.names[column] for column in left),
        ),
        objective=model.objective[left],
    )


def _constraints(problem: pulp.LpProblem) -> dict[str, pulp.LpConstraint]:
    """Return the constraints by name; one that its owner did not name goes by its number, as PuLP counts."""
    found: dict[str, pulp.LpConstraint] = {}
    for number, constraint in enumerate(problem.constraints(), 1):
        name = constraint.name or f"_C{number}"
        if name in found:
            raise SolverParameterError(
                f"two constraints of the problem are called {name!r}; give each a name of its own."
            )
        found[name] = constraint
    return found


def _variables(*groups: Iterable[pulp.LpVariable]) -> dict[str, pulp.LpVariable]:
    """Return all variables by name, in the order in which they appear."""
    found: dict[str, pulp.LpVariable] = {}
    for variable in itertools.chain(*groups):
        if found.setdefault(variable.name, variable) is not variable:
            raise SolverParameterError(
                f"two variables of the problem are called {variable.name!r}; give each a name of its own."
            )
    return found


def _program(
    constraints: dict[str, pulp.LpConstraint], variables: dict[str, pulp.LpVariable], column: dict[str, int]
) -> Program:
    starts, columns, values = [0], list[int](), list[float]()
    for name, constraint in constraints.items():
        for variable, coefficient in constraint.items():
            columns.append(column[variable.name])
            what = f"constraint {name!r}: the coefficient of {variable.name!r}"
            values.append(_finite(coefficient, what))
        starts.append(len(columns))
    return Program(
        cost=np.zeros(len(column)),
        starts=np.array(starts, np.int32),
        columns=np.array(columns, np.int32),
        values=np.array(values, float),
        row_lower=np.array(
            [_limit(c.getLb(), -math.inf, "limit", name) for name, c in constraints.items()], float
        ),
        row_upper=np.array(
            [_limit(c.getUb(), math.inf, "limit", name) for name, c in constraints.items()], float
        ),
        lower=np.array([_limit(v.lowBound, -math.inf, "bound", v.name) for v in variables.values()], float),
        upper=np.array([_limit(v.upBound, math.inf, "bound", v.name) for v in variables.values()], float),
        integer=np.array([v.cat in (pulp.LpInteger, pulp.LpBinary) for v in variables.values()], bool),
        names=tuple(variables),
        row_names=tuple(constraints),
    )


def _limit(number: Any, default: float, kind: str, name: str) -> float:
    """Return a limit of a constraint or a bound of a variable, where None is none."""
    if number is None:
        return default
    value = float(number)
    if math.isnan(value):
        raise SolverParameterError(f"a {kind} of {name!r} is nan; give a number, or None for none.")
    return value


def _finite(number: Any, what: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise SolverParameterError(f"{what} is {value}; it must be finite.")
    return value
