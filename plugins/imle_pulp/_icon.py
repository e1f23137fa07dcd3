"""Instances of energy-cost aware scheduling: the text files of the ICON challenge, and mappings, checked."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.errors import SolverParameterError, closest
from imle_pulp._numbers import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = 24 * 60  # minutes


class Task(NamedTuple):
    """A task: it runs for ``duration`` slots, not before ``earliest`` and until ``latest`` at most."""

    duration: int
    earliest: int
    latest: int
    power: float
    use: tuple[float, ...]

    @property
    def starts(self) -> range:
        """The slots in which it may start."""
        return range(self.earliest, self.latest - self.duration + 1)


class Day(NamedTuple):
    """The tasks of a day, and the machines that they run on.

    Args:
        minutes: Length of a slot.
        capacities: Of each resource on each machine, shape ``(machines, resources)``.
        tasks: The tasks.
    """

    minutes: int
    capacities: NDArray[np.float64]
    tasks: tuple[Task, ...]

    @property
    def slots(self) -> int:
        """Slots of the day."""
        return DAY // self.minutes

    def fits(self, task: Task) -> list[int]:
        """Return the machines that can run a task, by itself."""
        return [m for m, has in enumerate(self.capacities) if (np.array(task.use) <= has).all()]


def read_day(instance: Any) -> Day:
    """Read an instance, see :func:`imle_pulp.scheduling.scheduling`.

    Raises:
        SolverParameterError: it is neither a file nor a mapping of this form, or no schedule can satisfy it.
    """
    if isinstance(instance, (str, os.PathLike)):
        instance = _parsed(Path(instance))
    if not isinstance(instance, Mapping):
        raise SolverParameterError(
            "an instance is the path of a file, or a mapping {'minutes': 30, 'capacities': [...], 'tasks': [...]}; got "
            f"{instance!r}."
        )
    given = _fields("instance", instance, {"minutes", "capacities", "tasks"})
    minutes = _whole("minutes", given["minutes"])
    if not 0 < minutes <= DAY or DAY % minutes:
        raise SolverParameterError(
            f"minutes, the length of a slot, must divide a day of {DAY}; got {minutes}."
        )
    capacities = numbers("capacities", given["capacities"], (1, 2))
    if not capacities.size:
        raise SolverParameterError("capacities must have a machine and a resource at least.")
    capacities = capacities.reshape(len(capacities), -1)
    if not isinstance(given["tasks"], (list, tuple)) or not given["tasks"]:
        raise SolverParameterError(
            f"tasks must be a list of mappings, of one at least; got {given['tasks']!r}."
        )
    tasks = tuple(_task(f"task {i}", task, capacities.shape[1]) for i, task in enumerate(given["tasks"]))
    day = Day(minutes, capacities, tasks)
    for i, task in enumerate(tasks):
        if not task.starts or task.latest > day.slots:
            raise SolverParameterError(
                f"task {i} cannot run: it takes {task.duration} slots from {task.earliest} to {task.latest}, of a "
                f"day of {day.slots}."
            )
        if not day.fits(task):
            raise SolverParameterError(
                f"task {i} fits on no machine: it uses {list(task.use)} of the resources."
            )
    return day


def _task(what: str, given: Any, resources: int) -> Task:
    fields = _fields(what, given, {"duration", "earliest", "latest", "power", "use"})
    duration, earliest, latest = (
        _whole(f"{what}: {key}", fields[key]) for key in ("duration", "earliest", "latest")
    )
    if duration < 1 or earliest < 0:
        raise SolverParameterError(
            f"{what}: duration must be at least 1 and earliest at least 0; got {duration} and {earliest}."
        )
    use = numbers(f"{what}: use", fields["use"], (0, 1)).reshape(-1)
    if len(use) != resources:
        raise SolverParameterError(
            f"{what}: use must have a number for each of {resources} resources; got {len(use)}."
        )
    power = float(numbers(f"{what}: power", fields["power"], (0,)))
    return Task(duration, earliest, latest, power, tuple(use.tolist()))


def _fields(what: str, given: Any, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise SolverParameterError(f"{what} must be a mapping with {', '.join(sorted(keys))}; got {given!r}.")
    for key in keys ^ set(given):
        state = f"unknown key {key!r}.{closest(str(key), keys)}" if key not in keys else f"no {key!r}."
        raise SolverParameterError(f"{what}: {state} Keys: {', '.join(sorted(keys))}.")
    return given


def _whole(what: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise SolverParameterError(f"{what} must be a whole number; got {value!r}.") from None


class _Words:
    """The numbers of a file in their order, with the place of the next one for errors."""

    def __init__(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise SolverParameterError(f"{path} cannot be read: {error}.") from None
        self.path = path
        self._words = [(n, word) for n, line in enumerate(text.splitlines(), 1) for word in line.split()]
        self._next = 0

    def take(self, what: str, count: int, kind: type = int) -> list[Any]:
        found = []
        for line, word in self._words[self._next : self._next + count]:
            try:
                found.append(kind(word))
            except ValueError:
                raise SolverParameterError(
                    f"{self.path}, line {line}: expected {what}; got {word!r}."
                ) from None
        if len(found) < count:
            raise SolverParameterError(f"{self.path} ends before {what}.")
        self._next += count
        return found

    def end(self) -> None:
        if self._next < len(self._words):
            line, word = self._words[self._next]
            raise SolverParameterError(
                f"{self.path}, line {line}: expected the end of the file; got {word!r}."
            )


def _parsed(path: Path) -> dict[str, Any]:
    """Read a file of the ICON challenge.

    Minutes of a slot, numbers of resources and machines; for each machine number, idle power, costs of starting and
    stopping, and its capacities; the number of tasks; for each task number, duration, earliest start, latest end and
    power, and its use of the resources.
    """
    words = _Words(path)
    minutes, resources, machines = words.take("minutes, resources and machines", 3)
    capacities, tasks = [], []
    for i in range(machines):
        words.take(f"machine {i}", 4, float)
        capacities.append(words.take(f"capacities of machine {i}", resources, float))
    (count,) = words.take("the number of tasks", 1)
    for i in range(count):
        _, duration, earliest, latest = words.take(f"task {i}", 4)
        (power,) = words.take(f"power of task {i}", 1, float)
        use = words.take(f"use of task {i}", resources, float)
        tasks.append(
            {"duration": duration, "earliest": earliest, "latest": latest, "power": power, "use": use}
        )
    words.end()
    return {"minutes": minutes, "capacities": capacities, "tasks": tasks}
