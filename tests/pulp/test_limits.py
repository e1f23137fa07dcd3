"""Searches that do not end well: time limits, killed processes, and what is left behind."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

import numpy as np
import pulp
import pytest
import torch
from processes import when_a_child_runs

import imle_core as imle
from imle_core.errors import SolverError, SolverTimeoutError


def hard(columns=40, rows=5, seed=0):
    """A market split: no search of it ends within seconds, and its first solutions are quick."""
    rng = np.random.default_rng(seed)
    problem = pulp.LpProblem("split", pulp.LpMinimize)
    x = [problem.add_variable(f"x{j}", cat=pulp.LpBinary) for j in range(columns)]
    for _ in range(rows):
        weights = rng.integers(0, 100, columns)
        over = problem.add_variable(f"over{len(problem.constraints())}", 0)
        under = problem.add_variable(f"under{len(problem.constraints())}", 0)
        problem += pulp.lpDot(weights.tolist(), x) + under - over == int(weights.sum() // 2)
        problem.setObjective((problem.objective or 0) + over + under)
    return problem, x


def split(**options):
    problem, x = hard()
    return imle.solver("pulp.ilp", problem=problem, theta=x, **options)


THETA = 1e-3 * np.random.default_rng(1).normal(size=(3, 40))


@pytest.mark.parametrize("backend", ["highs", "scipy", "auto"])
def test_a_limit_with_a_solution_gives_the_best_found_and_says_so(backend, caplog):
    solver = split(backend=backend, time_limit=0.5)
    with imle.Outcomes() as outcomes, caplog.at_level(logging.WARNING, logger="imle_core"):
        begun = time.perf_counter()
        z = solver.solve(THETA)
        spent = time.perf_counter() - begun
    assert solver.is_feasible(z).all()
    assert outcomes.statuses.tolist() == [imle.Status.TIME_LIMIT] * 3
    assert outcomes.timeouts == 3
    assert (outcomes.gaps > 0).all()
    assert spent < 60  # three rows of half a second, on a slow machine, instead of hours
    with caplog.at_level(logging.WARNING, logger="imle_core"):
        solver.solve(THETA[:1])
    assert "the search ended at its time limit for 1 rows" in caplog.text


def test_a_layer_reports_status_objective_and_gap_of_each_row():
    layer = imle.SolverLayer(split(backend="highs", time_limit=0.2), imle.IMLE())
    theta = torch.tensor(THETA[:2], requires_grad=True)
    (layer(theta) * torch.rand(40)).sum().backward()
    report = layer.last_report
    assert report.timeouts == 4
    assert report.statuses.tolist() == [[2, 2]]
    assert report.objectives.shape == report.gaps.shape == (1, 2)
    assert (report.gaps > 0).all()


@pytest.mark.parametrize("backend", ["highs", "scipy", "cbc", "auto"])
@pytest.mark.parametrize("on_timeout", ["use", "error"])
def test_a_limit_of_a_millisecond_is_a_right_answer_or_the_right_error(backend, on_timeout):
    solver = split(backend=backend, time_limit=0.001, on_timeout=on_timeout)
    error = None
    try:
        with imle.Outcomes() as outcomes:
            z = solver.solve(THETA)
    except SolverTimeoutError as caught:
        error = caught
    if error is not None:
        assert error.row in range(3)
        assert "time_limit" in str(error)
    else:
        assert on_timeout == "use"
        assert solver.is_feasible(z).all()
        assert (outcomes.statuses == imle.Status.TIME_LIMIT).all()


def test_on_timeout_error_refuses_what_is_not_proven():
    solver = split(backend="highs", time_limit=0.3, on_timeout="error")
    with pytest.raises(SolverTimeoutError, match=r"row \d: .*(not proven optimal|no solution was found)"):
        solver.solve(THETA)


def test_easy_rows_keep_to_a_limit_without_a_word():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [problem.add_variable(f"x{i}", cat=pulp.LpBinary) for i in range(5)]
    problem += pulp.lpDot([2, 3, 4, 5, 3], x) <= 9
    limited = imle.solver("pulp.ilp", problem=problem, theta=x, time_limit=20, on_timeout="error")
    theta = np.random.default_rng(0).random((30, 5))
    free = imle.solver("pulp.ilp", problem=problem, theta=x)
    np.testing.assert_allclose((limited.solve(theta) * theta).sum(1), (free.solve(theta) * theta).sum(1))


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Empty working and temporary folders, which must be empty afterwards."""
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    assert list(work.iterdir()) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_solver_process_that_is_killed_is_an_error_of_its_row(folders, capfd):
    solver = split(backend="cbc", threads=1)
    killer = when_a_child_runs(lambda child: os.kill(child, signal.SIGKILL))
    with pytest.raises(SolverError, match=r"^pulp\.ilp: row 0: "):
        solver.solve(THETA[:1])
    killer.join()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("backend", ["highs", "cp_sat", "scipy", "cbc"])
def test_nothing_is_printed_and_nothing_is_left(backend, folders, capfd):
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = [problem.add_variable(f"x{i}", cat=pulp.LpBinary) for i in range(12)]
    for seed in range(2):
        weights = np.random.default_rng(seed).integers(1, 30, 12)
        problem += pulp.lpDot(weights.tolist(), x) <= 60, f"row_{seed}"
    solver = imle.solver("pulp.ilp", problem=problem, theta=x, backend=backend)
    solver.solve(np.random.default_rng(0).random((6, 12)))
    with pytest.raises(imle.errors.InfeasibleError):
        solver.solve(np.ones((1, 12)), instances=[{"row_1": -1}])
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@pytest.mark.parametrize("backend", ["highs", "cbc"])
def test_an_interrupt_ends_a_search_and_leaves_nothing(backend, tmp_path):
    """Ctrl-C, in a process of its own. A search within the process ends first, at its time limit at the latest."""
    program = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from test_limits import THETA, split
        solver = split(backend={backend!r}, threads=1, time_limit=4)
        print("ready", flush=True)
        solver.solve(THETA)
        """
    )
    support = os.path.join(os.path.dirname(os.path.dirname(__file__)), "support")
    env = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": support}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    assert list(tmp_path.iterdir()) == []
