"""Limits of time, killed commands, interrupts; and that nothing is printed or left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import pytest
from backend_cases import knapsack, make_program, set_cover
from imle_pulp._backends import Outcome, highs, make, relaxation
from processes import children, when_a_child_runs

from imle_core.errors import SolverError
from imle_core.quiet import quiet

IN_PROCESS = ["highs", "cp_sat", "scipy"]
BACKENDS = [*IN_PROCESS, "cbc"]

linux = pytest.mark.skipif(sys.platform != "linux", reason="finds the process under /proc")


@pytest.fixture
def hard():
    """A programme that no backend solves within seconds, and costs."""
    return set_cover(np.random.default_rng(0), 300, 200)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """An empty working folder and an empty temporary folder."""
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return work, temporary


def assert_empty(folders):
    assert [list(folder.iterdir()) for folder in folders] == [[], []]


@pytest.mark.parametrize("seconds", [0.001, 0.3])
@pytest.mark.parametrize("backend", BACKENDS)
def test_time_limits_end_the_solve_with_a_bound_that_holds(hard, backend, seconds, folders):
    program, cost = hard
    begun = time.monotonic()
    answer = make(backend, program).solve(cost, seconds=seconds)
    assert time.monotonic() - begun < 5
    assert answer.status is Outcome.TIME_LIMIT
    if answer.x is not None:
        assert (program.activity(answer.x[None]) >= 1).all()
        assert answer.bound <= cost @ answer.x
    assert_empty(folders)


def test_bounds_at_a_time_limit_are_proven(hard):
    program, cost = hard
    least = relaxation(program).solve(cost).bound
    for backend in ("highs", "cp_sat"):
        model = make(backend, program)
        best = model.solve(cost, seconds=1.0)
        assert best.x is not None
        assert 0.9 * least <= best.bound <= cost @ best.x


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_start_is_the_answer_where_time_runs_out_before_a_better_one(hard, backend):
    program, cost = hard
    start = relaxation(program).solve(cost).x > 0
    answer = make(backend, program).solve(cost, start=start.astype(float), seconds=0.001)
    assert answer.status is Outcome.TIME_LIMIT
    assert cost @ answer.x <= cost @ start + 1e-12


@pytest.mark.parametrize("backend", IN_PROCESS)
def test_the_clock_of_a_limit_starts_with_the_solve_and_goes_with_it(hard, backend):
    program, cost = hard
    easy = np.eye(program.width)[0] / 2
    model = make(backend, program)
    model.solve(cost, seconds=1.0)
    assert model.solve(easy, seconds=0.9).status is Outcome.OPTIMAL
    begun = time.monotonic()
    model.solve(cost, seconds=0.3)
    assert time.monotonic() - begun < 1.1
    assert model.solve(easy).status is Outcome.OPTIMAL


@linux
def test_a_killed_command_is_an_error_and_leaves_nothing(hard, folders):
    program, cost = hard
    thread = when_a_child_runs(lambda child: os.kill(child, signal.SIGKILL))
    with pytest.raises(SolverError, match=r"PULP_CBC_CMD failed or was killed"):
        make("cbc", program).solve(cost, seconds=30.0)
    thread.join()
    assert_empty(folders)


@linux
def test_an_interrupt_ends_the_command_and_leaves_nothing(hard, folders):
    program, cost = hard
    older = children()
    thread = when_a_child_runs(lambda child: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        make("cbc", program).solve(cost, seconds=30.0)
    thread.join()
    assert children() <= older
    assert_empty(folders)


@pytest.mark.parametrize("backend", IN_PROCESS)
def test_an_interrupt_is_raised_when_the_solve_ends_and_the_next_one_too(hard, backend):
    program, cost = hard
    model = make(backend, program)
    for _ in range(2):
        timer = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            model.solve(cost, seconds=0.6)
        timer.join()


def test_nothing_is_printed(capfd, folders):
    for backend in BACKENDS:
        for seed in range(3):
            program, cost = knapsack(np.random.default_rng(seed))
            make(backend, program).solve(cost)
        none = program.with_(row_lower=np.full(2, 1e4), row_upper=np.full(2, 2e4))
        assert make(backend, none).solve(cost).status is Outcome.INFEASIBLE
    assert capfd.readouterr() == ("", "")
    assert_empty(folders)


def test_the_line_that_highs_prints_whatever_its_options_is_not_printed():
    script = (
        "import ctypes\n"
        "from imle_core.quiet import quiet\n"
        "libc = ctypes.CDLL(None)\n"
        "with quiet():\n"
        "    libc.printf(b'hidden\\n')\n"
        "    with quiet():\n"
        "        libc.puts(b'hidden too')\n"
        "    libc.printf(b'still hidden\\n')\n"
        "    print('by Python', flush=True)\n"
        "libc.printf(b'shown\\n')\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert sorted(shown.stdout.split("\n")) == ["", "by Python", "shown"]
    with quiet():
        pass


def test_an_answer_that_breaks_a_constraint_is_an_error(monkeypatch):
    program = make_program([[1, -(2.0**30)]], [-np.inf], [0], [0, 0], [1, 1], [False, True])
    model = highs.Highs(program)
    monkeypatch.setattr(model, "_run", lambda *_: highs.Answer(Outcome.OPTIMAL, np.array([1e4, 1e-9])))
    monkeypatch.setattr(model, "program", program.with_(upper=np.array([1e4, 1.0])))
    with pytest.raises(SolverError, match=r"breaks the constraint 'row 0' once its integers are whole"):
        model.solve(np.array([-0.5, 0.5]))
