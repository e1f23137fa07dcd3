"""The adaptive step: where it settles, what freezes it, and what keeps it."""

import copy
import io

import pytest
import torch
from toys import TopK

import imle_core as imle


def step(layer, theta, w, scale=1.0):
    theta = theta.detach().clone().requires_grad_()
    ((layer(theta) * w).sum() * scale).backward()
    return theta.grad


@pytest.fixture
def problem():
    g = torch.Generator().manual_seed(0)
    return torch.randn(64, 10, generator=g), torch.randn(64, 10, generator=g)


@pytest.mark.parametrize("target", [0.5, 2.0])
@pytest.mark.parametrize("difference", ["forward", "central"])
def test_number_of_differing_entries_settles_at_the_target(problem, target, difference):
    theta, w = problem
    layer = imle.SolverLayer(
        TopK(3),
        imle.AIMLE(target_norm=target, difference=difference),
        generator=torch.Generator().manual_seed(0),
    )
    for _ in range(150):
        step(layer, theta, w)
    counts = [(step(layer, theta, w) != 0).sum().item() / 64 for _ in range(100)]
    assert sum(counts) / 100 == pytest.approx(target, rel=0.15)


def test_step_moves_from_the_first_backward_pass_and_the_first_gradient_is_not_zero(problem):
    layer = imle.SolverLayer(TopK(3), imle.AIMLE())
    assert step(layer, *problem).abs().sum() > 0
    assert layer.state != 1


def test_step_does_not_depend_on_the_scale_of_the_loss(problem):
    states = []
    for scale in (1.0, 2.0**-20, 2.0**20):
        layer = imle.SolverLayer(TopK(3), imle.AIMLE(), generator=torch.Generator().manual_seed(0))
        for _ in range(5):
            step(layer, *problem, scale=scale)
        states.append(layer.state.item())
    assert states[0] == states[1] == states[2]


def test_rows_without_a_gradient_do_not_count(problem):
    theta, w = problem
    w = w.clone()
    w[1:] = 0
    whole = imle.SolverLayer(TopK(3), imle.AIMLE(noise=None))
    alone = imle.SolverLayer(TopK(3), imle.AIMLE(noise=None))
    step(whole, theta, w)
    step(alone, theta[:1], w[:1])
    assert whole.state == alone.state
    step(whole, theta, w * 0)
    assert whole.state == alone.state


def test_step_is_frozen_in_eval_and_does_not_move_in_the_forward_pass(problem):
    theta, w = problem
    layer = imle.SolverLayer(TopK(3), imle.AIMLE())
    layer(theta)
    assert layer.state == 1
    layer.eval()
    assert step(layer, theta, w).abs().sum() > 0
    assert layer.state == 1


def test_step_survives_a_checkpoint_and_a_copy(problem):
    layer = imle.SolverLayer(TopK(3), imle.AIMLE())
    for _ in range(3):
        step(layer, *problem)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    fresh = imle.SolverLayer(TopK(3), imle.AIMLE())
    fresh.load_state_dict(torch.load(file, weights_only=True))
    assert fresh.state == layer.state != 1
    twin = copy.deepcopy(layer)
    step(twin, *problem)
    assert twin.state != layer.state


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_changing_the_dtype_of_a_module_does_not_round_the_step(problem, dtype):
    layer = imle.SolverLayer(TopK(3), imle.AIMLE())
    step(layer, *problem)
    before = layer.state.clone()
    torch.nn.Sequential(torch.nn.Linear(2, 2), layer).to(dtype)
    assert layer.state.dtype == torch.float32
    assert torch.equal(layer.state, before)


def test_two_forward_passes_before_two_backward_passes(problem):
    theta, w = problem
    layer = imle.SolverLayer(TopK(3), imle.AIMLE())
    a, b = theta.clone().requires_grad_(), theta.clone().requires_grad_()
    za, zb = layer(a), layer(b)
    (za * w).sum().backward()
    (zb * w).sum().backward()
    assert a.grad.abs().sum() > 0
    assert b.grad.abs().sum() > 0
