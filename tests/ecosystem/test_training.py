"""A model with a solver layer in the tools of a training loop: loaders, optimisers, AMP, averages, checkpoints."""

import copy

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset
from toys import TopK, Window

import imle_core as imle

ESTIMATORS = [imle.BlackBox(), imle.IMLE(samples=3), imle.AIMLE(samples=2, target_norm=2.0)]
each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=["blackbox", "imle", "aimle"])


def make_model(estimator, *, seed=0):
    """A network with a decision in its middle, and noise of its own."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Linear(4, 7),
            imle.SolverLayer(TopK(3), estimator, generator=torch.Generator().manual_seed(seed)),
            torch.nn.Linear(7, 2),
        )


def make_data(rows=12):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(rows, 4, generator=generator), torch.randn(rows, 2, generator=generator)


def loss_of(model, x, y):
    return torch.nn.functional.mse_loss(model(x), y)


def gradients(model):
    return [p.grad.clone() for p in model.parameters()]


def tensors(model):
    """Parameters and buffers: also what an estimator adapts."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


def take_steps(model, optimiser, steps):
    for _ in range(steps):
        optimiser.zero_grad()
        loss_of(model, *make_data()).backward()
        optimiser.step()


@pytest.mark.parametrize("scale", [2.0**16, 2.0**-10])
@each_estimator
def test_a_scaled_loss_has_the_same_gradient_when_it_is_unscaled(estimator, scale):
    plain, scaled = make_model(estimator), make_model(estimator)
    loss_of(plain, *make_data()).backward()
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    optimiser = torch.optim.SGD(scaled.parameters())
    scaler.scale(loss_of(scaled, *make_data())).backward()
    scaler.unscale_(optimiser)
    torch.testing.assert_close(gradients(scaled), gradients(plain), rtol=1e-6, atol=0)


@each_estimator
def test_a_loss_that_overflows_skips_the_step_and_halves_the_scale(estimator):
    model = make_model(estimator)
    before = copy.deepcopy(tensors(model))
    scaler, optimiser = torch.amp.GradScaler("cpu", init_scale=2.0**16), torch.optim.SGD(model.parameters())
    x, y = make_data()
    loss = loss_of(model, x, y) * torch.finfo(torch.float32).max
    scaler.scale(loss).backward()
    scaler.step(optimiser)
    scaler.update()
    assert scaler.get_scale() == 2.0**15
    torch.testing.assert_close(tensors(model), before, rtol=0, atol=0)


@each_estimator
def test_gradients_clip_to_a_norm(estimator):
    model = make_model(estimator)
    loss_of(model, *make_data()).backward()
    whole = gradients(model)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1e-3, error_if_nonfinite=True)
    torch.testing.assert_close(gradients(model), [g * 1e-3 / norm for g in whole], rtol=1e-3, atol=0)


def test_micro_batches_accumulate_to_the_gradient_of_the_mean_over_the_whole_batch():
    x, y = make_data()
    whole, parts = make_model(imle.BlackBox()), make_model(imle.BlackBox())
    loss_of(whole, x, y).backward()
    for mine, target in zip(x.split(3), y.split(3), strict=True):
        (loss_of(parts, mine, target) / 4).backward()
    torch.testing.assert_close(gradients(parts), gradients(whole))


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_a_block_with_a_layer_is_checkpointed(use_reentrant):
    plain, repeated = make_model(imle.IMLE(samples=2)), make_model(imle.IMLE(samples=2))
    plain[1].generator = repeated[1].generator = None  # what checkpointing restores is the global state
    x, y = make_data()
    torch.manual_seed(3)
    loss_of(plain, x, y).backward()
    torch.manual_seed(3)
    loss_of(lambda x: checkpoint(repeated, x, use_reentrant=use_reentrant), x.requires_grad_(), y).backward()
    assert plain[0].weight.grad.abs().sum() > 0
    torch.testing.assert_close(gradients(repeated), gradients(plain))


@each_estimator
def test_an_exponential_moving_average_of_a_model_is_a_model(estimator):
    model = make_model(estimator)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5), use_buffers=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    history = []
    for _ in range(3):
        take_steps(model, optimiser, 1)
        average.update_parameters(model)
        history.append({name: value.detach().clone() for name, value in tensors(model).items()})
    expected = {name: a / 4 + history[1][name] / 4 + history[2][name] / 2 for name, a in history[0].items()}
    torch.testing.assert_close(tensors(average.module), expected)
    chosen = average.eval().module[:2](make_data()[0])
    assert (chosen.sum(1) == 3).all()


@each_estimator
def test_a_compiled_model_trains_to_the_weights_of_the_eager_one(estimator):
    torch._dynamo.reset()
    eager, compiled = make_model(estimator), make_model(estimator)
    for model, forward in ((eager, eager), (compiled, torch.compile(compiled, backend="aot_eager"))):
        take_steps(forward, torch.optim.Adam(model.parameters(), lr=0.03), 4)
    torch.testing.assert_close(tensors(compiled), tensors(eager))


@each_estimator
def test_a_training_resumes_exactly_where_its_checkpoint_was_made(estimator, tmp_path):
    whole = make_model(estimator)
    optimiser = torch.optim.Adam(whole.parameters(), lr=0.03)
    take_steps(whole, optimiser, 3)
    torch.save(
        {
            "model": whole.state_dict(),
            "optimiser": optimiser.state_dict(),
            "noise": whole[1].generator.get_state(),
        },
        tmp_path / "checkpoint.pt",
    )
    take_steps(whole, optimiser, 3)

    resumed = make_model(estimator, seed=9)
    optimiser = torch.optim.Adam(resumed.parameters(), lr=0.03)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    resumed.load_state_dict(saved["model"])
    optimiser.load_state_dict(saved["optimiser"])
    resumed[1].generator.set_state(saved["noise"])
    take_steps(resumed, optimiser, 3)
    torch.testing.assert_close(tensors(resumed), tensors(whole), rtol=0, atol=0)


@pytest.mark.parametrize(
    "estimator", [imle.BlackBox(), imle.AIMLE(target_norm=2.0)], ids=["blackbox", "aimle"]
)
def test_an_ensemble_of_models_runs_as_one(estimator):
    models = [make_model(estimator).eval() for _ in range(3)]
    for i, model in enumerate(models):
        torch.nn.init.normal_(model[0].weight, generator=torch.Generator().manual_seed(i))
    parameters, buffers = torch.func.stack_module_state(models)
    x, _ = make_data()
    together = torch.vmap(lambda p, b: torch.func.functional_call(models[0], (p, b), (x,)))(
        parameters, buffers
    )
    torch.testing.assert_close(together, torch.stack([model(x) for model in models]))


class Journeys(Dataset):
    """Rows with instances of their own, as numbers of a layer."""

    def __init__(self, layer):
        self.theta = torch.randn(24, 5, generator=torch.Generator().manual_seed(0))
        self.low = [i % 5 for i in range(24)]
        self.numbers = layer.prepare(self.low)

    def __len__(self):
        return len(self.theta)

    def __getitem__(self, i):
        return self.theta[i], self.numbers[i], self.low[i]


@pytest.mark.parametrize("workers", [0, 2])
def test_numbers_of_instances_come_through_a_data_loader(workers):
    layer = imle.SolverLayer(Window(), imle.BlackBox())
    order = torch.Generator().manual_seed(0)
    seen = 0
    for theta, numbers, low in DataLoader(
        Journeys(layer), batch_size=5, shuffle=True, generator=order, num_workers=workers
    ):
        theta.requires_grad_()
        z = layer(theta, instances=numbers)
        z.square().sum().backward()
        assert (z.argmax(1) >= low).all()
        assert torch.equal(z, layer.solver.solve(theta.detach(), instances=low.tolist()))
        seen += len(theta)
    assert seen == 24
