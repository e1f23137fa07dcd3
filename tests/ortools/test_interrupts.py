"""Ctrl-C: CP-SAT would catch it, end its search as if the time were over, and leave the process without a handler."""

import subprocess
import sys

PROGRAM = """
import signal
import numpy as np
import imle_core as imle

rng = np.random.default_rng(0)
imle.solver("ortools.tsp", nodes=17, method="exact").solve(rng.random((1, 17, 17)))
weights = rng.integers(10, 99, (3, 24))
packing = imle.solver("ortools.knapsack", weights=weights, capacities=weights.sum(1) // 2)
packing.solve(rng.random((2, 24)))
packing.solve(np.where(np.arange(24) < 2, 1e17, rng.random((1, 24))))
problem = {"demands": (0, *[1] * 17), "capacities": 6}
imle.solver("ortools.vrp", problem=problem, method="exact", time_limit=1).solve(rng.random((1, 18, 18)))
problem = {"demands": (0, 4, 4, 4), "capacities": 6, "vehicles": 2}
try:
    imle.solver("ortools.vrp", problem=problem, method="routing").solve(np.ones((1, 4, 4)))
except imle.errors.SolverError:
    print("no plan")
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("heard")
"""


def test_pythons_handler_is_left_in_place():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "no plan\nheard\n"), done.stderr
