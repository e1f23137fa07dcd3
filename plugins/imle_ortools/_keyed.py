"""What solvers share whose rows may bring part of the problem: an instance is a mapping."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from imle_core import Solver
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    SolverParameterError,
    closest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

T = TypeVar("T")


class KeyedSolver(Solver, Generic[T]):
    """Base class of solvers whose instances are mappings with the keys of :attr:`keys`.

    What an instance leaves out is as the constructor gave it. A subclass writes ``_task(given)``: what one row asks,
    from a dict with all keys, none of them None; it raises SolverParameterError where something is wrong.
    """

    keys: ClassVar[tuple[str, ...]] = ()
    scale_invariant = True

    def _begin(self, **given: Any) -> None:
        """Keep what the constructor gives, and check it if it is all there is to know."""
        self._given = given
        self._own = None if any(value is None for value in given.values()) else self._task(given)

    @abstractmethod
    def _task(self, given: Mapping[str, Any]) -> T: ...

    def prepare(self, instance: Any) -> T:
        """Return what a row asks, from a mapping with any of the keys.

        Raises:
            InvalidInstanceError: it is no such mapping, or what it says is not valid.
        """
        given = dict(self._given)
        try:
            own = dict(instance)
        except (TypeError, ValueError):
            shown = ", ".join(f"{key!r}: ..." for key in self.keys)
            raise InvalidInstanceError(
                f"{self.name}: an instance is a mapping {{{shown}}}; got {instance!r}."
            ) from None
        for key in own.keys() - set(self.keys):
            raise InvalidInstanceError(
                f"{self.name}: unknown key {key!r} in an instance.{closest(str(key), self.keys)} "
                f"Keys: {', '.join(self.keys)}."
            )
        given.update(own)
        for key, value in given.items():
            if value is None:
                raise InvalidInstanceError(f"{self.name}: {self._missing(key)}")
        try:
            return self._task(given)
        except SolverParameterError as error:
            raise InvalidInstanceError(f"{self.name}: {error}") from None

    def _missing(self, key: str) -> str:
        return f"no {key}: give it to the constructor, or to each row as instances=[{{{key!r}: ...}}]."

    def _task_of(self, instance: Any) -> T:
        """Return what the user's own instance asks; None for that of the constructor."""
        return self.prepare({} if instance is None else instance)

    def _tasks(self, instances: Sequence[T] | None, rows: int) -> Sequence[T]:
        """Return what each row of a batch asks."""
        if instances is not None:
            return instances
        if self._own is None:
            key = next(key for key, value in self._given.items() if value is None)
            raise InvalidInstanceError(f"{self.name}: {self._missing(key)}")
        return [self._own] * rows

    def _states(self, z: NDArray[Any]) -> NDArray[Any]:
        """Return a batch of states, which must have the solver's shape."""
        if z.ndim != len(self.event_shape or ()) + 1 or z.shape[1:] != self.event_shape:
            raise InvalidThetaError(
                f"{self.name}: states must have shape {('N', *(self.event_shape or ()))}; got {z.shape}."
            )
        return z

    def _require(self, z: NDArray[Any], instance: Any, what: str) -> T:
        """Return what an instance asks, of which a state must be a structure."""
        task = self._task_of(instance)
        if not self.is_feasible(z[None], instances=[task])[0]:
            raise self._no_structure(f"the state is no {what}")
        return task

    def _no_structure(self, fault: str) -> InvalidSolutionError:
        error = InvalidSolutionError(f"{fault}.")
        error.solver = self.name
        return error


def by_task(tasks: Sequence[T]) -> list[tuple[T, NDArray[np.intp]]]:
    """Return each distinct task with the rows that ask it."""
    groups: dict[int, tuple[T, list[int]]] = {}
    for row, task in enumerate(tasks):
        groups.setdefault(id(task), (task, []))[1].append(row)
    return [(task, np.array(rows)) for task, rows in groups.values()]
