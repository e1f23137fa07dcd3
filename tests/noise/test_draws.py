"""Antithetic and quasi-random draws: each of the law, coupled within a row, independent between rows."""

import math
import re

import pytest
import torch
from scipy import stats
from toys import Identity, OneOfN, TopK

import imle_core as imle

NOISES = [imle.Gumbel(), imle.Normal(), imle.Logistic(), imle.SumOfGamma(5)]
COUPLED = ["antithetic", "sobol"]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("draws", COUPLED)
@pytest.mark.parametrize("sample", [0, 3, 5])
def test_each_sample_alone_is_uniform_over_rows(draws, sample):
    # Kolmogorov-Smirnov at level 1e-3 over 2e4 rows and 3 entries
    from imle_core.noise._uniform import uniform

    u = uniform((6, 20_000, 3), draws, generator=generator(), device=None, dtype=torch.float64)[sample]
    assert stats.kstest(u.flatten().numpy(), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("draws", COUPLED)
@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_mean_over_samples_is_unbiased_and_varies_less_than_of_independent_draws(draws, noise):
    # 16 samples in each of 2e4 rows; 5 standard errors of the mean over rows
    def means(kind):
        return noise.sample((16, 20_000, 2), kind, generator=generator(1), dtype=torch.float64).mean(0)

    coupled, independent = means(draws), means("independent")
    assert ((coupled.mean(0) - noise.mean).abs() < 5 * coupled.std(0) / math.sqrt(20_000)).all()
    assert (coupled.var(0) < (0.75 if draws == "antithetic" else 0.3) * independent.var(0)).all()


def test_rows_are_independent_of_each_other():
    # a correlation of 2e4 pairs has a standard error of 0.007
    for draws in COUPLED:
        x = imle.Normal().sample((4, 20_000, 2), draws, generator=generator(2), dtype=torch.float64).mean(0)
        assert abs(torch.corrcoef(torch.stack([x[::2, 0], x[1::2, 0]]))[0, 1]) < 0.05


@pytest.mark.parametrize("noise", [imle.Normal(), imle.Logistic()], ids=repr)
def test_antithetic_samples_of_a_symmetric_noise_cancel(noise):
    x = noise.sample((6, 5, 4), "antithetic", generator=generator(), dtype=torch.float64)
    torch.testing.assert_close(x[3:], -x[:3])


def test_antithetic_draws_may_be_odd():
    x = imle.Gumbel().sample((5, 3, 2), "antithetic", generator=generator())
    assert x.shape == (5, 3, 2)
    torch.testing.assert_close(
        imle.Gumbel().sample((1, 3, 2), "antithetic", generator=generator())[0].shape, x[0].shape
    )


def test_sobol_points_of_a_row_fill_every_sixteenth_once():
    from imle_core.noise._uniform import uniform

    u = uniform((16, 50, 4), "sobol", generator=generator(), device=None, dtype=torch.float64)
    cells = (u * 16).long().sort(0).values
    assert (cells == torch.arange(16)[:, None, None]).all()


@pytest.mark.parametrize("draws", COUPLED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_are_finite_have_the_dtype_and_repeat_with_the_generator(draws, dtype):
    for noise in NOISES:
        x = noise.sample((8, 2000, 5), draws, generator=generator(3), dtype=dtype)
        assert x.dtype == dtype
        assert x.isfinite().all()
        assert torch.equal(x, noise.sample((8, 2000, 5), draws, generator=generator(3), dtype=dtype))
        assert not torch.equal(x, noise.sample((8, 2000, 5), draws, generator=generator(4), dtype=dtype))


def test_the_smallest_uniform_has_a_finite_partner(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **options: torch.zeros(shape, dtype=options["dtype"]))
    for noise in NOISES:
        for dtype in (torch.float32, torch.float64):
            assert noise.sample((4, 3, 2), "antithetic", dtype=dtype).isfinite().all()


@pytest.mark.parametrize("draws", COUPLED)
@pytest.mark.parametrize(
    "make",
    [
        lambda draws: imle.IMLE(samples=4, draws=draws),
        lambda draws: imle.AIMLE(samples=4, draws=draws),
        lambda draws: imle.Perturbed(samples=4, draws=draws, baseline="none"),
        lambda draws: imle.StraightThrough(samples=4, noise=imle.Gumbel(), draws=draws),
    ],
    ids=["imle", "aimle", "perturbed", "straight-through"],
)
def test_layers_take_them_with_any_batch_shape(draws, make):
    layer = imle.SolverLayer(TopK(2), make(draws), generator=generator())
    for shape in [(6,), (3, 6), (2, 3, 6)]:
        theta = torch.randn(shape, requires_grad=True)
        (layer(theta) * torch.randn(shape)).sum().backward()
        assert theta.grad.isfinite().all()


@pytest.mark.parametrize("draws", COUPLED)
def test_states_of_one_of_n_are_closer_to_the_softmax(draws):
    theta = torch.randn(1, 4, generator=generator(5), dtype=torch.float64).expand(2000, 4)
    p = torch.softmax(theta, 1)
    error = {}
    for kind in ("independent", draws):
        z = imle.SolverLayer(OneOfN(), imle.IMLE(samples=16, draws=kind), generator=generator())(theta)
        error[kind] = (z - p).square().mean()
        assert ((z - p).mean(0).abs() < 5 * z.std(0) / math.sqrt(2000)).all()
    assert error[draws] < 0.8 * error["independent"]


@pytest.mark.parametrize(
    ("draws", "baseline"), [("antithetic", "loo"), ("antithetic", "none"), ("sobol", "none")]
)
def test_perturbed_gradient_stays_unbiased(draws, baseline):
    # the identity solver, whose Jacobian is I; 5 standard errors over 4000 rows
    estimator = imle.Perturbed(samples=6, sigma=0.7, noise=imle.Gumbel(), draws=draws, baseline=baseline)
    layer = imle.SolverLayer(Identity(), estimator, generator=generator())
    theta = (
        torch.randn(1, 4, generator=generator(1), dtype=torch.float64)
        .expand(4000, 4)
        .clone()
        .requires_grad_()
    )
    w = torch.randn(1, 4, generator=generator(2), dtype=torch.float64)
    (layer(theta) * w).sum().backward()
    g = theta.grad
    assert ((g.mean(0) - w[0]).abs() < 5 * g.std(0) / math.sqrt(4000)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: imle.IMLE(draws="halton"),
            "IMLE: draws must be one of 'independent', 'antithetic', 'sobol'",
        ),
        (
            lambda: imle.IMLE(draws="sobol", noise=imle.SumOfGamma(3, method="series")),
            "use method='table' for 'sobol'",
        ),
        (lambda: imle.Perturbed(draws="sobol"), "baseline='loo' is biased with draws='sobol'"),
        (
            lambda: imle.Perturbed(draws="antithetic", samples=5),
            "an even number of samples of at least 4; got 5",
        ),
    ],
)
def test_what_cannot_be_coupled_is_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_the_largest_sobol_point_has_a_finite_quantile_in_float32(monkeypatch):
    # 2^30 - 1 rounds to 2^30: a uniform of one. Once in 3e7 entries
    monkeypatch.setattr(
        torch, "randint", lambda high, shape, **o: torch.full(shape, high - 1, dtype=o["dtype"])
    )
    monkeypatch.setattr(
        "imle_core.noise._uniform._points", lambda s, d, device: torch.zeros(s, d, dtype=torch.int32)
    )
    for noise in NOISES:
        assert noise.sample((4, 3, 2), "sobol").isfinite().all()


def test_shapes_without_entries_and_without_rows():
    for shape in ((0, 3, 2), (4, 0, 2), (4, 3, 0)):
        assert imle.Normal().sample(shape, "sobol").shape == shape
    with pytest.raises(
        ValueError, match=r"Sobol draws have samples and rows: a shape \(S, N, \*event\); got \(4,\)"
    ):
        imle.Normal().sample((4,), "sobol")


def test_a_misspelt_kind_of_draws_is_refused():
    for noise in NOISES:
        with pytest.raises(
            ValueError, match="draws must be one of 'independent', 'antithetic', 'sobol'; got 'sobl'"
        ):
            noise.sample((4, 3, 2), "sobl")


def test_another_default_device_is_no_obstacle():
    with torch.device("meta"):
        imle.IMLE(draws="sobol")
        assert imle.Normal().sample((4, 3, 2), "sobol", device="cpu").isfinite().all()
