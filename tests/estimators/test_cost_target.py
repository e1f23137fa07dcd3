"""I-MLE with the combinatorial-cost target."""

import pytest
import torch
from toys import CheapestK, TopK

import imle_core as imle


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradient(layer, theta, w, seed=0):
    layer.generator = torch.Generator().manual_seed(seed)
    theta = theta.detach().clone().requires_grad_()
    z = layer(theta)
    (z * w).sum().backward()
    return theta.grad, z.detach()


@pytest.mark.parametrize("noise", [None, imle.Gumbel()], ids=repr)
def test_gradient_is_the_difference_to_the_state_of_the_target(noise):
    theta, w = randn(8, 6), randn(8, 6, seed=1)
    w[:, 2] = 0  # here theta stays
    w[5] = 0  # and a row without a gradient of the loss has none
    layer = imle.SolverLayer(TopK(2), imle.IMLE(noise=noise, target="cost"))
    got, z = gradient(layer, theta, w)
    target = torch.where(w == 0, theta, -w)
    if noise is not None:
        eps = noise.sample((1, 8, 6), generator=torch.Generator().manual_seed(0), dtype=torch.float64)[0]
        target = target + eps
    expected = z - torch.as_tensor(TopK(2).solve(target))
    expected[5] = 0
    torch.testing.assert_close(got, expected)
    assert got.abs().sum() > 0


def test_a_cost_of_the_state_leads_to_its_best_state():
    # Loss <c, z> of a minimising solver: the target is the state of c itself, in one step.
    theta, c = randn(8, 6), randn(8, 6, seed=1)
    got, z = gradient(imle.SolverLayer(CheapestK(2), imle.IMLE(noise=None, target="cost")), theta, c)
    torch.testing.assert_close(got, torch.as_tensor(CheapestK(2).solve(c)) - z)


def test_solves_are_one_batch_each_way_and_rows_without_a_gradient_are_left_out():
    solver = TopK(2)
    w = randn(8, 6, seed=1)
    w[3:] = 0
    gradient(imle.SolverLayer(solver, imle.IMLE(target="cost")), randn(8, 6), w)
    assert solver.batches == [8, 3]


@pytest.mark.parametrize("options", [{"lam": 2.0}, {"step": "absolute"}, {"difference": "central"}])
def test_options_of_the_step_are_refused(options):
    with pytest.raises(ValueError, match="IMLE: target='cost' has no step; leave lam, step and difference"):
        imle.IMLE(target="cost", **options)


def test_unknown_target_is_refused():
    with pytest.raises(ValueError, match="IMLE: target must be one of 'pid', 'cost'; got 'map'"):
        imle.IMLE(target="map")
