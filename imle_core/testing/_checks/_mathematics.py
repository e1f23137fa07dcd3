"""Level mathematics: an answer is the best structure of the set, for every theta, scale and tie.

Objectives are compared, not states: where there are ties, several states are right.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import InvalidThetaError, UnboundedError
from imle_core.testing._catalogue import check
from imle_core.testing._outcome import fail, skip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_core.testing._case import Case
    from imle_core.testing._problem import Array, Problem

FACTORS = (1e-12, 3.1e-10, 5.3e-8, 7.7e-6, 1.3e-4, 2.9e-3, 0.37, 13.0, 1.9e3, 1e6)
"""Of theta; no powers of two, because by those the core scales rows itself."""


@check("mathematics")
def check_monotonicity(case: Case) -> None:
    """<MAP(a) - MAP(b), a - b> has the sign of the sense: this proves the sense without knowing the set."""
    for problem in case.problems:
        _require_monotone(problem, problem.theta(12))


@check("mathematics")
def check_best_of_answers(case: Case) -> None:
    """No answer is beaten by the answer to another theta of the same instance."""
    case.require_exact()
    for problem in case.problems:
        theta = problem.theta(8)
        nearby = np.abs(theta) if problem.positive else theta
        theta = np.concatenate([theta, nearby * problem.theta(8, draw=1), problem.theta(8, draw=2)])
        _require_best(problem, theta)


@check("mathematics")
def check_stability(case: Case) -> None:
    """Moving theta towards its own answer keeps that answer: the gradient's step relies on it."""
    case.require_exact()
    if case.solver.output != "binary":
        skip("its states are not binary")
    for problem in case.problems:
        theta = problem.theta(6)
        z = problem.solve(theta)
        # scores rise on the state and fall beside it; costs the other way, and stay above zero
        towards = theta + (1 - z) - 0.5 * theta * z if case.solver.sense == "min" else theta + 2 * z - 1
        if problem.positive:
            towards = np.maximum(towards, 0)
        rows = problem.worse(problem.solve(towards), z, towards)
        if len(rows):
            row = rows[0]
            fail(
                asked=f"MAP(theta moved towards z) is z, for z = MAP(theta){problem.where}",
                found=f"row {row}: a state that scores {_gap(problem, problem.solve(towards), z, towards, row)} less",
                usually="the search is not exact: declare exact=False, or repair it",
            )


@check("mathematics")
def check_feasibility(case: Case) -> None:
    """Answers belong to the set, by `is_feasible` and by enumeration."""
    looked = False
    for problem in case.problems:
        z = problem.solve(problem.theta(8))
        if case.solver.implements("is_feasible"):
            looked = True
            if not (good := problem.is_feasible(z)).all():
                fail(
                    asked=f"is_feasible accepts the solver's own answers{problem.where}",
                    found=f"it refuses {_text(z[np.flatnonzero(~good)[0]])}",
                    usually="is_feasible compares with a tolerance or a shape that answers do not have",
                )
        support = (
            problem.support() if not looked or case.example.support is not None else problem.enumerated()
        )
        if support is not None:
            outside = ~_contained(z, support)
            if outside.any():
                fail(
                    asked=f"answers are among the {len(support)} structures of the set{problem.where}",
                    found=f"{_text(z[np.flatnonzero(outside)[0]])} is not",
                    usually="a constraint is missing, or the enumeration leaves structures out",
                )


@check("mathematics")
def check_is_feasible(case: Case) -> None:
    """`is_feasible` refuses what is not in the set; otherwise validate="full" verifies nothing."""
    case.require("is_feasible")
    if case.solver.output != "binary":
        skip("its states are not binary, so none can be corrupted by a flip")
    listed = case.example.support is not None or case.problem.enumerated() is not None
    for problem in case.problems:
        theta = problem.theta(6)
        z = problem.solve(theta)
        row, corrupted = _corrupted(z)
        accepted = problem.is_feasible(corrupted)
        if listed:
            bad = accepted & ~_contained(corrupted, problem.support())
            found = "accepts {}, which is not in the enumerated set"
        elif case.exact:
            bad = np.zeros(len(corrupted), bool)
            bad[problem.worse(z[row], corrupted, theta[row])] = True
            bad &= accepted
            found = "accepts {}, which scores better than the answer"
        else:
            skip("no `enumerate_support`, no Example.support, and declared exact=False")
        if bad.any():
            fail(
                asked=f"is_feasible refuses answers with some entries flipped{problem.where}",
                found=found.format(_text(corrupted[np.flatnonzero(bad)[0]])),
                usually="is_feasible leaves a constraint out, or the solver is not exact",
            )
        if listed and not (good := problem.is_feasible(problem.support())).all():
            fail(
                asked=f"is_feasible accepts every structure of the set{problem.where}",
                found=f"it refuses {_text(problem.support()[np.flatnonzero(~good)[0]])}",
                usually="is_feasible asks for what the solver's answers happen to have",
            )


@check("mathematics")
def check_optimality(case: Case) -> None:
    """Answers are the best of all structures, where the set can be listed."""
    case.require_exact()
    for problem in case.problems:
        _require_optimal(problem, problem.theta(16))


@check("mathematics")
def check_scale_invariance(case: Case) -> None:
    """A positive factor of theta, from 1e-12 to 1e6 and also within one batch, changes no answer."""
    case.require_exact()
    declared = case.solver.scale_invariant
    for problem in case.problems:
        theta = problem.theta(6)
        z = problem.solve(theta)
        batches = {f"{factor:g} theta": factor * theta for factor in FACTORS}
        rows = np.array([1e-12, 1e12, 1.0, 3e5, 7e-7, 0.3]).reshape(-1, *[1] * (theta.ndim - 1))
        batches["a batch with rows of scales from 1e-12 to 1e12"] = rows * theta
        for how, points in batches.items():
            answer = problem.solve(points)
            if len(bad := problem.differs(answer, z, theta)):
                advice = (
                    "scale_invariant is declared, but something is added to <z, theta>: remove the declaration"
                    if declared
                    else "absolute tolerances: declare scale_invariant = True if <z, theta> is the whole objective. "
                    "If there are terms beside it, name this check in Example.expected_failures, with that reason"
                )
                fail(
                    asked=f"MAP(c theta) = MAP(theta) for c > 0{problem.where}",
                    found=f"{how}: the state of row {bad[0]} scores {_gap(problem, answer, z, theta, bad[0])} less, "
                    "by theta",
                    usually=advice,
                )


@check("mathematics")
def check_ties(case: Case) -> None:
    """All-zero and tied theta get an optimal answer, and the same one at every call."""
    for problem in case.problems:
        shape = (4, *case.event_shape)
        small = case.rng().integers(0, 3, shape).astype(np.float64)
        for what, theta in (("zero", np.zeros(shape)), ("tied", small), ("constant", np.ones(shape))):
            z = problem.solve(theta)
            again, fresh = problem.solve(theta), problem.solve(theta, solver=case.fresh())
            if case.deterministic and not (np.array_equal(z, again) and np.array_equal(z, fresh)):
                fail(
                    asked=f"{what} theta get the same answer at every call{problem.where}",
                    found="other states at the second call, or from a second solver",
                    usually="ties are broken at random or by the order of a set: fix the order, or declare "
                    "deterministic=False",
                )
            if case.exact:
                _require_best(problem, np.concatenate([theta, problem.theta(4)]))
                if what == "tied" and not isinstance(case.known.get(("support", 0), ""), str):
                    _require_optimal(problem, theta)


@check("mathematics")
def check_precision(case: Case) -> None:
    """The answers to float32 and to float64 theta have the same objective."""
    case.require_exact()
    for problem in case.problems:
        theta = problem.theta(8).astype(np.float32)
        wide = theta.astype(np.float64)
        z, narrow = problem.solve(wide), problem.solve(theta)
        gap = np.abs(problem.score(z, wide) - problem.score(narrow, wide))
        if (bad := gap > 1e-4 * np.abs(wide * z).reshape(8, -1).sum(1)).any():
            row = np.flatnonzero(bad)[0]
            fail(
                asked=f"float32 and float64 theta of equal value have answers of equal objective{problem.where}",
                found=f"row {row}: they differ by {gap[row]:.3g}",
                usually="a constant (an infinity, a penalty, a tolerance) that suits one dtype only",
            )


@check("mathematics")
def check_negative_costs(case: Case) -> None:
    """Costs below zero get what is declared: the true optimum, an error, or the answer to costs clipped at zero."""
    solver = case.solver
    if solver.sense == "max" and solver.negative == "allow":
        skip("theta are scores, negative in every check")
    for problem in case.problems:
        theta = problem.theta(12, signed=True)
        if solver.negative == "error":
            try:
                problem.solve(theta)
            except InvalidThetaError:
                continue
            fail(
                asked="negative costs are refused with InvalidThetaError, as negative='error' declares",
                found="they were solved",
                usually="solve was replaced in a way that the core does not see",
            )
        if solver.negative == "clip":
            z, clipped = problem.solve(theta), np.maximum(theta, 0)
            if len(problem.differs(z, problem.solve(clipped), clipped)):
                fail(
                    asked="the answer to max(theta, 0), as negative='clip' declares",
                    found="another objective",
                    usually="solve was replaced in a way that the core does not see",
                )
            continue
        try:
            problem.solve(theta)
        except UnboundedError:  # a negative cycle, say: rows where it is none are enough, and need not exist
            continue
        _require_monotone(problem, theta)
        if case.exact:
            _require_best(problem, np.concatenate([theta, problem.theta(8)]))
            if not isinstance(case.known.get(("support", 0), ""), str):
                _require_optimal(problem, theta)


def _require_monotone(problem: Problem, theta: Array) -> None:
    case = problem.case
    z = problem.solve(theta)
    scores = problem.scores(z, theta)
    own, tolerance = np.diag(scores), problem.tolerance(z, theta)
    # gap[i, j] = <z_i - z_j, theta_i - theta_j>, oriented
    gap = own[:, None] + own[None, :] - scores - scores.T
    if case.exact:
        wrong = gap < -(tolerance[:, None] + tolerance[None, :])
    else:  # a heuristic may fail for a pair, and not on average
        wrong = np.full_like(gap, gap.mean() < 0, dtype=bool)
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        relation = ">=" if case.solver.sense == "max" else "<="
        value = gap[i, j] if case.solver.sense == "max" else -gap[i, j]
        fail(
            asked=f"<MAP(a) - MAP(b), a - b> {relation} 0 for a solver with sense {case.solver.sense!r}{problem.where}",
            found=f"{value:.4g} for rows {i} and {j}, wrong in {wrong.mean():.0%} of all pairs",
            usually=f"the sense: it is not {case.solver.sense!r}"
            if gap.mean() < 0
            else "the search is not exact: declare exact=False, or repair it",
        )


def _require_best(problem: Problem, theta: Array) -> None:
    z = problem.solve(theta)
    scores = problem.scores(z, theta)
    beaten = np.flatnonzero(scores.max(0) - np.diag(scores) > problem.tolerance(z, theta))
    if len(beaten):
        row = beaten[0]
        fail(
            asked=f"no answer is beaten by another answer of the same set{problem.where}",
            found=f"row {row}: its state {_text(z[row])} scores {scores[row, row]:.6g}, the answer to row "
            f"{scores[:, row].argmax()} scores {scores[:, row].max():.6g} by the same theta",
            usually="the sense is wrong, the search is not exact, or the answer belongs to another row or call",
        )


def _require_optimal(problem: Problem, theta: Array) -> None:
    support = problem.support()
    z = problem.solve(theta)
    scores = problem.scores(support, theta)
    best = support[scores.argmax(0)]
    rows = problem.worse(z, best, theta)
    if len(rows):
        row = rows[0]
        fail(
            asked=f"the best of the {len(support)} structures of the set{problem.where}",
            found=f"row {row}: {_text(z[row])} scores {problem.score(z, theta)[row]:.6g}, {_text(best[row])} scores "
            f"{scores[:, row].max():.6g}; wrong in {len(rows)} of {len(theta)} rows",
            usually="the search is not exact (declare exact=False, or repair it), or the listed set is too large: a "
            "constraint is missing in is_feasible or enumerate_support",
        )


def _contained(z: Array, support: Array) -> NDArray[np.bool_]:
    members = {row.tobytes() for row in support.reshape(len(support), -1) + 0.0}  # -0.0 becomes 0.0
    return np.array([row.tobytes() in members for row in z.reshape(len(z), -1) + 0.0], bool)


def _corrupted(z: Array) -> tuple[NDArray[np.intp], Array]:
    """Return binary states with one and with two entries flipped, and the row of each."""
    flat = z.reshape(len(z), -1)
    entries = np.arange(flat.shape[1])
    pairs = [(i, i) for i in entries] + list(pairwise(entries))
    row = np.repeat(np.arange(len(z)), len(pairs))
    flips = np.zeros((len(pairs), flat.shape[1]))
    for number, (i, j) in enumerate(pairs):
        flips[number, [i, j]] = 1
    corrupted = np.abs(flat[row] - np.tile(flips, (len(z), 1)))
    return row, corrupted.reshape(-1, *z.shape[1:])


def _gap(problem: Problem, z: Array, reference: Array, theta: Array, row: int) -> str:
    return f"{(problem.score(reference, theta) - problem.score(z, theta))[row]:.3g}"


def _text(state: Array) -> str:
    return np.array2string(state, threshold=24, separator=" ").replace("\n", "")
