"""Level robustness: a solver leaves the process as it found it, and can be copied, shared out and misused."""

from __future__ import annotations

import contextlib
import copy
import gc
import os
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import ImleError
from imle_core.testing._catalogue import check
from imle_core.testing._compare import same
from imle_core.testing._isolation import Output, captured
from imle_core.testing._outcome import fail, skip
from imle_core.testing._settings import preserved, random_states, seed_everything, settings

if TYPE_CHECKING:
    from imle_core.testing._case import Case

THREADS = 4
REPEATS = 4
BAD_INSTANCES = (object(), "no such instance", -1.5)


@check("robustness")
def check_silence(case: Case) -> None:
    """Nothing is printed, not even by a library that writes to the terminal past Python."""
    output = Output()
    with captured(output):
        case.use()
    if output.text.strip():
        fail(
            asked="building and solving print nothing",
            found=f"{output.text.strip()[:200]!r}",
            usually="a print for debugging, or a library that logs to the terminal: switch its output off",
        )


@check("robustness")
def check_no_warnings(case: Case) -> None:
    """No warnings, which a user cannot act on and which `-W error` turns into failures."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        case.use()
    if caught:
        first = caught[0]
        fail(
            asked="building and solving warn of nothing",
            found=f"{first.category.__name__}: {first.message} ({Path(first.filename).name}:{first.lineno})",
            usually="an overflow or a deprecated call inside the solver: avoid it rather than silence it",
        )


@check("robustness")
def check_no_files(case: Case) -> None:
    """No file stays behind, neither in the working folder nor in the temporary one."""
    case.use()  # what is imported at the first use may lie in the working folder
    cwd, temporary, variable = os.getcwd(), tempfile.tempdir, os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as scratch:
        try:
            os.chdir(here)
            tempfile.tempdir = os.environ["TMPDIR"] = scratch
            case.use()
        finally:
            os.chdir(cwd)
            tempfile.tempdir = temporary
            os.environ.pop("TMPDIR", None)
            if variable is not None:
                os.environ["TMPDIR"] = variable
        left = sorted(path.name for folder in (here, scratch) for path in Path(folder).iterdir())
    if left:
        fail(
            asked="solving leaves no file behind",
            found=", ".join(left[:8]),
            usually="a model or a log that is written and not removed: use tempfile.TemporaryDirectory()",
        )


@check("robustness")
def check_random_state(case: Case) -> None:
    """The global random generators are as they were: a user's seed is the user's."""
    seed_everything(20261)  # so that a solver that seeds as somebody else did is seen too
    before = random_states()
    case.use()
    after = random_states()
    if touched := [name for name, state in before.items() if not same(state, after[name])]:
        fail(
            asked="building and solving leave the global random generators alone",
            found=f"the state of {', '.join(touched)} is another",
            usually="a seed that is set, or noise that is drawn, globally: use numpy.random.default_rng(seed)",
        )


@check("robustness")
def check_global_settings(case: Case) -> None:
    """Settings of the process are as they were: threads, dtypes, printing, warnings, environment, folder, signals."""
    with preserved():
        case.use()  # what a library sets for itself when it is imported is not the solver's doing
    before = settings()
    case.use()
    after = settings()
    if changed := [name for name in {**before, **after} if before[name] != after[name]]:
        shown = "; ".join(f"{name} was {before[name]!s:.60}, is {after[name]!s:.60}" for name in changed)
        fail(
            asked="building and solving leave the settings of the process alone",
            found=shown,
            usually="set it inside a context that restores it, or pass it to the library as an argument",
        )


@check("robustness")
def check_resources(case: Case) -> None:
    """Solvers that are gone leave no open file and no thread behind."""
    case.use()
    before = _resources()
    for _ in range(REPEATS):
        case.use()
    left = _left(before)
    if left:
        gc.collect()
    end = time.monotonic() + 1
    while left and time.monotonic() < end:  # threads take a moment to end
        time.sleep(0.02)
        left = _left(before)
    if not left:
        return
    fail(
        asked=f"building, using and dropping a solver {REPEATS} times leaves no open file and no thread",
        found=", ".join(left),
        usually="a file that is not closed, or a thread or an executor that each solver starts and none ends",
    )


@check("robustness")
def check_copies(case: Case) -> None:
    """A deep copy and a `clone()` give the same answers, and leave those of the original as they are."""
    case.require_repeatable()
    problem, solver = case.problem, case.fresh()
    theta, other = problem.theta(4), problem.theta(4, draw=1)
    z = problem.solve(theta, solver=solver)
    for how, make in (("copy.deepcopy", copy.deepcopy), ("clone()", type(solver).clone)):
        try:
            twin = make(solver)
        except Exception as error:
            fail(
                asked=f"{how} gives an independent solver",
                found=f"{type(error).__name__}: {error}",
                usually="it holds a lock, a handle or a module: leave that out of __getstate__ and make it anew",
            )
        answer = problem.solve(theta, solver=twin)
        problem.solve(other, solver=twin)
        if len(problem.differs(answer, z, theta)) or len(
            problem.differs(problem.solve(theta, solver=solver), z, theta)
        ):
            fail(
                asked=f"a solver and its {how} give the same answers, whatever the other solves",
                found="other objectives",
                usually="state in an attribute of the class, in a global, or left out of __getstate__",
            )


@check("robustness")
def check_threads(case: Case) -> None:
    """Clones of one solver can be used in threads at the same time."""
    case.require_repeatable()
    problem = case.problem
    thetas = [problem.theta(4, draw=number) for number in range(THREADS)]
    start = time.perf_counter()
    right = [problem.solve(theta) for theta in thetas]
    rounds = int(np.clip(0.5 / (time.perf_counter() - start), 2, 12))
    try:
        clones = [case.solver.clone() for _ in thetas]
    except Exception:
        skip("it cannot be cloned, see check_copies")
    barrier, faults = threading.Barrier(THREADS), list[str]()

    def work(number: int) -> None:
        for _ in range(rounds):
            barrier.wait(timeout=60)
            try:
                z = problem.solve(thetas[number], solver=clones[number])
            except Exception as error:
                faults.append(f"{type(error).__name__}: {error}")
            else:
                if len(problem.differs(z, right[number], thetas[number])):
                    faults.append("an answer to another theta, or to none")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads interleave within a short solve
    try:
        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    if faults:
        fail(
            asked=f"{THREADS} clones in {THREADS} threads answer as one does alone",
            found=f"{faults[0]} ({len(faults)} of {rounds * THREADS} calls)",
            usually="clones share a buffer or a library object: in an attribute of the class, a global, or by "
            "__deepcopy__",
        )


@check("robustness")
def check_bad_instance(case: Case) -> None:
    """An instance that makes no sense is an ImleError, so that a user sees the fault and not the solver's inside."""
    case.require("prepare")
    for bad in BAD_INSTANCES:
        try:
            case.solver.prepare(bad)
        except ImleError:
            continue
        except Exception as error:
            fail(
                asked=f"prepare({bad!r}) raises InvalidInstanceError, or accepts it",
                found=f"{type(error).__name__}: {error}",
                usually="prepare uses the instance before it has looked at its type and range",
            )


def _left(before: dict[str, int]) -> list[str]:
    """Return what each of the solvers has left; one thread or file alone may be shared by all, or not be theirs."""
    more = {name: count - before[name] for name, count in _resources().items()}
    return [f"{count} {name}" for name, count in more.items() if count >= REPEATS]


def _resources() -> dict[str, int]:
    """Return how many threads and, where the system tells, files of this process there are."""
    found = {"threads": threading.active_count()}
    with contextlib.suppress(OSError):
        found["open files"] = len(os.listdir("/dev/fd"))
    return found
