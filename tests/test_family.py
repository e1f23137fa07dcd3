"""The exponential family against enumeration, in float64. Statistical tests state their level."""

import math

import pytest
import torch
from torch.distributions import Distribution, Independent, kl_divergence
from toys import Listed, TopK, subsets

import imle_core as imle


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


SETS = {
    "max": Listed(subsets(5, 2)),
    "min": Listed(subsets(5, 2), sense="min"),
    "real": Listed(randn(7, 4, seed=9)),
    "matrix": Listed(randn(6, 2, 3, seed=8)),
    "k_subset": imle.solver("torch.k_subset", k=2, n=5),
}
each_set = pytest.mark.parametrize("solver", SETS.values(), ids=SETS)
TAU = 0.7


def theta_of(solver, *batch, seed=0):
    return randn(*batch, *solver.event_shape, seed=seed)


def probabilities(solver, theta, tau=TAU):
    """Return the vertices, and the probability of each for each row, by enumeration."""
    vertices = torch.as_tensor(solver.enumerate_support()).double()
    sign = 1 if solver.sense == "max" else -1
    logits = sign * theta.flatten(1) @ vertices.flatten(1).T / tau
    return vertices, logits.softmax(1), logits.logsumexp(1)


@each_set
def test_everything_exact_is_that_of_the_enumeration(solver):
    theta = theta_of(solver, 3)
    p = imle.ExponentialFamily(theta, solver, TAU)
    vertices, probability, log_partition = probabilities(solver, theta)
    mean = torch.einsum("nk,k...->n...", probability, vertices)
    close = lambda a, b: torch.testing.assert_close(a, b, rtol=0, atol=1e-9)  # noqa: E731
    close(p.log_partition, log_partition)
    close(p.mean, mean)
    close(p.entropy(), -(probability * probability.log()).sum(1))
    close(p.log_prob(vertices[:, None].expand(-1, 3, *vertices.shape[1:])), probability.log().T)
    flat = vertices.flatten(1)
    covariance = torch.einsum("nk,ki,kj->nij", probability, flat, flat)
    covariance -= torch.einsum("ni,nj->nij", mean.flatten(1), mean.flatten(1))
    v = theta_of(solver, 3, seed=1)
    close(p.covariance_vector_product(v).flatten(1), torch.einsum("nij,nj->ni", covariance, v.flatten(1)))
    close(p.variance.flatten(1), covariance.diagonal(dim1=1, dim2=2))
    other = imle.ExponentialFamily(theta_of(solver, 3, seed=2), solver, 1.3)
    _, q, _ = probabilities(solver, other.theta, 1.3)
    close(kl_divergence(p, other), (probability * (probability / q).log()).sum(1))
    close(kl_divergence(p, p), torch.zeros(3).double())


@each_set
def test_exact_quantities_are_differentiable_to_second_order(solver):
    def quantities(theta):
        p = imle.ExponentialFamily(theta, solver, TAU)
        return p.log_partition, p.mean, p.entropy(), p.log_prob(z), p.covariance_vector_product(v)

    theta, v = theta_of(solver, 2).requires_grad_(), theta_of(solver, 2, seed=1)
    z = imle.ExponentialFamily(theta.detach(), solver, TAU).mode
    assert torch.autograd.gradcheck(quantities, (theta,))
    assert torch.autograd.gradgradcheck(quantities, (theta,))


@each_set
def test_mean_is_the_gradient_of_the_log_partition_function_and_of_the_log_probability(solver):
    theta = theta_of(solver, 2).requires_grad_()
    p = imle.ExponentialFamily(theta, solver, TAU)
    z = p.mode
    (g,) = torch.autograd.grad(p.log_prob(z).sum(), theta)
    sign = 1 if solver.sense == "max" else -1
    torch.testing.assert_close(g, sign * (z - p.mean.detach()) / TAU)


@each_set
def test_mode_is_the_most_probable_structure(solver):
    theta = theta_of(solver, 20)
    vertices, probability, _ = probabilities(solver, theta)
    torch.testing.assert_close(
        imle.ExponentialFamily(theta, solver, TAU).mode, vertices[probability.argmax(1)]
    )


@pytest.mark.parametrize("solver", [SETS["max"], SETS["min"], SETS["real"]], ids=["max", "min", "real"])
def test_exact_samples_have_the_probabilities_of_the_family_and_a_gradient(solver):
    # 5 standard errors of each structure in 2e4 samples
    theta, s = theta_of(solver, 2), 20_000
    p = imle.ExponentialFamily(theta, solver, TAU)
    assert p.sampling == "exact"
    z = p.sample((s,), generator=torch.Generator().manual_seed(0))
    vertices, probability, _ = probabilities(solver, theta)
    frequency = (z[:, :, None] == vertices).all(3).double().mean(0)
    assert ((frequency - probability).abs() < 5 * (probability * (1 - probability) / s).sqrt()).all()
    theta.requires_grad_()
    w = theta_of(solver, 2, seed=1)
    z = imle.ExponentialFamily(theta, solver, TAU).rsample((5,))
    (z.mean(0) * w).sum().backward()
    expected = p.covariance_vector_product(w) / TAU * (1 if solver.sense == "max" else -1)
    torch.testing.assert_close(theta.grad, expected)


def test_without_exact_inference_samples_are_perturb_and_map_and_the_rest_says_so():
    theta = randn(3, 5).requires_grad_()
    p = imle.ExponentialFamily(theta, TopK(2), TAU, noise=imle.Logistic())
    assert p.sampling == "perturb-and-MAP"
    z = p.rsample((4, 2))
    assert z.shape == (4, 2, 3, 5)
    assert (z.sum(-1) == 2).all()
    (z * randn(3, 5, seed=1)).sum().backward()
    assert theta.grad.abs().sum() > 0
    for query in (lambda: p.mean, lambda: p.log_partition, p.entropy, lambda: p.log_prob(p.mode)):
        with pytest.raises(imle.errors.MissingCapabilityError, match="TopK has no `log_partition`, so exact"):
            query()
    with pytest.raises(imle.errors.MissingCapabilityError, match="TopK has no `enumerate_support`"):
        p.enumerate_support()


def test_perturb_and_map_with_gumbel_noise_of_one_of_n_is_the_family():
    # 5 standard errors in 1e5 samples
    theta, s = randn(4), 100_000
    p = imle.ExponentialFamily(theta, Listed(torch.eye(4)), TAU)
    q = imle.ExponentialFamily(theta, TopK(1), TAU)
    frequency = q.sample((s,), generator=torch.Generator().manual_seed(0)).mean(0)
    assert ((frequency - p.mean).abs() < 5 * (p.variance / s).sqrt()).all()


@pytest.mark.parametrize("solver", [SETS["max"], TopK(2)], ids=["exact", "perturb-and-MAP"])
def test_samples_repeat_with_the_generator(solver):
    p = imle.ExponentialFamily(randn(3, 5), solver)
    draw = lambda seed: p.sample((50,), generator=torch.Generator().manual_seed(seed))  # noqa: E731
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    torch.manual_seed(0)
    first = p.sample((50,))
    torch.manual_seed(0)
    assert torch.equal(first, p.sample((50,)))


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
@pytest.mark.parametrize("sample", [(), (4,), (2, 0), (2, 5)])
def test_shapes_are_sample_batch_event_as_in_torch(batch, sample):
    for name in ("max", "matrix", "k_subset"):
        solver = SETS[name]
        p = imle.ExponentialFamily(theta_of(solver, *batch), solver)
        assert isinstance(p, Distribution)
        assert (p.batch_shape, p.event_shape) == (batch, solver.event_shape)
        z = p.sample(sample)
        assert z.shape == p._extended_shape(sample) == (*sample, *batch, *solver.event_shape)
        assert p.log_prob(z).shape == (*sample, *batch)
        assert p.entropy().shape == p.log_partition.shape == batch
        assert p.mean.shape == p.mode.shape == p.variance.shape == (*batch, *solver.event_shape)
        k = len(solver.enumerate_support())
        assert p.enumerate_support().shape == (k, *batch, *solver.event_shape)
        assert p.enumerate_support(expand=False).shape == (k, *[1] * len(batch), *solver.event_shape)
        torch.testing.assert_close(
            p.log_prob(p.enumerate_support()).exp().sum(0), torch.ones(batch, dtype=torch.float64)
        )
        larger = p.expand((7, *batch))
        assert larger.mean.shape == (7, *batch, *solver.event_shape)
        torch.testing.assert_close(larger.mean[3], p.mean)


def test_works_within_independent():
    p = Independent(imle.ExponentialFamily(randn(3, 5), SETS["max"]), 1)
    assert p.log_prob(p.sample()).shape == ()
    assert p.entropy().shape == ()


def test_a_structure_that_is_none_is_refused_and_may_be_let_through():
    solver = SETS["k_subset"]
    wrong = torch.tensor([[1.0, 1, 0, 0, 0], [1, 1, 1, 0, 0]]).double()
    p = imle.ExponentialFamily(randn(2, 5), solver)
    assert p.support.check(wrong).tolist() == [True, False]
    with pytest.raises(
        imle.errors.InvalidSolutionError, match=r"k_subset: the value at index \(1,\) is no structure"
    ):
        p.log_prob(wrong)
    assert imle.ExponentialFamily(randn(2, 5), solver, validate_args=False).log_prob(wrong).isfinite().all()


def test_solver_by_name_takes_its_options():
    p = imle.ExponentialFamily(randn(2, 5), "torch.k_subset", k=3)
    torch.testing.assert_close(p.mean.sum(1), torch.full((2,), 3.0).double())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="ExponentialFamily: tau must be a finite number above 0; got 0"):
        imle.ExponentialFamily(randn(5), SETS["max"], 0)
    theta = randn(2, 5)
    theta[1, 2] = math.inf
    with pytest.raises(imle.errors.InvalidThetaError, match="1 non-finite values, first at row 1"):
        imle.ExponentialFamily(theta, SETS["max"])
    with pytest.raises(imle.errors.InvalidThetaError, match="takes rows of shape"):
        imle.ExponentialFamily(randn(2, 6), SETS["max"])
    with pytest.raises(imle.errors.InvalidThetaError, match="int64; use a floating dtype"):
        imle.ExponentialFamily(torch.ones(5, dtype=torch.int64), SETS["max"])


def test_divergence_between_different_sets_is_refused():
    p, q = (imle.ExponentialFamily(randn(5), Listed(subsets(5, k))) for k in (2, 3))
    with pytest.raises(ValueError, match="the families are over different sets"):
        kl_divergence(p, q)


@pytest.mark.parametrize(
    ("vertices", "noise"),
    [
        (torch.eye(4), imle.Gumbel()),
        (torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3), imle.Logistic()),
    ],
    ids=["one-of-n", "binaries"],
)
@pytest.mark.parametrize("sense", ["max", "min"])
def test_calibration_finds_the_temperature_where_perturb_and_map_is_exact(vertices, noise, sense):
    p = imle.ExponentialFamily(randn(8, vertices.shape[1]), Listed(vertices, sense=sense), TAU)
    found = p.calibrate(noise, samples=5000, generator=torch.Generator().manual_seed(0))
    assert found.tau == pytest.approx(TAU, rel=0.05)
    assert found.error < 1.5 * found.resolution


def test_calibration_reports_the_error_that_stays():
    # 5-of-10 subsets: logistic noise comes within the resolution of 4000 draws, Sum-of-Gamma does not
    theta = randn(20, 10)
    p = imle.ExponentialFamily(theta, "torch.k_subset", k=5, n=10)
    error = {
        noise: p.calibrate(noise, samples=4000, generator=torch.Generator().manual_seed(0)).error
        for noise in (imle.Logistic(), imle.SumOfGamma(5))
    }
    assert error[imle.Logistic()] < 0.012
    assert error[imle.SumOfGamma(5)] > 1.5 * error[imle.Logistic()]


@each_set
def test_values_and_other_families_are_broadcast_over_the_batch(solver):
    theta = theta_of(solver, 3)
    p = imle.ExponentialFamily(theta, solver, TAU)
    vertices, probability, _ = probabilities(solver, theta)
    close = lambda a, b: torch.testing.assert_close(a, b, rtol=0, atol=1e-9)  # noqa: E731
    close(p.log_prob(vertices[2]), probability.log()[:, 2])  # one structure, three rows
    close(p.log_prob(vertices[:, None]), probability.log().T)
    one = imle.ExponentialFamily(theta_of(solver, seed=4), solver, 1.3)
    _, q, _ = probabilities(solver, one.theta[None], 1.3)
    close(kl_divergence(one, p), (q * (q / probability).log()).sum(1))
    close(kl_divergence(p, one), (probability * (probability / q).log()).sum(1))


class Sampler(TopK):
    """A solver that samples, and has no log-partition function."""

    def sample(self, theta, samples, *, generator=None, instances=None):
        return torch.full((samples, *theta.shape), 7.0)


def test_a_solver_that_samples_is_asked_to():
    p = imle.ExponentialFamily(randn(3, 5), Sampler(2))
    assert p.sampling == "exact"
    assert (p.sample((4,)) == 7).all()
    assert (
        p.rsample((4,)).sum(-1) == 2
    ).all()  # no gradient without a log-partition function: perturb-and-MAP


def test_samples_of_the_wrong_shape_are_refused():
    class Wrong(Sampler):
        def sample(self, theta, samples, *, generator=None, instances=None):
            return torch.zeros(theta.shape)

    with pytest.raises(
        imle.errors.InvalidSolutionError, match=r"returned shape \(3, 5\), expected \(4, 3, 5\)"
    ):
        imle.ExponentialFamily(randn(3, 5), Wrong(2)).sample((4,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    solver = SETS["max"]
    theta = randn(3, 5).to(dtype)
    half, full = (imle.ExponentialFamily(t, solver, TAU) for t in (theta, theta.double()))
    for query in ("log_partition", "mean", "variance"):
        found = getattr(half, query)
        assert found.dtype == dtype
        torch.testing.assert_close(
            found, getattr(full, query).to(dtype), rtol=2e-2 if query == "variance" else 0, atol=0
        )
    torch.testing.assert_close(half.entropy(), full.entropy().to(dtype), rtol=0, atol=0)
    torch.testing.assert_close(half.log_prob(half.mode), full.log_prob(full.mode).to(dtype), rtol=0, atol=0)
    assert half.sample((2,)).dtype == dtype
    assert half.calibrate(imle.Gumbel(), samples=10).tau > 0


def test_an_empty_batch_has_empty_answers():
    p = imle.ExponentialFamily(randn(0, 5), SETS["max"])
    assert p.entropy().shape == p.log_partition.shape == (0,)
    assert p.mean.shape == p.mode.shape == (0, 5)
    assert p.sample((3,)).shape == (3, 0, 5)
    assert p.log_prob(p.sample((3,))).shape == (3, 0)
    with pytest.raises(ValueError, match="is empty, so there is nothing to fit"):
        p.calibrate(imle.Gumbel())


class Point(imle.Solver):
    """A set of one structure, zero, which theta does not matter to."""

    sense = "max"
    event_shape = (3,)

    def solve(self, theta: torch.Tensor):
        return torch.zeros_like(theta)

    def log_partition(self, theta, *, instances=None):
        return torch.zeros(len(theta), dtype=theta.dtype)

    def sample(self, theta, samples, *, generator=None, instances=None):
        return torch.zeros(samples, *theta.shape, dtype=theta.dtype)


def test_a_set_of_one_structure_has_a_mean_and_no_variance():
    theta = randn(2, 3).requires_grad_()
    p = imle.ExponentialFamily(theta, Point())
    for value in (p.mean, p.variance, p.covariance_vector_product(torch.ones(3)), p.entropy()):
        assert (value == 0).all()
    for estimator in (imle.Exact(), imle.Exact(output="marginals"), imle.ScoreFunction(noise=None)):
        theta.grad = None
        imle.SolverLayer(Point(), estimator)(theta).sum().backward()
        assert (theta.grad == 0).all()
