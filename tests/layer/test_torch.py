"""The layer in PyTorch's own machinery: compile, torch.func, autocast, copies, checkpoints, dead layers."""

import copy
import gc
import io
import pickle
import weakref

import pytest
import torch
from toys import CheapestK, Identity, TopK, Window

import imle_core as imle
from imle_core.engine import _binding

ESTIMATORS = [
    imle.IMLE(samples=3),
    imle.IMLE(samples=2, noise=imle.SumOfGamma(3), difference="central"),
    imle.AIMLE(samples=2),
    imle.BlackBox(),
]
each_estimator = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda e: type(e).__name__ + str(e.samples)
)


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def step(function, theta, w, seed=0):
    theta = theta.detach().clone().requires_grad_()
    torch.manual_seed(seed)
    z = function(theta)
    (z * w).sum().backward()
    return z.detach(), theta.grad


@each_estimator
@pytest.mark.parametrize("backend", ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_compiled_whole_and_equal_to_eager_with_changing_batch_sizes(estimator, backend):
    torch._dynamo.reset()
    plain, inner = imle.SolverLayer(CheapestK(3), estimator), imle.SolverLayer(CheapestK(3), estimator)
    compiled = torch.compile(lambda t: inner(t * 2) + 0, fullgraph=True, backend=backend)
    for n in (5, 5, 8, 1):
        theta, w = randn(n, 7), randn(n, 7, seed=1)
        expected = step(lambda t: plain(t * 2), theta, w)
        torch.testing.assert_close(step(compiled, theta, w), expected, rtol=1e-5, atol=1e-6)
    if plain.state is not None:
        torch.testing.assert_close(inner.state, plain.state)
        assert inner.state != 1


@pytest.mark.parametrize(
    "estimator",
    [imle.IMLE(), imle.Perturbed(samples=2), imle.ScoreFunction(samples=2), imle.Exact()],
    ids=lambda e: type(e).__name__,
)
def test_calls_in_one_compiled_graph_draw_their_own_noise_and_report_for_themselves(estimator):
    torch._dynamo.reset()
    layer, reports = imle.SolverLayer("torch.k_subset", estimator, k=5, n=20), []
    layer.register_report_hook(reports.append)
    compiled = torch.compile(
        lambda t: (layer(t), layer(t), layer(2 * t)), fullgraph=True, backend="aot_eager"
    )
    theta = randn(64, 20).requires_grad_()
    first, second, third = compiled(theta)
    assert not torch.equal(first, second)
    (first * randn(64, 20, seed=1) + second + third * randn(64, 20, seed=2)).sum().backward()
    assert len(reports) == 3
    calls = {report.solves for report in reports}
    assert calls <= {0, 64, 128} if not isinstance(estimator, imle.Exact) else calls == {0}


def test_errors_of_a_compiled_layer_are_the_typed_ones():
    torch._dynamo.reset()
    compiled = torch.compile(imle.SolverLayer(TopK(), imle.IMLE()), fullgraph=True, backend="eager")
    compiled(randn(4, 5))
    with pytest.raises(imle.errors.InvalidThetaError, match="1 non-finite values, first at row 2"):
        compiled(
            randn(4, 5)
            .index_fill(0, torch.tensor([2]), 1)
            .index_put((torch.tensor(2),) * 2, torch.tensor(torch.nan))
        )


def test_compiled_with_numbers_of_instances():
    torch._dynamo.reset()
    layer = imle.SolverLayer(Window(), imle.BlackBox())
    numbers = layer.prepare([3, 0, 3])
    compiled = torch.compile(lambda t, n: layer(t, instances=n), fullgraph=True, backend="aot_eager")
    theta = randn(3, 5)
    assert torch.equal(compiled(theta, numbers), layer(theta, instances=[3, 0, 3]))


@pytest.mark.parametrize("options", [{"k": 2, "n": 6}, {"k": 2}])
def test_compiled_with_dynamic_shapes_and_batch_dimensions(options):
    torch._dynamo.reset()
    layer = imle.SolverLayer("torch.k_subset", imle.BlackBox(), **options)
    for dynamic in (None, True):
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=dynamic)
        for shape in ((3, 6), (5, 6), (2, 2, 6), (6,)):
            assert torch.equal(compiled(randn(*shape)), layer(randn(*shape)))


def test_any_number_of_layers_may_be_compiled():
    torch._dynamo.reset()
    for k in range(1, 13):
        layer = imle.SolverLayer("torch.k_subset", k=k)
        compiled = torch.compile(lambda t, layer=layer: layer(t), fullgraph=True, backend="eager")
        assert (compiled(randn(3, 12)).sum(1) == k).all()


@pytest.mark.parametrize("strict", [False, True])
def test_exported_with_a_dynamic_batch(strict):
    layer = imle.SolverLayer("torch.k_subset", imle.IMLE(), k=3).eval()
    model = torch.nn.Sequential(layer)
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, (randn(4, 7),), dynamic_shapes=({0: batch},), strict=strict)
    for n in (4, 9):
        assert torch.equal(program.module()(randn(n, 7)), layer(randn(n, 7)))


def test_an_exported_program_never_runs_the_solver_of_another_layer(monkeypatch):
    layer = imle.SolverLayer("torch.k_subset", k=3).eval()
    program = torch.export.export(torch.nn.Sequential(layer), (randn(4, 7),))
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file)
    assert (loaded.module()(randn(4, 7)).sum(1) == 3).all()
    monkeypatch.setattr(_binding, "_live", weakref.WeakValueDictionary())  # as in another process
    others = [imle.SolverLayer("torch.k_subset", k=1) for _ in range(50)]
    with pytest.raises(imle.errors.ImleError, match="made from a solver layer that no longer lives"):
        loaded.module()(randn(4, 7))
    del others


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_layer_deleted_before_backward_still_back_propagates(backend):
    torch._dynamo.reset()
    theta, w = randn(4, 7), randn(4, 7, seed=1)
    expected = step(imle.SolverLayer(TopK(2), imle.BlackBox()), theta, w)[1]

    def forward(x):
        layer = imle.SolverLayer(TopK(2), imle.BlackBox())
        return torch.compile(layer, backend=backend, fullgraph=True)(x)

    leaf = theta.clone().requires_grad_()
    z = forward(leaf)
    gc.collect()
    (z * w).sum().backward()
    torch.testing.assert_close(leaf.grad, expected)


def test_compiled_whole_with_a_list_of_instances_says_what_to_do():
    torch._dynamo.reset()
    layer = imle.SolverLayer(Window(), imle.BlackBox())
    theta = randn(2, 5)
    with pytest.raises(Exception, match="a compiled layer takes instances as numbers"):
        torch.compile(layer, backend="eager", fullgraph=True)(theta, instances=[1, 4])
    loose = torch.compile(layer, backend="eager")
    assert torch.equal(loose(theta, instances=[1, 4]), layer(theta, instances=[1, 4]))


@each_estimator
def test_vmap_is_one_solve_and_equal_to_the_flat_batch(estimator):
    solver = TopK(3)
    layer = imle.SolverLayer(solver, estimator).eval()
    theta = randn(3, 4, 7)
    expected = layer(theta)
    solver.batches.clear()
    assert torch.equal(torch.vmap(layer)(theta), expected)
    assert torch.equal(torch.vmap(layer, in_dims=1, out_dims=1)(theta), expected)
    assert solver.batches == [12, 12]


@each_estimator
def test_gradient_transforms_agree_with_autograd(estimator):
    layer = imle.SolverLayer(Identity(), estimator)
    theta, w = randn(3, 4, 7), randn(7, seed=1)

    def loss(t):
        return (layer(t) * w).sum()

    expected = w.expand(4, 7)
    torch.testing.assert_close(torch.func.grad(loss)(theta[0]), expected, rtol=0, atol=1e-5)
    each = torch.vmap(torch.func.grad(loss), randomness="different")(theta)
    torch.testing.assert_close(each, expected.expand(3, 4, 7), rtol=0, atol=1e-5)
    jacobian = torch.func.jacrev(layer)(theta[0, 0])
    torch.testing.assert_close(jacobian, torch.eye(7), rtol=0, atol=1e-5)


def test_rows_of_a_vmapped_batch_receive_different_noise():
    layer = imle.SolverLayer(Identity(), imle.IMLE(samples=2), reduction="none")
    z = torch.vmap(layer, randomness="different", out_dims=1)(torch.zeros(3, 4, 5))
    assert z.shape == (2, 3, 4, 5)
    assert z.unique().numel() == z.numel()


def test_vmap_over_instances():
    layer = imle.SolverLayer(Window(), imle.BlackBox())
    numbers = layer.prepare([[0, 1], [2, 3]][0] + [2, 3]).view(2, 2)
    theta = randn(2, 2, 5)
    together = torch.vmap(lambda t, n: layer(t, instances=n))(theta, numbers)
    assert torch.equal(together.view(4, 5), layer(theta.view(4, 5), instances=[0, 1, 2, 3]))
    shared = torch.vmap(lambda t, n: layer(t, instances=n), in_dims=(0, None))(theta, numbers[1])
    assert torch.equal(shared.view(4, 5), layer(theta.view(4, 5), instances=[2, 3, 2, 3]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_solved_in_float32_and_returned_in_kind(dtype):
    seen = []

    @imle.differentiable(sense="max")
    def solver(theta: torch.Tensor):
        seen.append(theta.dtype)
        return torch.nn.functional.one_hot(theta.argmax(1), theta.shape[1])

    torch.manual_seed(0)
    theta = randn(4, 5).to(dtype).requires_grad_()
    z = solver(theta)
    (z * randn(4, 5, seed=1).to(dtype)).sum().backward()
    assert z.dtype == theta.grad.dtype == dtype
    assert set(seen) == {torch.float32}
    assert theta.grad.abs().sum() > 0


def test_autocast():
    layer, linear = imle.SolverLayer(TopK(2), imle.IMLE()), torch.nn.Linear(3, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = layer(linear(randn(4, 3)))
        loss = (z * randn(4, 5, seed=1)).sum()
    loss.backward()
    assert z.dtype == torch.bfloat16
    assert linear.weight.grad.dtype == torch.float32
    assert linear.weight.grad.abs().sum() > 0


def test_activation_checkpointing_repeats_the_noise():
    from torch.utils.checkpoint import checkpoint

    layer = imle.SolverLayer(TopK(2), imle.IMLE(samples=2))
    theta, w = randn(4, 5), randn(4, 5, seed=1)
    torch.testing.assert_close(
        step(lambda t: checkpoint(layer, t, use_reentrant=False), theta, w), step(layer, theta, w)
    )


def test_second_derivatives_and_forward_mode_raise_instead_of_being_zero():
    layer = imle.SolverLayer(TopK(2), imle.IMLE())
    theta = randn(4, 5).requires_grad_()
    for estimator in (imle.IMLE(), imle.Identity(), imle.SparseMAP()):
        layer.estimator = estimator
        for loss in (lambda z: z.square(), lambda z: z):
            # also where the loss has a second derivative beside the layer's, which would hide that one is missing
            value = loss(layer(theta)).sum() + theta.square().sum()
            (g,) = torch.autograd.grad(value, theta, create_graph=True)
            with pytest.raises(imle.errors.MissingCapabilityError, match="no derivative of its own"):
                g.square().sum().backward()
    layer.estimator = imle.ScoreFunction()
    value = layer.expectation(lambda z: z.sum(-1), theta).sum() + theta.square().sum()
    (g,) = torch.autograd.grad(value, theta, create_graph=True)
    with pytest.raises(imle.errors.MissingCapabilityError, match="no derivative of its own"):
        g.square().sum().backward()
    with pytest.raises(NotImplementedError, match="jvp"):
        torch.func.jvp(layer, (randn(4, 5),), (randn(4, 5),))


@each_estimator
@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
def test_a_copy_works_and_is_independent(estimator, clone):
    layer = imle.SolverLayer(TopK(2), estimator)
    twin = clone(layer)
    twin.solver.k = 4
    theta, w = randn(4, 7), randn(4, 7, seed=1)
    assert layer.eval()(theta).sum() == 8
    assert twin.eval()(theta).sum() == 16
    assert step(twin.train(), theta, w)[1].abs().sum() > 0


def test_a_copy_keeps_the_numbers_of_instances_and_its_own_generator():
    layer = imle.SolverLayer(Window(), imle.IMLE(), generator=torch.Generator().manual_seed(5))
    numbers = layer.prepare([2, 4])
    twin = copy.deepcopy(layer)
    assert torch.equal(twin.prepare([4, 2]), numbers.flip(0))
    theta = randn(2, 5)
    assert torch.equal(layer(theta, instances=numbers), twin(theta, instances=numbers))


def _solve_in_a_child(layer, queue):
    queue.put(layer(torch.zeros(3, 5)).sum().item())


@pytest.mark.parametrize(
    "generator", [None, torch.Generator().manual_seed(0)], ids=["global", "own generator"]
)
def test_a_layer_is_sent_to_a_spawned_process(generator):
    context = torch.multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    layer = imle.SolverLayer("torch.k_subset", k=2, generator=generator)
    child = context.Process(target=_solve_in_a_child, args=(layer, queue))
    child.start()
    child.join(120)
    assert child.exitcode == 0
    assert queue.get() == 6


def test_an_output_may_be_changed_in_place():
    for samples in (1, 2):
        layer = imle.SolverLayer(TopK(2), imle.IMLE(samples=samples))
        theta = randn(4, 7).requires_grad_()
        layer(theta).mul_(2).sum().backward()
        assert theta.grad is not None


def test_mean_over_many_samples_keeps_a_small_gradient_in_half_precision():
    w = 2.0**-19 * torch.ones(4, 7)
    grads = {}
    for dtype in (torch.float16, torch.float32):
        layer = imle.SolverLayer(Identity(), imle.IMLE(samples=64, noise=None))
        leaf = randn(4, 7).to(dtype).requires_grad_()
        (layer(leaf) * w.to(dtype)).sum().backward()
        grads[dtype] = leaf.grad.float()
    torch.testing.assert_close(grads[torch.float16], grads[torch.float32], rtol=0.05, atol=0)


def test_whole_model_through_torch_save():
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), imle.SolverLayer("torch.k_subset", k=2))
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    other = torch.load(file, weights_only=False)
    x = randn(4, 3)
    assert torch.equal(other.eval()(x), model.eval()(x))


@each_estimator
def test_state_dict_loads_with_weights_only(estimator):
    def model():
        return torch.nn.Sequential(torch.nn.Linear(3, 5), imle.SolverLayer(TopK(2), estimator))

    saved, loaded = model(), model()
    file = io.BytesIO()
    torch.save(saved.state_dict(), file)
    file.seek(0)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    x = randn(4, 3)
    assert torch.equal(loaded.eval()(x), saved.eval()(x))


def test_checkpoint_of_another_solver_is_refused():
    saved = imle.SolverLayer("torch.k_subset", k=2, n=7).state_dict()
    with pytest.raises(
        imle.errors.CheckpointMismatchError, match=r"over 'torch.k_subset' with event shape \[7\], this"
    ):
        imle.SolverLayer(Window()).load_state_dict(saved)


@each_estimator
def test_a_deleted_layer_still_back_propagates(estimator):
    theta, w = randn(4, 7), randn(4, 7, seed=1)
    expected = step(imle.SolverLayer(TopK(2), estimator), theta, w)[1]
    leaf = theta.clone().requires_grad_()
    layer = imle.SolverLayer(TopK(2), estimator)
    torch.manual_seed(0)
    loss = (layer(leaf) * w).sum()
    del layer
    gc.collect()
    loss.backward()
    torch.testing.assert_close(leaf.grad, expected)


def test_a_deleted_layer_leaves_nothing_behind():
    gc.collect()
    before = len(_binding._live)
    layer = imle.SolverLayer(TopK(2))
    layer(randn(4, 7))
    assert len(_binding._live) == before + 1
    del layer
    gc.collect()
    assert len(_binding._live) == before


def test_gradient_accumulates_over_micro_batches():
    layer = imle.SolverLayer(TopK(2), imle.BlackBox())
    theta, w = randn(8, 7), randn(8, 7, seed=1)
    whole = step(layer, theta, w)[1]
    leaf = theta.clone().requires_grad_()
    for part in (slice(0, 4), slice(4, 8)):
        (layer(leaf[part]) * w[part]).sum().backward()
    assert torch.equal(leaf.grad, whole)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("solver", [CheapestK(2), imle.solver("torch.k_subset", k=2)], ids=["host", "device"])
def test_cuda(solver):
    layer = imle.SolverLayer(solver, imle.IMLE(samples=3, noise=imle.SumOfGamma(3)))
    theta = randn(4, 7).cuda().requires_grad_()
    z = layer(theta)
    (z * randn(4, 7, seed=1).cuda()).sum().backward()
    assert z.device == theta.grad.device == theta.device
    assert theta.grad.abs().sum() > 0
    layer.generator = torch.Generator().manual_seed(0)
    with pytest.raises(imle.errors.InvalidThetaError, match="generator is on cpu but theta is on cuda"):
        layer(theta)
