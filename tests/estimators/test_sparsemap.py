"""SparseMAP against its definition: projections with closed forms, and a quadratic programme by enumeration."""

import itertools
import logging
import re

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from toys import Box, CheapestK, Listed, TopK, Window, subsets

import imle_core as imle


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sparsemax(theta):
    """Return the projection on the simplex (Martins and Astudillo 2016, algorithm 1)."""
    u = theta.sort(1, descending=True).values
    k = torch.arange(1, theta.shape[1] + 1)
    above = 1 + k * u > u.cumsum(1)
    count = above.sum(1, keepdim=True)
    threshold = (u.cumsum(1).gather(1, count - 1) - 1) / count
    return (theta - threshold).clamp(min=0)


def test_on_one_of_n_it_is_sparsemax_with_its_jacobian():
    theta, w = randn(50, 6).requires_grad_(), randn(50, 6, seed=1)
    layer = imle.SolverLayer(TopK(1), imle.SparseMAP(tau=0.8))
    z = layer(theta)
    expected = sparsemax(theta / 0.8)
    torch.testing.assert_close(z, expected, rtol=0, atol=1e-9)
    (got,) = torch.autograd.grad((z * w).sum(), theta)
    (wanted,) = torch.autograd.grad((expected * w).sum(), theta)
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-8)


def test_on_independent_binaries_it_clips_to_the_unit_cube():
    theta, w = 2 * randn(50, 5), randn(50, 5, seed=1)
    theta.requires_grad_()
    z = imle.SolverLayer(Box(), imle.SparseMAP())(theta)
    torch.testing.assert_close(z, theta.clamp(0, 1), rtol=0, atol=1e-9)
    (z * w).sum().backward()
    torch.testing.assert_close(theta.grad, w * ((theta > 0) & (theta < 1)), rtol=0, atol=1e-8)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("sense", ["max", "min"])
def test_on_subsets_it_is_the_projection_on_their_hull(k, sense):
    # the hull is {0 <= z <= 1, sum z = k}: a shift by one number, clipped
    theta = randn(30, 6).requires_grad_()
    z = imle.SolverLayer(TopK(k) if sense == "max" else CheapestK(k), imle.SparseMAP(tau=0.5))(theta)
    scores = (theta if sense == "max" else -theta).detach() / 0.5
    low, high = scores.min(1).values - 1, scores.max(1).values
    for _ in range(100):
        middle = (low + high) / 2
        more = (scores - middle[:, None]).clamp(0, 1).sum(1) > k
        low, high = torch.where(more, middle, low), torch.where(more, high, middle)
    torch.testing.assert_close(z.detach(), (scores - low[:, None]).clamp(0, 1), rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    "vertices", [randn(9, 4, seed=9), subsets(5, 2), randn(12, 2, seed=3)], ids=["points", "subsets", "plane"]
)
def test_on_any_vertices_it_is_the_nearest_mixture(vertices):
    theta = 1.5 * randn(10, vertices.shape[1])
    z = imle.SolverLayer(Listed(vertices), imle.SparseMAP())(theta)
    v = vertices.numpy()
    for row, t in enumerate(theta.numpy()):
        found = minimize(
            lambda p, t=t: (0.5 * np.sum((p @ v - t) ** 2), v @ (p @ v - t)),
            np.full(len(v), 1 / len(v)),
            jac=True,
            bounds=[(0, 1)] * len(v),
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-14},
        )
        distance = 0.5 * (z[row] - theta[row]).square().sum().item()
        assert distance <= found.fun + 1e-7


def test_gradient_is_the_derivative():
    # z is piecewise linear in theta, so finite differences are exact away from the kinks
    solver, theta = Listed(randn(9, 4, seed=9)), 1.5 * randn(20, 4)
    layer = imle.SolverLayer(solver, imle.SparseMAP(tau=0.7))
    w, step = randn(20, 4, seed=1), 1e-6
    theta.requires_grad_()
    (layer(theta) * w).sum().backward()
    numeric = torch.zeros_like(theta)
    with torch.no_grad():
        for i in range(4):
            e = step * torch.eye(4).double()[i]
            numeric[:, i] = ((layer(theta + e) - layer(theta - e)) * w).sum(1) / (2 * step)
    assert theta.grad.abs().sum() > 0
    close = (theta.grad - numeric).abs().amax(1) < 1e-5
    assert close.double().mean() >= 0.9  # one in ten rows may lie within a step of a kink


def test_eval_is_the_plain_solver():
    layer = imle.SolverLayer(TopK(2), imle.SparseMAP()).eval()
    theta = randn(5, 6).requires_grad_()
    torch.testing.assert_close(layer(theta).detach(), torch.as_tensor(TopK(2).solve(theta.detach())))
    layer(theta).sum().backward()
    assert (theta.grad == 0).all()


def test_small_temperatures_give_one_structure_and_large_ones_many():
    theta = randn(20, 6)
    sizes = [
        (imle.SolverLayer(TopK(2), imle.SparseMAP(tau=tau))(theta) > 1e-9).sum(1).double().mean()
        for tau in (0.001, 1.0, 100.0)
    ]
    assert sizes[0] == 2
    assert sizes[0] < sizes[1] < sizes[2] == 6


def test_rounds_are_batches_of_the_rows_that_are_still_open():
    solver = TopK(2)
    layer = imle.SolverLayer(solver, imle.SparseMAP())
    theta = torch.cat([1000 * randn(3, 6), randn(2, 6)])  # the first three are single structures
    layer(theta.requires_grad_()).sum().backward()
    assert solver.batches[:3] == [5, 5, 2]
    assert layer.last_report.solves == sum(solver.batches)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(6,), (0, 6), (2, 3, 6)])
def test_dtypes_and_batch_shapes(dtype, shape):
    layer = imle.SolverLayer(TopK(2), imle.SparseMAP())
    theta = randn(*shape).to(dtype).requires_grad_()
    z = layer(theta)
    assert (z.shape, z.dtype) == (shape, dtype)
    z.sum().backward()
    assert theta.grad.isfinite().all()


def test_compiled_and_vmapped_gradients_are_those_of_eager():
    layer = imle.SolverLayer(TopK(2), imle.SparseMAP())
    theta, w = randn(4, 6), randn(4, 6, seed=1)

    def gradient(function):
        leaf = theta.clone().requires_grad_()
        (function(leaf) * w).sum().backward()
        return leaf.grad

    expected = gradient(layer)
    torch._dynamo.reset()
    torch.testing.assert_close(gradient(torch.compile(layer, fullgraph=True, backend="aot_eager")), expected)
    got = torch.func.vmap(torch.func.grad(lambda t, w: (layer(t) * w).sum()))(theta[:, None], w[:, None])
    torch.testing.assert_close(got[:, 0], expected)


def test_rows_have_their_instances():
    layer = imle.SolverLayer(Window(), imle.SparseMAP())
    z = layer(torch.zeros(3, 5), instances=[0, 2, 4])
    torch.testing.assert_close(z, torch.tensor([[0.2] * 5, [0, 0, *[1 / 3] * 3], [0, 0, 0, 0, 1.0]]))


def test_too_few_rounds_are_told(caplog):
    layer = imle.SolverLayer(TopK(3), imle.SparseMAP(tau=100.0, iterations=2))
    with caplog.at_level(logging.WARNING, logger="imle_core.engine"):
        z = layer(randn(4, 8))
    assert "TopK: SparseMAP stopped after 2 rounds with 4 of 4 rows not within its tolerance" in caplog.text
    torch.testing.assert_close(z.sum(1), torch.full((4,), 3.0).double())


def test_states_of_all_vertices_have_no_cycle_in_the_search():
    # a cube with many ties: every subset of zero theta is optimal
    vertices = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
    z = imle.SolverLayer(Listed(vertices), imle.SparseMAP())(torch.full((2, 4), 0.5))
    torch.testing.assert_close(z, torch.full((2, 4), 0.5))


class Refusing(CheapestK):
    negative = "error"


def test_a_solver_that_takes_no_negative_costs_is_refused():
    with pytest.raises(
        imle.errors.SolverParameterError, match="Refusing: SparseMAP searches in directions with neg"
    ):
        imle.SolverLayer(Refusing(), imle.SparseMAP())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau": 0}, "SparseMAP: tau must be a finite number above 0; got 0."),
        ({"iterations": 0}, "SparseMAP: iterations must be an integer of at least 1; got 0."),
        ({"tolerance": 0}, "SparseMAP: tolerance must be a finite number above 0; got 0."),
    ],
)
def test_parameter_out_of_range_is_refused_at_construction(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        imle.SparseMAP(**options)


class Interval(imle.Solver):
    """The numbers 0 and 1."""

    sense = "max"
    event_shape = ()

    def solve(self, theta):
        return theta > 0


def test_events_without_dimensions():
    theta = torch.tensor([-1.0, 0.25, 2.0], requires_grad=True)
    z = imle.SolverLayer(Interval(), imle.SparseMAP())(theta)
    torch.testing.assert_close(z, torch.tensor([0, 0.25, 1]))
    z.sum().backward()
    torch.testing.assert_close(theta.grad, torch.tensor([0.0, 1, 0]))
