"""Level contract: one structure for each row, and nothing else that decides it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch

from imle_core import SolverLayer
from imle_core.errors import ImleError
from imle_core.testing._catalogue import check
from imle_core.testing._compare import same
from imle_core.testing._outcome import fail, skip

from ._optima import state_text

if TYPE_CHECKING:
    from imle_core.testing._case import Case


@check("contract")
def check_answers(case: Case) -> None:
    """Answers are structures: one for each row, of the declared shape and kind of entries."""
    for problem in case.problems:
        theta = problem.theta(4)
        for dtype in (np.float64, np.float32):
            try:
                problem.solve(theta.astype(dtype))
            except ImleError as error:
                case.known["fault"] = "check_answers failed: the solver does not answer"
                fail(
                    asked=f"states of shape {theta.shape} for {np.dtype(dtype)} theta of that shape{problem.where}",
                    found=f"{type(error).__name__}: {error}",
                    usually="solve returns another shape or kind of entries than it declares, or the example lacks "
                    "event_shape=, instances= or a parameter",
                )


@check("contract")
def check_rows(case: Case) -> None:
    """The answer of a row depends neither on its companions in the batch, nor on their order, nor on having any."""
    case.require_repeatable()
    for problem in case.problems:
        theta = problem.theta(6)
        z = problem.solve(theta)
        order = np.array([3, 0, 5, 1, 4, 2])
        # a companion far larger: what is normalised or bounded over the batch shows
        far = problem.solve(np.concatenate([theta, 1e3 * theta[:1]]))[:-1]
        others = {
            "in another order": problem.solve(theta[order])[np.argsort(order)],
            "beside a row 1000 times larger": far,
            "in a batch of one": np.concatenate([problem.solve(row[None]) for row in theta]),
            "beside its own copy": problem.solve(np.repeat(theta, 2, axis=0))[::2],
        }
        for how, answer in others.items():
            rows = problem.differs(answer, z, theta)
            if len(rows):
                row = rows[0]
                fail(
                    asked=f"the answer of a row is its own: the same {how}{problem.where}",
                    found=f"row {row} scores {problem.score(answer, theta)[row]:.6g} {how}, "
                    f"and {problem.score(z, theta)[row]:.6g} before",
                    usually="an axis is missing in a reduction, rows are sorted, or the batch is normalised as a whole",
                )


@check("contract")
def check_no_state(case: Case) -> None:
    """Answers do not depend on what was solved before: A, then B, then A again."""
    case.require_repeatable()
    problem = case.problem
    first, second = problem.theta(4), problem.theta(4, draw=1)
    a, b, again = (problem.solve(theta) for theta in (first, second, first))
    alone = problem.solve(second, solver=case.fresh())
    for what, answer, reference, theta in (
        ("A again, after B,", again, a, first),
        ("B, after A,", b, alone, second),
    ):
        rows = problem.differs(answer, reference, theta)
        if len(rows):
            row = rows[0]
            fail(
                asked="a solver gives the same answer whatever it solved before",
                found=f"{what} scores {problem.score(answer, theta)[row]:.6g} in row {row}, and "
                f"{problem.score(reference, theta)[row]:.6g} when solved first",
                usually="a cache whose key lacks theta, a warm start that is kept, or a buffer that is not cleared",
            )


@check("contract")
def check_instances(case: Case) -> None:
    """Rows with different instances are solved as each would be on its own, in any mix and order of preparing."""
    case.require("prepare")
    case.require_repeatable()
    if len(case.problems) < 2:
        skip("the example gives fewer than two instances")
    theta = case.problem.theta(8)
    answers = [problem.solve(theta) for problem in case.problems]
    if all(np.array_equal(answer, answers[0]) for answer in answers):
        fail(
            asked="instances change answers",
            found=f"the same answers to {len(theta)} theta with each of {len(answers)} instances",
            usually="solve ignores `instances`; or the example's instances are too much alike to show anything",
        )
    problems = [*case.problems, *reversed(case.problems)]
    theta = np.concatenate([problem.theta(1, draw=i) for i, problem in enumerate(problems)])
    instances = [problem.instance for problem in problems]
    alone = [problem.solve(row[None]) for problem, row in zip(problems, theta, strict=True)]
    mixed = np.asarray(case.solver.solve(theta, instances=instances), np.float64)
    layer = SolverLayer(case.fresh(), "blackbox").eval()
    for instance in reversed(instances):  # a layer keeps what was prepared for earlier rows
        layer.prepare([instance])
    prepared = layer(torch.from_numpy(theta), instances=instances).numpy()
    for how, answer in (("in one batch", mixed), ("prepared in another order", prepared)):
        for row, problem in enumerate(problems):
            if len(problem.differs(answer[row : row + 1], alone[row], theta[row : row + 1])):
                fail(
                    asked="a row's own instance decides its answer",
                    found=f"row {row}{problem.where} is not answered {how} as it is alone",
                    usually="solve ignores `instances`, uses the first for all, or `prepare` hands out what the next "
                    "call of it changes",
                )


@check("contract")
def check_decode(case: Case) -> None:
    """`decode` gives each state of a batch its own structure, and one that later calls do not change."""
    case.require("decode")
    solver = case.solver
    for problem in case.problems:
        z = problem.solve(problem.theta(5))
        singles, earlier = [], []
        for state in z:
            singles.append(solver.decode(state, instance=problem.instance))
            earlier.append(copy.deepcopy(singles[-1]))
        if not same(singles, earlier):
            fail(
                asked="a structure that decode returned stays as it is",
                found=f"it changed when another state was decoded{problem.where}",
                usually="decode returns a list or an array that the solver keeps and writes over",
            )
        if solver.event_shape is None:
            continue  # nothing tells one state from a batch
        for kind, states in (("an array", z), ("a tensor", torch.from_numpy(z))):
            found = solver.decode(states, instance=problem.instance)
            if not same(found, singles):
                fail(
                    asked=f"decode of a batch, given as {kind}, is the list of its states' structures{problem.where}",
                    found=f"{found!r}, not {singles!r}",
                    usually="decode is inherited from a class that is no Solver, so that nothing calls it row by row",
                )


@check("contract")
def check_round_trip(case: Case) -> None:
    """`encode` is the inverse of `decode`."""
    case.require("decode")
    case.require("encode")
    solver = case.solver
    if solver.event_shape is None or None in solver.event_shape:
        skip("the solver takes any number of entries, so encode cannot know how many")
    for problem in case.problems:
        for state in problem.solve(problem.theta(5)):
            structure = solver.decode(state, instance=problem.instance)
            back = np.asarray(solver.encode(structure), np.float64)
            if back.shape != state.shape or not np.array_equal(back, state):
                fail(
                    asked=f"encode(decode(z)) is z{problem.where}",
                    found=f"{structure!r} from {state_text(state)} became {state_text(back)}",
                    usually="the two number the entries in different ways, or decode leaves out what encode needs",
                )
