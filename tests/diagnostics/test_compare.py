"""Bias and variance of estimators, against what is known of them."""

import json
import math
import sys

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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(6,), (1, 6), (3, 6), (2, 2, 6)])
def test_theta_of_any_batch_and_precision(shape, dtype):
    theta = randn(*shape).to(dtype).requires_grad_()
    (one,) = compare(SET, lambda z: z @ W.to(dtype), imle.Exact(), theta, repeats=3)
    assert one.bias < 1e-5
    assert one.cosine == pytest.approx(1)
    assert theta.grad is None


def test_each_row_counts_alike():
    """The bias of several rows is the mean of those of each, however different their gradients are in size."""
    rows = torch.stack([THETA[0], 8 * THETA[1]])
    estimator = imle.BlackBox(lam=2.0)
    together, *alone = (
        compare(SET, linear, estimator, theta, repeats=2)[0] for theta in (rows, rows[:1], rows[1:])
    )
    assert together.bias == pytest.approx(sum(one.bias for one in alone) / 2)
    assert together.error == pytest.approx(sum(one.error for one in alone) / 2)


@pytest.mark.parametrize("estimator", ["imle", imle.Exact(), imle.ScoreFunction(samples=4, noise=None)])
def test_costs_are_scores_with_the_other_sign(estimator):
    scores = compare(Listed(subsets(6, 3)), linear, estimator, THETA, repeats=50)[0]
    costs = compare(Listed(subsets(6, 3), sense="min"), linear, estimator, -THETA, repeats=50)[0]
    assert costs.bias == pytest.approx(scores.bias)
    assert costs.deviation == pytest.approx(scores.deviation)
    assert costs.cosine == pytest.approx(scores.cosine)


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ("identity", [str(imle.Identity())]),
        (imle.Identity(), [str(imle.Identity())]),
        (["identity", imle.Exact()], [str(imle.Identity()), str(imle.Exact())]),
        (iter(["identity"]), [str(imle.Identity())]),
        ({"a": "identity", "b": imle.Exact()}, ["a", "b"]),
        ([], []),
    ],
)
def test_estimators_are_given_alone_or_in_any_collection(given, labels):
    found = compare(SET, linear, given, THETA, repeats=2)
    assert [one.label for one in found] == labels
    assert len(repr(found).splitlines()) == 1 + len(labels)


def test_one_repeat_is_refused_because_it_has_no_variance():
    with pytest.raises(ValueError, match="repeats must be at least 2"):
        compare(SET, linear, "imle", THETA, repeats=1)
    assert math.isfinite(compare(SET, linear, "imle", THETA, repeats=2)[0].bias_error)


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match=r"theta of shape \(0, 6\) has no rows"):
        compare(SET, linear, "imle", THETA[:0])


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_the_scale_of_the_loss_changes_nothing(scale):
    estimators = ["imle", imle.ScoreFunction(samples=4, noise=None)]
    plain = compare(SET, linear, estimators, THETA, repeats=50)
    scaled = compare(SET, lambda z: scale * linear(z), estimators, THETA, repeats=50)
    for a, b in zip(plain, scaled, strict=True):
        assert (b.bias, b.deviation) == (pytest.approx(a.bias), pytest.approx(a.deviation))


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_a_constant_of_any_size_is_no_gradient(scale):
    with pytest.raises(ValueError, match="the exact gradient is zero"):
        compare(SET, lambda z: scale * z.sum(-1), "imle", THETA)


@pytest.mark.parametrize("loss", [lambda z: z @ W[:, None], lambda z: (z @ W).sum(), lambda z: 1.0])
def test_a_loss_that_is_not_one_value_a_structure_is_refused(loss):
    with pytest.raises(
        ValueError, match=r"the loss returned .* expected \(20,\): one value for each structure"
    ):
        compare(SET, loss, "imle", THETA)


def test_a_loss_without_a_gradient_serves_the_score_function_alone():
    def wrong(z):
        return z[..., 0] < 0.5

    (one,) = compare(SET, wrong, imle.ScoreFunction(samples=8, noise=None), THETA, repeats=2000)
    assert one.bias < 3 * one.bias_error
    with pytest.raises(ValueError, match=r"mine: the loss has no gradient .* ScoreFunction"):
        compare(SET, wrong, {"mine": "imle"}, THETA)


def test_an_estimator_that_does_not_fit_is_refused_before_anything_is_measured():
    class Refuses(imle.IMLE):
        def check_solver(self, solver):
            raise imle.errors.SolverParameterError("does not fit")

    class NeverSolved(Listed):
        def solve(self, theta: torch.Tensor):
            raise AssertionError

    with pytest.raises(imle.errors.SolverParameterError, match="does not fit"):
        compare(NeverSolved(subsets(6, 3)), linear, ["imle", Refuses(lam=2.0)], THETA)


def test_an_estimator_that_adapts_has_adapted_before_it_is_measured():
    """The first step changes two or more entries of a sample; the target is one in ten samples, the others are zero."""
    target = imle.AIMLE(target_norm=0.1)
    before, after = (compare(SET, linear, target, THETA, repeats=repeats)[0] for repeats in (2, 500))
    assert after.zero > before.zero + 0.1


def test_where_gradients_are_off_it_measures_all_the_same():
    with torch.no_grad():
        (one,) = compare(SET, linear, imle.Exact(), THETA, repeats=2)
    assert one.bias < 1e-6


def test_the_global_generator_is_left_alone():
    state = torch.get_rng_state()
    compare(
        SET, linear, ["imle", "perturbed", imle.Exact(), imle.ScoreFunction(noise=None)], THETA, repeats=2
    )
    assert torch.equal(torch.get_rng_state(), state)


def test_a_solver_is_given_by_name_with_its_parameters():
    found = compare("torch.k_subset", linear, "identity", THETA, repeats=2, k=3, n=6)
    assert found[0].bias == pytest.approx(compare(SET, linear, "identity", THETA, repeats=2)[0].bias)


def test_a_solver_whose_rows_need_instances_says_so():
    class Needs(Listed):
        def prepare(self, instance):
            return instance

        def enumerate_support(self, *, instance=None):
            if instance is None:
                raise imle.errors.InvalidInstanceError("Needs: give each row an instance.")
            return super().enumerate_support()

    with pytest.raises(imle.errors.InvalidInstanceError, match="give each row an instance"):
        compare(Needs(subsets(6, 3)), linear, "imle", THETA)


def test_a_grid_names_what_varies():
    estimators = grid(imle.IMLE, lam=[0.5, 1.0], samples=[4], difference=["forward", "central"])
    assert list(estimators) == [
        f"IMLE lam={lam} difference={difference}"
        for lam in (0.5, 1.0)
        for difference in ("forward", "central")
    ]
    assert all(estimator.samples == 4 for estimator in estimators.values())
    assert list(grid(imle.BlackBox)) == ["BlackBox"]


def test_without_matplotlib_the_table_stays_and_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    found = compare(SET, linear, "identity", THETA, repeats=2)
    assert "bias" in repr(found)
    with pytest.raises(imle.errors.MissingDependencyError, match=r"imle-core\[plots\]"):
        found.plot()


def test_points_are_annotated_by_what_varies_whatever_the_labels_are():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    labels = ["IMLE lam=0.5 noise=SumOfGamma(k=5)", "IMLE(samples=2, lam=1.0)", "plain"]
    found = compare(SET, linear, dict.fromkeys(labels, "identity"), THETA, repeats=2)
    axes = found.plot(errors=False)
    assert [text.get_text() for text in axes.texts] == ["0.5, SumOfGamma, 5", "2, 1.0", ""]
    matplotlib.pyplot.close(axes.figure)


def test_a_plot_goes_into_axes_that_are_given():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    figure, axes = matplotlib.pyplot.subplots()
    assert compare(SET, linear, ["imle", "perturbed"], THETA, repeats=2).plot(axes) is axes
    matplotlib.pyplot.close(figure)


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
