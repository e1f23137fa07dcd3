"""Values against closed forms and bounds, in float64. Statistical tests have fixed seeds and state their level."""

import math

import pytest
import torch
from loss_cases import PAIRS, Counting, randn, step
from toys import Box, Listed, OneOfN

import imle_core as imle
from imle_core import losses
from imle_core.noise._gumbel import EULER_GAMMA

close = lambda a, b, tol=1e-9: torch.testing.assert_close(a, b, rtol=0, atol=tol)  # noqa: E731
ONE = Listed(torch.eye(4))
both = pytest.mark.parametrize("sense", ["max", "min"])


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def sign(sense):
    return 1 if sense == "max" else -1


def test_fenchel_young_with_gumbel_noise_on_one_of_n_is_the_cross_entropy():
    # 5 standard errors of 2e5 samples; the standard deviation of a maximum of Gumbel numbers is sigma pi / sqrt(6)
    theta, sigma, s = randn(3, 4), 0.7, 200_000
    y = torch.eye(4).double()[[2, 0, 3]]
    loss = losses.FenchelYoung(
        OneOfN(), samples=s, sigma=sigma, noise=imle.Gumbel(), reduction="none", generator=gen()
    )
    value, gradient = step(loss, theta, y)
    expected = sigma * (theta / sigma).logsumexp(1) + sigma * EULER_GAMMA - (theta * y).sum(1)
    close(value, expected, 5 * sigma * math.pi / math.sqrt(6 * s))
    p = (theta / sigma).softmax(1)
    assert ((gradient - (p - y)).abs() < 5 * (p * (1 - p) / s).sqrt()).all()


def test_fenchel_young_with_logistic_noise_on_binaries_is_the_binary_cross_entropy():
    # E max(0, theta + sigma x) = sigma softplus(theta / sigma) for logistic x; 5 standard errors of 2e5 samples
    theta, sigma, s = randn(2, 3), 0.7, 200_000
    y = torch.tensor([[1.0, 0, 1], [0, 0, 1]]).double()
    loss = losses.FenchelYoung(
        Box(), samples=s, sigma=sigma, noise=imle.Logistic(), reduction="none", generator=gen()
    )
    value, gradient = step(loss, theta, y)
    expected = (sigma * torch.nn.functional.softplus(theta / sigma) - theta * y).sum(1)
    close(value, expected, 5 * math.sqrt(3) * (sigma * math.pi / math.sqrt(3)) / math.sqrt(s))
    p = (theta / sigma).sigmoid()
    assert ((gradient - (p - y)).abs() < 5 * (p * (1 - p) / s).sqrt()).all()


@both
def test_multiplicative_fenchel_young_is_the_mean_of_its_points(sense):
    theta, sigma = randn(3, 5).abs(), 0.8
    solver = Counting(sense)
    y = solver.solve(randn(3, 5, seed=1))
    loss = losses.FenchelYoung(
        solver, samples=4, sigma=sigma, multiplicative=True, reduction="none", generator=gen()
    )
    value, gradient = step(loss, theta, y)
    factor = (
        sigma * imle.Normal().sample((4, 3, 5), generator=gen(), dtype=theta.dtype) - sigma**2 / 2
    ).exp()
    z = solver.solve((theta * factor).flatten(0, 1)).reshape(4, 3, 5)
    close(value, sign(sense) * ((theta * factor * z).sum(2).mean(0) - (theta * y).sum(1)))
    close(gradient, sign(sense) * ((factor * z).mean(0) - y))


@both
def test_fenchel_young_gradient_is_the_mean_solution_less_the_target_also_a_mean(sense):
    theta, solver = randn(3, 5), Counting(sense)
    y = (solver.solve(randn(3, 5, seed=1)) + solver.solve(randn(3, 5, seed=2))) / 2
    loss = losses.FenchelYoung(solver, samples=6, sigma=0.5, reduction="none", generator=gen())
    value, gradient = step(loss, theta, y)
    x = imle.Normal().sample((6, 3, 5), generator=gen(), dtype=theta.dtype)
    points = theta + sign(sense) * 0.5 * x  # the noise of a layer is that of scores
    z = solver.solve(points.flatten(0, 1)).reshape(6, 3, 5)
    close(value, sign(sense) * ((points * z).sum(2).mean(0) - (theta * y).sum(1)))
    close(gradient, sign(sense) * (z.mean(0) - y))


def test_expected_fenchel_young_with_its_constant_is_zero_where_the_expected_solution_is_the_target():
    # One-of-n with Gumbel noise: Omega(y) = sum y log y - gamma (times sigma). 5 standard errors of 2e5 samples.
    theta, s = randn(2, 4), 200_000
    y = theta.softmax(1)
    loss = losses.FenchelYoung(OneOfN(), samples=s, noise=imle.Gumbel(), reduction="none", generator=gen())
    value, gradient = step(loss, theta, y)
    close(value + (y * y.log()).sum(1) - EULER_GAMMA, torch.zeros(2).double(), 5 * math.pi / math.sqrt(6 * s))
    assert ((gradient).abs() < 5 * (y * (1 - y) / s).sqrt()).all()


def test_draws_that_are_coupled_have_less_variance():
    theta, y = randn(1, 5).expand(2000, 5), PAIRS[:1].expand(2000, 5)
    spread = {}
    for draws in ("independent", "antithetic", "sobol"):
        loss = losses.FenchelYoung(Counting(), samples=8, draws=draws, reduction="none", generator=gen())
        value, _ = step(loss, theta, y)
        spread[draws] = value.std()
    assert spread["antithetic"] < 0.8 * spread["independent"]
    assert spread["sobol"] < 0.8 * spread["independent"]


@pytest.mark.parametrize("tau", [0.5, 2.0])
def test_negative_log_likelihood_is_the_cross_entropy_on_one_of_n(tau):
    theta, label = randn(6, 4), torch.tensor([0, 3, 1, 1, 2, 0])
    y = torch.nn.functional.one_hot(label, 4)
    loss = losses.NegativeLogLikelihood(ONE, tau=tau, reduction="none")
    exact = lambda t, _: torch.nn.functional.cross_entropy(t / tau, label, reduction="none")  # noqa: E731
    for got, expected in zip(step(loss, theta, y), step(exact, theta, None), strict=True):
        close(got, expected)


@both
def test_negative_log_likelihood_is_that_of_the_family_and_twice_differentiable(sense):
    solver, theta = Counting(sense), randn(4, 5)
    y = solver.solve(randn(4, 5, seed=1))
    loss = losses.NegativeLogLikelihood(solver, tau=0.7, reduction="none")
    family = imle.ExponentialFamily(theta, solver, 0.7)
    value, gradient = step(loss, theta, y)
    close(value, -family.log_prob(y))
    close(gradient, sign(sense) * (family.mean - y) / 0.7)
    assert (value > 0).all()
    assert torch.autograd.gradgradcheck(lambda t: loss(t, y), (theta.requires_grad_(),))


def test_negative_log_likelihood_has_no_gradient_where_the_marginals_are_the_target():
    theta = randn(3, 5)
    y = imle.ExponentialFamily(theta, Counting()).mean
    close(step(losses.NegativeLogLikelihood(Counting()), theta, y)[1], torch.zeros(3, 5).double())


def test_structured_hinge_on_one_of_n_is_that_of_crammer_and_singer():
    theta, label = randn(8, 4), torch.tensor([0, 3, 1, 1, 2, 0, 2, 3])
    theta[5] = torch.tensor([5.0, 0, 0, 0])  # ahead by more than the margin
    y = torch.nn.functional.one_hot(label, 4)
    value, _ = step(losses.StructuredHinge(ONE, cost=0.5, reduction="none"), theta, y)
    own = theta.gather(1, label[:, None])
    other = theta.masked_fill(y.bool(), -torch.inf).amax(1, keepdim=True)
    close(value, (1 + other - own).clamp(min=0).squeeze(1))
    assert value[5] == 0


@both
@pytest.mark.parametrize("cost", [1.0, torch.tensor([0.1, 1.0, 0.0, 2.0, 0.5])], ids=["hamming", "vector"])
def test_structured_hinge_is_the_maximum_over_the_set(sense, cost):
    theta, s = randn(10, 5), sign(sense)
    solver = Counting(sense)
    y = solver.solve(randn(10, 5, seed=1))
    difference = (torch.as_tensor(cost).double() * (PAIRS[:, None] - y).abs()).sum(2)
    scores = s * (theta * PAIRS[:, None]).sum(2)
    expected = (scores + difference).amax(0) - s * (theta * y).sum(1)
    value, _ = step(losses.StructuredHinge(solver, cost=cost, reduction="none"), theta, y)
    close(value, expected)
    z = solver.solve(theta)
    margin = (torch.as_tensor(cost).double() * (z - y).abs()).sum(1)
    assert (value >= margin - 1e-12).all()
    assert (margin > 0).any()


@both
def test_spo_plus_is_its_formula_with_and_without_the_optimum(sense):
    solver, predicted, true, s = Counting(sense), randn(20, 5), randn(20, 5, seed=1), sign(sense)
    best, z = solver.solve(true), solver.solve(2 * predicted - true)
    inner = lambda a, b: (a * b).sum(1)  # noqa: E731
    formula = -inner(2 * predicted - true, z) + 2 * inner(predicted, best) - inner(true, best)  # of costs
    for target, calls in ((None, 40), (best, 20)):
        solver.batches.clear()
        value, gradient = step(losses.SPOPlus(solver, reduction="none"), predicted, true, target)
        close(value, -s * formula)
        close(gradient, s * 2 * (z - best))
        assert solver.batches == [calls]


@both
def test_spo_plus_bounds_the_regret_from_above_and_is_zero_at_the_truth(sense):
    solver, predicted, true = Counting(sense), randn(500, 5), randn(500, 5, seed=1)
    loss = losses.SPOPlus(solver, reduction="none")
    regret = losses.regret(predicted, true, solver, reduction="none")
    value = loss(predicted, true)
    assert (value >= regret - 1e-12).all()
    assert (regret >= 0).all()
    assert (value > regret + 0.1).any()
    assert torch.equal(loss(true, true), torch.zeros(500).double())
    assert torch.equal(losses.regret(true, true, solver, reduction="none"), torch.zeros(500).double())


@both
@pytest.mark.parametrize("name", ["spo_plus", "hinge", "perceptron"])
def test_gradients_of_convex_losses_are_subgradients(sense, name):
    # L(b) >= L(a) + <G(a), b - a> for random pairs: near ones, where most of the kinks are
    solver, a = Counting(sense), randn(2000, 5)
    b = a + 0.5 * randn(2000, 5, seed=2)
    true = randn(2000, 5, seed=1)
    loss, target = {
        "spo_plus": (losses.SPOPlus(solver, reduction="none"), true),
        "hinge": (losses.StructuredHinge(solver, reduction="none"), solver.solve(true)),
        "perceptron": (losses.FenchelYoung(solver, noise=None, reduction="none"), solver.solve(true)),
    }[name]
    value, gradient = step(loss, a, target)
    slack = loss(b, target) - value - (gradient * (b - a)).sum(1)
    assert (slack >= -1e-12).all()
    assert (slack > 1e-3).any()


def test_non_negative_losses_are_non_negative_and_zero_at_the_right_prediction():
    solver, theta = Counting(), randn(300, 5)
    other = solver.solve(randn(300, 5, seed=1))
    for loss in (
        losses.FenchelYoung(solver, noise=None, reduction="none"),
        losses.StructuredHinge(solver, cost=0.0, reduction="none"),
    ):
        assert (loss(theta, other) >= 0).all()
        assert (loss(theta, other) > 0).any()
        assert torch.equal(loss(theta, solver.solve(theta)), torch.zeros(300).double())
    loss = losses.StructuredHinge(solver, reduction="none")
    assert torch.equal(loss(100 * solver.solve(theta), solver.solve(theta)), torch.zeros(300).double())


@both
def test_perturbation_gradient_bounds_and_approaches_the_true_objective_of_the_decision(sense):
    solver, predicted, true, s = Counting(sense), randn(200, 5), randn(200, 5, seed=1), sign(sense)
    cost = -s * (true * solver.solve(predicted)).sum(1)  # as a cost, in both senses
    best = -s * (true * solver.solve(true)).sum(1)

    def value(h, difference, theta=predicted):
        loss = losses.PerturbationGradient(solver, h=h, difference=difference, reduction="none")
        return loss(theta, true)

    for h in (0.05, 0.5):
        assert (value(h, "backward") >= cost - 1e-9).all()
        close(value(h, "backward", true), best)
        close(value(h, "central", true), best)
    for difference in ("central", "backward"):
        close(value(1e-7, difference), cost, 1e-6)


@both
def test_perturbation_gradient_is_its_formula(sense):
    solver, predicted, true, h, s = Counting(sense), randn(50, 5), randn(50, 5, seed=1), 0.4, sign(sense)

    def optimal_value(theta):  # in the solver's sense
        return (theta * PAIRS[:, None]).sum(2).aminmax(dim=0)[sense == "max"]

    backward, _ = step(
        losses.PerturbationGradient(solver, h=h, difference="backward", reduction="none"), predicted, true
    )
    # scores are costs with the sign turned: V(c) = -max <z, theta>
    close(backward, -s * (optimal_value(predicted) - optimal_value(predicted - h * true)) / h)
    central, gradient = step(losses.PerturbationGradient(solver, h=h, reduction="none"), predicted, true)
    ahead, behind = predicted + h * true, predicted - h * true
    close(central, -s * (optimal_value(ahead) - optimal_value(behind)) / (2 * h))
    close(gradient, -s * (solver.solve(ahead) - solver.solve(behind)) / (2 * h))


@both
def test_regret_and_its_normalisations(sense):
    solver, predicted, true = Counting(sense), randn(4, 3, 5), randn(4, 3, 5, seed=1) + 3
    s = sign(sense)
    objective = lambda z: (true * z.reshape(4, 3, 5)).sum(2)  # noqa: E731
    best = objective(solver.solve(true.reshape(-1, 5)))
    expected = s * (best - objective(solver.solve(predicted.reshape(-1, 5))))
    assert (expected >= 0).all()
    assert (expected > 0).any()
    solver.batches.clear()
    close(losses.regret(predicted, true, solver, reduction="none"), expected)
    assert solver.batches == [24]
    close(losses.regret(predicted, true, solver), expected.mean())
    close(losses.regret(predicted, true, solver, reduction="sum"), expected.sum())
    close(losses.relative_gap(predicted, true, solver, reduction="none"), expected / best.abs())
    close(losses.normalized_regret(predicted, true, solver), expected.sum() / best.abs().sum())
    optimum = solver.solve(true.reshape(-1, 5)).reshape(4, 3, 5)
    solver.batches.clear()
    close(losses.regret(predicted, true, solver, target=optimum, reduction="none"), expected)
    assert solver.batches == [12]
    predicted.requires_grad_()
    assert not losses.regret(predicted, true.requires_grad_(), solver).requires_grad


def test_relative_gap_of_an_optimum_of_zero():
    true = torch.tensor([[0.0, -1.0], [0.0, -1.0]])
    predicted = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    gap = losses.relative_gap(predicted, true, OneOfN(), reduction="none")
    assert gap.tolist() == [0.0, math.inf]
    assert losses.normalized_regret(true, true, OneOfN()) == 0
    assert losses.normalized_regret(predicted.half(), true.half(), OneOfN()).dtype == torch.float16
