"""The layer as a user meets it: shapes, training and eval, generators, instances, the decorator."""

import itertools

import numpy as np
import pytest
import torch
from toys import CheapestK, Identity, OneOfN, TopK, Window

import imle_core as imle


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("batch", [(), (1,), (4,), (2, 3), (2, 1, 3), (0,), (2, 0)])
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("training", [True, False])
def test_shapes_are_sample_batch_event(batch, reduction, training):
    layer = imle.SolverLayer(TopK(2), imle.IMLE(samples=3), reduction=reduction).train(training)
    theta = randn(*batch, 7).requires_grad_()
    z = layer(theta)
    lead = () if reduction == "mean" else ((3,) if training else (1,))
    assert z.shape == (*lead, *batch, 7)
    z.sum().backward()
    assert theta.grad.shape == theta.shape


def test_event_of_several_dimensions():
    class Cell(imle.Solver):
        sense = "min"
        event_shape = (3, 4)

        def solve(self, theta):
            z = np.zeros_like(theta)
            for row in range(len(theta)):
                z[row][np.unravel_index(theta[row].argmin(), (3, 4))] = 1
            return z

    layer = imle.SolverLayer(Cell())
    assert layer(randn(2, 5, 3, 4)).shape == (2, 5, 3, 4)
    assert layer(randn(3, 4)).sum() == 1


def test_eval_is_the_plain_solver_and_training_is_perturbed():
    layer = imle.SolverLayer(TopK(2), imle.IMLE(tau=10.0))
    theta = randn(50, 7)
    assert torch.equal(layer.eval()(theta), TopK(2).solve(theta))
    assert not torch.equal(layer.train()(theta), TopK(2).solve(theta))


def test_gradient_in_eval_is_the_estimator_s_at_the_unperturbed_point():
    theta, w = randn(4, 7).requires_grad_(), randn(4, 7, seed=1)
    layer = imle.SolverLayer(TopK(2), imle.IMLE(samples=5, step="absolute", lam=2.0)).eval()
    (layer(theta) * w).sum().backward()
    expected = (TopK(2).solve(theta) - TopK(2).solve(theta - 2.0 * w)) / 2.0
    assert expected.abs().sum() > 0
    assert torch.equal(theta.grad, expected)


def test_mean_is_the_mean_of_the_samples():
    a = imle.SolverLayer(TopK(2), imle.IMLE(samples=5), generator=torch.Generator().manual_seed(3))
    b = imle.SolverLayer(
        TopK(2), imle.IMLE(samples=5), reduction="none", generator=torch.Generator().manual_seed(3)
    )
    theta = randn(4, 7)
    torch.testing.assert_close(a(theta), b(theta).mean(0))


def test_same_generator_state_same_result_and_global_state_untouched():
    layer = imle.SolverLayer(TopK(2), imle.IMLE(samples=5), generator=torch.Generator())
    state = torch.get_rng_state()
    results = []
    for seed in (1, 1, 2):
        layer.generator.manual_seed(seed)
        results.append(layer(randn(20, 7)))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_generator_the_global_seed_decides():
    layer = imle.SolverLayer(TopK(2), imle.IMLE(samples=5))
    torch.manual_seed(0)
    first = layer(randn(20, 7))
    torch.manual_seed(0)
    assert torch.equal(layer(randn(20, 7)), first)


def test_theta_is_not_modified_even_by_a_solver_that_scribbles():
    class Scribbler(imle.Solver):
        sense = "max"

        def solve(self, theta):
            z = (theta > 0).astype(theta.dtype)
            theta[...] = np.nan
            return z

    for estimator in (imle.IMLE(), imle.BlackBox()):
        theta = randn(4, 5).requires_grad_()
        before = theta.detach().clone()
        imle.SolverLayer(Scribbler(), estimator)(theta).sum().backward()
        assert torch.equal(theta, before)
    array = np.ones((2, 3))
    Scribbler().solve(array)
    assert (array == 1).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.t().contiguous().t(),
        lambda t: torch.stack([t, t], 2)[..., 0],
        lambda t: t.flip(0).flip(0),
    ],
    ids=["transposed", "strided", "flipped"],
)
def test_non_contiguous_theta_equals_the_contiguous_one(change):
    theta = randn(6, 7)
    layer = imle.SolverLayer(TopK(2)).eval()
    assert torch.equal(layer(change(theta)), layer(theta))


def test_expanded_theta_equals_its_copy():
    layer = imle.SolverLayer(TopK(2)).eval()
    theta = randn(1, 7).expand(6, 7)
    assert torch.equal(layer(theta), layer(theta.contiguous()))


def test_a_batch_equals_a_loop_over_its_rows():
    for solver in (TopK(2), CheapestK(2), OneOfN(), imle.solver("torch.k_subset", k=2)):
        theta = randn(9, 6)
        layer = imle.SolverLayer(solver).eval()
        assert torch.equal(layer(theta), torch.stack([layer(row) for row in theta]))


def test_ties_and_zeros_are_deterministic():
    layer = imle.SolverLayer(TopK(2)).eval()
    assert torch.equal(layer(torch.zeros(3, 5)), layer(torch.zeros(3, 5)))
    assert layer(torch.zeros(3, 5)).sum() == 6


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scales_from_tiny_to_huge_in_one_batch_reach_the_solver_normalised(dtype):
    seen = []

    class Recorder(TopK):
        def solve(self, theta):
            seen.append(theta.copy())
            return super().solve(theta)

    theta = randn(13, 7).to(dtype)
    scales = torch.logspace(-12, 12, 13, dtype=dtype)[:, None]
    z = Recorder(2).solve(theta * scales)
    assert torch.equal(z, Recorder(2).solve(theta))
    largest = np.abs(seen[0]).max(1)
    assert ((largest >= 0.5) & (largest < 1)).all()


def test_power_of_two_normalisation_keeps_every_bit():
    seen = []

    class Recorder(imle.Solver):
        sense = "max"
        scale_invariant = True

        def solve(self, theta):
            seen.append(theta.copy())
            return np.zeros_like(theta)

    theta = randn(5, 7).double().numpy()
    Recorder().solve(theta)
    ratio = seen[0] / theta
    assert (ratio == ratio[:, :1]).all()
    assert (np.frexp(ratio)[0] == 0.5).all()


def test_a_solver_with_fixed_terms_beside_theta_is_not_scaled():
    seen = []

    class Recorder(imle.Solver):
        sense = "max"

        def solve(self, theta):
            seen.append(theta.copy())
            return np.zeros_like(theta)

    Recorder().solve(np.full((1, 3), 1e9))
    assert (seen[0] == 1e9).all()


def test_extreme_float32_rows_are_solved():
    theta = torch.tensor([[1e-40, 2e-40, 0.0], [3e38, -3e38, 1.0]])
    assert TopK(1).solve(theta).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_instances_choose_the_set_of_each_row():
    layer = imle.SolverLayer(Window(), imle.IMLE(samples=4))
    theta = torch.tensor([[9.0, 8, 7, 6, 5]] * 3).requires_grad_()
    layer.eval()
    assert layer(theta, instances=[0, 2, 4]).argmax(1).tolist() == [0, 2, 4]
    assert layer(theta, instances=layer.prepare([4, 2, 0])).argmax(1).tolist() == [4, 2, 0]
    layer.train()
    z = layer(theta, instances=[4, 4, 4])
    assert z[:, 4].tolist() == [1, 1, 1]
    (z * torch.arange(5.0)).sum().backward()
    assert (theta.grad == 0).all()  # a set of one structure has no gradient
    assert Window().solve(theta.detach(), instances=[1, 2, 3]).argmax(1).tolist() == [1, 2, 3]


def test_samples_of_a_row_share_its_instance():
    layer = imle.SolverLayer(Window(), imle.IMLE(samples=6, tau=10.0, difference="central"), reduction="none")
    theta = torch.zeros(3, 5, requires_grad=True)
    z = layer(theta, instances=[4, 2, 4])
    assert (z[:, 0, 4] == 1).all()
    assert (z[:, 2, 4] == 1).all()
    assert z[:, 1, 2:].sum() == 6
    assert z[:, 1, 2:4].sum() > 0
    (z * torch.randn(5)).sum().backward()
    assert (theta.grad[[0, 2]] == 0).all()


def test_instances_are_prepared_once_each():
    count = itertools.count()

    class Counting(Window):
        def prepare(self, instance):
            next(count)
            return super().prepare(instance)

    layer = imle.SolverLayer(Counting(), imle.IMLE(samples=2))
    for _ in range(3):
        layer(randn(4, 5).requires_grad_(), instances=[1, 2, 1, 2]).sum().backward()
    assert next(count) == 2


def test_rows_without_a_gradient_keep_the_instances_of_the_others():
    layer = imle.SolverLayer(Window(), imle.BlackBox(lam=100.0))
    theta = torch.tensor([[9.0, 8, 7, 6, 5]] * 3).requires_grad_()
    w = torch.zeros(3, 5)
    w[2, 3] = 1.0  # push row 2 away from entry 3, where its window begins: it goes to 4
    (layer(theta, instances=[0, 1, 3]) * w).sum().backward()
    assert theta.grad.nonzero().tolist() == [[2, 3], [2, 4]]


def test_estimator_may_be_exchanged_during_training():
    layer = imle.SolverLayer(
        Identity(), imle.IMLE(samples=2, tau=1.0), generator=torch.Generator().manual_seed(0)
    )
    theta = torch.zeros(3, 4)
    layer.estimator = imle.IMLE(samples=2, tau=0.0)
    assert (layer(theta) == 0).all()
    layer.estimator = "aimle"
    assert layer.state == 1
    layer.estimator = imle.BlackBox()
    assert layer.state is None


def test_repr_names_solver_and_estimator():
    text = repr(imle.SolverLayer("torch.k_subset", imle.BlackBox(), k=3))
    assert text.startswith("SolverLayer(torch.k_subset, IMLE(samples=1, noise=None")


def test_twelve_lines_in_a_notebook_cell_are_a_solver():
    import torch

    class Cheapest(imle.Solver):
        sense = "min"

        def solve(self, costs):
            return np.eye(costs.shape[1])[costs.argmin(axis=1)]

    layer = imle.SolverLayer(Cheapest(), imle.IMLE(samples=8))
    costs = torch.rand(5, 6, requires_grad=True)
    (layer(costs) * torch.rand(6)).sum().backward()
    assert costs.grad.abs().sum() > 0


def test_decorated_function_is_a_layer_in_torch_or_numpy():
    @imle.differentiable(sense="min", estimator=imle.BlackBox())
    def in_torch(costs: torch.Tensor):
        """Cheapest entry."""
        return torch.nn.functional.one_hot(costs.argmin(1), costs.shape[1])

    @imle.differentiable(sense="min")
    def in_numpy(costs):
        assert isinstance(costs, np.ndarray)
        return np.eye(costs.shape[1])[costs.argmin(1)]

    costs = randn(4, 5).requires_grad_()
    assert torch.equal(in_torch(costs), in_numpy.eval()(costs))
    assert in_torch.__doc__ == "Cheapest entry."
    assert "in_numpy" in repr(in_numpy)
    bare = imle.differentiable(lambda t: t > 0, sense="max", event_shape=(3, 2))
    assert bare(randn(5, 4, 3, 2)).shape == (5, 4, 3, 2)
    (in_torch(costs) * randn(4, 5, seed=1)).sum().backward()
    assert costs.grad.abs().sum() > 0


def test_training_through_a_subset_recovers_the_scores():
    # scores = x @ weight; the model sees only which 3 of 8 the true scores choose
    g = torch.Generator().manual_seed(0)
    truth, x = torch.randn(5, 8, generator=g), torch.randn(400, 5, generator=g)
    layer = imle.SolverLayer("torch.k_subset", imle.IMLE(samples=4, tau=0.5), k=3, generator=g)
    labels = layer.solver.solve(x @ truth)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 8, bias=False), layer)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)

    def agreement():
        model.eval()
        with torch.no_grad():
            return (model(x) * labels).sum(1).mean().item() / 3

    before = agreement()
    for _ in range(150):
        model.train()
        optimiser.zero_grad()
        (model(x) - labels).square().mean().backward()
        optimiser.step()
    assert before < 0.6
    assert agreement() > 0.95
