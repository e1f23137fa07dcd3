"""What a layer reports of its backward passes."""

import copy
import json
import logging
import pickle
import threading

import numpy as np
import pytest
import torch
from toys import Box, CheapestK, Listed, TopK, Window

import imle_core as imle


def backward(layer, theta, w, **options):
    theta = theta.clone().requires_grad_()
    (layer(theta, **options) * w).sum().backward()
    return theta.grad


def test_there_is_no_report_before_the_first_backward_pass():
    layer = imle.SolverLayer(TopK())
    layer(torch.rand(3, 5))
    assert layer.last_report is None


@pytest.mark.parametrize("solver", [TopK(2), CheapestK(2)], ids=["max", "min"])
@pytest.mark.parametrize("samples", [1, 4])
def test_figures_are_those_of_the_gradient_that_autograd_receives(solver, samples):
    torch.manual_seed(0)
    layer = imle.SolverLayer(solver, imle.IMLE(samples=samples, lam=0.5))
    w = torch.randn(6, 5)
    w[[1, 4]] = 0
    grad = backward(layer, torch.rand(6, 5), w)
    report = layer.last_report
    assert report.gradient_norm == pytest.approx(grad.norm().item(), rel=1e-5)
    assert report.zero_rows == (grad == 0).all(1).double().mean().item()
    assert (report.rows, report.samples) == (6, samples)
    assert report.solves == samples * (6 + 4)
    assert report.avoided == {"zero gradient": samples * 2}


def test_lam_is_the_relative_step_averaged_over_the_rows_that_moved():
    theta, w = torch.rand(4, 5) + 1, torch.randn(4, 5)
    w[3] = 0
    layer = imle.SolverLayer(TopK(), imle.BlackBox(lam=0.5))
    backward(layer, theta, w)
    expected = 0.5 * theta[:3].square().mean(1).sqrt() / w[:3].square().mean(1).sqrt()
    assert layer.last_report.lam == pytest.approx(expected.mean().item(), rel=1e-5)


def test_lam_of_an_absolute_step_is_lam():
    layer = imle.SolverLayer(TopK(), imle.BlackBox(lam=3.0, step="absolute"))
    backward(layer, torch.rand(4, 5), torch.randn(4, 5))
    assert layer.last_report.lam == pytest.approx(3.0)


@pytest.mark.parametrize("difference", ["forward", "central"])
def test_agreement_is_the_share_of_rows_whose_target_state_is_their_state(difference):
    theta = torch.tensor([[1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, 1.0]])
    w = torch.tensor(
        [[0.1, 0.0], [0.0, 5.0], [-5.0, 0.0], [0.0, 0.0]]
    )  # stays, changes, changes, does not move
    layer = imle.SolverLayer(Box(), imle.IMLE(noise=None, lam=2.0, step="absolute", difference=difference))
    backward(layer, theta, w)
    assert layer.last_report.agreement == pytest.approx(1 / 3)
    assert layer.last_report.zero_rows == 2 / 4


def test_agreement_and_lam_are_none_where_no_row_moved():
    layer = imle.SolverLayer(TopK())
    backward(layer, torch.rand(3, 5), torch.zeros(3, 5))
    report = layer.last_report
    assert (report.lam, report.agreement, report.zero_rows) == (None, None, 1.0)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_rows_of_extreme_size_are_neither_zero_nor_infinite(size):
    layer = imle.SolverLayer(TopK(), imle.BlackBox(lam=10.0))
    grad = backward(layer, torch.rand(3, 5), torch.randn(3, 5) * size)
    assert layer.last_report.zero_rows < 1
    assert layer.last_report.gradient_norm == pytest.approx(grad.double().norm().item(), rel=1e-5)


def test_a_gradient_that_is_not_finite_shows():
    layer = imle.SolverLayer(TopK())
    w = torch.randn(3, 5)
    w[0, 0] = torch.nan
    backward(layer, torch.rand(3, 5), w)
    assert not np.isfinite(layer.last_report.gradient_norm)


def test_samples_without_noise_are_solved_once():
    layer = imle.SolverLayer(TopK(), imle.IMLE(samples=3, noise=None))
    backward(layer, torch.rand(4, 5), torch.randn(4, 5))
    assert layer.last_report.avoided["equal points"] == 2 * 4
    assert layer.last_report.solves == 4 + 3 * 4


def test_solves_are_those_that_the_solver_was_asked_for():
    solver = TopK()
    layer = imle.SolverLayer(solver, imle.AIMLE(samples=2))
    for _ in range(3):
        solver.batches.clear()
        backward(layer, torch.rand(4, 5), torch.randn(4, 5))
        assert layer.last_report.solves == sum(solver.batches) == 2 * 4 + 2 * 2 * 4
    assert layer.last_report.step == 3


def test_validation_in_between_leaves_no_trace():
    layer = imle.SolverLayer(TopK())
    backward(layer, torch.rand(4, 5), torch.randn(4, 5))
    with torch.no_grad():
        layer.eval()(torch.rand(1000, 5))
    backward(layer.train(), torch.rand(4, 5), torch.randn(4, 5))
    assert layer.last_report.solves == 8
    assert layer.last_report.rows == 4


def test_calls_do_not_mix():
    # validation between forward and backward, two calls before their backward passes, and another estimator meanwhile
    layer = imle.SolverLayer(TopK(), imle.IMLE(samples=3))
    reports = []
    layer.register_report_hook(reports.append)
    first, second = torch.rand(4, 5, requires_grad=True), torch.rand(6, 5, requires_grad=True)
    a = (layer(first) * torch.randn(4, 5)).sum()
    with torch.no_grad():
        layer.eval()(torch.rand(1000, 5))
    layer.train().estimator = imle.IMLE(samples=1)
    b = (layer(second) * torch.randn(6, 5)).sum()
    a.backward()
    b.backward()
    found = [(r.rows, r.samples, r.solves, r.estimator.samples) for r in reports]
    assert found == [(4, 3, 2 * 3 * 4, 3), (6, 1, 2 * 6, 1)]


def test_a_second_backward_pass_through_a_graph_counts_its_own_solves():
    layer = imle.SolverLayer(TopK(), imle.IMLE(samples=2))
    loss = (layer(torch.rand(4, 5, requires_grad=True)) * torch.randn(4, 5)).sum()
    loss.backward(retain_graph=True)
    assert layer.last_report.solves == 2 * 4 + 2 * 4
    loss.backward()
    assert layer.last_report.solves == 2 * 4
    assert layer.last_report.seconds["forward"] == layer.last_report.seconds["noise"] == 0


def test_calls_in_several_threads_do_not_mix():
    solver = CheapestK(2)
    layer, reports = imle.SolverLayer(solver, imle.IMLE(samples=2)), []
    layer.register_report_hook(reports.append)

    def work(rows):
        for _ in range(20):
            (layer(torch.rand(rows, 5, requires_grad=True)) * torch.randn(rows, 5)).sum().backward()

    threads = [threading.Thread(target=work, args=(rows,)) for rows in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 80
    assert {(r.rows, r.solves) for r in reports} == {(rows, 4 * rows) for rows in (1, 2, 3, 4)}
    assert sorted(r.step for r in reports) == list(range(1, 81))


@pytest.mark.parametrize(
    "estimator", [imle.ScoreFunction(samples=3), imle.ScoreFunction(samples=3, noise=None)]
)
def test_samples_of_the_score_function_are_told(estimator):
    layer = imle.SolverLayer(Listed(torch.eye(5)), estimator)
    backward(layer, torch.rand(4, 5), torch.randn(4, 5))
    assert (layer.last_report.samples, layer.last_report.rows) == (3, 4)
    layer.expectation(lambda z: z[..., 0], torch.rand(6, 5, requires_grad=True)).sum().backward()
    assert (layer.last_report.samples, layer.last_report.rows) == (3, 6)


@pytest.mark.parametrize("projection", ["none", "mean", "norm", "std"])
def test_figures_of_a_projected_theta_are_of_theta(projection):
    layer = imle.SolverLayer(TopK(), imle.Identity(projection=projection))
    grad = backward(layer, torch.rand(4, 5) * 1e-3, torch.randn(4, 5))
    assert layer.last_report.gradient_norm == pytest.approx(grad.norm().item(), rel=1e-5)


def test_calls_without_a_backward_pass_are_forgotten():
    layer = imle.SolverLayer(TopK()).eval()
    for _ in range(1000):
        layer(torch.rand(1, 5))
    assert len(layer._binding.ledger._entries) < 300


def test_gradients_in_eval_report_the_one_point():
    layer = imle.SolverLayer(TopK(), imle.IMLE(samples=4)).eval()
    backward(layer, torch.rand(3, 5), torch.randn(3, 5))
    report = layer.last_report
    assert (report.samples, report.solves, report.seconds["noise"]) == (1, 6, 0.0)


def test_seconds_are_positive_and_name_their_phase():
    layer = imle.SolverLayer(TopK())
    backward(layer, torch.rand(3, 5), torch.randn(3, 5))
    seconds = layer.last_report.seconds
    assert list(seconds) == ["noise", "forward", "backward"]
    assert all(value > 0 for value in seconds.values())


def test_rows_with_instances_are_counted():
    layer = imle.SolverLayer(Window())
    backward(layer, torch.rand(3, 5), torch.randn(3, 5), instances=[0, 1, 2])
    assert layer.last_report.solves == 6


class OutOfTime(imle.Solver):
    sense = "max"

    def solve(self, theta):
        self.note_timeout(len(theta) - 1)
        return np.zeros_like(theta)


def test_timeouts_that_a_solver_notes_are_counted():
    layer = imle.SolverLayer(OutOfTime())
    backward(layer, torch.rand(4, 5), torch.randn(4, 5))
    assert layer.last_report.timeouts == 3 + 3


def test_timeouts_in_the_rounds_of_sparsemap_are_counted():
    layer = imle.SolverLayer(OutOfTime(), imle.SparseMAP())
    backward(layer, torch.rand(4, 5), torch.randn(4, 5))
    assert layer.last_report.timeouts == layer.last_report.solves - 2  # two rounds, all rows but one in each


def test_a_timeout_of_a_direct_call_is_logged(caplog):
    with caplog.at_level(logging.WARNING, logger="imle_core"):
        OutOfTime().solve(np.zeros((4, 5)))
    assert "OutOfTime: the search ended at its time limit for 3 rows" in caplog.text


def test_report_as_a_dict_is_plain_and_as_text_is_one_line():
    layer = imle.SolverLayer(TopK(), imle.IMLE(samples=2))
    w = torch.randn(4, 5)
    w[0] = 0
    backward(layer, torch.rand(4, 5), w)
    figures = json.loads(json.dumps(layer.last_report.as_dict()))
    assert figures["solver"] == "TopK"
    assert figures["estimator"] == str(layer.estimator)
    assert figures["avoided/zero gradient"] == 2
    assert figures["seconds/backward"] > 0
    text = str(layer.last_report)
    assert "\n" not in text
    assert "2 avoided (zero gradient)" in text


def test_hook_is_called_with_each_report_until_it_is_removed():
    layer, seen = imle.SolverLayer(TopK()), []
    handle = layer.register_report_hook(seen.append)
    for _ in range(2):
        backward(layer, torch.rand(3, 5), torch.randn(3, 5))
    handle.remove()
    backward(layer, torch.rand(3, 5), torch.randn(3, 5))
    assert [report.step for report in seen] == [1, 2]


def test_what_a_hook_raises_propagates():
    layer = imle.SolverLayer(TopK())
    layer.register_report_hook(lambda report: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        backward(layer, torch.rand(3, 5), torch.randn(3, 5))


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))], ids=["deepcopy", "pickle"]
)
def test_a_copy_has_neither_the_hooks_nor_the_report(duplicate):
    layer, seen = imle.SolverLayer(TopK()), []
    layer.register_report_hook(seen.append)
    backward(layer, torch.rand(3, 5), torch.randn(3, 5))
    other = duplicate(layer)
    assert other.last_report is None
    backward(other, torch.rand(3, 5), torch.randn(3, 5))
    assert len(seen) == 1


def test_a_compiled_layer_reports_each_of_its_passes():
    layer, seen = imle.SolverLayer(TopK(), imle.AIMLE(samples=2)), []
    layer.register_report_hook(seen.append)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    w = torch.randn(4, 5)
    for step in range(3):
        grad = backward(compiled, torch.rand(4, 5), w)
        assert layer.last_report.step == step + 1
        assert layer.last_report.gradient_norm == pytest.approx(grad.norm().item(), rel=1e-5)
        assert layer.last_report.solves == 2 * 4 + 2 * 2 * 4
    assert len(seen) == 3


def test_a_vmapped_gradient_is_one_report_of_all_rows():
    layer = imle.SolverLayer(TopK(), imle.IMLE(samples=2))
    w = torch.randn(3, 4, 5)
    grad = torch.func.vmap(torch.func.grad(lambda t, w: (layer(t) * w).sum()), randomness="different")(
        torch.rand(3, 4, 5), w
    )
    report = layer.last_report
    assert (report.step, report.rows, report.samples) == (1, 12, 2)
    assert report.gradient_norm == pytest.approx(grad.norm().item(), rel=1e-5)


def test_outcomes_are_repeated_where_a_vmapped_backward_pass_repeats_rows():
    class Telling(TopK):
        def solve(self, theta):
            self.note_outcomes(np.zeros(len(theta)), theta[:, 0])
            return super().solve(theta)

    layer, theta = imle.SolverLayer(Telling(), "blackbox", pool=None), torch.rand(3, 5)
    assert torch.func.jacrev(layer)(theta).shape == (3, 5, 3, 5)
    report = layer.last_report
    assert report.rows == 45
    np.testing.assert_allclose(report.objectives, np.tile(theta[:, 0], (1, 15)), rtol=1e-6)


def test_reports_keep_no_tensor_of_the_size_of_theta():
    layer = imle.SolverLayer(TopK(), imle.IMLE(samples=2))
    backward(layer, torch.rand(4, 50), torch.randn(4, 50))
    tensors = [value for value in vars(layer.last_report).values() if isinstance(value, torch.Tensor)]
    assert len(tensors) == 3
    assert all(tensor.untyped_storage().nbytes() <= 8 * 2 * 4 for tensor in tensors)
