"""Closed forms and invariants that hold for every estimator. Float64 unless the test is about precision."""

import math

import pytest
import torch
from toys import Box, CheapestK, Identity, OneOfN, Smooth, TopK, subsets

import imle_core as imle

NOISES = [
    None,
    imle.Gumbel(),
    imle.Normal(),
    imle.Logistic(),
    imle.SumOfGamma(5),
    imle.SumOfGamma(5, method="series"),
]
ESTIMATORS = [
    imle.IMLE(),
    imle.IMLE(samples=3, difference="central"),
    imle.IMLE(samples=3, step="absolute", lam=2.0),
    imle.IMLE(samples=2, noise=imle.SumOfGamma(3), tau=0.3),
    imle.AIMLE(samples=2),
    imle.AIMLE(difference="forward"),
    imle.BlackBox(),
    imle.BlackBox(lam=20.0, step="absolute"),
]
RELATIVE = [e for e in ESTIMATORS if getattr(e, "step", "relative") == "relative"]


def randn(*shape, seed=0, requires_grad=False):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=torch.float64).requires_grad_(requires_grad)


def layer_of(solver, estimator, seed=0, **options):
    return imle.SolverLayer(solver, estimator, generator=torch.Generator().manual_seed(seed), **options)


def gradient(layer, theta, loss, seed=0):
    theta = theta.detach().clone().requires_grad_()
    layer.generator.manual_seed(seed)
    loss(layer(theta)).backward()
    return theta.grad


@pytest.mark.parametrize("noise", NOISES, ids=repr)
@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("difference", ["forward", "central"])
@pytest.mark.parametrize("step", ["relative", "absolute"])
@pytest.mark.parametrize("sense", ["max", "min"])
def test_jacobian_over_the_identity_solver_is_the_identity(
    noise, samples, reduction, difference, step, sense
):
    # Finds a wrong factor of S, lam, tau or sigma, which training hides: Adam does not care.
    estimator = imle.IMLE(samples=samples, noise=noise, step=step, difference=difference, lam=0.7, tau=0.5)
    layer = layer_of(Identity(sense), estimator, reduction=reduction)
    theta = randn(4, 5, requires_grad=True)
    z = layer(theta)
    z = z.mean(0) if reduction == "none" else z
    jacobian = torch.stack(
        [
            torch.autograd.grad(z, theta, v.view(4, 5), retain_graph=True)[0].flatten()
            for v in torch.eye(20).double()
        ]
    )
    torch.testing.assert_close(jacobian, torch.eye(20).double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 16])
@pytest.mark.parametrize("difference", ["forward", "central"])
def test_adaptive_step_has_the_right_size_whatever_the_samples(samples, difference):
    layer = layer_of(Identity(), imle.AIMLE(samples=samples, difference=difference))
    w = randn(6, 5, seed=1)
    torch.testing.assert_close(gradient(layer, randn(6, 5), lambda z: (z * w).sum()), w, rtol=0, atol=1e-6)


@pytest.mark.parametrize("step", ["relative", "absolute"])
def test_imle_without_noise_is_black_box_differentiation_bit_by_bit(step):
    theta, w = randn(8, 6), randn(8, 6, seed=1)
    results = [
        gradient(layer_of(TopK(2), estimator), theta, lambda z: (z * w).sum())
        for estimator in (
            imle.IMLE(noise=None, lam=3.0, step=step),
            imle.IMLE(tau=0.0, lam=3.0, step=step),
            imle.BlackBox(3.0, step),
        )
    ]
    # and equal to the published formula, written out
    lam = torch.full((8, 1), 3.0).double()
    if step == "relative":
        rms = lambda x: x.square().mean(1, keepdim=True).sqrt()  # noqa: E731
        lam = lam * rms(theta) / rms(w)
    moved = theta - lam * w
    published = (TopK(2).solve(theta) - TopK(2).solve(moved)) / lam
    assert torch.equal(results[0], results[2])
    if step == "absolute":  # relative: a zero temperature still has the noise's scale as zero
        assert torch.equal(results[0], published)
    torch.testing.assert_close(results[0], published, rtol=1e-12, atol=0)
    torch.testing.assert_close(results[1], published, rtol=1e-12, atol=0)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_gradient_of_a_k_subset_sums_to_zero(estimator):
    w = randn(9, 7, seed=1)
    g = gradient(layer_of(TopK(3), estimator), randn(9, 7), lambda z: (z * w).sum())
    assert g.abs().sum() > 0
    torch.testing.assert_close(g.sum(1), torch.zeros(9).double(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("estimator", RELATIVE, ids=repr)
@pytest.mark.parametrize("factor", [1 / 64, 65536.0, 1e-30, 1e30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_relative_step_is_exactly_homogeneous_in_the_loss(estimator, factor, dtype):
    theta, w = randn(8, 6).to(dtype), randn(8, 6, seed=1).to(dtype)
    plain = gradient(layer_of(TopK(2), estimator), theta, lambda z: (z * w).sum())
    scaled = gradient(layer_of(TopK(2), estimator), theta, lambda z: (z * w).sum() * factor)
    assert plain.abs().sum() > 0
    torch.testing.assert_close(scaled / factor, plain, rtol=1e-6, atol=0)


def test_a_large_theta_and_a_tiny_loss_do_not_overflow_the_step():
    theta, w = 1e3 * randn(4, 6).float(), randn(4, 6, seed=1).float()
    plain = gradient(layer_of(TopK(2), imle.IMLE(noise=None)), theta, lambda z: (z * w).sum())
    tiny = gradient(layer_of(TopK(2), imle.IMLE(noise=None)), theta, lambda z: (z * w * 1e-34).sum())
    assert plain.abs().sum() > 0
    torch.testing.assert_close(tiny / 1e-34, plain, rtol=1e-4, atol=0)


@pytest.mark.parametrize("estimator", RELATIVE, ids=repr)
def test_mean_over_the_batch_is_the_sum_divided_by_its_size(estimator):
    theta, w = randn(8, 6), randn(8, 6, seed=1)
    total = gradient(layer_of(TopK(2), estimator), theta, lambda z: (z * w).sum(1).sum())
    mean = gradient(layer_of(TopK(2), estimator), theta, lambda z: (z * w).sum(1).mean())
    torch.testing.assert_close(mean * 8, total, rtol=1e-6, atol=0)


@pytest.mark.parametrize("difference", ["forward", "central"])
def test_gradient_of_a_row_does_not_depend_on_its_company(difference):
    theta, w = randn(8, 6), randn(8, 6, seed=1)
    w[5] *= 1000  # one row with a huge loss
    estimator = imle.IMLE(noise=None, difference=difference)
    together = gradient(layer_of(TopK(2), estimator), theta, lambda z: (z * w).sum())
    for row in range(8):
        alone = gradient(
            layer_of(TopK(2), estimator), theta[row : row + 1], lambda z, r=row: (z * w[r]).sum()
        )
        assert torch.equal(alone[0], together[row])


@pytest.mark.parametrize("step", ["relative", "absolute"])
def test_number_of_samples_does_not_change_the_step(step):
    # a noise of temperature zero: every sample is the same point
    theta, w = randn(64, 6), randn(64, 6, seed=1)
    one, many = (
        gradient(
            layer_of(TopK(2), imle.IMLE(samples=s, tau=0.0, step=step, lam=0.8)),
            theta,
            lambda z: (z * w).sum(),
        )
        for s in (1, 16)
    )
    assert one.abs().sum() > 0
    torch.testing.assert_close(one, many, rtol=1e-12, atol=0)


@pytest.mark.parametrize("sense", ["max", "min"])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_gradient_points_against_the_loss(sense, estimator):
    # <G, g> >= 0 for every sample, by monotonicity: the sign is right for scores and for costs turned round
    solver = TopK(2) if sense == "max" else CheapestK(2)
    sign = 1 if sense == "max" else -1
    w = randn(50, 6, seed=1)
    g = gradient(layer_of(solver, estimator), randn(50, 6), lambda z: (z * w).sum())
    inner = (g * w).sum(1) * sign
    assert (inner >= -1e-12).all()
    assert inner.max() > 0


def test_costs_and_scores_give_the_same_states_and_opposite_gradients():
    theta, w = randn(8, 6), randn(8, 6, seed=1)
    estimator = imle.IMLE(samples=3)
    up = gradient(layer_of(TopK(2), estimator), theta, lambda z: (z * w).sum())
    down = gradient(layer_of(CheapestK(2), estimator), -theta, lambda z: (z * w).sum())
    assert torch.equal(up, -down)


@pytest.mark.parametrize("estimator", [e for e in ESTIMATORS if e.noise is None or e.samples == 1], ids=repr)
def test_zero_gradient_of_the_loss_is_zero_without_a_solve(estimator):
    solver = TopK(2)
    layer = layer_of(solver, estimator)
    theta = randn(8, 6, requires_grad=True)
    w = randn(8, 6, seed=1)
    w[2:] = 0
    z = layer(theta)
    solver.batches.clear()
    (z * w).sum().backward()
    per_row = 2 if getattr(estimator, "difference", "forward") == "central" else 1
    assert solver.batches == [2 * per_row]
    assert (theta.grad[2:] == 0).all()
    solver.batches.clear()
    (layer(theta) * 0).sum().backward()
    assert solver.batches == [8]  # the forward pass alone


def test_one_batch_forward_and_one_backward():
    solver = TopK(2)
    layer = layer_of(solver, imle.IMLE(samples=4, difference="central"))
    (layer(randn(8, 6, requires_grad=True)) * randn(8, 6, seed=1)).sum().backward()
    assert solver.batches == [4 * 8, 2 * 4 * 8]


def test_non_finite_gradient_of_the_loss_passes_through_as_nan():
    # An AMP loss scale that overflows must reach the scaler, which skips the step; raising would break training.
    layer = layer_of(TopK(2), imle.IMLE())
    w = randn(4, 6, seed=1)
    w[1, 3] = math.inf
    g = gradient(layer, randn(4, 6), lambda z: (z * w).sum())
    assert g[1].isnan().all()
    assert g[[0, 2, 3]].isfinite().all()


def test_gumbel_noise_on_one_of_n_samples_the_softmax():
    # 5 standard errors on 2e5 samples of 4 entries: fails once in 4e5 seeds
    theta, tau, s = randn(1, 4), 0.7, 200_000
    layer = layer_of(OneOfN(), imle.IMLE(samples=s, tau=tau))
    p = torch.softmax(theta / tau, 1)
    assert ((layer(theta) - p).abs() < 5 * (p * (1 - p) / s).sqrt()).all()


def test_logistic_noise_on_binaries_samples_the_sigmoid():
    # 5 standard errors, as above
    theta, tau, s = randn(1, 4), 0.7, 200_000
    layer = layer_of(Box(), imle.IMLE(samples=s, tau=tau, noise=imle.Logistic()))
    p = torch.sigmoid(theta / tau)
    assert ((layer(theta) - p).abs() < 5 * (p * (1 - p) / s).sqrt()).all()


def test_central_difference_with_a_small_step_is_the_jacobian_of_the_expected_state():
    # Gumbel on one-of-n: E[z] = softmax(theta), so G = J^T g. The central difference of the expectation, which has a
    # closed form, leaves out the bias of the step; 6 standard errors on 4e5 samples.
    theta, g, s, lam = randn(1, 4), randn(1, 4, seed=1), 400_000, 0.5
    layer = layer_of(OneOfN(), imle.IMLE(samples=s, lam=lam, step="absolute", difference="central"))
    expected = (torch.softmax(theta + lam * g, 1) - torch.softmax(theta - lam * g, 1)) / (2 * lam)
    got = gradient(layer, theta, lambda z: (z * g).sum())
    assert ((got - expected).abs() < 6 * (1 / (2 * lam)) / math.sqrt(s)).all()
    exact = torch.func.vjp(lambda t: torch.softmax(t, 1), theta)[1](g)[0]
    assert torch.nn.functional.cosine_similarity(got, exact).item() > 0.99


def test_central_differences_have_less_variance_than_forward_ones():
    # 5-of-10 subsets, linear loss, lam = 0.2: about 4.5 against 10.3 per sample; the standard error is below 2 %
    theta = torch.linspace(-1, 1, 10, dtype=torch.float64).expand(60_000, 10)
    w = randn(1, 10, seed=3)
    variance = {}
    for difference in ("forward", "central"):
        layer = layer_of(TopK(5), imle.IMLE(lam=0.2, step="absolute", difference=difference))
        g = gradient(layer, theta, lambda z: (z * w).sum())
        variance[difference] = g.var(0).sum().item()
    assert variance["central"] < 0.6 * variance["forward"]


@pytest.mark.parametrize("difference", ["forward", "central"])
def test_smooth_stand_in_gives_its_own_derivative_in_the_limit_of_a_small_step(difference):
    # The plumbing, which gradcheck over a piecewise constant map would pass vacuously.
    theta, w = randn(4, 5), randn(4, 5, seed=1)
    layer = layer_of(Smooth(), imle.IMLE(noise=None, lam=1e-5, step="absolute", difference=difference))
    got = gradient(layer, theta, lambda z: (z * w).sum())
    torch.testing.assert_close(got, w * theta.cos(), rtol=0, atol=1e-4 if difference == "forward" else 1e-8)


@pytest.mark.parametrize("size", [0.0, 1e-3, 5.0])
def test_relative_step_takes_the_scale_of_theta_or_of_the_noise_whichever_is_larger(size):
    theta, w = size * randn(1, 6), randn(1, 6, seed=1)
    rms = lambda x: x.square().mean().sqrt().item()  # noqa: E731
    relative = imle.IMLE(tau=0.3, lam=0.8)
    lam = 0.8 * max(rms(theta), 0.3 * math.pi / math.sqrt(6)) / rms(w)
    absolute = imle.IMLE(tau=0.3, lam=lam, step="absolute")
    expected = gradient(layer_of(TopK(2), absolute), theta, lambda z: (z * w).sum())
    got = gradient(layer_of(TopK(2), relative), theta, lambda z: (z * w).sum())
    assert expected.abs().sum() > 0
    torch.testing.assert_close(got, expected, rtol=1e-12, atol=0)


def test_theta_of_zero_has_a_gradient_with_and_without_noise():
    w = randn(3, 6, seed=1)
    for estimator in (imle.IMLE(), imle.BlackBox()):
        g = gradient(layer_of(TopK(2), estimator), torch.zeros(3, 6).double(), lambda z: (z * w).sum())
        assert g.abs().sum() > 0
        assert g.isfinite().all()


@pytest.mark.parametrize("size", [1e-20, 1e-38, 1e-42, 1e-45])
@pytest.mark.parametrize("loss", [1e-30, 1.0, 1e30])
def test_theta_that_has_shrunk_away_has_a_finite_gradient(size, loss):
    # without noise nothing holds the scale of theta, and a network may shrink it to subnormal numbers
    theta, w = (size * randn(8, 6)).float(), loss * randn(8, 6, seed=1).float()
    g = gradient(layer_of(TopK(2), imle.BlackBox()), theta, lambda z: (z * w).sum())
    assert g.isfinite().all()
    assert g.abs().sum() > 0


def test_samples_cover_the_subsets_and_only_those():
    layer = layer_of(TopK(2), imle.IMLE(samples=2000), reduction="none")
    z = layer(randn(1, 4))[:, 0]
    seen = {tuple(row) for row in z.tolist()}
    assert seen == {tuple(row) for row in subsets(4, 2).tolist()}
