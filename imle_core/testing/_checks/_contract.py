"""Level contract: one structure for each row, and nothing else that decides it."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING

import numpy as np
import torch

from imle_core import SolverLayer
from imle_core.errors import ImleError
from imle_core.testing._catalogue import check
from imle_core.testing._compare import same
from imle_core.testing._outcome import fail, skip
from imle_core.testing._problem import NO_ANSWER

from ._optima import state_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_core import Solver
    from imle_core.testing._case import Case
    from imle_core.testing._problem import Array, Problem

MANY, PIECE = 67, 23
"""Rows of a batch larger than those that programs solve in parts of 16, 32 or 64, and of a part of it."""

MIXED = 13
"""Rows of a batch in which instances take turns."""


@check("contract")
def check_answers(case: Case) -> None:
    """Answers are structures: one for each row, of the declared shape and kind of entries."""
    for problem in case.problems:
        for dtype in (np.float64, np.float32):
            try:
                problem.solve(problem.theta(4).astype(dtype))
            except ImleError as error:
                if isinstance(error, NO_ANSWER) and not case.known.get("partial"):
                    raise  # the check is run again, with theta that have answers
                shape = (4, *problem.__dict__.get("event_shape", case.event_shape))
                case.known["fault"] = "check_answers failed: the solver does not answer"
                fail(
                    asked=f"states of shape {shape} for {np.dtype(dtype)} theta of that shape{problem.where}",
                    found=f"{type(error).__name__}: {error}",
                    usually="solve returns another shape or kind of entries than it declares, or the example lacks "
                    "event_shape=, instances= or a parameter"
                    if error.__cause__ is None
                    else "solve itself raises it: call it by hand, with theta of that shape",
                )


@check("contract")
def check_rows(case: Case) -> None:
    """The answer of a row depends neither on its companions in the batch, nor on their order, nor on having any."""
    case.require_repeatable()
    for problem in case.problems:
        theta = problem.theta(6)
        z = problem.solve(theta)
        order = np.array([3, 0, 5, 1, 4, 2])
        how = "in another order"
        _require_rows(problem, how, problem.solve_again(theta[order], how)[np.argsort(order)], z, theta)
        # a companion far larger: what is normalised or bounded over the batch shows
        how, far = "beside a row 1000 times larger", np.concatenate([theta, 1e3 * theta[:1]])
        _require_rows(problem, how, problem.solve_again(far, how)[:-1], z, theta)
        how = "in a batch of one"
        alone = np.concatenate([problem.solve_again(row[None], how) for row in theta])
        _require_rows(problem, how, alone, z, theta)
        how = "beside its own copy"
        twice = problem.solve_again(np.repeat(theta, 2, axis=0), how)
        _require_rows(problem, how, twice[::2], z, theta)
        how = f"in a batch of {MANY}"
        theta = problem.theta(MANY)
        z = np.concatenate([problem.solve(theta[first : first + PIECE]) for first in range(0, MANY, PIECE)])
        _require_rows(problem, how, problem.solve_again(theta, how), z, theta)


@check("contract")
def check_no_state(case: Case) -> None:
    """Answers do not depend on what was solved before, of this size or another: A, then B, then A again."""
    case.require_repeatable()
    problem = case.problem
    first = problem.theta(4)
    _require_no_state(problem, first, problem.theta(4, draw=1), case.fresh())
    other = case.resized()
    if other is None:
        return
    try:
        theta = other.problem.theta(4)
        fresh = case.fresh()
        other.problem.solve(theta, solver=fresh)
    except ImleError:  # it takes some sizes only, which an example can give
        return
    _require_no_state(problem, first, theta, fresh)


@check("contract")
def check_instances(case: Case) -> None:
    """Rows with different instances are solved and verified as each would be on its own, in any mix and order."""
    case.require("prepare")
    case.require_repeatable()
    if len(case.problems) < 2:
        skip("the example gives fewer than two instances")
    if len({problem.event_shape for problem in case.problems}) == 1:
        _require_instances_matter(case)
    problems = case.mixed(MIXED)
    rows = [problem.theta(1, draw=row) for row, problem in enumerate(problems)]
    instances = [problem.instance for problem in problems]
    alone = [problem.solve(row) for problem, row in zip(problems, rows, strict=True)]
    theta = _padded(
        rows, 2.0 if case.solver.sense == "max" else 0.01
    )  # tempting, for whom takes padding seriously
    states = _padded(alone, 0.0)
    mixed = np.asarray(case.solver.solve(theta, instances=instances), np.float64)
    layer = SolverLayer(case.fresh(), "blackbox").eval()
    for instance in reversed(instances):  # a layer keeps what was prepared for earlier rows
        layer.prepare([instance])
    prepared = layer(torch.from_numpy(theta), instances=instances).numpy()
    for how, answer in (("in one batch", mixed), ("prepared in another order", prepared)):
        for row, problem in enumerate(problems):
            one, own = slice(row, row + 1), tuple(map(slice, problem.event_shape))
            padding = np.ones_like(answer[row], bool)
            padding[own] = False
            if len(problem.differs(answer[(one, *own)], alone[row], rows[row])) or answer[row][padding].any():
                fail(
                    asked="a row's own instance decides its answer",
                    found=f"row {row}{problem.where} is not answered {how} as it is alone",
                    usually="solve ignores `instances`, uses the first for all, or `prepare` hands out what the next "
                    "call of it changes",
                )
    if case.solver.implements("is_feasible"):
        _require_mixed_verdicts(case, states)


def _require_instances_matter(case: Case) -> None:
    theta = case.problem.theta(8)
    for problem in case.problems:
        theta = problem.answered(theta)
    answers = [problem.solve(theta) for problem in case.problems]
    if len(theta) and all(np.array_equal(answer, answers[0]) for answer in answers):
        fail(
            asked="instances change answers",
            found=f"the same answers to {len(theta)} theta with each of {len(answers)} instances",
            usually="solve ignores `instances`; or the example's instances are too much alike to show anything",
        )


def _padded(rows: Sequence[Array], filling: float) -> Array:
    """Return rows ``(1, *event)`` of different sizes as one array, filled up behind."""
    shape = [max(sizes) for sizes in zip(*(row.shape[1:] for row in rows), strict=True)]
    padded = np.full((len(rows), *shape), filling)
    for place, row in zip(padded, rows, strict=True):
        place[tuple(map(slice, row.shape[1:]))] = row[0]
    return padded


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
    by_instance = "instance" in inspect.signature(solver.encode).parameters
    if (solver.event_shape is None or None in solver.event_shape) and not by_instance:
        skip("the solver takes any number of entries, so encode cannot know how many")
    for problem in case.problems:
        options = {"instance": problem.instance} if by_instance else {}
        for state in problem.solve(problem.theta(5)):
            structure = solver.decode(state, instance=problem.instance)
            back = np.asarray(solver.encode(structure, **options), np.float64)
            if back.shape != state.shape or not np.array_equal(back, state):
                fail(
                    asked=f"encode(decode(z)) is z{problem.where}",
                    found=f"{structure!r} from {state_text(state)} became {state_text(back)}",
                    usually="the two number the entries in different ways, or decode leaves out what encode needs",
                )


def _require_rows(problem: Problem, how: str, answer: Array, z: Array, theta: Array) -> None:
    rows = problem.differs(answer, z, theta)
    if len(rows):
        row = rows[0]
        fail(
            asked=f"the answer of a row is its own: the same {how}{problem.where}",
            found=f"row {row} scores {problem.score(answer, theta)[row]:.6g} {how}, "
            f"and {problem.score(z, theta)[row]:.6g} before",
            usually="an axis is missing in a reduction, rows are sorted, the batch is normalised as a whole, or its "
            "last part is left out where it is solved in parts",
        )


def _require_no_state(problem: Problem, first: Array, second: Array, fresh: Solver) -> None:
    """Fail unless the solver answers first, second and first again as it would alone."""
    a, b, again = (problem.solve(theta) for theta in (first, second, first))
    alone = problem.solve(second, solver=fresh)
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


def _require_mixed_verdicts(case: Case, states: Array) -> None:
    """Fail unless `is_feasible` says of each state with each instance what it says where all rows have that one."""
    problems = case.problems
    alone = [problem.is_feasible(states) for problem in problems]
    for shift in range(len(problems)):
        turns = [(row + shift) % len(problems) for row in range(len(states))]
        mixed = case.is_feasible(states, [problems[turn] for turn in turns])
        for row, turn in enumerate(turns):
            if mixed[row] != alone[turn][row]:
                fail(
                    asked="a row's own instance decides whether its state is feasible",
                    found=f"is_feasible says {mixed[row]} of row {row}{problems[turn].where} in a batch of several "
                    f"instances, and {alone[turn][row]} where all rows have this one",
                    usually="is_feasible ignores `instances`, or uses the first for all",
                )
