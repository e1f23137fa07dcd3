"""Noise against its closed forms. Statistical tests have fixed seeds; each says how often a right code would fail."""

import math

import numpy as np
import pytest
import torch
from scipy import special, stats

import imle_core as imle

ALL = [imle.Gumbel(), imle.Normal(), imle.Logistic(), imle.SumOfGamma(5), imle.SumOfGamma(5, method="series")]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("noise", ALL, ids=repr)
def test_mean_and_standard_deviation_are_those_declared(noise):
    # 5 standard errors on 4e5 draws: fails once in a million seeds
    x = noise.sample((400_000,), generator=generator(), dtype=torch.float64)
    error = noise.std / math.sqrt(len(x))
    assert abs(x.mean().item() - noise.mean) < 5 * error
    kurtosis = ((x - x.mean()) ** 4).mean() / x.var() ** 2
    assert abs(x.var().item() / noise.std**2 - 1) < 5 * math.sqrt((kurtosis.item() - 1) / len(x))


@pytest.mark.parametrize(
    ("noise", "law"),
    [
        (imle.Gumbel(), stats.gumbel_r),
        (imle.Normal(), stats.norm),
        (imle.Logistic(), stats.logistic),
        (imle.SumOfGamma(1), stats.gumbel_r),
    ],
    ids=repr,
)
def test_quantiles_are_those_of_the_law(noise, law):
    u = torch.tensor([1e-6, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-6], dtype=torch.float64)
    np.testing.assert_allclose(noise.icdf(u), law.ppf(u.numpy()), atol=2e-4)


@pytest.mark.parametrize("k", [1, 2, 5, 10, 50])
def test_sum_of_k_draws_of_sum_of_gamma_is_gumbel(k):
    # Kolmogorov-Smirnov at level 1e-3
    x = imle.SumOfGamma(k).sample((100_000, k), generator=generator(k), dtype=torch.float64).sum(1)
    assert stats.kstest(x.numpy(), "gumbel_r").pvalue > 1e-3


@pytest.mark.parametrize("k", [0.05, 0.5, 2.5, 200.0])
def test_sum_of_gamma_has_the_characteristic_function_of_a_root_of_gumbel(k):
    # E[exp(itx)] by quadrature over the quantile function: Gamma(1 - it)^(1/k), for k that are no integers too
    u = (torch.arange(2_000_000, dtype=torch.float64) + 0.5) / 2_000_000
    x = imle.SumOfGamma(k).icdf(u).numpy()
    for t in (0.3, 1.0, 2.0):
        expected = np.exp(special.loggamma(1 - 1j * t) / k)
        assert abs(np.exp(1j * t * x).mean() - expected) < 2e-5


def test_truncated_series_has_the_moments_of_the_published_sum():
    s, k = 10, 5
    noise = imle.SumOfGamma(k, method="series", terms=s)
    assert noise.mean * k == pytest.approx(sum(1 / i for i in range(1, s + 1)) - math.log(s))
    assert noise.std**2 * k == pytest.approx(sum(1 / i**2 for i in range(1, s + 1)))


def test_truncated_series_is_close_to_gumbel_as_published_and_the_table_closer():
    # KS distance of the k-sum: 2.8e-2 at 10 terms; the sampling error at 4e5 draws is about 2e-3
    def distance(noise):
        x = noise.sample((400_000, 5), generator=generator(), dtype=torch.float64).sum(1)
        return stats.kstest(x.numpy(), "gumbel_r").statistic

    assert 0.02 < distance(imle.SumOfGamma(5, method="series", terms=10)) < 0.036
    assert distance(imle.SumOfGamma(5)) < 0.004


@pytest.mark.parametrize("noise", ALL, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_have_the_dtype_and_are_finite_and_repeat_with_the_generator(noise, dtype):
    first = noise.sample((3, 1000), generator=generator(7), dtype=dtype)
    assert first.dtype == dtype
    assert first.isfinite().all()
    torch.testing.assert_close(
        first, noise.sample((3, 1000), generator=generator(7), dtype=dtype), rtol=0, atol=0
    )
    assert not torch.equal(first, noise.sample((3, 1000), generator=generator(8), dtype=dtype))
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("noise", ALL[:4], ids=repr)
def test_extreme_uniforms_have_finite_quantiles(noise):
    u = torch.tensor([2.0**-24, 1 - 2.0**-24])
    assert noise.icdf(u).isfinite().all()


@pytest.mark.parametrize("noise", [*ALL[:1], *ALL[2:4]], ids=repr)
def test_a_uniform_of_zero_which_torch_draws_once_in_16_million_is_finite(noise, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **options: torch.zeros(shape, dtype=options["dtype"]))
    assert noise.sample((3,)).isfinite().all()


@pytest.mark.parametrize("k", [1, 5])
def test_right_tail_goes_on_beyond_the_last_cell_of_the_table(k):
    # P(X > x) ~ x^(1/k - 1) exp(-x), so a tenth of the probability lies log(10) / (1 + (1 - 1/k) / x) further out
    u = 1 - torch.tensor([1e-9, 1e-10, 1e-11], dtype=torch.float64)
    x = imle.SumOfGamma(k).icdf(u)
    expected = math.log(10) / (1 + (1 - 1 / k) / x[:-1])
    torch.testing.assert_close(x.diff(), expected, rtol=2e-2, atol=0)


@pytest.mark.parametrize("k", [0, -1, 0.001, 1e5, math.nan, "5"])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(
        ValueError, match=r"SumOfGamma: k must be (in \[0.01, 10000.0\]|a finite number above 0); got"
    ):
        imle.SumOfGamma(k)


def test_other_parameters_out_of_range_are_refused():
    with pytest.raises(ValueError, match="method must be one of 'table', 'series'; got 'fft'"):
        imle.SumOfGamma(1, method="fft")
    with pytest.raises(ValueError, match="terms must be an integer of at least 1; got 0"):
        imle.SumOfGamma(1, terms=0)
    with pytest.raises(ValueError, match=r"float32 or float64; got torch.float16"):
        imle.Gumbel().sample((2,), dtype=torch.float16)


@pytest.mark.parametrize("noise", [*ALL[:4], imle.SumOfGamma(0.5), imle.SumOfGamma(40)], ids=repr)
def test_score_is_minus_the_derivative_of_the_log_density(noise):
    # The density is the derivative of the distribution function: 1 / Q'(u). So d/du log Q'(u) = score / density.
    v = torch.linspace(-9, 9, 19, dtype=torch.float64)  # log-odds
    h = 0.05
    x = [noise.icdf(torch.sigmoid(v + j * h)) for j in (-2, -1, 0, 1, 2)]
    first = (x[3] - x[1]) / (2 * h)  # dx/dv
    second = (x[3] - 2 * x[2] + x[1]) / h**2
    # log p(x) = log(u (1 - u)) - log(dx/dv), differentiated by v and divided by dx/dv
    u = torch.sigmoid(v)
    expected = -((1 - 2 * u) - second / first) / first
    torch.testing.assert_close(noise.score(x[2]), expected, rtol=5e-2, atol=5e-2)


def test_score_of_sum_of_gamma_with_k_of_one_is_that_of_gumbel():
    x = imle.Gumbel().icdf(torch.logspace(-7, -0.01, 200, dtype=torch.float64))
    torch.testing.assert_close(imle.SumOfGamma(1).score(x), imle.Gumbel().score(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("noise", ALL[:4], ids=repr)
def test_scores_average_to_zero_and_to_one_times_the_draw(noise):
    # E[score] = 0 and E[x score] = 1 by partial integration; 5 standard errors on 4e5 draws
    x = noise.sample((400_000,), generator=generator(), dtype=torch.float64)
    score = noise.score(x)
    for values, expected in ((score, 0.0), (x * score, 1.0)):
        assert abs(values.mean().item() - expected) < 5 * values.std().item() / math.sqrt(len(x))


def test_law_without_a_known_density_has_no_score():
    with pytest.raises(imle.errors.MissingCapabilityError, match=r"has no `score`.*method='table'"):
        imle.SumOfGamma(5, method="series").score(torch.zeros(3))
