"""What the checks of optimality share: objectives compared within one set, and states put into words."""

from __future__ import annotations

from itertools import combinations_with_replacement, pairwise
from typing import TYPE_CHECKING

import numpy as np

from imle_core.testing._outcome import fail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imle_core.testing._problem import Array, Problem

NEAR = (1e-4, 1e-6)
"""Differences of two objectives that must not be overlooked, by the size of the objective's terms."""

ROUNDING = 1e-9
"""Differences that are rounding, by the same size."""

CROSSINGS = 12
"""So often a tie is looked for between two theta; most are found in three steps."""

ALL_PAIRS = 10
"""Up to so many entries all pairs of them are flipped to corrupt a state, above it neighbours alone."""


def require_monotone(problem: Problem, theta: Array) -> None:
    """Fail unless <MAP(a) - MAP(b), a - b> has the sign of the sense for all pairs of rows of theta."""
    case = problem.case
    z = problem.solve(theta)
    scores = problem.scores(z, theta)
    own, tolerance = np.diag(scores), problem.tolerance(z, theta)
    # gap[i, j] = <z_i - z_j, theta_i - theta_j>, oriented
    gap = own[:, None] + own[None, :] - scores - scores.T
    if case.exact:
        wrong = gap < -(tolerance[:, None] + tolerance[None, :])
    else:  # a heuristic may fail for a pair, and not on average
        wrong = np.full_like(gap, gap.mean() < -tolerance.mean(), dtype=bool)
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


def require_best(problem: Problem, theta: Array) -> None:
    """Fail if the answer to a row of theta is beaten by the answer to another."""
    z = problem.solve(theta)
    scores = problem.scores(z, theta)
    beaten = np.flatnonzero(scores.max(0) - np.diag(scores) > problem.tolerance(z, theta))
    if len(beaten):
        row = beaten[0]
        fail(
            asked=f"no answer is beaten by another answer of the same set{problem.where}",
            found=f"row {row}: its state {state_text(z[row])} scores {scores[row, row]:.6g}, the answer to row "
            f"{scores[:, row].argmax()} scores {scores[:, row].max():.6g} by the same theta",
            usually="the sense is wrong, the search is not exact, or the answer belongs to another row or call"
            + _terms(problem),
        )


def require_optimal(problem: Problem, theta: Array) -> None:
    """Fail unless answers are the best of the enumerated set, which must be known."""
    support = problem.support()
    z = problem.solve(theta)
    scores = problem.scores(support, theta)
    best = support[scores.argmax(0)]
    rows = problem.worse(z, best, theta)
    if len(rows):
        row = rows[0]
        fail(
            asked=f"the best of the {len(support)} structures of the set{problem.where}",
            found=f"row {row}: {state_text(z[row])} scores {problem.score(z, theta)[row]:.6g}, "
            f"{state_text(best[row])} scores {scores[:, row].max():.6g}; wrong in {len(rows)} of {len(theta)} rows",
            usually="the search is not exact (declare exact=False, or repair it), or the listed set is too large: a "
            "constraint is missing in is_feasible or enumerate_support" + _terms(problem),
        )


def require_near_ties(problem: Problem, first: Array, second: Array) -> bool:
    """Fail unless the better of two structures is chosen just beside the theta at which they tie.

    Between two theta of different answers lies one at which the answer changes. It is found by the structures alone:
    where those of both sides tie, either is an answer, or there is a better one, which takes the place of one of them.

    Returns:
        Whether any two theta have different answers.
    """
    low, high = problem.solve(first), problem.solve(second)
    lines = np.flatnonzero(problem.score(high - low, second - first) > ROUNDING * _size(first))
    if not len(lines):
        return False
    first, step, low, high = first[lines], (second - first)[lines], low[lines], high[lines]
    for _ in range(CROSSINGS):
        theta = _along(first, step, _crossing(problem, low, high, first, step))
        between = problem.solve(theta)
        better = problem.score(between - low, theta) > ROUNDING * _size(theta)
        better &= problem.score(between - low, step) > ROUNDING * _size(first)
        if not better.any():
            break
        high[better] = between[better]
    slope = problem.score(high - low, step)
    for distance in NEAR:
        for side in (-1, 1):
            place = _crossing(problem, low, high, first, step) + side * distance * _size(first) / slope
            theta = _along(first, step, place)
            z, best = problem.solve(theta), high if side > 0 else low
            short = problem.score(best - z, theta)
            rows = np.flatnonzero(short > ROUNDING * _size(theta))
            if len(rows):
                row = rows[0]
                fail(
                    asked=f"of two structures whose objectives differ by {distance:g} of its size the better one"
                    f"{problem.where}",
                    found=f"one that scores {short[row]:.3g} less than another, of "
                    f"{problem.score(best, theta)[row]:.6g}, beside {len(rows)} of {len(theta)} ties",
                    usually="costs are rounded too coarsely, as to integers; the relative gap or a tolerance of a "
                    "solver for integer programmes is too wide; or the search is not exact" + _terms(problem),
                )
    return True


def _crossing(problem: Problem, low: Array, high: Array, first: Array, step: Array) -> Array:
    """Return where on the line from first along step the objectives of two structures are equal, shape ``(N,)``."""
    return -problem.score(high - low, first) / problem.score(high - low, step)


def _along(first: Array, step: Array, place: Array) -> Array:
    """Return the theta at a place of each line, shape ``(N, *event)``."""
    return first + place.reshape(-1, *[1] * (first.ndim - 1)) * step


def _size(theta: Array) -> Array:
    """Return the size of the objective's terms, shape ``(N,)``."""
    return np.abs(theta).reshape(len(theta), -1).sum(1)


def _terms(problem: Problem) -> str:
    """Return what else may be the reason, where <z, theta> is not declared to be the whole objective."""
    if problem.case.solver.scale_invariant:
        return ""
    return ". If there are terms beside theta, name this check in Example.expected_failures, with that reason"


def contained(z: Array, support: Array) -> NDArray[np.bool_]:
    """Return for each state whether it is listed, up to the rounding of numbers that are not whole."""
    members = {row.tobytes() for row in _rounded(support)}
    return np.array([row.tobytes() in members for row in _rounded(z)], bool)


def _rounded(states: Array) -> Array:
    return states.reshape(len(states), -1).round(6) + 0.0  # -0.0 becomes 0.0


def corrupted(z: Array) -> tuple[NDArray[np.intp], Array]:
    """Return binary states with one and with two entries flipped, and the row of each."""
    flat = z.reshape(len(z), -1)
    entries = range(flat.shape[1])
    pairs = list(combinations_with_replacement(entries, 2))
    if len(entries) > ALL_PAIRS:
        pairs = [*((i, i) for i in entries), *pairwise(entries)]
    row = np.repeat(np.arange(len(z)), len(pairs))
    flips = np.zeros((len(pairs), flat.shape[1]))
    for number, (i, j) in enumerate(pairs):
        flips[number, [i, j]] = 1
    corrupted = np.abs(flat[row] - np.tile(flips, (len(z), 1)))
    return row, corrupted.reshape(-1, *z.shape[1:])


def lost(problem: Problem, z: Array, reference: Array, theta: Array, row: int) -> str:
    """Return by how much a row scores less than its reference."""
    return f"{(problem.score(reference, theta) - problem.score(z, theta))[row]:.3g}"


def state_text(state: Array) -> str:
    """Return a state in one line."""
    return np.array2string(state, threshold=24, separator=" ").replace("\n", "")
