"""ortools.job_shop: schedules against brute force, each statistic, instances, errors."""

import itertools
import pickle

import numpy as np
import pytest

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    SolverParameterError,
)

JOBS = [[("a", 2), ("b", 1)], [("b", 2), ("a", 1)], [("a", 1)]]
FT06 = (
    "2 1 0 3 1 6 3 7 5 3 4 6|1 8 2 5 4 10 5 10 0 10 3 4|2 5 3 4 5 8 0 9 1 1 4 7|"
    "1 5 0 5 2 5 3 3 4 8 5 9|2 9 1 3 4 5 5 4 0 3 3 1|1 3 3 3 5 9 0 10 4 4 2 1"
)
"""The instance of Fisher and Thompson (1963) of 6 jobs on 6 machines, whose shortest makespan is 55."""


def job_shop(jobs, **options):
    return imle.solver("ortools.job_shop", jobs=jobs, **options)


def valid(jobs, starts, horizon, release=None, deadline=None):
    """Whether a schedule obeys every rule; written apart from the solver."""
    used = set()
    for number, (job, times) in enumerate(zip(jobs, starts, strict=True)):
        clock = release[number] if release else 0
        for (machine, duration), start in zip(job, times, strict=True):
            if start < clock:
                return False
            slots = {(machine, slot) for slot in range(start, start + duration)}
            if slots & used:
                return False
            used |= slots
            clock = start + duration
        if clock > min(horizon, deadline[number] if deadline and deadline[number] is not None else horizon):
            return False
    return True


def schedules(jobs, horizon, **limits):
    """Return every schedule, by trying all times."""
    sizes = [len(job) for job in jobs]
    found = []
    for flat in itertools.product(range(horizon), repeat=sum(sizes)):
        times = iter(flat)
        starts = [[next(times) for _ in range(size)] for size in sizes]
        if valid(jobs, starts, horizon, **limits):
            found.append(starts)
    return found


def statistics(jobs, starts, horizon, objective, power):
    """Return the statistics of a schedule; written apart from the solver."""
    ends = [times[-1] + job[-1][1] for job, times in zip(jobs, starts, strict=True)]
    if objective == "completion":
        return ends
    if objective == "makespan":
        return [max(ends)]
    tasks = [
        (machine, start, start + duration)
        for job, times in zip(jobs, starts, strict=True)
        for (machine, duration), start in zip(job, times, strict=True)
    ]
    if objective == "machines":
        return [max(end for m, _, end in tasks if m == machine) for machine in "ab"]
    return [sum(power.get(m, 1) for m, begin, end in tasks if begin <= slot < end) for slot in range(horizon)]


@pytest.mark.parametrize("objective", ["completion", "makespan", "machines", "load"])
def test_schedules_are_the_best_of_all(objective):
    horizon, power = 6, {"a": 3}
    every = schedules(JOBS, horizon)
    support = np.array([statistics(JOBS, starts, horizon, objective, power) for starts in every], float)
    solver = job_shop(JOBS, objective=objective, horizon=horizon, power=power, negative="allow")
    theta = np.random.default_rng(0).standard_normal((30, support.shape[1]))
    z = solver.solve(theta)
    assert (z * theta).sum(1) == pytest.approx((support @ theta.T).min(0), rel=1e-12, abs=1e-12)
    assert solver.is_feasible(z).all()
    distinct = np.unique(support, axis=0)
    assert (solver.enumerate_support() == distinct).all()
    for state in z:
        starts = solver.decode(state)
        assert valid(JOBS, starts, horizon)
        assert statistics(JOBS, starts, horizon, objective, power) == state.tolist()
        assert (solver.encode(starts) == state).all()


def test_several_statistics_stand_one_behind_the_other():
    solver = job_shop(JOBS, objective=("makespan", "completion"), horizon=6)
    assert solver.entries == [("makespan",), ("completion", 0), ("completion", 1), ("completion", 2)]
    z = solver.solve(np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 5.0]]))
    assert (z[:, 0] == z[:, 1:].max(1)).all()
    assert z[0, 0] == 4
    assert z[1, 3] == 1


def test_the_shortest_makespan_of_a_classic_is_found():
    rows = [list(map(int, row.split())) for row in FT06.split("|")]
    jobs = [list(zip(row[::2], row[1::2], strict=True)) for row in rows]
    solver = job_shop(jobs, objective="makespan")
    assert solver.solve(np.ones((1, 1))).tolist() == [[55.0]]
    assert valid(jobs, solver.decode(np.array([55.0])), 55)


def test_cheap_hours_are_used():
    solver = job_shop([[("oven", 2)], [("oven", 1)]], objective="load", horizon=6)
    price = np.array([[9.0, 9, 1, 1, 9, 1], [1, 9, 9, 2, 2, 9]])
    assert solver.solve(price).tolist() == [[0, 0, 1, 1, 0, 1], [1, 0, 0, 1, 1, 0]]
    assert solver.entries[2] == ("load", 2)


def test_rows_may_have_their_own_durations_release_and_deadlines():
    instances = [
        {},
        {"durations": ((1, 1), (3, 1), (2,))},
        {"release": (2, 0, 1)},
        {"deadline": (None, 4, 2), "durations": ((1, 1), (2, 2), (1,))},
        {"jobs": ((("b", 1), ("a", 1)), (("a", 1), ("b", 1)), (("b", 1),))},
    ]
    solver = job_shop(JOBS, horizon=6)
    theta = np.random.default_rng(1).uniform(0.5, 2, (5, 3))
    z = solver.solve(theta, instances=instances)
    for state, costs, instance in zip(z, theta, instances, strict=True):
        jobs = instance.get("jobs", JOBS)
        if "durations" in instance:
            jobs = [
                [(machine, d) for (machine, _), d in zip(job, given, strict=True)]
                for job, given in zip(jobs, instance["durations"], strict=True)
            ]
        limits = {key: instance[key] for key in ("release", "deadline") if key in instance}
        every = [statistics(jobs, s, 6, "completion", {}) for s in schedules(jobs, 6, **limits)]
        assert state @ costs == pytest.approx(min(np.dot(ends, costs) for ends in every))
        starts = solver.decode(state, instance=instance)
        assert valid(jobs, starts, 6, **limits)
        assert (solver.encode(starts, instance=instance) == state).all()


def test_without_a_horizon_all_tasks_fit_one_after_the_other():
    solver = job_shop(JOBS, negative="allow")
    assert solver.solve(np.array([[-1.0, -1e-3, -1e-3]])).tolist()[0][0] == 7
    longer = {"durations": ((4, 4), (4, 4), (4,))}
    assert solver.solve(np.array([[-1.0, -1e-3, -1e-3]]), instances=[longer]).tolist()[0][0] == 20


def test_a_deadline_that_cannot_be_met_names_the_row():
    with pytest.raises(InfeasibleError, match=r"ortools.job_shop: row 1"):
        job_shop(JOBS).solve(np.ones((2, 3)), instances=[{}, {"deadline": (2, None, None)}])


def test_tasks_without_duration_take_no_time():
    solver = job_shop([[("a", 0), ("b", 2)], [("b", 0)]], objective="makespan")
    assert solver.solve(np.ones((1, 1))).tolist() == [[2.0]]


def test_prices_below_zero_follow_the_policy():
    theta = np.array([[1.0, -1.0, 1.0]])
    with pytest.raises(InvalidThetaError, match="negative"):
        job_shop(JOBS).solve(theta)
    clipped = job_shop(JOBS, negative="clip", horizon=6).solve(theta)
    assert (clipped == job_shop(JOBS, horizon=6).solve(theta.clip(min=0))).all()
    assert job_shop(JOBS, negative="allow", horizon=6).solve(theta)[0, 1] == 6


def test_a_pickled_solver_gives_the_same_schedules():
    solver = job_shop(JOBS, horizon=7)
    theta = np.random.default_rng(2).uniform(0.5, 2, (4, 3))
    assert (pickle.loads(pickle.dumps(solver)).solve(theta) == solver.solve(theta)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": []}, "empty"),
        ({"jobs": [[]]}, "job 0 has no task"),
        ({"jobs": [[("a", 1.5)]]}, "duration must be an integer"),
        ({"jobs": [[("a", -1)]]}, "duration must be an integer"),
        ({"jobs": [[(["a"], 1)]]}, "not hashable"),
        ({"jobs": [["a", 1]]}, "list of tasks"),
        ({"jobs": 7}, "list of tasks"),
        ({"objective": ()}, "one or several"),
        ({"objective": ("load", "load")}, "one or several"),
        ({"release": (1, 2)}, "each of the 3 jobs"),
        ({"power": {"c": 1}}, "'c'"),
        ({"objective": "load", "horizon": 10**6}, "too large"),
        ({"objective": "load", "jobs": [[("a", 0)]]}, "the horizon, which is 0"),
    ],
)
def test_wrong_parameters_are_refused(options, message):
    with pytest.raises(SolverParameterError, match=message):
        job_shop(**{"jobs": JOBS, **options})


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({"duration": ()}, "Did you mean 'durations'"),
        ({"durations": ((1,), (1, 1), (1,))}, "one number for each task"),
        ({"jobs": ((("a", 1),),)}, "as many"),
        ({"jobs": ((("c", 1), ("b", 1)), (("b", 1), ("b", 1)), (("b", 1),))}, "same machines"),
        ({"release": (1, 1, -1)}, "release of job 2"),
        ((1, 2), "mapping"),
    ],
)
def test_wrong_instances_are_refused(instance, message):
    with pytest.raises(InvalidInstanceError, match=message):
        job_shop(JOBS).solve(np.ones((1, 3)), instances=[instance])


def test_a_schedule_of_another_shape_is_refused():
    with pytest.raises(InvalidSolutionError, match="one time, an integer, for each task"):
        job_shop(JOBS).encode([[0, 1], [2]])
    with pytest.raises(InvalidSolutionError, match="no solution"):
        job_shop(JOBS).decode(np.zeros(3))


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        ([[0, 1], [0, 2], [5]], "job 0, task 1 begins at 1, but may not before 2"),
        ([[0, 2], [-1, 3], [5]], "job 1, task 0 begins at -1, but may not before 0"),
        ([[1, 3], [0, 2], [0]], "'a' has a task from 1 to 3, and another one at 2"),
        ([[0, 2], [0, 3], [7]], "job 2 is done at 8, but must be at 7"),
        ([[0, 2], [0, 3.5], [5]], "one time, an integer, for each task"),
        (7, "one time, an integer, for each task"),
    ],
)
def test_what_is_no_schedule_has_no_statistics(starts, message):
    with pytest.raises(InvalidSolutionError, match=message):
        job_shop(JOBS, horizon=7).encode(starts)


def test_deadlines_and_releases_hold_for_schedules_that_are_given():
    instance = {"release": (0, 1, 0), "deadline": (None, None, 4)}
    solver = job_shop(JOBS, horizon=7)
    assert solver.encode([[0, 3], [1, 4], [2]], instance=instance).tolist() == [4, 5, 3]
    with pytest.raises(InvalidSolutionError, match="job 1, task 0 begins at 0"):
        solver.encode([[0, 3], [0, 4], [2]], instance=instance)
    with pytest.raises(InvalidSolutionError, match="job 2 is done at 6, but must be at 4"):
        solver.encode([[0, 3], [1, 4], [5]], instance=instance)
