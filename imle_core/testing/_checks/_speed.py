"""Level speed: ratios and budgets wide enough for a busy machine."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

import torch

from imle_core.testing._catalogue import check
from imle_core.testing._outcome import fail, skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from imle_core.testing._case import Case

ROWS = 64
"""Rows of the batch that is compared with as many single rows."""

FASTER = 0.5
"""A row in a batch may take so much of the time of a row alone."""

BUILD_BUDGET, SOLVE_BUDGET = 5.0, 1.0
"""Seconds in which a small solver is built, and solves one row."""


@check("speed")
def check_batched(case: Case) -> None:
    """A solver declared `batched` takes less time for a row in a batch than for a row alone."""
    if not case.trait("batched"):
        skip("not declared batched")
    problem, solver = case.problem, case.solver
    theta = problem.theta(ROWS)
    # the author's own solve: what the core adds to a call would make any loop look batched
    solve = type(solver).solve.__wrapped__.__get__(solver)  # type: ignore[attr-defined]
    prepared = None if problem.instance is None else solver.prepare(problem.instance)
    given = torch.from_numpy(theta) if solver.takes_tensors else theta

    def call(first: int, last: int) -> None:
        options: dict[str, Any] = {} if prepared is None else {"instances": [prepared] * (last - first)}
        rows = given[first:last]
        solve(rows.clone() if isinstance(rows, torch.Tensor) else rows.copy(), **options)

    with torch.no_grad():
        call(0, ROWS)
        whole = _best(functools.partial(call, 0, ROWS)) / ROWS
        alone = min(_best(functools.partial(call, row, row + 1)) for row in range(8))
    if whole > FASTER * alone:
        fail(
            asked=f"a row in a batch of {ROWS} takes less than {FASTER:.0%} of the time of a row alone",
            found=f"{1e6 * whole:.3g} us a row in a batch, {1e6 * alone:.3g} us alone",
            usually="solve loops over the rows: solve them at once, or declare batched=False",
        )


@check("speed")
def check_budget(case: Case) -> None:
    """A small solver is built within 5 s and solves a row within 1 s, so that trying it out is no wait."""
    case.use()
    build = _best(case.fresh, times=1)
    if build > BUILD_BUDGET:
        fail(
            asked=f"an example is built within {BUILD_BUDGET:g} s",
            found=f"{build:.1f} s",
            usually="the constructor does work that is needed once for all solvers, or for none of them",
        )
    theta = case.problem.theta(1)
    solve = _best(lambda: case.problem.solve(theta), times=2)
    if solve > SOLVE_BUDGET:
        fail(
            asked=f"a row of an example is solved within {SOLVE_BUDGET:g} s",
            found=f"{solve:.1f} s",
            usually="the example is not small, or its time limit is long and the search always uses all of it",
        )


def _best(function: Callable[[], Any], *, times: int = 5) -> float:
    """Return the shortest time of a few calls: what a busy machine adds is not the solver's."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best
