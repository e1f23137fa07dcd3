"""One set Z: a solver with one instance, its objective, and its structures where they can be listed."""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.errors import (
    InfeasibleError,
    MissingCapabilityError,
    RegistrationError,
    UnboundedError,
)

from ._outcome import fail, skip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_core._solver import Solver

    from ._case import Case

    Array = NDArray[np.float64]

TOLERANCE = 1e-6
"""Relative to the size of an objective's terms: far above rounding and solvers' gaps, far below a wrong answer."""

BRUTE_FORCE_ENTRIES = 14
"""Up to so many binary entries the set is found by asking ``is_feasible`` about every state."""

DRAWS = 20
"""So often parameters are drawn anew where the solver has no answer to some of them."""

NO_ANSWER = (InfeasibleError, UnboundedError)
"""What a solver raises where there is no best structure, which is as good as an answer."""

LARGEST_SUPPORT = 100_000
"""A larger enumerated set is not looked at."""


class Problem:
    """A solver with one instance.

    Attributes:
        instance: The instance, or None.
        case: The case that it belongs to.
    """

    def __init__(self, case: Case, number: int, instance: Any) -> None:
        self.case, self._number, self.instance = case, number, instance

    @functools.cached_property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one structure: that of the instance, where rows may differ in size."""
        solver = self.case.solver
        if self.instance is None or not solver.sizes_differ:
            return self.case.event_shape
        return tuple(solver.shape_of(solver.prepare(self.instance)))

    @property
    def where(self) -> str:
        """The instance, as a message names it; empty if there is none."""
        return "" if self.instance is None else f" (instance {self.instance!r})"

    @property
    def positive(self) -> bool:
        """Whether theta are drawn above zero: the domain of costs, and of solvers that refuse or clip the rest."""
        solver = self.case.solver
        return solver.sense == "min" or solver.negative != "allow"

    def theta(self, rows: int, *, draw: int = 0) -> Array:
        """Return parameters without ties that the solver has an answer to, shape ``(rows, *event)``.

        Args:
            rows: How many.
            draw: Another number gives other parameters.

        Raises:
            InfeasibleError, UnboundedError: the solver has no answer to any of them.
        """
        if not self.case.known.get("partial"):
            return self._draw(rows, draw)
        key = ("theta", self._number, rows, draw)
        if key not in self.case.known:
            self.case.known[key] = self._answered_draws(rows, draw)
        return self.case.known[key].copy()

    def signed(self, rows: int) -> Array:
        """Return parameters of either sign though they are costs, the last below zero; some may lack answers."""
        theta = self._draw(rows, signed=True)
        return np.concatenate([theta, -np.abs(theta[:4])])

    def one_sided(self, rows: int) -> Array:
        """Return parameters most rows of which have one sign: below zero, above it, and all but one entry below it.

        Where negative costs are no domain of the solver, they are all above zero.
        """
        theta = self.theta(rows, draw=3)
        if self.positive:
            return theta
        flat = np.abs(theta).reshape(rows, -1)
        flat[::3] *= -1
        flat[2::3] *= -1
        flat[2::3, 0] *= -0.01  # so little that it does not make up for another entry
        theta = flat.reshape(theta.shape)
        return self.answered(theta) if self.case.known.get("partial") else theta

    def answered(self, theta: Array) -> Array:
        """Return the rows of theta to which the solver has an answer."""
        try:
            self.solve(theta)
        except NO_ANSWER:
            return theta[[self._answers(row[None]) for row in theta]] if len(theta) > 1 else theta[:0]
        return theta

    def solve(self, theta: NDArray[Any], *, solver: Solver | None = None) -> Array:
        """Return the states of theta, float64, shape ``(N, *event)``."""
        solver = solver or self.case.solver
        return np.asarray(solver.solve(theta, **self.instances(len(theta))), np.float64)

    def solve_again(self, theta: Array, how: str) -> Array:
        """Return the states of theta that must have answers, because the same rows had them; fail if they have none."""
        try:
            return self.solve(theta)
        except NO_ANSWER as error:
            fail(
                asked=f"theta that has an answer has one {how}{self.where}",
                found=f"{type(error).__name__}: {error}",
                usually="whether there is an answer is decided by an absolute tolerance, or for the batch as a whole",
            )

    def is_feasible(self, z: Array, *, solver: Solver | None = None) -> NDArray[np.bool_]:
        """Return what ``is_feasible`` says of each state, shape ``(N,)``."""
        return self.case.is_feasible(z, [self] * len(z), solver=solver)

    def instances(self, rows: int) -> dict[str, Any]:
        """Return the keyword argument that gives all rows this instance, as a user does; none where there is none."""
        return {} if self.instance is None else {"instances": [self.instance] * rows}

    def score(self, z: Array, theta: Array) -> Array:
        """Return the objective of each row, oriented so that larger is better, shape ``(N,)``."""
        sign = 1 if self.case.solver.sense == "max" else -1
        return sign * (z * theta).reshape(len(theta), -1).sum(1)

    def scores(self, z: Array, theta: Array) -> Array:
        """Return the objective of every state for every theta, shape ``(states, thetas)``."""
        sign = 1 if self.case.solver.sense == "max" else -1
        return sign * z.reshape(len(z), -1) @ theta.reshape(len(theta), -1).T

    def tolerance(self, z: Array, theta: Array) -> Array:
        """Return below which difference two objectives count as equal, shape ``(N,)``."""
        terms = np.abs(z * theta).reshape(len(theta), -1).sum(1)
        largest = np.abs(theta).reshape(len(theta), -1).max(1, initial=0)
        return TOLERANCE * np.maximum(terms, largest)

    def worse(self, z: Array, reference: Array, theta: Array) -> NDArray[np.intp]:
        """Return the rows whose state scores less than the reference by more than the tolerance."""
        short = self.score(reference, theta) - self.score(z, theta)
        return np.flatnonzero(short > self.tolerance(reference, theta))

    def differs(self, z: Array, reference: Array, theta: Array) -> NDArray[np.intp]:
        """Return the rows whose objective is not that of the reference: states may differ where there are ties."""
        gap = np.abs(self.score(reference, theta) - self.score(z, theta))
        return np.flatnonzero(gap > self.tolerance(reference, theta))

    def support(self) -> Array:
        """Return all structures of the set, shape ``(K, *event)``; skip the check where they cannot be listed."""
        known = self.case.known
        key = ("support", self._number)
        if key not in known:
            known[key] = self._support()
        if isinstance(known[key], str):
            skip(known[key])
        return known[key]

    def brute_force(self) -> Array | str:
        """Return the set by asking ``is_feasible`` about every binary state, or why that cannot be done."""
        solver, entries = self.case.solver, math.prod(self.event_shape)
        if solver.output != "binary" or not solver.implements("is_feasible"):
            return "no `enumerate_support`, no Example.support, and no `is_feasible` of a binary set"
        if entries > BRUTE_FORCE_ENTRIES:
            return f"no `enumerate_support`, no Example.support, and {entries} entries are too many to try all states"
        states = np.array(list(itertools.product((0.0, 1.0), repeat=entries)))
        states = states.reshape(-1, *self.event_shape)
        found = states[self.is_feasible(states)]
        return found if len(found) else "`is_feasible` accepts no state at all"

    def enumerated(self) -> Array | None:
        """Return what ``enumerate_support`` lists; None where it is not there or cannot know the shape."""
        solver = self.case.solver
        if (
            not solver.implements("enumerate_support")
            or solver.event_shape is None
            or (None in solver.event_shape and not solver.sizes_differ)
        ):
            return None
        options = {} if self.instance is None else {"instance": self.instance}
        try:
            return np.asarray(solver.enumerate_support(**options), np.float64)
        except MissingCapabilityError:  # the set is too large to be listed
            return None

    def _draw(self, rows: int, draw: int = 0, *, signed: bool = False) -> Array:
        rng = np.random.default_rng((20, draw, rows, self._number))
        shape = (rows, *self.event_shape)
        if self.positive and not signed:
            return rng.uniform(0.25, 1.75, shape)
        return rng.standard_normal(shape)

    def _answered_draws(self, rows: int, draw: int) -> Array:
        """Return as many rows with an answer, of as many draws as it takes."""
        found: list[Array] = []
        for again in range(DRAWS):
            found.append(self.answered(self._draw(rows, draw + 100 * again)))
            if sum(map(len, found)) >= rows:
                return np.concatenate(found)[:rows]
        self.solve(self._draw(rows, draw))  # which raises
        return np.concatenate(found)

    def _answers(self, row: Array) -> bool:
        try:
            self.solve(row)
        except NO_ANSWER:
            return False
        return True

    def _support(self) -> Array | str:
        given = self.case.example.support
        found: Array | str | None
        if given is not None:
            found = np.asarray(given(self.instance) if callable(given) else given, np.float64)
            if found.shape[1:] != self.event_shape:
                raise RegistrationError(
                    f"Example {self.case.label!r}: support has shape {found.shape}; give all structures, "
                    f"(K, {', '.join(map(str, self.event_shape))})."
                )
        else:
            found = self.enumerated()
        if found is None:
            found = self.brute_force()
        if not isinstance(found, str) and found.shape[1:] != self.event_shape:
            return f"`enumerate_support` returned shape {found.shape}, see check_support"
        return found if isinstance(found, str) or len(found) <= LARGEST_SUPPORT else "its set is too large"
