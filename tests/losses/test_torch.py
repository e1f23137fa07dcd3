"""Losses in PyTorch's own machinery: compile, torch.func, copies, checkpoints."""

import copy
import io
import pickle

import pytest
import torch
from loss_cases import CASES, PAIRS, Counting, randn, reseed, step
from toys import CheapestK, TopK, Window

import imle_core as imle
from imle_core import losses

each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
WHOLE = {
    name: case
    for name, case in CASES.items()
    if not case.pool and case.cls is not losses.NegativeLogLikelihood
}


@each
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # torch's own, after a graph break
def test_compiled_losses_are_those_of_eager_with_changing_batch_sizes(case):
    torch._dynamo.reset()
    solver = Counting("min")
    plain, inner = case.make(solver, PAIRS), case.make(solver, PAIRS)
    compiled = torch.compile(lambda t, y: inner(t * 2, y) + 0, backend="aot_eager")
    for n in (5, 8, 1):
        theta = randn(n, 5)
        target = case.target(theta, solver)
        expected = step(lambda t, y: plain(t * 2, y), theta, target)
        torch.testing.assert_close(step(compiled, theta, target), expected)


@pytest.mark.parametrize("case", WHOLE.values(), ids=WHOLE)
def test_losses_without_a_pool_compile_whole_and_keep_their_checks(case):
    torch._dynamo.reset()
    loss, theta = case.make(TopK(2)), randn(4, 5)
    target = case.target(theta, TopK(2))
    expected = step(case.make(TopK(2)), theta, target)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(step(compiled, theta, target), expected)
    bad = theta.clone()
    bad[2, 1] = torch.nan
    with pytest.raises(imle.errors.InvalidThetaError, match="theta has 1 non-finite values, first at row 2"):
        compiled(bad, target)
    bad = target.clone()
    bad[2, 1] = torch.nan
    with pytest.raises(ValueError, match=r"row 2: target has nan|theta_true has 1 non-finite"):
        compiled(theta, bad)


@pytest.mark.parametrize("case", WHOLE.values(), ids=WHOLE)
def test_per_sample_gradients_take_one_call_of_the_solver(case):
    solver, theta = Counting(), randn(4, 5)
    target = case.target(theta, solver)
    _, expected = step(case.make(solver, reduction="sum"), theta, target)
    loss = case.make(solver)
    solver.batches.clear()
    got = torch.func.vmap(torch.func.grad(loss), randomness="different")(theta, target)
    torch.testing.assert_close(got, expected)
    assert solver.batches == [4 * case.calls]


class CheckedWindow(Window):
    def is_feasible(self, z, *, instances=None):
        return torch.tensor([row[:low].sum() == 0 for row, low in zip(z, instances, strict=True)])


def test_per_sample_gradients_of_rows_with_instances_of_their_own():
    theta, lows = randn(4, 5), [3, 0, 2, 3]
    target = torch.as_tensor(CheckedWindow().solve(randn(4, 5, seed=5), instances=lows))
    loss = losses.StructuredHinge(CheckedWindow(), reduction="sum", validate="full")
    _, expected = step(loss, theta, target, instances=lows)
    each_row = torch.func.vmap(torch.func.grad(lambda t, y, n: loss(t, y, instances=n)))
    torch.testing.assert_close(each_row(theta, target, loss.prepare(lows)), expected)
    with pytest.raises(imle.errors.InvalidTargetError, match="row 0: target is no structure"):
        each_row(theta, target, loss.prepare([4, 0, 2, 3]))


@each
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))])
def test_copies_give_the_same_loss_and_are_independent(case, duplicate):
    solver = Counting()
    loss, theta = case.make(solver, PAIRS), randn(4, 5)
    target = case.target(theta, solver)
    other = duplicate(loss)
    assert other.solver is not loss.solver
    expected = step(loss, theta, target)
    solver.batches.clear()
    torch.testing.assert_close(step(other, theta, target), expected)
    assert solver.batches == []
    del loss
    torch.testing.assert_close(step(reseed(other), theta, target), expected)


@each
def test_checkpoints_load_with_weights_only_and_only_into_the_same_solver(case):
    file = io.BytesIO()
    loss = case.make(Counting(), PAIRS)
    torch.save(loss.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    other = case.make(Counting())
    other.load_state_dict(state)
    theta = randn(4, 5)
    target = case.target(theta, Counting())
    assert torch.equal(other(theta, target), reseed(loss)(theta, target))
    if case.cls is not losses.NegativeLogLikelihood:
        with pytest.raises(imle.errors.CheckpointMismatchError, match="of a layer over 'Counting'"):
            case.make(CheapestK(2)).load_state_dict(state)


@each
def test_autocast_does_not_round_what_a_loss_computes(case):
    solver, theta = Counting(), randn(6, 5).float()
    target = case.target(theta, solver)
    expected = step(case.make(solver, PAIRS), theta, target)
    theta.requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = case.make(solver, PAIRS)(theta, target)
    value.backward()
    assert torch.equal(value.detach(), expected[0])
    assert torch.equal(theta.grad, expected[1])


def test_cost_of_a_hinge_is_saved_with_it():
    loss, other = (losses.StructuredHinge(TopK(2), cost=torch.tensor([c] * 5)) for c in (1.0, 2.0))
    other.load_state_dict(loss.state_dict())
    assert other.cost.tolist() == [1.0] * 5


@each
def test_a_loss_says_what_it_is(case):
    text = repr(case.make(Counting()))
    assert text.startswith(f"{case.cls.__name__}(")
    assert "Counting" in text
    assert "reduction='mean'" in text
    assert "SolverLayer" not in text


def test_the_noise_is_that_of_the_generator_or_of_torch():
    theta, y = randn(4, 5), PAIRS[:4]
    loss = losses.FenchelYoung(TopK(2), samples=3)
    assert loss.generator is None
    torch.manual_seed(0)
    first = loss(theta, y)
    assert loss(theta, y) != first
    torch.manual_seed(0)
    assert loss(theta, y) == first
    loss.generator = torch.Generator().manual_seed(0)
    assert loss(theta, y) == losses.FenchelYoung(
        TopK(2), samples=3, generator=torch.Generator().manual_seed(0)
    )(theta, y)


def test_importing_the_package_does_not_import_torch():
    import subprocess
    import sys

    code = "import sys, imle_core.losses; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.cuda
@each
def test_on_a_gpu(case):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    solver, theta = Counting(), randn(6, 5)
    target = case.target(theta, solver)
    options = {"generator": None} if case.cls is losses.FenchelYoung else {}
    loss = case.make(solver, PAIRS, **options)
    value, gradient = step(loss, theta.cuda(), target.cuda())
    assert value.device.type == gradient.device.type == "cuda"
    if case.cls is not losses.FenchelYoung or case is CASES["perceptron"]:
        torch.testing.assert_close((value.cpu(), gradient.cpu()), step(loss, theta, target))
    grown = case.make(solver).cuda().train()
    if case.pool:
        best = target if case.compares == "structure" else solver.solve(target)
        args = (target, None) if case.compares == "structure" else (target, best)
        args = tuple(None if a is None else a.cuda() for a in args)
        grown.solve_ratio = 1.0
        step(grown, theta.cuda(), *args)
        assert grown.pool.states.device.type == "cuda"
