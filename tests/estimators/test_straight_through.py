"""Straight-through, and identity with projection."""

import re

import pytest
import torch
from toys import CheapestK, TopK

import imle_core as imle


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradient(layer, theta, w):
    theta = theta.detach().clone().requires_grad_()
    (layer(theta) * w).sum().backward()
    return theta.grad


@pytest.mark.parametrize("solver", [TopK(2), CheapestK(2)], ids=["max", "min"])
@pytest.mark.parametrize(
    "estimator",
    [imle.StraightThrough(), imle.StraightThrough(samples=3, noise=imle.Normal(), tau=0.5)],
    ids=["plain", "noisy"],
)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_gradient_is_that_of_the_loss_oriented_with_the_sense(solver, estimator, reduction):
    # Scores: raising an entry raises its state. Costs: it lowers it.
    w = randn(4, 6, seed=1)
    g = gradient(imle.SolverLayer(solver, estimator, reduction=reduction), randn(4, 6), w)
    sign = 1 if solver.sense == "max" else -1
    samples = estimator.samples if reduction == "none" else 1
    torch.testing.assert_close(g, sign * samples * w)


def test_noise_moves_the_states_in_training_alone():
    layer = imle.SolverLayer(TopK(2), imle.StraightThrough(noise=imle.Gumbel(), tau=100.0))
    theta = randn(50, 6)
    plain = torch.as_tensor(TopK(2).solve(theta))
    assert not torch.equal(layer(theta), plain)
    assert torch.equal(layer.eval()(theta), plain)


@pytest.mark.parametrize("projection", ["none", "mean", "norm", "std"])
@pytest.mark.parametrize("solver", [TopK(2), CheapestK(2)], ids=["max", "min"])
def test_gradient_is_the_transposed_jacobian_of_the_projection_times_that_of_the_loss(projection, solver):
    def project(t):
        if projection in ("mean", "std"):
            t = t - t.mean()
        if projection == "norm":
            t = t / t.norm()
        if projection == "std":
            t = t / t.std(correction=0)
        return t

    theta, w = randn(3, 6), randn(3, 6, seed=1)
    g = gradient(imle.SolverLayer(solver, imle.Identity(projection=projection)), theta, w)
    sign = 1 if solver.sense == "max" else -1
    for row in range(3):
        jacobian = torch.func.jacrev(project)(theta[row])
        torch.testing.assert_close(g[row], sign * jacobian.T @ w[row])


@pytest.mark.parametrize("projection", ["mean", "norm", "std"])
def test_projection_does_not_change_subsets_and_takes_out_its_direction(projection):
    theta, w = randn(20, 6), randn(20, 6, seed=1)
    layer = imle.SolverLayer(TopK(2), imle.Identity(projection=projection))
    assert torch.equal(layer(theta), torch.as_tensor(TopK(2).solve(theta)))
    g = gradient(layer, theta, w)
    assert g.abs().sum() > 0
    if projection in ("mean", "std"):
        torch.testing.assert_close(g.sum(1), torch.zeros(20).double(), rtol=0, atol=1e-12)
    if projection in ("norm", "std"):
        along = theta - theta.mean(1, keepdim=True) if projection == "std" else theta
        torch.testing.assert_close((g * along).sum(1), torch.zeros(20).double(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("projection", ["none", "mean", "norm", "std"])
@pytest.mark.parametrize("value", [0.0, 3.0, 0.1, 1 / 3, -1e6])
def test_a_constant_row_has_a_gradient_of_ordinary_size(projection, value):
    # rounding leaves a variation of 1e-9, which is none
    layer = imle.SolverLayer(TopK(2), imle.Identity(projection=projection))
    g = gradient(layer, torch.full((2, 7), value), randn(2, 7, seed=1).float())
    assert g.isfinite().all()
    assert g.abs().max() < 20


@pytest.mark.parametrize("projection", ["none", "mean", "norm", "std"])
def test_an_empty_batch(projection):
    layer = imle.SolverLayer(TopK(2), imle.Identity(projection=projection))
    assert gradient(layer, torch.zeros(0, 6), torch.zeros(0, 6)).shape == (0, 6)


class Refusing(CheapestK):
    negative = "error"


@pytest.mark.parametrize("projection", ["mean", "std"])
def test_projection_to_negative_costs_is_refused_by_name(projection):
    message = f"Refusing: Identity(projection={projection!r}) makes costs negative"
    with pytest.raises(imle.errors.SolverParameterError, match=re.escape(message)):
        imle.SolverLayer(Refusing(), imle.Identity(projection=projection))
    layer = imle.SolverLayer(Refusing(), imle.Identity(projection="norm"))
    with pytest.raises(imle.errors.SolverParameterError, match="Use projection='norm'"):
        layer.estimator = imle.Identity(projection=projection)


def test_no_further_solve_in_the_backward_pass():
    solver = TopK(2)
    gradient(imle.SolverLayer(solver, imle.Identity()), randn(4, 6), randn(4, 6, seed=1))
    assert solver.batches == [4]


def test_compiled_whole_and_equal_to_eager():
    torch._dynamo.reset()
    layer = imle.SolverLayer(TopK(2), imle.Identity(projection="std"))
    theta, w = randn(4, 6), randn(4, 6, seed=1)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(gradient(compiled, theta, w), gradient(layer, theta, w))


def test_unknown_projection_is_refused():
    with pytest.raises(
        ValueError, match="Identity: projection must be one of 'none', 'mean', 'norm', 'std'; got 'max'"
    ):
        imle.Identity(projection="max")


@pytest.mark.parametrize("size", [1e-38, 1e-23, 1e20, 1e37])
@pytest.mark.parametrize("projection", ["norm", "std"])
def test_rows_of_extreme_size_are_projected_like_others(projection, size):
    layer = imle.SolverLayer(TopK(1), imle.Identity(projection=projection))
    theta, w = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[1.0, -1.0, 0.5]])
    assert layer(theta * size).tolist() == [[0, 0, 1]]
    expected = gradient(layer, theta, w)
    if 1e-30 < size < 1e30:  # else the gradient, as large as 1 / size, is not a number of float32
        torch.testing.assert_close(gradient(layer, theta * size, w) * size, expected)
