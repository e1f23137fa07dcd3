"""Exact marginals, and the score function, against enumeration. Statistical tests state their level."""

import copy
import math
import pickle
import re

import pytest
import torch
from toys import Box, Identity, Listed, OneOfN, TopK, subsets

import imle_core as imle


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layer_of(solver, estimator, seed=0, **options):
    return imle.SolverLayer(solver, estimator, generator=torch.Generator().manual_seed(seed), **options)


def gradient(layer, theta, loss):
    theta = theta.detach().clone().requires_grad_()
    loss(layer(theta)).sum().backward()
    return theta.grad


def enumerated(solver, theta, tau):
    """Return the marginals of the family as a differentiable function of theta, by enumeration."""
    p = (solver.logits(theta) / tau).softmax(1)
    return p @ solver.vertices


def exact_gradient(solver, theta, tau, f):
    """Return the gradient of E[f(z)], by enumeration."""
    theta = theta.detach().clone().requires_grad_()
    p = (solver.logits(theta) / tau).softmax(1)
    (p * f(solver.vertices)).sum().backward()
    return theta.grad


SETS = [Listed(subsets(5, 2)), Listed(subsets(5, 2), sense="min"), Listed(randn(7, 4, seed=9))]
each_set = pytest.mark.parametrize("solver", SETS, ids=["max", "min", "real"])


@each_set
@pytest.mark.parametrize("tau", [0.5, 2.0])
def test_marginals_and_their_jacobian_are_those_of_the_enumeration(solver, tau):
    theta = randn(3, *solver.event_shape)
    w = randn(3, *solver.event_shape, seed=1)
    layer = layer_of(solver, imle.Exact(output="marginals", tau=tau))
    torch.testing.assert_close(layer(theta), enumerated(solver, theta, tau), rtol=0, atol=1e-12)
    expected = torch.func.vjp(lambda t: enumerated(solver, t, tau), theta)[1](w)[0]
    torch.testing.assert_close(gradient(layer, theta, lambda z: z * w), expected, rtol=0, atol=1e-12)


@each_set
def test_gradient_of_samples_is_exact_for_a_linear_loss_whatever_the_samples(solver):
    theta, w = randn(3, *solver.event_shape), randn(3, *solver.event_shape, seed=1)
    expected = torch.func.vjp(lambda t: enumerated(solver, t, 0.7), theta)[1](w)[0]
    for samples, reduction, scale in [(1, "mean", 1), (5, "mean", 1), (5, "none", 5)]:
        layer = layer_of(solver, imle.Exact(samples=samples, tau=0.7), reduction=reduction)
        got = gradient(layer, theta, lambda z: z * w)
        torch.testing.assert_close(got, scale * expected, rtol=0, atol=1e-12)


@each_set
def test_samples_are_structures_with_the_probabilities_of_the_family(solver):
    # 5 standard errors of each structure's frequency in 2e4 samples
    theta, s = randn(1, *solver.event_shape), 20_000
    z = layer_of(solver, imle.Exact(samples=s, tau=0.7), reduction="none")(theta)[:, 0]
    p = (solver.logits(theta) / 0.7).softmax(1)[0]
    frequency = (z[:, None] == solver.vertices).all(2).double().mean(0)
    assert frequency.sum() == pytest.approx(1)
    assert ((frequency - p).abs() < 5 * (p * (1 - p) / s).sqrt()).all()


@each_set
@pytest.mark.parametrize("baseline", ["loo", "none"])
def test_score_function_through_the_family_is_unbiased_for_a_loss_that_is_not_differentiable(
    solver, baseline
):
    # 5 standard errors over 4000 rows
    theta = randn(1, *solver.event_shape)
    f = lambda z: (z[..., 0] > z[..., 1]).double() + (z[..., 2].round() == 1) * 3.0  # noqa: E731
    layer = layer_of(solver, imle.ScoreFunction(samples=6, noise=None, tau=0.7, baseline=baseline))
    rows = theta.expand(4000, -1).clone().requires_grad_()
    layer.expectation(f, rows).sum().backward()
    expected = exact_gradient(solver, theta, 0.7, f)[0]
    error = rows.grad.std(0) / math.sqrt(4000)
    assert ((rows.grad.mean(0) - expected).abs() < 5 * error + 1e-12).all()
    assert error.max() < 0.2 * expected.abs().max()


def test_score_function_through_the_noise_is_unbiased_for_a_loss_that_is_not_differentiable():
    # Gumbel on one-of-n is the softmax: E[f(z)] = sum p f. 5 standard errors over 4000 rows
    theta, tau = randn(1, 4), 0.7
    values = torch.tensor([1.0, -2.0, 0.5, 3.0]).double()
    layer = layer_of(OneOfN(), imle.ScoreFunction(samples=10, noise=imle.Gumbel(), tau=tau))
    rows = theta.expand(4000, -1).clone().requires_grad_()
    layer.expectation(lambda z: (z @ values).sign() * (z @ values) ** 2, rows).sum().backward()
    p = torch.softmax(theta[0] / tau, 0)
    f = values.sign() * values**2
    expected = p * (f - (p * f).sum()) / tau
    error = rows.grad.std(0) / math.sqrt(4000)
    assert ((rows.grad.mean(0) - expected).abs() < 5 * error).all()


@pytest.mark.parametrize("noise", [imle.Normal(), imle.Gumbel(), None], ids=repr)
def test_score_function_in_a_plain_backward_pass_takes_the_loss_for_linear(noise):
    solver = SETS[0]
    theta, w = randn(3, 5), randn(3, 5, seed=1)
    estimator = imle.ScoreFunction(samples=4, noise=noise, tau=0.7)
    linear = gradient(layer_of(solver, estimator), theta, lambda z: z * w)
    rows = theta.clone().requires_grad_()
    layer_of(solver, estimator).expectation(lambda z: (z * w).sum(-1), rows).sum().backward()
    torch.testing.assert_close(linear, rows.grad)
    if noise is not None:
        perturbed = imle.Perturbed(samples=4, noise=noise, sigma=0.7)
        torch.testing.assert_close(gradient(layer_of(solver, perturbed), theta, lambda z: z * w), linear)


def test_parameters_of_the_function_have_their_own_gradient():
    theta = randn(6, 5).requires_grad_()
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    for estimator in (imle.ScoreFunction(), imle.IMLE(samples=4), imle.Exact(samples=4)):
        layer = layer_of(SETS[0], estimator)
        scale.grad = None
        value = layer.expectation(lambda z: scale * z[..., 0], theta)
        value.mean().backward()
        torch.testing.assert_close(scale.grad * scale.detach(), value.mean().detach())


@pytest.mark.parametrize(
    "estimator", [imle.ScoreFunction(), imle.ScoreFunction(noise=None), imle.IMLE(samples=3)]
)
@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 3, 5)])
def test_expectation_has_the_shape_of_the_batch(estimator, shape):
    layer = layer_of(SETS[0], estimator)
    theta = randn(*shape).requires_grad_()
    value = layer.expectation(lambda z: z[..., 0], theta)
    assert value.shape == shape[:-1]
    value.sum().backward()
    assert theta.grad.shape == shape
    assert layer.last_report.rows == math.prod(shape[:-1])


def test_expectation_in_eval_is_the_value_of_the_solution():
    layer = layer_of(SETS[0], imle.ScoreFunction()).eval()
    theta = randn(3, 5)
    solution = torch.as_tensor(SETS[0].solve(theta))
    torch.testing.assert_close(layer.expectation(lambda z: z[..., 0] * 2, theta), solution[:, 0] * 2)


def test_function_of_the_wrong_shape_is_refused():
    layer = layer_of(SETS[0], imle.ScoreFunction(samples=4))
    with pytest.raises(
        ValueError, match=re.escape("returned (4, 3, 5), expected (4, 3): one value for each sample and row")
    ):
        layer.expectation(lambda z: z, randn(3, 5))
    with pytest.raises(ValueError, match=r"returned float, expected \(4, 3\)"):
        layer.expectation(lambda z: 1.0, randn(3, 5))


@pytest.mark.parametrize("output", ["sample", "marginals"])
def test_eval_is_the_plain_solver_with_the_exact_gradient(output):
    solver = SETS[0]
    theta, w = randn(3, 5), randn(3, 5, seed=1)
    layer = layer_of(solver, imle.Exact(output=output)).eval()
    torch.testing.assert_close(layer(theta), torch.as_tensor(solver.solve(theta)))
    expected = torch.func.vjp(lambda t: enumerated(solver, t, 1.0), theta)[1](w)[0]
    torch.testing.assert_close(gradient(layer, theta, lambda z: z * w), expected)


@pytest.mark.parametrize(
    "estimator",
    [
        imle.Exact(samples=2),
        imle.Exact(output="marginals"),
        imle.ScoreFunction(noise=None),
        imle.ScoreFunction(),
    ],
    ids=["sample", "marginals", "score family", "score noise"],
)
def test_compiled_vmapped_and_copied_layers_give_the_gradient_of_eager(estimator):
    solver = SETS[1]
    theta, w = randn(4, 5), randn(4, 5, seed=1)
    expected = gradient(layer_of(solver, estimator), theta, lambda z: z * w)
    torch._dynamo.reset()
    compiled = torch.compile(layer_of(solver, estimator), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(gradient(compiled, theta, lambda z: z * w), expected)
    layer = layer_of(solver, estimator)
    got = torch.func.vmap(torch.func.grad(lambda t, w: (layer(t) * w).sum()), randomness="different")(
        theta[:, None], w[:, None]
    )
    torch.testing.assert_close(got[:, 0], expected)
    for duplicate in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        other = duplicate(layer_of(solver, estimator))
        torch.testing.assert_close(gradient(other, theta, lambda z: z * w), expected)


def test_reports_count_no_solves():
    layer = layer_of(SETS[0], imle.Exact(samples=3))
    gradient(layer, randn(4, 5), lambda z: z * randn(4, 5, seed=1))
    report = layer.last_report
    assert (report.samples, report.rows, report.solves, report.lam) == (3, 4, 0, None)
    assert report.gradient_norm > 0
    assert report.seconds["forward"] > 0


def test_a_solver_without_exact_inference_is_refused_by_name():
    with pytest.raises(
        imle.errors.MissingCapabilityError, match="Exact needs a solver with `log_partition`; TopK has none"
    ):
        imle.SolverLayer(TopK(), imle.Exact())
    with pytest.raises(
        imle.errors.MissingCapabilityError, match=r"ScoreFunction\(noise=None\) needs a solver"
    ):
        imle.SolverLayer(Box(), imle.ScoreFunction(noise=None))
    layer = imle.SolverLayer(Identity())
    with pytest.raises(imle.errors.MissingCapabilityError):
        layer.estimator = imle.Exact(output="marginals")
    assert layer.estimator == imle.IMLE()


def test_theta_that_is_not_finite_is_refused():
    theta = randn(3, 5)
    theta[1, 2] = math.nan
    for estimator in (imle.Exact(), imle.Exact(output="marginals"), imle.ScoreFunction(noise=None)):
        with pytest.raises(imle.errors.InvalidThetaError, match="1 non-finite values, first at row 1"):
            layer_of(SETS[0], estimator)(theta)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: imle.Exact(tau=0), "Exact: tau must be a finite number above 0; got 0."),
        (
            lambda: imle.Exact(output="mean"),
            "Exact: output must be one of 'sample', 'marginals'; got 'mean'.",
        ),
        (
            lambda: imle.Exact(output="marginals", samples=2),
            "Exact: output='marginals' has samples=1; got 2.",
        ),
        (
            lambda: imle.ScoreFunction(samples=1),
            "ScoreFunction: baseline='loo' needs samples of at least 2; got 1.",
        ),
        (lambda: imle.ScoreFunction(tau=0), "ScoreFunction: tau must be a finite number above 0; got 0."),
        (
            lambda: imle.ScoreFunction(noise=None, draws="antithetic"),
            "exact samples (noise=None) are independent; got draws='antithetic'",
        ),
        (lambda: imle.ScoreFunction(noise=imle.SumOfGamma(3, method="series")), "has no `score`"),
    ],
)
def test_parameter_out_of_range_is_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_an_empty_batch_has_an_empty_expectation():
    for estimator in (imle.ScoreFunction(), imle.ScoreFunction(noise=None)):
        theta = torch.zeros(0, 5, dtype=torch.float64, requires_grad=True)
        value = layer_of(SETS[0], estimator).expectation(lambda z: z[..., 0], theta)
        value.sum().backward()
        assert value.shape == (0,)
        assert theta.grad.shape == (0, 5)


def test_inference_mode_is_no_obstacle():
    theta = randn(3, 5)
    with torch.inference_mode():
        for estimator in (imle.Exact(), imle.Exact(output="marginals"), imle.SparseMAP(), imle.IMLE()):
            assert layer_of(SETS[0], estimator)(theta).shape == (3, 5)
            assert layer_of(SETS[0], estimator)(theta.clone()).shape == (3, 5)
