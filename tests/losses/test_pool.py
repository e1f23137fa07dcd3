"""The pool of solutions, and the losses that grow one."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from loss_cases import CASES, PAIRS, Counting, randn, step
from toys import TopK, Window

import imle_core as imle
from imle_core import losses

POOLED = {name: case for name, case in CASES.items() if case.pool}
each_pooled = pytest.mark.parametrize("case", POOLED.values(), ids=POOLED)
close = lambda a, b: torch.testing.assert_close(a, b, rtol=0, atol=1e-9)  # noqa: E731


def test_structures_are_kept_once_in_the_order_in_which_they_were_found():
    pool = imle.SolutionPool()
    assert pool.add(PAIRS[[3, 1, 3]]) == 2
    assert pool.add(PAIRS[[1, 0]]) == 1
    assert pool.add(-0.0 * PAIRS[[0]]) == 1
    assert pool.add(0.0 * PAIRS[[0]].float()) == 0
    assert pool.add(PAIRS[:4].numpy().astype(np.int64)) == 1
    assert pool.add(PAIRS[:0]) == 0
    assert torch.equal(pool.states, torch.cat([PAIRS[[3, 1, 0]], 0 * PAIRS[:1], PAIRS[[2]]]))
    assert len(pool) == 5


def test_the_first_gives_way_to_the_next_of_the_same_instance():
    pool = imle.SolutionPool(capacity=2)
    pool.add(PAIRS[:2], instances=["a", "b"])
    assert pool.add(PAIRS[2:5], instances=["a", "a", "a"]) == 3
    member = pool.members(["a", "b", "c"], 3)
    assert torch.equal(pool.states[member[0]], PAIRS[3:5])
    assert torch.equal(pool.states[member[1]], PAIRS[1:2])
    assert not member[2].any()
    assert pool.add(PAIRS[:1], instances=["a"]) == 1  # it was forgotten, and is new again


def test_instances_are_known_by_their_value():
    pool = imle.SolutionPool()
    pool.add(PAIRS[:3], instances=[{"k": 1, "n": 2}, 1, True])
    member = pool.members([{"n": 2, "k": 1}, 1, True, None], 4)
    assert member.tolist() == [[True, False, False], [False, True, False], [False, False, True], [False] * 3]


def test_entries_keep_their_precision():
    pool = imle.SolutionPool()
    pool.add(PAIRS.float())
    pool.add(randn(1, 5) * 1e-12)
    assert pool.states.dtype == torch.float64
    assert pool.add(randn(1, 5) * 1e-12) == 0
    assert torch.equal(torch.nn.ModuleList([pool]).half()[0].states[-1:], randn(1, 5) * 1e-12)


class Opaque:
    """A hashable instance of no plain type."""


def test_checkpoint_holds_structures_and_plain_instances_and_loads_with_weights_only():
    pool = imle.SolutionPool()
    known = [("a", 1), {"k": (1.5, None)}, 3]
    pool.add(PAIRS[:5], instances=[*known, Opaque(), 3])
    file = io.BytesIO()
    torch.save(torch.nn.ModuleDict({"pool": pool}).state_dict(), file)
    file.seek(0)
    other = imle.SolutionPool()
    other.add(PAIRS[5:], instances=[9] * 5)
    torch.nn.ModuleDict({"pool": other}).load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other.states, PAIRS[[0, 1, 2, 4]])
    member = other.members([*known, 9], 4)
    assert torch.equal(member, pool.members([*known, 9], 4)[:, [0, 1, 2, 4]])
    assert other.add(PAIRS[[4, 6]], instances=[3, 3]) == 1
    assert other.add(PAIRS[:1], instances=[("a", 2)]) == 1
    small = imle.SolutionPool(capacity=1)
    small.load_state_dict(pool.state_dict())
    assert torch.equal(small.states, PAIRS[[0, 1, 4]])
    empty = imle.SolutionPool()
    empty.load_state_dict(imle.SolutionPool().state_dict())
    assert len(empty) == 0


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pool: pickle.loads(pickle.dumps(pool))])
def test_copies_are_independent(duplicate):
    pool = imle.SolutionPool()
    pool.add(PAIRS[:2])
    other = duplicate(pool)
    assert other.add(PAIRS[1:4]) == 2
    assert (len(pool), len(other)) == (2, 4)


def test_bad_input_of_a_pool():
    pool = imle.SolutionPool()
    pool.add(PAIRS)
    with pytest.raises(
        imle.errors.InvalidTargetError, match=r"states \(2, 4\); use \(N, \*event\) .* \(5,\)"
    ):
        pool.add(torch.zeros(2, 4))
    with pytest.raises(imle.errors.InvalidTargetError, match="states must be finite"):
        pool.add(torch.full((1, 5), float("nan")))
    with pytest.raises(imle.errors.InvalidInstanceError, match="1 instances for 2 rows"):
        pool.add(PAIRS[:2], instances=[1])
    with pytest.raises(ValueError, match="SolutionPool: capacity must be an integer of at least 1; got 0"):
        imle.SolutionPool(0)
    assert len(pool) == 10


def test_contrastive_losses_are_their_formulas():
    theta, true, solver = randn(6, 5), randn(6, 5, seed=1), Counting()
    states, y = PAIRS[[0, 2, 5, 7]], solver.solve(true)
    for direction, extra in ((theta, ()), (theta - true, (true,))):
        excess = (direction[:, None] * (states - y[:, None])).sum(2)
        value, gradient = step(CASES["nce"].make(solver, states, reduction="none"), theta, y, *extra)
        close(value, excess.mean(1))
        close(gradient, states.mean(0) - y)
        value, gradient = step(CASES["map"].make(solver, states, reduction="none"), theta, y, *extra)
        close(value, excess.amax(1).clamp(min=0))
        close(gradient, torch.where(value[:, None] > 0, states[excess.argmax(1)] - y, 0.0))
        assert (value > 0).any()
    loss = CASES["map"].make(solver, PAIRS, reduction="none")
    assert torch.equal(loss(true, y), torch.zeros(6).double())
    perceptron = losses.FenchelYoung(solver, noise=None, reduction="none")
    close(loss(theta, y), perceptron(theta, y))


def test_ranking_losses_are_their_formulas():
    theta, true, solver = randn(6, 5), randn(6, 5, seed=1), Counting()
    states, tau = PAIRS[[0, 2, 5, 7]], 0.5
    predicted, actual = theta @ states.T, true @ states.T

    def value(kind, theta=theta, **options):
        return CASES[kind].make(solver, states, reduction="none", **options)(theta, true)

    close(value("pointwise"), ((predicted - actual) ** 2).mean(1))
    best = actual.argmax(1)
    for i in range(6):
        lags = [
            (0.3 + predicted[i, j] - predicted[i, best[i]]).clamp(min=0) for j in range(4) if j != best[i]
        ]
        close(value("pairwise", margin=0.3)[i], torch.stack(lags).mean())
    p, q = (actual / tau).softmax(1), (predicted / tau).softmax(1)
    close(value("listwise", tau=tau), -(p * q.log()).sum(1))
    close(value("listwise", tau=tau, theta=true), -(p * p.log()).sum(1))
    assert torch.equal(value("pointwise", theta=true), torch.zeros(6).double())
    assert torch.equal(value("pairwise", theta=true, margin=0.0), torch.zeros(6).double())


def test_pairs_that_are_equally_good_are_not_told_apart():
    loss = CASES["pairwise"].make(Counting(), PAIRS)
    value, gradient = step(loss, randn(3, 5), torch.ones(3, 5).double())
    assert value == 0
    assert (gradient == 0).all()


@each_pooled
def test_training_grows_the_pool_by_targets_and_all_or_none_of_the_predictions(case):
    solver, theta = Counting(), randn(2, 3, 5)
    true = randn(2, 3, 5, seed=5)
    best, found = (solver.solve(t.reshape(-1, 5)) for t in (true, theta))
    args = (best.reshape(2, 3, 5), true) if case.compares == "structure" else (true, best.reshape(2, 3, 5))
    for ratio, expected in ((0.0, best), (1.0, torch.cat([best, found]))):
        loss = case.make(solver, PAIRS[:1], solve_ratio=ratio)
        solver.batches.clear()
        loss(theta, *args)
        assert len(loss.pool) == 1  # in eval
        assert solver.batches == []
        loss.train()(theta, *args)
        assert solver.batches == ([6] if ratio else [])
        wanted = torch.unique(torch.cat([PAIRS[:1], expected]), dim=0)
        assert torch.equal(torch.unique(loss.pool.states, dim=0), wanted)
        assert len(loss.pool) == len(wanted)
        loss(theta.requires_grad_(), *args).backward()
        theta = theta.detach()


def test_share_of_rows_that_are_solved_is_the_ratio_and_repeats_with_the_generator():
    # 5 standard deviations of 2000 coins
    def solved(seed):
        solver = Counting()
        loss = CASES["nce"].make(
            solver, PAIRS, solve_ratio=0.3, generator=torch.Generator().manual_seed(seed)
        )
        loss.train()(randn(2000, 5), PAIRS[:1].expand(2000, 5))
        return solver.batches

    (count,) = solved(0)
    assert abs(count - 600) < 5 * (2000 * 0.3 * 0.7) ** 0.5
    assert solved(0) == [count]
    assert solved(1) != [count]


def test_error_of_a_row_that_was_solved_among_others_names_the_row_of_the_batch():
    class Moody(TopK):
        def solve(self, theta):
            raise imle.errors.InfeasibleError("no structure", row=1)

    loss = losses.ContrastiveNCE(Moody(2), solve_ratio=0.5, generator=torch.Generator().manual_seed(0))
    chosen = (torch.rand(6, generator=torch.Generator().manual_seed(0)) < 0.5).nonzero().flatten().tolist()
    assert 1 < len(chosen) < 6
    with pytest.raises(imle.errors.InfeasibleError, match=f"Moody: row {chosen[1]}: no structure"):
        loss(randn(6, 5), PAIRS[:6])


def test_pools_of_instances_grow_apart():
    loss = losses.ContrastiveMAP(Window(), solve_ratio=1.0, reduction="none")
    theta = torch.tensor([[9.0, 0, 0, 0, 1], [9.0, 0, 0, 0, 1]])
    y = torch.eye(5)[[1, 3]]
    value = loss(theta, y, instances=[0, 3])
    assert value.tolist() == [9.0, 1.0]  # the entry 0 is no structure of the second
    assert len(loss.pool) == 4
    with pytest.raises(
        imle.errors.InvalidTargetError, match="row 1: the pool has no structure of instance 2 to compare with"
    ):
        loss.eval()(theta, y, instances=[0, 2])


@each_pooled
def test_an_empty_pool_is_an_error_and_not_a_loss_of_zero(case):
    solver, theta = Counting(), randn(3, 5)
    target = case.target(theta, solver)
    with pytest.raises(imle.errors.InvalidTargetError, match=r"row 0: the pool has no structure to compare"):
        case.make(solver)(theta, target)
    with pytest.raises(
        imle.errors.InvalidTargetError, match=r"shape \(4,\) but theta has rows of shape \(5,\)"
    ):
        case.make(TopK(2), torch.eye(4))(theta, target)


def test_a_pool_may_be_shared():
    pool = imle.SolutionPool()
    first = losses.ContrastiveNCE(Counting(), pool=pool, solve_ratio=0.0)
    second = losses.LearningToRank(Counting(), pool=pool, solve_ratio=0.0)
    first(randn(2, 5), PAIRS[:2])
    assert torch.isfinite(second(randn(2, 5), randn(2, 5)))
    assert len(pool) == 2


def test_instances_as_numbers_of_a_loss_are_refused_and_numpy_scalars_are_pythons():
    pool = imle.SolutionPool()
    with pytest.raises(imle.errors.InvalidInstanceError, match="numbers in a tensor"):
        pool.add(torch.eye(2), instances=torch.tensor([0, 1]))
    with pytest.raises(imle.errors.InvalidInstanceError, match=r"must be hashable.*got \[1\]"):
        pool.add(torch.eye(2), instances=[[1], [2]])
    pool.add(torch.eye(2), instances=[np.int64(3), np.int64(4)])
    assert pool.add(torch.eye(2), instances=[3, 4]) == 0
    other = imle.SolutionPool()
    other.load_state_dict(pool.state_dict())
    assert len(other) == 2


def test_all_instances_together_have_a_limit_and_the_first_found_give_way():
    pool = imle.SolutionPool(capacity=2, total=5)
    for instance in range(4):
        pool.add(torch.eye(3), instances=[instance] * 3)
    assert len(pool) == 5
    assert pool.members([0, 1, 2, 3], 4).sum(1).tolist() == [0, 1, 2, 2]
    assert pool.add(torch.eye(3)[1:2], instances=[0]) == 1  # forgotten, so new again
    best, known = pool.best(torch.ones(3, 3), [0, 3, 9])
    assert known.tolist() == [True, True, False]
    assert best[0].tolist() == [0, 1, 0]
    assert imle.SolutionPool(capacity=7).total == 700
    with pytest.raises(ValueError, match="SolutionPool: total must be an integer of at least 1; got 0"):
        imle.SolutionPool(total=0)


def test_rows_of_instances_that_are_not_known_have_no_best():
    pool = imle.SolutionPool()
    pool.add(torch.eye(3), instances=[1, 2, 3])
    best, known = pool.best(torch.ones(2, 3), [7, 8])
    assert known.tolist() == [False, False]
    assert best.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_instances_without_structures_are_forgotten():
    pool = imle.SolutionPool(capacity=10, total=10)
    for instance in range(500):
        pool.add(torch.eye(3)[instance % 3][None], instances=[instance])
    assert len(pool) == 10
    assert len(pool.get_extra_state()["instances"]) <= 20
    best, known = pool.best(torch.ones(3, 3), [499, 490, 3])
    assert known.tolist() == [True, True, False]
    assert best[:2].argmax(1).tolist() == [499 % 3, 490 % 3]
    assert pool.add(torch.eye(3)[499 % 3][None], instances=[499]) == 0


def test_checkpoints_that_hold_offsets_are_loaded():
    pool = imle.SolutionPool()
    pool.add(torch.eye(2))
    state = {**pool.state_dict(), "offsets": torch.zeros(2, dtype=torch.float64)}
    other = imle.SolutionPool()
    other.load_state_dict(state)
    assert len(other) == 2
    assert other.offsets.isnan().all()


def test_rows_without_instances_have_no_structures_of_an_instance():
    pool = imle.SolutionPool()
    pool.add(torch.eye(3), instances=["a"] * 3)
    assert not pool.best(torch.ones(2, 3))[1].any()
    pool.add(torch.eye(3)[:1])
    assert pool.best(torch.ones(2, 3))[0].tolist() == [[1, 0, 0], [1, 0, 0]]
