"""Level declared traits: what the description promises beside the answers."""

from __future__ import annotations

import contextlib
import pickle
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from imle_core.testing._catalogue import check
from imle_core.testing._outcome import fail, skip
from imle_core.testing._settings import seed_everything

if TYPE_CHECKING:
    from imle_core.testing._case import Case

TIME_LIMIT = 0.02
"""Seconds a row that a solver with a time limit is given."""

TIME_BOUND = 2.0
"""Seconds after which a row with that limit must have ended: many times what starting a search takes."""


@check("declared traits")
def check_deterministic(case: Case) -> None:
    """Equal input gives equal states in every solver and for every global seed, where that is declared."""
    if not case.deterministic:
        skip("declared deterministic=False")
    problem = case.problem
    theta = np.concatenate([problem.theta(6), np.round(problem.theta(6, draw=1))])
    if problem.positive:
        theta = np.abs(theta)
    answers = []
    for seed in (0, 1, 2):
        seed_everything(seed)
        answers.append(problem.solve(theta, solver=case.fresh()))
    if not all(np.array_equal(answer, answers[0]) for answer in answers):
        fail(
            asked="equal input gives equal states, as deterministic=True declares",
            found="three new solvers give different states for the same theta",
            usually="ties are broken at random, or by a number of threads or a time limit: fix the seed, or declare "
            "deterministic=False",
        )


@check("declared traits")
def check_devices(case: Case) -> None:
    """A solver declared devices="any" takes tensors and solves them where they are, on CUDA where there is one."""
    if case.trait("devices") != "any" and not (case.subject.spec is None and case.solver.takes_tensors):
        skip("declared devices='host'" if case.subject.spec is not None else "its solve takes NumPy arrays")
    if not case.solver.takes_tensors:
        fail(
            asked="a solver declared devices='any' is given tensors",
            found="its solve is given NumPy arrays, so that theta is brought to the host",
            usually="the parameter is not annotated: def solve(self, theta: torch.Tensor)",
        )
    problem = case.problem
    theta = problem.theta(4)
    z = problem.solve(theta)
    # the author's own solve: the core would bring a state back to theta's device
    solve = type(case.solver).solve.__wrapped__.__get__(case.solver)  # type: ignore[attr-defined]
    options: dict[str, Any] = {}
    if problem.instance is not None:
        options["instances"] = [case.solver.prepare(problem.instance)] * 4
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        with torch.no_grad():
            found = solve(torch.from_numpy(theta).to(device), **options)
        if not isinstance(found, torch.Tensor) or found.device.type != device:
            where = found.device if isinstance(found, torch.Tensor) else type(found).__name__
            fail(
                asked=f"the states of a tensor on {device} are a tensor on {device}",
                found=f"{where}",
                usually="a constant is made without device=theta.device, or the tensor goes through NumPy",
            )
        if len(problem.differs(found.cpu().double().numpy(), z, theta)):
            fail(
                asked=f"the answers on {device} are those on the host",
                found="other objectives",
                usually="an operation in lower precision, or one that is not deterministic on this device",
            )


@check("declared traits")
def check_picklable(case: Case) -> None:
    """A solver can be sent to another process and gives the same answers there."""
    declared = case.subject.spec is not None
    if not case.trait("picklable"):
        skip("declared picklable=False")
    solver = case.fresh()
    case.problem.solve(case.problem.theta(2), solver=solver)  # what it has built by then is in the pickle too
    try:
        twin = pickle.loads(pickle.dumps(solver))
    except Exception as error:
        if not declared:
            skip(f"it cannot be pickled, and nothing declares that it can: {error}")
        fail(
            asked="the solver can be pickled, also after it was used, as picklable=True declares",
            found=f"{type(error).__name__}: {error}",
            usually="a lambda, a lock or a library object in an attribute: leave it out of __getstate__, or declare "
            "picklable=False",
        )
    theta = case.problem.theta(4)
    if case.exact or case.deterministic:
        z = case.problem.solve(theta)
        if len(case.problem.differs(case.problem.solve(theta, solver=twin), z, theta)):
            fail(
                asked="an unpickled solver gives the same answers",
                found="other objectives",
                usually="__getstate__ leaves out a parameter",
            )


@check("declared traits")
def check_time_limit(case: Case) -> None:
    """A time limit ends the search in time, with the best state found or SolverTimeoutError."""
    if not case.trait("time_limit"):
        skip("no time limit is declared")
    if "time_limit" not in case.subject.parameter_names:
        fail(
            asked="time_limit=True declares a parameter time_limit",
            found=f"parameters: {', '.join(case.subject.parameter_names) or 'none'}",
            usually="the parameter has another name",
        )
    took = TIME_BOUND + 1
    for _ in range(2):  # the first may be spent on imports
        start = time.perf_counter()
        with contextlib.suppress(TimeoutError):
            case.problem.solve(case.problem.theta(1), solver=case.fresh(time_limit=TIME_LIMIT))
        took = time.perf_counter() - start
        if took <= TIME_BOUND:
            return
    fail(
        asked=f"a row with time_limit={TIME_LIMIT} ends within {TIME_BOUND:g} s",
        found=f"it took {took:.1f} s",
        usually="the limit is not handed to the library, or in milliseconds where it expects seconds",
    )
