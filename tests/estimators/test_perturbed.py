"""Perturbed optimisers against their closed forms. Statistical tests have fixed seeds and state their level."""

import math
import re

import pytest
import torch
from toys import Box, CheapestK, Identity, OneOfN, TopK

import imle_core as imle

NOISES = [imle.Normal(), imle.Gumbel(), imle.Logistic(), imle.SumOfGamma(3)]


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layer_of(solver, estimator, seed=0, **options):
    return imle.SolverLayer(solver, estimator, generator=torch.Generator().manual_seed(seed), **options)


def gradient(layer, theta, w):
    theta = theta.detach().clone().requires_grad_()
    (layer(theta) * w).sum().backward()
    return theta.grad


def mean_and_error(solver, estimator, theta, w, rows=2000):
    """Return the mean over many rows of the gradient of one, and its standard error."""
    g = gradient(layer_of(solver, estimator), theta.expand(rows, -1), w.expand(rows, -1))
    return g.mean(0), g.std(0) / math.sqrt(rows)


def close(got, error, expected, errors=5):
    assert ((got - expected).abs() < errors * error + 1e-9).all(), (got, expected, error)
    assert error.max() < 0.3 * expected.abs().max() + 0.05  # the test would notice


@pytest.mark.parametrize("noise", NOISES, ids=repr)
@pytest.mark.parametrize("baseline", ["loo", "none"])
@pytest.mark.parametrize("sense", ["max", "min"])
def test_jacobian_over_the_identity_solver_is_the_identity(noise, baseline, sense):
    # finds a wrong factor of sigma or S; 5 standard errors of 2000 rows of 50 samples: fails once in 3e5 seeds
    theta, w = randn(1, 4), randn(1, 4, seed=1)
    estimator = imle.Perturbed(samples=50, sigma=0.7, noise=noise, baseline=baseline)
    close(*mean_and_error(Identity(sense), estimator, theta, w), w[0])


@pytest.mark.parametrize("sense", ["max", "min"])
def test_jacobian_of_multiplicative_noise_over_the_identity_solver_is_the_identity(sense):
    theta, w = randn(1, 4).abs() + 0.5, randn(1, 4, seed=1)
    estimator = imle.Perturbed(samples=50, sigma=0.7, multiplicative=True)
    close(*mean_and_error(Identity(sense), estimator, theta, w), w[0])


def test_gumbel_noise_on_one_of_n_has_the_jacobian_of_the_softmax():
    theta, w, sigma = randn(1, 4), randn(1, 4, seed=1), 0.7
    estimator = imle.Perturbed(samples=100, sigma=sigma, noise=imle.Gumbel())
    exact = torch.func.vjp(lambda t: torch.softmax(t / sigma, 1), theta)[1](w)[0][0]
    close(*mean_and_error(OneOfN(), estimator, theta, w, rows=4000), exact)


def test_logistic_noise_on_binaries_has_the_jacobian_of_the_sigmoid():
    theta, w, sigma = randn(1, 4), randn(1, 4, seed=1), 0.7
    estimator = imle.Perturbed(samples=100, sigma=sigma, noise=imle.Logistic())
    p = torch.sigmoid(theta / sigma)
    close(*mean_and_error(Box(), estimator, theta, w, rows=4000), (w * p * (1 - p) / sigma)[0])


def test_normal_noise_on_binaries_has_the_jacobian_of_the_normal_distribution_function():
    # 2 Phi(theta / sigma) - 1 is the perturbed sign; Box is its half, shifted
    theta, w, sigma = randn(1, 4), randn(1, 4, seed=1), 0.7
    estimator = imle.Perturbed(samples=100, sigma=sigma)
    density = torch.exp(-((theta / sigma) ** 2) / 2) / math.sqrt(2 * math.pi) / sigma
    close(*mean_and_error(Box(), estimator, theta, w, rows=4000), (w * density)[0])
    z = layer_of(Box(), imle.Perturbed(samples=200_000, sigma=sigma))(theta)
    phi = torch.special.ndtr(theta / sigma)
    assert ((z - phi).abs() < 5 * (phi * (1 - phi) / 200_000).sqrt()).all()


def test_baseline_takes_out_what_all_states_have_in_common():
    # A constant in the loss of all 5-subsets: with the baseline the gradient is the same, without it varies more.
    theta = torch.linspace(-1, 1, 10, dtype=torch.float64).expand(20_000, 10)
    w = randn(1, 10, seed=3)

    def of(baseline, w):
        return gradient(layer_of(TopK(5), imle.Perturbed(samples=10, baseline=baseline)), theta, w)

    torch.testing.assert_close(of("loo", w + 1), of("loo", w))
    assert of("loo", w + 1).var(0).sum() < 0.5 * of("none", w + 1).var(0).sum()


def test_size_of_the_gradient_does_not_depend_on_the_number_of_samples():
    theta, w = randn(1, 6), randn(1, 6, seed=1)
    means = [mean_and_error(TopK(2), imle.Perturbed(samples=s), theta, w, rows=100_000 // s) for s in (2, 20)]
    assert ((means[0][0] - means[1][0]).abs() < 5 * (means[0][1] + means[1][1])).all()


@pytest.mark.parametrize("baseline", ["loo", "none"])
def test_gradient_is_homogeneous_in_the_loss_and_the_same_with_and_without_reduction(baseline):
    estimator = imle.Perturbed(samples=5, baseline=baseline)
    theta, w = randn(4, 6), randn(4, 6, seed=1)
    plain = gradient(layer_of(TopK(2), estimator), theta, w)
    torch.testing.assert_close(gradient(layer_of(TopK(2), estimator), theta, 64 * w), 64 * plain)
    every = gradient(layer_of(TopK(2), estimator, reduction="none"), theta, w / 5)
    torch.testing.assert_close(every, plain)


def test_no_further_solve_in_the_backward_pass():
    solver = TopK(2)
    layer = layer_of(solver, imle.Perturbed(samples=7))
    gradient(layer, randn(4, 6), randn(4, 6, seed=1))
    assert solver.batches == [28]
    report = layer.last_report
    assert (report.samples, report.solves, report.lam, report.agreement) == (7, 28, None, None)


class Refusing(CheapestK):
    negative = "error"


def test_multiplicative_noise_keeps_the_signs_and_zeros():
    layer = layer_of(Refusing(2), imle.Perturbed(samples=50, sigma=2.0, multiplicative=True))
    theta = randn(4, 6).abs()
    theta[:, 3] = 0
    g = gradient(layer, theta, randn(4, 6, seed=1))
    assert g.isfinite().all()
    assert (g[:, 3] == 0).all()
    assert g.abs().sum() > 0


def test_eval_is_the_plain_solver_without_a_gradient():
    layer = layer_of(TopK(2), imle.Perturbed(samples=5)).eval()
    theta = randn(3, 6).requires_grad_()
    z = layer(theta)
    torch.testing.assert_close(z.detach(), torch.as_tensor(TopK(2).solve(theta.detach())))
    with pytest.raises(
        imle.errors.MissingCapabilityError, match=r"Perturbed has no gradient in eval.*\.train\(\)"
    ):
        z.sum().backward()


@pytest.mark.parametrize("multiplicative", [False, True])
def test_compiled_and_vmapped_gradients_are_those_of_eager(multiplicative):
    estimator = imle.Perturbed(samples=3, multiplicative=multiplicative)
    theta, w = randn(4, 6), randn(4, 6, seed=1)
    expected = gradient(layer_of(TopK(2), estimator), theta, w)
    layer = layer_of(TopK(2), estimator)
    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(gradient(compiled, theta, w), expected)
    layer = layer_of(TopK(2), estimator)
    got = torch.func.vmap(torch.func.grad(lambda t, w: (layer(t) * w).sum()), randomness="different")(
        theta[:, None], w[:, None]
    )
    torch.testing.assert_close(got[:, 0], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": 0}, "Perturbed: sigma must be a finite number above 0; got 0."),
        (
            {"samples": 1},
            "Perturbed: baseline='loo' needs samples of at least 2; got 1. Use baseline='none'.",
        ),
        ({"baseline": "mean"}, "Perturbed: baseline must be one of 'loo', 'none'; got 'mean'."),
        ({"noise": None}, "Perturbed: noise is None, but the gradient is made of the noise"),
        (
            {"multiplicative": True, "noise": imle.Gumbel()},
            "multiplicative noise is imle.Normal(); got Gumbel().",
        ),
        ({"noise": imle.SumOfGamma(3, method="series")}, "has no `score`, which this estimator needs"),
    ],
)
def test_parameter_out_of_range_is_refused_at_construction(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        imle.Perturbed(**options)
