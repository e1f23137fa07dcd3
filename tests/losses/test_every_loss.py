"""What holds for every loss: the gradient is that of the value, senses mirror, shapes, dtypes, calls."""

import pytest
import torch
from loss_cases import CASES, PAIRS, Counting, randn, reseed, step
from toys import CheapestK, TopK, Window

import imle_core as imle
from imle_core import losses

each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
each_sense = pytest.mark.parametrize("sense", ["max", "min"])


@each
@each_sense
def test_gradient_is_that_of_the_value_with_the_noise_and_the_pool_held_fixed(case, sense):
    solver, theta = Counting(sense), randn(4, 5)
    loss, target = case.make(solver, PAIRS, reduction="none"), case.target(theta, solver)
    assert torch.autograd.gradcheck(lambda t: reseed(loss)(t, target), (theta.requires_grad_(),))
    _, gradient = step(reseed(loss), theta, target)
    assert (gradient.flatten(1).abs().sum(1) > 0).any()  # not 0 == 0


@each
def test_costs_and_scores_give_the_same_loss_and_opposite_gradients(case):
    theta = randn(6, 5)
    up, down = Counting("max"), Counting("min")
    value, gradient = step(case.make(up, PAIRS), theta, case.target(theta, up))
    mirrored, opposite = step(case.make(down, PAIRS), -theta, case.target(-theta, down))
    assert torch.equal(value, mirrored)
    assert torch.equal(gradient, -opposite)
    assert gradient.abs().sum() > 0


@each
def test_a_step_against_the_gradient_leads_to_the_target(case):
    # The sign of it all, whatever the formula: 200 steps and the solution is what the loss compares with.
    if case is CASES["pg_backward"]:
        pytest.skip("confirms what a row alone has chosen")
    for solver in (Counting("max"), Counting("min")):
        theta = randn(20, 5, seed=3) * 0.1
        target = case.target(theta, solver)
        best = target if case.compares == "structure" else solver.solve(target)
        agree = (solver.solve(theta) == best).all(1).double().mean()
        loss = case.make(solver, PAIRS, reduction="sum")
        for _ in range(200):
            theta = theta - 0.05 * step(loss, theta, target)[1]
        after = (solver.solve(theta) == best).all(1).double().mean()
        assert agree < 0.3
        assert after > 0.7


@each
def test_reductions(case):
    solver, theta = Counting(), randn(2, 3, 5)
    target = case.target(theta, solver)
    none, mean, total = (
        step(case.make(solver, PAIRS, reduction=reduction), theta, target)
        for reduction in ("none", "mean", "sum")
    )
    assert none[0].shape == (2, 3)
    assert mean[0].shape == total[0].shape == ()
    torch.testing.assert_close(mean[0], none[0].mean())
    torch.testing.assert_close(total[0], none[0].sum())
    torch.testing.assert_close(total[1], none[1])
    torch.testing.assert_close(mean[1] * 6, none[1])


@each
@pytest.mark.parametrize("batch", [(), (1,), (2, 3), (0,), (0, 2)])
def test_batches_of_any_shape(case, batch):
    solver, theta = Counting(), randn(*batch, 5)
    target = case.target(theta, solver)
    value, gradient = step(case.make(solver, PAIRS, reduction="none"), theta, target)
    assert value.shape == batch
    assert gradient.shape == theta.shape
    flat, flat_gradient = step(
        case.make(solver, PAIRS, reduction="none"), theta.reshape(-1, 5), target.reshape(-1, 5)
    )
    assert torch.equal(flat.reshape(batch), value)
    assert torch.equal(flat_gradient.reshape(theta.shape), gradient)
    if 0 in batch:
        assert case.make(solver, PAIRS, reduction="sum")(theta, target) == 0


@each
def test_a_matrix_for_a_structure(case):
    vertices = torch.cat([torch.eye(4), 1 - torch.eye(4)]).double().reshape(8, 2, 2)
    solver, theta = Counting(vertices=vertices), randn(3, 2, 2)
    flat = Counting(vertices=vertices.flatten(1))
    target = case.target(theta, solver)
    value, gradient = step(case.make(solver, vertices, reduction="none"), theta, target)
    expected = step(
        case.make(flat, vertices.flatten(1), reduction="none"), theta.flatten(1), target.flatten(1)
    )
    torch.testing.assert_close((value, gradient.flatten(1)), expected)


@each
def test_a_batch_is_a_loop_over_its_rows(case):
    if case.cls is losses.FenchelYoung and "noise" not in case.options:
        pytest.skip("rows have noise of their own")
    solver, theta = Counting(), randn(4, 5)
    loss, target = case.make(solver, PAIRS, reduction="none"), case.target(theta, solver)
    together = step(loss, theta, target)
    alone = [step(loss, theta[i : i + 1], target[i : i + 1]) for i in range(4)]
    torch.testing.assert_close(together, tuple(torch.cat(part) for part in zip(*alone, strict=True)))


@each
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_dtypes_are_returned_and_half_precision_is_computed_in_single(case, dtype):
    solver, theta = Counting(), randn(6, 5, dtype=dtype)
    target = case.target(theta, solver)
    value, gradient = step(case.make(solver, PAIRS), theta, target)
    assert value.dtype == gradient.dtype == dtype
    exact = step(case.make(solver, PAIRS), theta.float(), target.float())
    torch.testing.assert_close((value, gradient), tuple(x.to(dtype) for x in exact))


@each
def test_integer_and_boolean_targets_are_taken(case):
    if case.compares == "parameters":
        pytest.skip("compares with parameters")
    solver, theta = Counting(), randn(3, 5)
    target = case.target(theta, solver)
    expected = case.make(solver, PAIRS)(theta, target)
    assert case.make(solver, PAIRS)(theta, target.long()) == expected
    assert case.make(solver, PAIRS)(theta, target.bool()) == expected


@each
def test_solver_calls_are_those_of_the_docstring_in_one_batch_and_none_in_the_backward_pass(case):
    solver, theta = Counting(), randn(2, 3, 5)
    loss, target = case.make(solver, PAIRS), case.target(theta, solver)
    solver.batches.clear()
    step(loss, theta, target)
    assert solver.batches == ([6 * case.calls] if case.calls else [])


@each
def test_the_same_in_training_and_in_eval(case):
    solver, theta = Counting(), randn(3, 5)
    loss, target = case.make(solver, PAIRS), case.target(theta, solver)
    assert torch.equal(reseed(loss).train()(theta, target), reseed(loss).eval()(theta, target))


@each
def test_arguments_are_not_modified(case):
    solver, theta = TopK(2) if case.calls != 0 or case.pool else Counting(), randn(3, 5)
    target = case.target(theta, solver)
    before = theta.clone(), target.clone()
    case.make(solver, PAIRS)(theta, target)
    assert torch.equal(theta, before[0])
    assert torch.equal(target, before[1])


@each
def test_solvers_of_arrays_are_as_good_as_those_of_tensors(case):
    if case.cls is losses.NegativeLogLikelihood:
        pytest.skip("needs exact inference")
    theta = randn(6, 5)
    target = case.target(theta, Counting("min"))
    expected = step(case.make(Counting("min"), PAIRS), theta, target)
    torch.testing.assert_close(step(case.make(CheapestK(2), PAIRS), theta, target), expected)


@each
def test_a_solver_by_name_with_its_options(case):
    theta = randn(4, 5)
    solver = imle.solver("torch.k_subset", k=2, n=5)
    target = case.target(theta, solver)
    by_name = step(case.make("torch.k_subset", PAIRS, k=2, n=5), theta, target)
    torch.testing.assert_close(by_name, step(case.make(solver, PAIRS), theta, target))


class ExactWindow(Window):
    """With exact inference."""

    def log_partition(self, theta, *, instances=None):
        lows = torch.tensor(instances or [0] * len(theta)).unsqueeze(1)
        return torch.where(torch.arange(5) >= lows, theta, -1e30).logsumexp(1)


@each
def test_rows_with_instances_of_their_own(case):
    solver, theta, lows = ExactWindow(), 0.3 * randn(4, 5), [3, 0, 2, 3]
    other = randn(4, 5, seed=5)
    target = other if case.compares == "parameters" else solver.solve(other, instances=lows)

    def loss_of(lows):
        loss = case.make(solver, reduction="none")
        if case.pool:
            for low in set(lows):
                loss.pool.add(torch.eye(5).double()[low:], instances=[low] * (5 - low))
        return loss

    loss = loss_of(lows)
    value, gradient = step(loss, theta, target, instances=lows)
    numbers = loss.prepare(lows)
    torch.testing.assert_close(step(reseed(loss), theta, target, instances=numbers), (value, gradient))
    assert (gradient[0, :3] == 0).all()
    assert gradient.abs().sum() > 0
    if case.calls <= 2 and case.cls is not losses.FenchelYoung:
        for i, low in enumerate(lows):
            alone, _ = step(loss_of([low]), theta[i], target[i], instances=[low])
            torch.testing.assert_close(alone, value[i])
    with pytest.raises(imle.errors.InvalidInstanceError, match="3 instances for 4 rows"):
        loss(theta, target, instances=lows[:3])


class Refusing(CheapestK):
    negative = "error"


@each
def test_solvers_that_refuse_negative_costs(case):
    if case.cls is losses.NegativeLogLikelihood:
        pytest.skip("needs exact inference")
    theta = randn(6, 5).abs() + 0.1
    target = randn(6, 5, seed=5).abs()
    if case.compares == "structure":
        target = CheapestK(2).solve(target)
    loss = case.make(Refusing(2), PAIRS, reduction="none")
    assert torch.autograd.gradcheck(lambda t: reseed(loss)(t, target), (theta.clone().requires_grad_(),))
    theta[1, 2] = -0.5
    with pytest.raises(
        imle.errors.InvalidThetaError, match=r"theta has 1 negative costs, first at row 1, index \(2,\)"
    ):
        loss(theta, target)
