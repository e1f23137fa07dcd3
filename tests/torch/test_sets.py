"""Every set with exact inference, against the list of its structures made from its definition."""

import pytest
import torch
from exact_sets import SETS
from scipy.stats import chi2

import imle_core as imle

pytestmark = pytest.mark.parametrize("one", SETS, ids=[one.id for one in SETS])

SCALES = (0.1, 1.0, 5.0)
SAMPLES = 20_000

LEVEL = 1e-5
"""Probability that the test of a sampler's distribution fails by chance, once for each set; seeds are fixed."""


def log_partition(one, theta):
    return one.solver.log_partition(theta)


def gradient(one, theta, create_graph=False):
    theta = theta.detach().requires_grad_()
    return torch.autograd.grad(log_partition(one, theta).sum(), theta, create_graph=create_graph)[0]


def expected(one, theta):
    """Log-partition function, marginals and probabilities by enumeration."""
    scores = one.scores(theta)
    p = scores.softmax(1)
    return scores.logsumexp(1), (p @ one.support.flatten(1)).view_as(theta), p


def close(found, wanted, tolerance=1e-9):
    assert found.shape == wanted.shape
    torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("scale", SCALES)
def test_log_partition_marginals_and_entropy_are_those_of_the_enumerated_set(one, scale):
    theta = one.theta(7, scale)
    log_z, marginals, p = expected(one, theta)
    close(log_partition(one, theta), log_z)
    mu = one.sign * gradient(one, theta)
    close(mu, marginals)
    entropy = log_partition(one, theta) - one.sign * (mu * theta).flatten(1).sum(1)
    close(entropy, -torch.special.xlogy(p, p).sum(1))


@pytest.mark.parametrize("scale", [0.0, *SCALES])
def test_second_derivative_is_the_covariance_of_the_enumerated_set(one, scale):
    theta = one.theta(1, scale)
    found = torch.autograd.functional.hessian(lambda t: log_partition(one, t).sum(), theta)
    _, mu, p = expected(one, theta)
    centred = one.support.flatten(1) - mu.flatten(1)
    close(found.view(theta.numel(), theta.numel()), centred.T @ (p.T * centred))


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_derivatives_are_those_of_finite_differences(one, scale):
    theta = one.theta(2, scale).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: log_partition(one, t), theta)
    assert torch.autograd.gradgradcheck(lambda t: log_partition(one, t), theta)


def test_solution_is_the_best_of_the_enumerated_set(one):
    theta = torch.cat([one.theta(300), one.theta(100, 3.0, seed=1).round()])
    z = one.solver.solve(theta)
    best = one.scores(theta).amax(1)
    close(one.sign * (z * theta).flatten(1).sum(1), best)
    assert one.solver.is_feasible(z).all()
    listed = {tuple(row) for row in one.support.flatten(1).tolist()}
    assert {tuple(row) for row in z.flatten(1).tolist()} <= listed


def test_support_is_the_enumerated_set(one):
    found = torch.as_tensor(one.solver.enumerate_support()).flatten(1).tolist()
    assert sorted(found) == sorted(one.support.flatten(1).tolist())


def test_feasible_is_what_is_in_the_enumerated_set(one):
    assert one.solver.is_feasible(one.support).all()
    listed = {tuple(row) for row in one.support.flatten(1).tolist()}
    near = torch.cat([one.support + delta for delta in one.theta(20).sign() * (one.theta(20, seed=1) > 1)])
    known = torch.tensor([tuple(row) in listed for row in near.flatten(1).tolist()])
    assert torch.equal(torch.as_tensor(one.solver.is_feasible(near)), known)


def test_decode_and_encode_are_inverse_on_the_whole_set(one):
    structures = one.solver.decode(one.support)
    parallel = one.id == "dag_path-parallel"  # a path is its nodes, which do not tell parallel edges apart
    assert parallel or len({repr(each) for each in structures}) == len(one.support)
    for z, structure in zip(one.support, structures, strict=True):
        back = torch.as_tensor(one.solver.encode(structure))
        assert parallel or torch.equal(back, z)
        assert one.solver.decode(back) == structure


def test_samples_have_the_exact_marginals_and_distribution(one):
    theta = one.theta(2, 0.7)
    z = one.solver.sample(theta, SAMPLES, generator=torch.Generator().manual_seed(1))
    assert z.shape == (SAMPLES, *theta.shape)
    assert z.dtype == theta.dtype
    _, mu, p = expected(one, theta)
    variance = p @ one.support.flatten(1) ** 2 - mu.flatten(1) ** 2
    error = (z.mean(0) - mu).flatten(1).abs()
    assert (error <= 5 * (variance.clamp(min=0) / SAMPLES).sqrt() + 1e-12).all()
    for row in range(2):
        assert p_value(z[:, row], one.support, p[row]) > LEVEL / 2


def p_value(z, support, p):
    """The probability of samples at least so far from the distribution, by Pearson's statistic."""
    index = (z.flatten(1)[:, None] == support.flatten(1)).all(2).int()
    assert (index.sum(1) == 1).all()
    counts = torch.bincount(index.argmax(1), minlength=len(support)).double()
    rare = p * len(z) < 10
    counts = torch.cat([counts[~rare], counts[rare].sum()[None]])
    wanted = len(z) * torch.cat([p[~rare], p[rare].sum()[None]])
    some = wanted > 0
    statistic = ((counts - wanted)[some] ** 2 / wanted[some]).sum()
    return chi2.sf(statistic.item(), max(int(some.sum()) - 1, 1))


def test_samples_are_the_generators_and_leave_the_global_one_alone(one):
    theta, state = one.theta(3).requires_grad_(), torch.get_rng_state()
    a, b, c = (
        one.solver.sample(theta, 50, generator=torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(a, b)
    assert len(one.support) < 3 or not torch.equal(a, c)
    assert not a.requires_grad
    assert torch.equal(torch.get_rng_state(), state)


def test_extreme_theta_give_finite_and_right_values(one):
    theta = torch.stack(
        [
            *1e3 * one.theta(6).sign(),
            *1e3 * one.theta(6, seed=1).clamp(-1, 1),
            *(torch.full_like(one.theta(1)[0], value) for value in (1e3, -1e3, 0.0)),
        ]
    )
    log_z, marginals, _ = expected(one, theta)
    close(log_partition(one, theta), log_z)
    close(one.sign * gradient(one, theta), marginals)
    first = gradient(one, theta, create_graph=True)
    assert first.isfinite().all()


def test_second_derivatives_at_extreme_theta_are_finite(one):
    theta = (1e3 * one.theta(6).sign()).requires_grad_()
    (first,) = torch.autograd.grad(log_partition(one, theta).sum(), theta, create_graph=True)
    # a function of the gradient, whose own gradient needs every second derivative
    (second,) = torch.autograd.grad((first * one.theta(6, seed=2)).sum(), theta)
    assert second.isfinite().all()


def test_samples_at_extreme_theta_are_the_solution(one):
    theta = 1e5 * one.theta(8)
    z = one.solver.sample(theta, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(z, one.solver.solve(theta).expand_as(z))


def test_single_precision_is_close_to_double(one):
    theta = one.theta(7, 2.0).float()
    log_z, marginals, _ = expected(one, theta)
    found, slope = log_partition(one, theta), gradient(one, theta)
    assert found.dtype == slope.dtype == torch.float32
    close(found.double(), log_z, 1e-5)
    close(one.sign * slope.double(), marginals.double(), 1e-4)
    extreme = 1e3 * one.theta(7).float()
    close(log_partition(one, extreme).double(), expected(one, extreme)[0], 1e-4)
    z = one.solver.sample(extreme * 100, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(z, one.solver.solve(extreme * 100).expand_as(z))


def test_a_batch_is_its_rows(one):
    theta = one.theta(6)
    rows = torch.cat([log_partition(one, row[None]) for row in theta])
    close(log_partition(one, theta), rows, 1e-13)
    strided = torch.stack([theta, theta], -1)[..., 0]
    assert torch.equal(log_partition(one, strided), log_partition(one, theta))
    z = one.solver.solve(theta)
    assert torch.equal(z, torch.cat([one.solver.solve(row[None]) for row in theta]))


def test_an_empty_batch_has_empty_results(one):
    theta = one.theta(0)
    assert log_partition(one, theta).shape == (0,)
    assert one.solver.sample(theta, 3).shape == (3, *theta.shape)
    assert one.solver.solve(theta).shape == theta.shape
    assert one.solver.is_feasible(theta).shape == (0,)


def test_marginals_tend_to_the_solution_at_low_temperature(one):
    theta = one.theta(8)
    z = one.solver.solve(theta)
    best = one.sign * (z * theta).flatten(1).sum(1)
    for tau in (1e-3, 1e-5):
        close(tau * log_partition(one, theta / tau), best, 10 * tau)
    close(one.sign * gradient(one, theta / 1e-5), z, 1e-9)


def test_theta_of_another_shape_is_refused(one):
    with pytest.raises(imle.errors.InvalidThetaError, match=r"batch axes|has shape"):
        one.solver.log_partition(one.theta(2)[0])
    with pytest.raises(imle.errors.InvalidThetaError, match=r"batch axes|has shape"):
        one.solver.sample(one.theta(2)[None], 1)
