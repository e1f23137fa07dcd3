"""MIPLIB 3.0: what CBC solves in 20 seconds has the optimum of the catalogue, and the backends agree on other costs."""

from __future__ import annotations

import numpy as np
import pytest
from imle_pulp._files import read_mps
from imle_pulp.ilp import ILP
from miplib import FOLDER, REASON, files, optima

from imle_core.errors import SolverTimeoutError

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not FOLDER.is_dir(), reason=REASON)]

SECONDS = 20  # of CBC, for each instance
MORE = 60  # of the others


def solve(name, backend, theta, seconds, on_timeout="error"):
    """Return the objective of the best state, without the constant."""
    solver = ILP(files()[name], backend=backend, time_limit=seconds, on_timeout=on_timeout, threads=1)
    return float(theta @ solver.solve(theta[None], validate="full")[0])


@pytest.mark.parametrize("name", files())
def test_cbc_finds_the_optimum_of_the_catalogue_and_others_agree_on_perturbed_costs(name):
    model = read_mps(files()[name])
    theta = model.objective
    try:
        value = solve(name, "cbc", theta, SECONDS)
    except SolverTimeoutError:
        pytest.skip(f"CBC does not solve it in {SECONDS} s here")
    optimum = optima().get(name)
    if optimum is None:
        pytest.skip("the catalogue has no proven optimum")
    # The catalogue gives the first digits of some.
    assert value + model.constant == pytest.approx(optimum.value, rel=1e-6, abs=optimum.unit)

    noise = np.random.default_rng(0).standard_normal(theta.shape)
    perturbed = theta * (1 + 0.1 * noise)
    try:
        least = solve(name, "cbc", perturbed, SECONDS)
    except SolverTimeoutError:
        pytest.skip(f"with perturbed costs CBC does not solve it in {SECONDS} s here; the optimum was right")
    for backend in ("highs", "auto"):
        try:
            value = solve(name, backend, perturbed, MORE)
        except SolverTimeoutError:
            # Without a proof: what was found is at least no better than the optimum.
            value = solve(name, backend, perturbed, 1, on_timeout="use")
            assert value >= least - 1e-6 * abs(least)
        else:
            assert value == pytest.approx(least, rel=1e-6)
