"""Two processes of DistributedDataParallel on CPUs: gradients, noise, the adaptive step, and a checkpoint."""

import pytest
import ranks
import torch

import imle_core as imle

each_estimator = pytest.mark.parametrize("name", list(ranks.ESTIMATORS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where two ranks have trained and left what they found."""
    folder = tmp_path_factory.mktemp("ranks")
    torch.multiprocessing.spawn(ranks.train, args=(str(folder),), nprocs=ranks.RANKS)
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return [torch.load(folder / f"found{rank}.pt", weights_only=True) for rank in range(ranks.RANKS)]


@each_estimator
def test_gradients_are_equal_on_all_ranks(found, name):
    for mine, other in zip(found[0][name], found[1][name], strict=True):
        for a, b in zip(mine["grads"], other["grads"], strict=True):
            assert torch.equal(a, b)
            assert a.abs().sum() > 0


@each_estimator
def test_gradients_are_the_mean_of_what_one_process_finds_on_each_share(found, name):
    models = [ranks.make_model(ranks.ESTIMATORS[name], seed=5 + rank) for rank in range(ranks.RANKS)]
    for step in range(ranks.STEPS):
        alone = []
        for rank, model in enumerate(models):
            if model[1].state is not None:
                model[1].state.copy_(found[0][name][step]["used"])
            alone.append(ranks.back_propagate(model, rank))
            torch.testing.assert_close(alone[rank]["z"], found[rank][name][step]["z"])
        means = [torch.stack(grads).mean(0) for grads in zip(*(a["grads"] for a in alone), strict=True)]
        torch.testing.assert_close(means, found[0][name][step]["grads"])


def test_a_compiled_model_gives_what_the_eager_one_gives(found):
    for rank in found:
        torch.testing.assert_close(rank["compiled"]["z"], rank["noise"][0]["z"])
        torch.testing.assert_close(rank["compiled"]["grads"], rank["noise"][0]["grads"])


def test_ranks_with_seeds_of_their_own_draw_different_noise(found):
    mine, other = (rank["seed + rank"] for rank in found)
    assert not torch.equal(mine, other)


def test_ranks_with_equal_seeds_draw_equal_noise(found):
    """Why seeds must differ: the same parameters are perturbed in the same way on every rank."""
    mine, other = (rank["equal seeds"] for rank in found)
    assert torch.equal(mine, other)


def test_the_adaptive_step_of_the_first_rank_is_every_ranks_at_the_next_forward_pass(found):
    mine, other = (rank["adaptive"] for rank in found)
    assert any(a["left"] != b["left"] for a, b in zip(mine, other, strict=True)), "the shares adapt alike"
    for step in range(1, ranks.STEPS):
        assert mine[step]["used"] == other[step]["used"] == mine[step - 1]["left"] != 1


def test_a_checkpoint_of_the_first_rank_loads_in_one_process(found, folder):
    model = ranks.make_model(imle.AIMLE(), seed=0)
    model.load_state_dict(torch.load(folder / "checkpoint.pt", weights_only=True))
    for rank in found:
        torch.testing.assert_close(dict(model.named_parameters()), rank["trained"], rtol=0, atol=0)
    assert model[1].state != 1
    assert (model.eval()(torch.randn(3, 6)).sum(1) == 3).all()
