"""Ctrl-C ends a search that would take for ever."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from imle_core.parallel import interruptible

BEGIN = """
import os, signal, threading, time
import numpy as np
import imle_core as imle

rng = np.random.default_rng(0)
weights = rng.integers(0, 10_000, (5, 60))  # a market split problem: no search decides it within hours
"""

SEARCHES = {
    "ortools.cp_sat": """
from ortools.sat.python import cp_model
model = cp_model.CpModel()
x = [model.new_bool_var(f"x{i}") for i in range(60)]
for row in weights:
    model.add(cp_model.LinearExpr.weighted_sum(x, row.tolist()) == int(row.sum()) // 2)
solver = imle.solver("ortools.cp_sat", model=model, variables=x)
""",
    "ortools.math_opt": """
from ortools.math_opt.python import mathopt
model = mathopt.Model()
x = [model.add_binary_variable() for i in range(60)]
for row in weights:
    model.add_linear_constraint(sum(int(w) * v for w, v in zip(row, x)) == int(row.sum()) // 2)
solver = imle.solver("ortools.math_opt", model=model, variables=x, solver_type="cp_sat")
""",
    "pulp.ilp": """
import pulp
problem = pulp.LpProblem("split", pulp.LpMinimize)
x = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(60)]
for row in weights:
    problem += pulp.lpDot(row.tolist(), x) == int(row.sum()) // 2
solver = imle.solver("pulp.ilp", problem=problem, theta=x, backend="cp_sat")
""",
}

END = """
for threads in (1, 2):
    solver._workers._threads = threads
    threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT]).start()
    begun = time.monotonic()
    try:
        solver.solve(rng.random((1, 60)))
    except KeyboardInterrupt:
        print("heard", time.monotonic() - begun < 20)
"""


@pytest.mark.parametrize("name", SEARCHES)
def test_searches_without_a_limit_end(name):
    script = BEGIN + SEARCHES[name] + END
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "heard True\nheard True\n"), done.stderr


def test_a_search_that_had_not_begun_is_asked_again():
    asked = []
    done = threading.Event()

    def stop():
        asked.append(time.monotonic())
        if len(asked) == 3:
            done.set()

    def search():
        done.wait(10)
        return "stopped"

    timer = threading.Timer(0.1, _interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        interruptible(search, stop)
    timer.join()
    assert len(asked) == 3


def test_answers_and_errors_come_through():
    assert interruptible(lambda: 3, stop=lambda: None) == 3
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0, stop=lambda: None)


def test_other_threads_search_by_themselves():
    where = []
    thread = threading.Thread(
        target=lambda: interruptible(lambda: where.append(threading.current_thread()), stop=lambda: None)
    )
    thread.start()
    thread.join()
    assert where == [thread]


def _interrupt():

    os.kill(os.getpid(), signal.SIGINT)


STORM = """
import random, signal, time
from imle_core.parallel import interruptible
signal.signal(signal.SIGALRM, signal.default_int_handler)
answers, until = 0, time.monotonic() + 3
while time.monotonic() < until:
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, 1e-3))
        while True:
            answers += interruptible(lambda: 1, lambda: None)
    except KeyboardInterrupt:
        pass
signal.setitimer(signal.ITIMER_REAL, 0)
print(interruptible(lambda: "still there", lambda: None), answers > 1000)
import atexit
atexit.register(lambda: print(interruptible(lambda: "at the end", lambda: None)))
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that interrupt")
def test_interrupts_at_any_moment_leave_it_working():
    done = subprocess.run(
        [sys.executable, "-c", STORM], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "still there True\nat the end\n"), done.stderr


def test_a_handler_of_a_signal_may_search_while_another_search_goes_on():
    found = []
    before = signal.signal(
        signal.SIGALRM, lambda *_: found.append(interruptible(lambda: "inner", lambda: None))
    )
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        found.append(interruptible(lambda: time.sleep(0.3) or "outer", lambda: None))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert found == ["inner", "outer"]


def test_a_forked_child_searches():
    interruptible(lambda: 1, stop=lambda: None)
    child = os.fork()
    if child == 0:
        os._exit(interruptible(lambda: 7, stop=lambda: None))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
