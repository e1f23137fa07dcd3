"""What the backends of integer programmes add to the libraries they call, and how they compare with PuLP's default."""

from __future__ import annotations

import time

import numpy as np
import pytest
from backend_cases import assignment, knapsack, set_cover
from imle_pulp._backends import make
from imle_pulp._backends._highs_options import FACTOR
from imle_pulp._backends.highs import Highs

FAMILIES = {"cover": set_cover, "assignment": assignment, "knapsack": knapsack}


def rows_of(family, count):
    """Return a programme and rows of costs."""
    program, _ = family(np.random.default_rng(0))
    return program, [family(np.random.default_rng(seed))[1] for seed in range(count)]


def bare_loop(program):
    """Return a loop over a tuned persistent model of highspy, as one would write it for one's own programme."""
    library = Highs(program)._highs
    columns = np.arange(program.width, dtype=np.int32)

    def solve(cost):
        library.clearSolver()
        library.changeColsCost(len(cost), columns, cost * FACTOR)
        library.run()
        return np.array(library.getSolution().col_value)

    return solve


def interleaved(functions, rows, clock):
    """Return the seconds that each function takes for all rows, taking turns at each."""
    seconds = np.zeros(len(functions))
    for row in rows:
        for place, function in enumerate(functions):
            begun = clock()
            function(row)
            seconds[place] += clock() - begun
    return seconds


@pytest.mark.benchmark
@pytest.mark.parametrize("family", FAMILIES)
def test_highs_takes_at_most_a_quarter_more_than_a_bare_loop(family):
    program, rows = rows_of(FAMILIES[family], 40)
    bare, ours = interleaved([bare_loop(program), make("highs", program).solve], rows, time.thread_time)
    assert ours <= 1.25 * bare


@pytest.mark.benchmark
@pytest.mark.parametrize(("family", "times"), [("cover", 1.5), ("assignment", 2.5), ("knapsack", 1.5)])
def test_cp_sat_is_faster_than_cbc_by_pulp(family, times):
    program, rows = rows_of(FAMILIES[family], 10)
    functions = [make(name, program).solve for name in ("cbc", "cp_sat")]
    cbc, ours = interleaved(functions, rows, time.perf_counter)
    assert times * ours <= cbc
