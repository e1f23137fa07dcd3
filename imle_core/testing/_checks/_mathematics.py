"""Level mathematics: an answer is the best structure of the set, for every theta, scale and tie.

Objectives are compared, not states: where there are ties, several states are right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import InvalidThetaError
from imle_core.testing._catalogue import check
from imle_core.testing._outcome import fail, skip

from ._optima import (
    contained,
    corrupted,
    lost,
    require_best,
    require_monotone,
    require_near_ties,
    require_optimal,
    state_text,
)

if TYPE_CHECKING:
    from imle_core.testing._case import Case

FACTORS = (1e-12, 3.1e-10, 5.3e-8, 7.7e-6, 1.3e-4, 2.9e-3, 0.37, 13.0, 1.9e3, 1e6)
"""Of theta; no powers of two, because by those the core scales rows itself."""


@check("mathematics")
def check_monotonicity(case: Case) -> None:
    """<MAP(a) - MAP(b), a - b> has the sign of the sense: this proves the sense without knowing the set."""
    for problem in case.problems:
        require_monotone(problem, np.concatenate([problem.theta(12), problem.one_sided(6)]))


@check("mathematics")
def check_best_of_answers(case: Case) -> None:
    """No answer is beaten by the answer to another theta of the same instance."""
    case.require_exact()
    for problem in case.problems:
        theta = problem.theta(8)
        nearby = np.abs(theta) if problem.positive else theta
        theta = np.concatenate([theta, nearby * problem.theta(8, draw=1), problem.theta(8, draw=2)])
        require_best(problem, np.concatenate([theta, problem.one_sided(6)]))


@check("mathematics")
def check_near_ties(case: Case) -> None:
    """Of two structures that are nearly as good the better one is chosen, down to a millionth of the objective."""
    case.require_exact()
    looked = [
        require_near_ties(problem, problem.theta(6), problem.theta(6, draw=1)) for problem in case.problems
    ]
    if not any(looked):
        skip("all theta have the same answer")


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
                found=f"row {row}: a state that scores {lost(problem, problem.solve(towards), z, towards, row)} less",
                usually="the search is not exact: declare exact=False, or repair it",
            )


@check("mathematics")
def check_feasibility(case: Case) -> None:
    """Answers belong to the set, by `is_feasible` and by enumeration."""
    looked = False
    for problem in case.problems:
        z = problem.solve(np.concatenate([problem.theta(8), problem.one_sided(3)]))
        if case.solver.implements("is_feasible"):
            looked = True
            if not (good := problem.is_feasible(z)).all():
                fail(
                    asked=f"is_feasible accepts the solver's own answers{problem.where}",
                    found=f"it refuses {state_text(z[np.flatnonzero(~good)[0]])}",
                    usually="is_feasible compares with a tolerance or a shape that answers do not have",
                )
        support = (
            problem.support() if not looked or case.example.support is not None else problem.enumerated()
        )
        if support is not None:
            outside = ~contained(z, support)
            if outside.any():
                fail(
                    asked=f"answers are among the {len(support)} structures of the set{problem.where}",
                    found=f"{state_text(z[np.flatnonzero(outside)[0]])} is not",
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
        row, flipped = corrupted(z)
        accepted = problem.is_feasible(flipped)
        if listed:
            bad = accepted & ~contained(flipped, problem.support())
            found = "accepts {}, which is not in the enumerated set"
        elif case.exact and case.solver.scale_invariant:
            bad = np.zeros(len(flipped), bool)
            bad[problem.worse(z[row], flipped, theta[row])] = True
            bad &= accepted
            found = "accepts {}, which scores better than the answer"
        else:
            skip(
                "no `enumerate_support`, no Example.support, and without exact and scale_invariant a state that scores "
                "better than the answer is no proof"
            )
        if bad.any():
            fail(
                asked=f"is_feasible refuses answers with some entries flipped{problem.where}",
                found=found.format(state_text(flipped[np.flatnonzero(bad)[0]])),
                usually="is_feasible leaves a constraint out, or the solver is not exact",
            )
        if listed and not (good := problem.is_feasible(problem.support())).all():
            fail(
                asked=f"is_feasible accepts every structure of the set{problem.where}",
                found=f"it refuses {state_text(problem.support()[np.flatnonzero(~good)[0]])}",
                usually="is_feasible asks for what the solver's answers happen to have",
            )


@check("mathematics")
def check_optimality(case: Case) -> None:
    """Answers are the best of all structures, where the set can be listed."""
    case.require_exact()
    for problem in case.problems:
        require_optimal(problem, np.concatenate([problem.theta(16), problem.one_sided(6)]))


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
            answer = problem.solve_again(points, f"as {how}")
            if len(bad := problem.differs(answer, z, theta)):
                advice = (
                    "scale_invariant is declared, but something is added to <z, theta>: remove the declaration"
                    if declared
                    else "absolute tolerances: declare scale_invariant = True if <z, theta> is the whole objective. "
                    "If there are terms beside it, name this check in Example.expected_failures, with that reason"
                )
                fail(
                    asked=f"MAP(c theta) = MAP(theta) for c > 0{problem.where}",
                    found=f"{how}: the state of row {bad[0]} scores {lost(problem, answer, z, theta, bad[0])} less, "
                    "by theta",
                    usually=advice,
                )


@check("mathematics")
def check_ties(case: Case) -> None:
    """All-zero and tied theta get an optimal answer, and the same one at every call."""
    for problem in case.problems:
        shape = (4, *problem.event_shape)
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
            if case.exact and case.solver.scale_invariant:  # no terms beside theta, by which a tie is none
                require_best(problem, np.concatenate([theta, problem.theta(4)]))
                if what == "tied" and not isinstance(case.known.get(("support", 0), ""), str):
                    require_optimal(problem, theta)


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
        theta = problem.signed(12)
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
        theta = problem.answered(theta)  # to a negative cycle, say, there is none
        if not len(theta):
            continue
        require_monotone(problem, theta)
        if case.exact and solver.scale_invariant:
            require_best(problem, np.concatenate([theta, problem.theta(8)]))
            if not isinstance(case.known.get(("support", 0), ""), str):
                require_optimal(problem, theta)
