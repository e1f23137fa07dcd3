"""What the layer adds to the solves that it makes: ratios within one run."""

import time

import networkx as nx
import numpy as np
import pytest
import torch
from timing import fastest

import imle_core as imle
from imle_core.engine import _operators

pytestmark = pytest.mark.benchmark


class Nothing(imle.Solver):
    """A solver that does nothing, in the shape of the shortest path on a 12x12 grid."""

    sense = "min"
    event_shape = (144,)
    output = "binary"
    scale_invariant = True
    negative = "error"
    z = np.zeros((1000, 144), np.float32)

    def solve(self, theta):
        return self.z[: len(theta)]


def step_of(layer, theta, w):
    theta = theta.requires_grad_()

    def step():
        theta.grad = None
        ((layer(theta) * w).sum() / len(theta)).backward()

    return step


@pytest.mark.parametrize(
    "noise", [imle.SumOfGamma(k=10), imle.Gumbel()], ids=lambda noise: type(noise).__name__
)
def test_step_over_a_solver_that_does_nothing(noise, report):
    layer = imle.SolverLayer(Nothing(), imle.IMLE(samples=10, noise=noise))
    step = fastest({"step": step_of(layer, torch.rand(32, 144), torch.randn(32, 144))})["step"]
    report(f"null step, B=32, S=10, d=144, {type(noise).__name__}: {step * 1e3:.2f} ms (at most 3)")
    assert step < 3e-3


@pytest.mark.parametrize("size", [12, 30])
def test_step_on_a_grid_against_the_two_batched_solves_that_it_contains(size, report, monkeypatch):
    """The solves are timed where they are made, on the points of that very step: the noise is new each time.

    What the layer adds is bounded against 47 us a row, what a plain loop over lanes takes on 30x30 on one thread; the
    ratio to this kernel, which is several times faster, is reported.
    """
    grid = nx.strong_product(nx.path_graph(size), nx.path_graph(size))
    solver = imle.solver(
        "networkx.shortest_path", graph=grid, source=(0, 0), target=(size - 1, size - 1), weight="node"
    )
    layer = imle.SolverLayer(solver, imle.IMLE(samples=1, noise=imle.SumOfGamma(k=size), tau=0.3))
    theta, w = torch.rand(70, size * size) + 0.2, torch.randn(70, size * size)
    step = step_of(layer, theta, w)
    step()
    spent = []

    def timed(*args, **kwargs):
        start = time.perf_counter()
        try:
            return solve_rows(*args, **kwargs)
        finally:
            spent[-1] += time.perf_counter() - start

    solve_rows = _operators.solve_rows
    monkeypatch.setattr(_operators, "solve_rows", timed)
    totals = []
    for _ in range(200):
        spent.append(0.0)
        start = time.perf_counter()
        step()
        totals.append(time.perf_counter() - start)
    total, solves = min(zip(totals, spent, strict=True))
    passes = fastest({"pass": lambda: theta.detach() * 2.0, "noise": lambda: noise_of(layer, theta)})
    overhead = total - solves - passes["noise"]
    report(
        f"{size}x{size}, B=70, S=1: step {total * 1e3:.2f} ms, its two solves {solves * 1e3:.2f} ms "
        f"({solves / 140 * 1e6:.1f} us a row), ratio {total / solves:.2f}; noise {passes['noise'] * 1e3:.2f} ms, "
        f"the rest {overhead * 1e3:.2f} ms"
    )
    if size == 12:
        assert total < 2.5e-3
    else:
        assert (
            total - solves < 0.3 * 2 * 70 * 47e-6
        )  # a third of two solves by the plain lane kernel, 47 us a row


def noise_of(layer, theta):
    return layer.estimator.noise.sample((1, *theta.shape))
