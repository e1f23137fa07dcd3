"""One example of a solver, and what the checks ask of it."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from ._outcome import skip
from ._problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_core._solver import Solver

    from ._example import Example
    from ._subject import Subject

INSTANCES = 3
"""How many of an example's instances the checks look at."""


class Case:
    """One example of a solver. Each check has a case of its own, with a solver that nobody has used.

    Attributes:
        subject: What is tested.
        example: The example of it.
        label: What reports call it.
        known: What checks found and others need, such as the enumerated set; shared by all checks of the example.
            Under ``"fault"`` stands why no other check can be run, under ``"partial"`` whether the solver has no answer
            to some theta.
    """

    def __init__(self, subject: Subject, example: Example, label: str) -> None:
        self.subject, self.example, self.label = subject, example, label
        self.known: dict[Any, Any] = {}

    def renewed(self) -> Case:
        """Return this case with a solver that has not been built, and the same knowledge."""
        case = copy.copy(self)
        case.__dict__.pop("solver", None)
        return case

    def fresh(self, **parameters: Any) -> Solver:
        """Return a new solver, with other parameters where they are given."""
        return self.subject.build({**self.example.parameters, **parameters})

    @functools.cached_property
    def solver(self) -> Solver:
        """The solver of this check."""
        return self.fresh()

    def trait(self, name: str) -> Any:
        """Return what the example declares, or else the description of the solver."""
        return self.example.traits.get(name, self.subject.trait(name))

    @property
    def exact(self) -> bool:
        """Whether answers are optimal, as declared."""
        return cast("bool", self.trait("exact"))

    @property
    def deterministic(self) -> bool:
        """Whether equal input gives equal answers, as declared."""
        return cast("bool", self.trait("deterministic"))

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one structure, with a few entries where the solver takes any number."""
        if self.example.event_shape is not None:
            return self.example.event_shape
        return self._shape(6, 4)

    def resized(self) -> Case | None:
        """Return this case with more entries; None where the solver or the example says how many there are."""
        shape = self.solver.event_shape
        if self.example.event_shape is not None or (shape is not None and None not in shape):
            return None
        other = Case(
            self.subject, dataclasses.replace(self.example, event_shape=self._shape(9, 5)), self.label
        )
        other.known = {key: value for key, value in self.known.items() if key == "partial"}
        return other

    @property
    def entries(self) -> int:
        """The number of entries of one structure."""
        return math.prod(self.event_shape)

    def _shape(self, free: int, each: int) -> tuple[int, ...]:
        """Return the solver's shape with so many entries on its one free axis, or on each of several."""
        shape = self.solver.event_shape
        if shape is None:
            return (free,)
        n = free if shape.count(None) == 1 else each
        return tuple(n if axis is None else axis for axis in shape)

    @property
    def problems(self) -> list[Problem]:
        """The solver with each of the first instances, or with none."""
        instances = list(self.example.instances)[:INSTANCES]
        return [Problem(self, i, instance) for i, instance in enumerate(instances)] or [
            Problem(self, 0, None)
        ]

    @property
    def problem(self) -> Problem:
        """The solver with the first instance, for checks that need one alone."""
        return self.problems[0]

    def mixed(self, rows: int) -> list[Problem]:
        """Return the problem of each row of a batch in which instances take turns, there and back."""
        turns = [*self.problems, *reversed(self.problems)]
        return [turns[row % len(turns)] for row in range(rows)]

    def prepared(self, problems: Sequence[Problem], *, solver: Solver | None = None) -> dict[str, Any]:
        """Return the keyword argument that gives each row its instance as the solver prepares it; none without."""
        solver = solver or self.solver
        if self.problem.instance is None:
            return {}
        return {"instances": [solver.prepare(problem.instance) for problem in problems]}

    def is_feasible(
        self, z: NDArray[np.float64], problems: Sequence[Problem], *, solver: Solver | None = None
    ) -> NDArray[np.bool_]:
        """Return what ``is_feasible`` says of each state for the instance of its row, shape ``(N,)``."""
        solver = solver or self.solver
        states = torch.from_numpy(np.ascontiguousarray(z)) if solver.takes_tensors else z
        found = solver.is_feasible(states, **self.prepared(problems, solver=solver))
        return np.asarray(found, np.bool_).reshape(-1)

    def rng(self) -> np.random.Generator:
        """Return a generator, always with the same seed, so that a check gives the same result on its own."""
        return np.random.default_rng(20)

    def use(self) -> Solver:
        """Build a solver and use what it has, as a user would; return it."""
        solver = self.fresh()
        for problem in self.problems:
            z = problem.solve(problem.theta(3), solver=solver)
            if solver.implements("is_feasible"):
                problem.is_feasible(z, solver=solver)
            if solver.implements("decode"):
                solver.decode(z[0], instance=problem.instance)
        return solver

    def require_exact(self) -> None:
        """Skip a check that holds for optimal answers alone."""
        if not self.exact:
            skip("declared exact=False")

    def require_repeatable(self) -> None:
        """Skip a check that compares the answers of two calls, where neither is optimal and both are random."""
        if not (self.exact or self.deterministic):
            skip("declared exact=False and deterministic=False")

    def require(self, method: str) -> None:
        """Skip a check of an optional method that the solver does not have."""
        if not self.solver.implements(method):
            skip(f"no `{method}`")
