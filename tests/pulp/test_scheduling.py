"""``pulp.scheduling`` against brute force, its files, and what it refuses."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_pulp._icon import read_day
from imle_pulp.scheduling import scheduling

import imle_core as imle
from imle_core.errors import InfeasibleError, SolverParameterError

SHARED = Path(os.environ.get("IMLE_DATA", Path(__file__).parents[3] / "shared" / "data"))
ICON = SHARED / "energy_icon" / "SchedulingInstances"
SLOTS = 6

FILE = """240
2
2
0 190 0.1 0.0
2 1
1 170 0.1 0.1
1 2.5
2
0 2 0 6 3.0
2 1
1 1 1 4 1.5
1 0
"""
TASKS = [
    {"duration": 2, "earliest": 0, "latest": 6, "power": 3.0, "use": (2, 1)},
    {"duration": 1, "earliest": 1, "latest": 4, "power": 1.5, "use": (1, 0)},
]
DAY = {"minutes": 240, "capacities": [(2, 1), (1, 2.5)], "tasks": TASKS}


@st.composite
def days(draw):
    tasks = []
    for _ in range(draw(st.integers(1, 3))):
        duration = draw(st.integers(1, 3))
        earliest = draw(st.integers(0, SLOTS - duration))
        latest = draw(st.integers(earliest + duration, SLOTS))
        power, use = draw(st.integers(0, 40)) / 8, (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
        tasks.append(
            {"duration": duration, "earliest": earliest, "latest": latest, "power": power, "use": use}
        )
    capacities = [(draw(st.integers(2, 3)), draw(st.integers(2, 4)))]
    capacities += draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=1))
    prices = draw(st.lists(st.integers(-4, 30), min_size=SLOTS, max_size=SLOTS))
    return {"minutes": 240, "capacities": capacities, "tasks": tasks}, np.array(prices, float)


def schedules(day):
    """List the energy by slot of every schedule, by the definition."""
    choices = [
        [(start, machine) for start in range(t["earliest"], t["latest"] - t["duration"] + 1)
         for machine in range(len(day["capacities"]))]
        for t in day["tasks"]
    ]  # fmt: skip
    found = []
    for chosen in itertools.product(*choices):
        load = np.zeros((len(day["capacities"]), SLOTS, 2))
        energy = np.zeros(SLOTS)
        for task, (start, machine) in zip(day["tasks"], chosen, strict=True):
            load[machine, start : start + task["duration"]] += task["use"]
            energy[start : start + task["duration"]] += task["power"] * 4
        if (load <= np.array(day["capacities"])[:, None]).all():
            found.append(energy)
    return np.array(found).reshape(-1, SLOTS)


@settings(max_examples=40, deadline=None)
@given(days())
def test_the_cheapest_schedule_is_found(case):
    day, prices = case
    every = schedules(day)
    solver = scheduling(day, backend="highs", threads=1)
    if not len(every):
        with pytest.raises(InfeasibleError):
            solver.solve(prices[None])
        return
    (z,) = solver.solve(prices[None])
    assert np.abs(every - z).max(1).min() < 1e-9
    assert prices @ z == pytest.approx((every @ prices).min(), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(days())
def test_the_relaxation_costs_no_more(case):
    day, prices = case
    every = schedules(day)
    if len(every):
        (z,) = scheduling(day, relax=True, threads=1).solve(prices[None])
        assert prices @ z <= (every @ prices).min() + 1e-6
        total = sum(task["power"] * task["duration"] * 4 for task in day["tasks"])
        assert z.sum() == pytest.approx(total)


def test_energies_are_decoded_to_starts():
    solver = imle.solver("pulp.scheduling", instance=DAY, backend="highs")
    z = solver.solve(np.array([[5.0, 1, 2, 3, 1, 1]]))
    np.testing.assert_allclose(z, [[0, 6, 0, 0, 12, 12]])
    values = solver.decode(z[0])
    starts = {name for name, value in values.items() if name.startswith("start") and value > 0.5}
    assert starts in ({"start_0_0_4", "start_1_0_1"}, {"start_0_0_4", "start_1_1_1"})
    assert values["energy_4"] == pytest.approx(12)


def test_a_task_is_offered_no_machine_that_is_too_small():
    solver = scheduling(DAY, backend="highs")
    names = solver.decode(solver.solve(np.ones((1, 6)))[0])
    assert not any(name.startswith("start_0_1") for name in names)


def test_a_file_and_a_mapping_are_the_same_day(tmp_path):
    path = tmp_path / "day.txt"
    path.write_text(FILE)
    for name in (path, str(path)):
        read, given = read_day(name), read_day(DAY)
        assert (read.minutes, read.tasks) == (given.minutes, given.tasks)
        np.testing.assert_array_equal(read.capacities, given.capacities)
    assert scheduling(path).event_shape == (6,)


def test_a_single_resource_needs_no_axis():
    tasks = [{**task, "use": task["use"][0]} for task in TASKS]
    theta = np.random.default_rng(0).random((5, 6))
    flat = scheduling({**DAY, "capacities": [2, 1], "tasks": tasks}, backend="highs")
    nested = scheduling(
        {**DAY, "capacities": [(2,), (1,)], "tasks": [{**t, "use": [t["use"]]} for t in tasks]},
        backend="highs",
    )
    np.testing.assert_array_equal(flat.solve(theta), nested.solve(theta))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0 2 0 6 3.0", "0 2 0 6 three", r"day\.txt, line 9: expected power of task 0; got 'three'"),
        ("0 2 0 6 3.0", "0 2.5 0 6 3.0", r"line 9: expected task 0; got '2\.5'"),
        ("1 0\n", "1\n", r"day\.txt ends before use of task 1"),
        ("1 0\n", "1 0\n7\n", r"line 13: expected the end of the file; got '7'"),
        ("0 2 0 6 3.0", "0 2 0 7 3.0", "task 0 cannot run: it takes 2 slots from 0 to 7, of a day of 6"),
        ("240", "250", "must divide a day of 1440; got 250"),
    ],
)
def test_a_fault_of_a_file_is_named_with_its_place(tmp_path, old, new, message):
    assert old in FILE
    (tmp_path / "day.txt").write_text(FILE.replace(old, new))
    with pytest.raises(SolverParameterError, match=message):
        scheduling(tmp_path / "day.txt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SolverParameterError, match=r"none\.txt cannot be read"):
        scheduling(tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minutes": 30.5}, "minutes must be a whole number"),
        ({"minutes": 0}, "must divide a day"),
        ({"capacities": []}, "a machine and a resource at least"),
        ({"capacities": [(1, -1)]}, "capacities must be at least 0"),
        ({"tasks": []}, "tasks must be a list of mappings, of one at least"),
        ({"tasks": [3]}, "task 0 must be a mapping with duration"),
        ({"slots": 3}, "unknown key 'slots'"),
    ],
)
def test_a_bad_day_is_refused(change, message):
    with pytest.raises(SolverParameterError, match=message):
        scheduling({**DAY, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duration": 0}, "duration must be at least 1"),
        ({"earliest": -1}, "earliest at least 0"),
        ({"duration": 7}, "cannot run: it takes 7 slots from 0 to 6"),
        ({"power": -1}, "task 1: power must be at least 0"),
        ({"use": (1, np.nan)}, "task 1: use must be finite"),
        ({"use": 1}, "use must have a number for each of 2 resources; got 1"),
        ({"use": (3, 0)}, r"task 1 fits on no machine: it uses \[3\.0, 0\.0\]"),
        ({"color": 1}, "unknown key 'color'"),
    ],
)
def test_a_bad_task_is_refused(change, message):
    with pytest.raises(SolverParameterError, match=message):
        scheduling({**DAY, "tasks": [TASKS[0], {**TASKS[0], **change}]})


def test_what_is_no_instance_is_refused():
    with pytest.raises(SolverParameterError, match="the path of a file, or a mapping"):
        scheduling(3)
    with pytest.raises(SolverParameterError, match=r"no 'tasks'\. Keys: capacities, minutes, tasks"):
        scheduling({"minutes": 240, "capacities": [1]})


def test_the_relaxation_has_no_options_of_a_search():
    with pytest.raises(
        SolverParameterError, match=r"relax=True has no search, so time_limit=1\.0 means nothing"
    ):
        scheduling(DAY, relax=True, time_limit=1.0)


def test_tasks_that_do_not_fit_together_are_infeasible():
    tasks = [{"duration": 4, "earliest": 0, "latest": 6, "power": 1.0, "use": 1}] * 2
    solver = scheduling({"minutes": 240, "capacities": [1], "tasks": tasks}, backend="highs")
    with pytest.raises(InfeasibleError, match="row 0"):
        solver.solve(np.ones((1, 6)))


@pytest.mark.skipif(not ICON.is_dir(), reason=f"no energy_icon in {SHARED}; set IMLE_DATA")
@pytest.mark.parametrize(("load", "tasks"), [(1, 10), (2, 15), (3, 20)])
def test_the_files_of_the_benchmark_are_read(load, tasks):
    day = read_day(ICON / f"load{load}" / "day01.txt")
    assert (day.slots, len(day.tasks), day.capacities.shape[1]) == (48, tasks, 1)
    prices = np.random.default_rng(load).uniform(20, 200, (2, 48))
    z = scheduling(ICON / f"load{load}" / "day01.txt", relax=True, threads=1).solve(prices)
    np.testing.assert_allclose(z.sum(1), sum(task.power * task.duration for task in day.tasks) / 2)


@pytest.mark.skipif(not ICON.is_dir(), reason=f"no energy_icon in {SHARED}; set IMLE_DATA")
def test_a_schedule_of_the_benchmark_keeps_to_its_file():
    path = ICON / "load1" / "day01.txt"
    day, solver = read_day(path), scheduling(path, threads=1)
    prices = np.random.default_rng(0).uniform(20, 200, (1, 48))
    (z,) = solver.solve(prices)
    starts = [
        tuple(map(int, name.split("_")[1:])) for name, value in solver.decode(z).items()
        if name.startswith("start") and value > 0.5
    ]  # fmt: skip
    assert sorted(task for task, _, _ in starts) == list(range(10))
    load, energy = np.zeros((3, 48)), np.zeros(48)
    for number, machine, slot in starts:
        task = day.tasks[number]
        assert task.earliest <= slot <= task.latest - task.duration
        load[machine, slot : slot + task.duration] += task.use[0]
        energy[slot : slot + task.duration] += task.power / 2
    assert (load <= day.capacities).all()
    np.testing.assert_allclose(energy, z, atol=1e-6)
    (bound,) = scheduling(path, relax=True, threads=1).solve(prices)
    assert prices @ bound <= prices @ z + 1e-6 < 1.001 * prices @ bound
