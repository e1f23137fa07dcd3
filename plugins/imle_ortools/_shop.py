"""A job shop: what is given, its model of CP-SAT, and the statistics of a schedule."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from ortools.sat.python import cp_model

from imle_core.errors import SolverParameterError
from imle_ortools._sat_model import SatModel, lower

Statistic = Literal["completion", "makespan", "machines", "load"]
Task = tuple[Hashable, int]

SLOTTED = 100_000
"""So many pairs of a task and a slot at most make the model of a load."""


@dataclass(frozen=True)
class Shop:
    """A job shop.

    Args:
        jobs: For each job its tasks ``(machine, duration)``, in the order in which they are done.
        machines: All machines, in the order of their statistics.
        release: When each job may begin.
        deadline: When each job must be done at the latest; None for no limit.
        horizon: When all must be done at the latest.
        power: What each machine draws in a slot in which it runs.
        statistics: What theta stands for, in this order.
    """

    jobs: tuple[tuple[Task, ...], ...]
    machines: tuple[Hashable, ...]
    release: tuple[int, ...]
    deadline: tuple[int | None, ...]
    horizon: int
    power: tuple[int, ...]
    statistics: tuple[Statistic, ...]

    @property
    def entries(self) -> list[tuple[Any, ...]]:
        """What each entry of theta stands for."""
        every: dict[Statistic, list[tuple[Any, ...]]] = {
            "completion": [("completion", job) for job in range(len(self.jobs))],
            "makespan": [("makespan",)],
            "machines": [("machine", machine) for machine in self.machines],
            "load": [("load", slot) for slot in range(self.horizon)],
        }
        return [entry for statistic in self.statistics for entry in every[statistic]]

    def fault(self, starts: Sequence[Sequence[int]]) -> str:
        """Return what is wrong with a schedule, whose tasks begin at these times; nothing where it is one."""
        busy: dict[Hashable, list[tuple[int, int]]] = {machine: [] for machine in self.machines}
        for number, (job, times) in enumerate(zip(self.jobs, starts, strict=True)):
            free = self.release[number]
            for place, ((machine, duration), start) in enumerate(zip(job, times, strict=True)):
                if start < free:
                    return f"job {number}, task {place} begins at {start}, but may not before {free}"
                free = start + duration
                busy[machine].append((start, free))
            deadline = self.deadline[number]
            limit = self.horizon if deadline is None else min(deadline, self.horizon)
            if free > limit:
                return f"job {number} is done at {free}, but must be at {limit}"
        for machine, runs in busy.items():
            for (start, end), (following, _) in itertools.pairwise(sorted(runs)):
                if end > following:
                    return f"the machine {machine!r} has a task from {start} to {end}, and another one at {following}"
        return ""

    def measure(self, starts: Sequence[Sequence[int]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the statistics of a schedule, whose tasks begin at these times."""
        load = np.zeros(self.horizon)
        free = dict.fromkeys(self.machines, 0)
        completion = []
        power = dict(zip(self.machines, self.power, strict=True))
        for job, times in zip(self.jobs, starts, strict=True):
            for (machine, duration), start in zip(job, times, strict=True):
                load[start : start + duration] += power[machine]
                free[machine] = max(free[machine], start + duration)
            completion.append(times[-1] + job[-1][1])
        every = {
            "completion": completion,
            "makespan": [max(completion)],
            "machines": list(free.values()),
            "load": load,
        }
        return np.concatenate([np.asarray(every[statistic], np.float64) for statistic in self.statistics])


def read_shop(jobs: Any, *, release: Any, deadline: Any, horizon: Any, power: Any, statistics: Any) -> Shop:
    """Return the shop that a user describes.

    Raises:
        SolverParameterError: something in it is not valid; the message names it.
    """
    tasks = read_jobs(jobs)
    machines = tuple(dict.fromkeys(machine for job in tasks for machine, _ in job))
    begin = _times("release", release, len(tasks), 0)
    end = _times("deadline", deadline, len(tasks), None)
    if horizon is None:
        horizon = max(begin) + sum(duration for job in tasks for _, duration in job)
    limit = _integer("horizon", horizon)
    names = (statistics,) if isinstance(statistics, str) else tuple(statistics)
    if not names or len(set(names)) < len(names) or set(names) - set(get_args(Statistic)):
        raise SolverParameterError(
            f"objective must be one or several of {', '.join(map(repr, get_args(Statistic)))}; got {statistics!r}."
        )
    given = dict(power or {})
    for machine in given.keys() - set(machines):
        raise SolverParameterError(f"power names the machine {machine!r}, on which no task runs.")
    drawn = tuple(_integer(f"power of {machine!r}", given.get(machine, 1)) for machine in machines)
    if "load" in names and limit == 0:
        raise SolverParameterError("'load' has an entry for each unit of time up to the horizon, which is 0.")
    slots = sum(map(len, tasks)) * limit
    if "load" in names and slots > SLOTTED:
        raise SolverParameterError(
            f"'load' with {slots:,} pairs of a task and a slot is too large (at most {SLOTTED:,}); use longer slots, "
            "or a shorter horizon."
        )
    return Shop(tasks, machines, begin, end, limit, drawn, names)


def build(shop: Shop) -> SatModel:
    """Return the model of a shop; its first variables are the starts of the tasks, job by job."""
    model = cp_model.CpModel()
    starts = [
        [
            model.new_int_var(released, max(released, shop.horizon), f"job {number}, task {place}")
            for place in range(len(job))
        ]
        for number, (job, released) in enumerate(zip(shop.jobs, shop.release, strict=True))
    ]
    ends: list[Any] = []
    busy: dict[Hashable, list[Any]] = {machine: [] for machine in shop.machines}
    finish: dict[Hashable, list[Any]] = {machine: [] for machine in shop.machines}
    for job, times, deadline in zip(shop.jobs, starts, shop.deadline, strict=True):
        for (machine, duration), start, follower in zip(job, times, [*times[1:], None], strict=True):
            busy[machine].append(model.new_fixed_size_interval_var(start, duration, ""))
            finish[machine].append(start + duration)
            limit = shop.horizon if deadline is None else min(deadline, shop.horizon)
            model.add(start + duration <= (limit if follower is None else follower))
        ends.append(times[-1] + job[-1][1])
    for machine in shop.machines:
        model.add_no_overlap(busy[machine])
    covered: list[Any] = []
    for statistic in shop.statistics:
        if statistic == "completion":
            covered += [_equal(model, shop, end) for end in ends]
        elif statistic == "makespan":
            covered.append(_latest(model, shop, ends))
        elif statistic == "machines":
            covered += [_latest(model, shop, finish[machine]) for machine in shop.machines]
        else:
            covered += _load(model, shop, starts)
    return lower(model, [variable.index for variable in covered])[0]


def _equal(model: Any, shop: Shop, end: Any) -> Any:
    variable = model.new_int_var(0, shop.horizon, "")
    model.add(variable == end)
    return variable


def _latest(model: Any, shop: Shop, ends: Sequence[Any]) -> Any:
    variable = model.new_int_var(0, shop.horizon, "")
    model.add_max_equality(variable, ends)
    return variable


def _load(model: Any, shop: Shop, starts: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the power drawn in each slot, by a Boolean for each slot in which a task may begin."""
    drawn: list[list[Any]] = [[] for _ in range(shop.horizon)]
    power = dict(zip(shop.machines, shop.power, strict=True))
    for job, times in zip(shop.jobs, starts, strict=True):
        for (machine, duration), start in zip(job, times, strict=True):
            begins = [model.new_bool_var("") for _ in range(shop.horizon - duration + 1)]
            model.add_exactly_one(begins)
            model.add(start == sum(slot * begin for slot, begin in enumerate(begins)))
            for slot, begin in enumerate(begins):
                for running in range(slot, slot + duration):
                    drawn[running].append(power[machine] * begin)
    most = sum(shop.power)
    loads = []
    for terms in drawn:
        load = model.new_int_var(0, most, "")
        model.add(load == sum(terms))
        loads.append(load)
    return loads


def read_jobs(given: Any) -> tuple[tuple[Task, ...], ...]:
    """Return the tasks of jobs; raise SolverParameterError if something in them is not valid."""
    try:
        jobs = tuple(tuple((machine, duration) for machine, duration in job) for job in given)
    except (TypeError, ValueError):
        raise SolverParameterError(
            f"jobs must be a list of jobs, each a list of tasks (machine, duration); got {given!r}."
        ) from None
    if not jobs:
        raise SolverParameterError("jobs is empty.")
    for number, job in enumerate(jobs):
        if not job:
            raise SolverParameterError(f"job {number} has no task.")
        for place, (machine, duration) in enumerate(job):
            if not isinstance(machine, Hashable):
                raise SolverParameterError(
                    f"job {number}, task {place}: the machine {machine!r} is not hashable."
                )
            _integer(f"job {number}, task {place}: the duration", duration)
    return tuple(tuple((machine, int(duration)) for machine, duration in job) for job in jobs)


def _times(name: str, given: Any, jobs: int, default: int | None) -> tuple[Any, ...]:
    if given is None:
        return (default,) * jobs
    if isinstance(given, Mapping) or not isinstance(given, (Sequence, np.ndarray)) or len(given) != jobs:
        raise SolverParameterError(f"{name} must have one time for each of the {jobs} jobs; got {given!r}.")
    return tuple(
        None if time is None and default is None else _integer(f"{name} of job {number}", time)
        for number, time in enumerate(given)
    )


def _integer(what: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number < 2**31:
        raise SolverParameterError(f"{what} must be an integer from 0 to {2**31 - 1:,}; got {value!r}.")
    return number
