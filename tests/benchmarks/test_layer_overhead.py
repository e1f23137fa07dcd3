"""What the layer adds to the solves that it makes: ratios within one run."""

import numpy as np
import pytest
import torch
from timing import fastest

import imle_core as imle

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
def test_step_on_a_grid_against_the_two_batched_solves_that_it_contains(size, report):
    import networkx as nx

    grid = nx.strong_product(nx.path_graph(size), nx.path_graph(size))
    solver = imle.solver(
        "networkx.shortest_path", graph=grid, source=(0, 0), target=(size - 1, size - 1), weight="node"
    )
    estimator = imle.IMLE(samples=1, noise=imle.SumOfGamma(k=size), tau=0.3)
    layer = imle.SolverLayer(solver, estimator)
    theta, w = torch.rand(70, size * size) + 0.2, torch.randn(70, size * size)
    # the points of the forward pass and those of the backward pass, which take longer: half of them are clipped to zero
    seen = []

    class Recorder(type(solver)):
        def solve(self, theta, instances=None):
            seen.append(theta.copy())
            return np.zeros_like(theta)

    recorder = Recorder(graph=grid, source=(0, 0), target=(size - 1, size - 1), weight="node")
    step_of(imle.SolverLayer(recorder, estimator), theta.clone(), w)()
    forward, backward = map(torch.from_numpy, seen)

    def solves():
        solver.solve(forward)
        solver.solve(backward)

    times = fastest({"step": step_of(layer, theta, w), "solves": solves})
    ratio = times["step"] / times["solves"]
    report(
        f"{size}x{size}, B=70, S=1: step {times['step'] * 1e3:.2f} ms, its two solves {times['solves'] * 1e3:.2f} ms, "
        f"ratio {ratio:.2f}"
    )
    if size == 30:
        assert ratio < 1.3
    else:
        assert times["step"] < 2.5e-3
