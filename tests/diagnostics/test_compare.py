"""Bias and variance of estimators, against what is known of them."""

import json

import pytest
import torch
from toys import Listed, TopK, subsets

import imle_core as imle
from imle_core.diagnostics import compare, exact_gradient, grid


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


SET, THETA, W = Listed(subsets(6, 3)), randn(2, 6), randn(6, seed=1)


def linear(z):
    return z @ W


def quadratic(z):
    return (z @ W) ** 2 + z[..., 0] * z[..., 1]


@pytest.mark.parametrize("sense", ["max", "min"])
def test_exact_gradient_is_that_of_the_enumeration(sense):
    solver, theta = Listed(subsets(6, 3), sense=sense), THETA.clone().requires_grad_()
    p = (solver.logits(theta) / 0.7).softmax(1)
    (p @ quadratic(solver.vertices)).sum().backward()
    torch.testing.assert_close(exact_gradient(solver, quadratic, THETA, 0.7), theta.grad)


def test_exact_marginals_have_neither_bias_nor_variance_for_a_linear_loss():
    (one,) = compare(SET, linear, [imle.Exact(tau=0.7)], THETA, tau=0.7, repeats=50)
    assert one.bias < 1e-6
    assert one.deviation < 1e-6
    assert one.cosine == pytest.approx(1)
    assert (one.zero, one.calls) == (0, 0)


@pytest.mark.parametrize("loss", [linear, quadratic])
def test_score_function_of_the_family_is_unbiased(loss):
    # the bias of 4000 repeats has the size of its standard error; three of them are exceeded once in a thousand seeds
    (one,) = compare(SET, loss, [imle.ScoreFunction(samples=8, noise=None)], THETA, repeats=4000)
    assert one.bias < 3 * one.bias_error
    assert one.deviation > 0.1


def test_a_longer_step_has_less_variance_and_more_bias_and_central_differences_less_of_both():
    estimators = grid(imle.IMLE, lam=[0.5, 4.0], difference=["forward", "central"], noise=[imle.Logistic()])
    found = {one.label: one for one in compare(SET, linear, estimators, THETA, repeats=4000)}
    for difference in ("forward", "central"):
        short, long = (found[f"IMLE lam={lam} difference={difference}"] for lam in (0.5, 4.0))
        assert long.deviation < 0.5 * short.deviation
        assert long.bias > short.bias
        assert short.calls == (2 if difference == "forward" else 3)
    assert found["IMLE lam=0.5 difference=central"].error < found["IMLE lam=0.5 difference=forward"].error


def test_error_is_bias_and_deviation_together():
    for one in compare(SET, linear, ["imle", "perturbed", "straight_through"], THETA[:1], repeats=300):
        assert one.error**2 == pytest.approx(one.bias**2 + one.deviation**2, rel=1e-6)


def test_share_of_zero_gradients_is_counted():
    (one,) = compare(SET, linear, {"short": imle.BlackBox(lam=1e-9, step="absolute")}, THETA, repeats=10)
    assert (one.label, one.zero, one.cosine) == ("short", 1.0, 0.0)
    assert one.bias == pytest.approx(1)


def test_the_seed_decides_and_chunks_do_not():
    first, second, other = (
        compare(SET, linear, ["imle"], THETA, repeats=100, seed=seed)[0].error for seed in (0, 0, 1)
    )
    assert first == second != other


def test_table_and_dicts_and_plot(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    found = compare(
        SET, linear, {"Exact": imle.Exact(), **grid(imle.IMLE, lam=[1.0, 2.0])}, THETA, repeats=50
    )
    lines = repr(found).splitlines()
    assert len(lines) == 4
    assert lines[0].split()[:3] == ["estimator", "bias", "deviation"]
    assert lines[2].startswith("IMLE lam=1.0")
    assert json.loads(json.dumps(found.as_dicts()))[1]["label"] == "IMLE lam=1.0"
    axes = found.plot()
    axes.figure.savefig(tmp_path / "compare.png")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Exact", "IMLE"]


def test_a_solver_that_cannot_list_its_set_is_refused():
    with pytest.raises(imle.errors.MissingCapabilityError, match="TopK has no `enumerate_support`"):
        compare(TopK(2), linear, ["imle"], THETA)


def test_a_loss_that_is_the_same_for_all_structures_is_refused():
    with pytest.raises(ValueError, match="the exact gradient is zero at row 0 of theta"):
        compare(SET, lambda z: z.sum(-1), ["imle"], THETA)
