"""Training: exact resumption, interruption, and what a run leaves behind."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

import imle_core as imle
from imle_core.demos.warcraft import run as run_module
from imle_core.demos.warcraft.evaluation import evaluate
from imle_core.demos.warcraft.maps import Maps, path_solver
from imle_core.demos.warcraft.run import CHECKPOINT, METRICS, PICTURE, run
from imle_core.demos.warcraft.settings import Settings
from imle_core.demos.warcraft.sources import load
from imle_core.demos.warcraft.training import Trainer, hamming
from imle_core.errors import CheckpointMismatchError

TINY = Settings(size=5, train=24, val=8, test=6, epochs=4, batch=12, lr=3e-3, bf16=False)


class Silent:
    """A listener that says nothing, and presses Ctrl-C when it is told to."""

    def __init__(self, interrupt_at: tuple[int, int] | None = None) -> None:
        self.interrupt_at = interrupt_at

    def step(self, epoch, done, steps, metrics):
        if (epoch, done) == self.interrupt_at:
            raise KeyboardInterrupt

    def epoch(self, record):
        pass


@pytest.fixture
def interrupting(monkeypatch):
    """Make the training of `run` be interrupted in the given step of the given epoch."""

    def arrange(epoch: int, step: int) -> None:
        train = Trainer._step

        def interrupted(self, rows):
            self.taken = getattr(self, "taken", 0) + 1
            if self.taken == (epoch - 1) * self.steps + step:
                raise KeyboardInterrupt
            return train(self, rows)

        monkeypatch.setattr(Trainer, "_step", interrupted)

    return arrange


def same(a, b) -> bool:
    """Whether two nested states are bit-identical."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def without_clocks(state):
    clocks = ("seconds", "layer_seconds", "rows_per_second")
    history = [{k: v for k, v in record.items() if k not in clocks} for record in state["history"]]
    return {**state, "history": history}


@pytest.mark.parametrize("estimator", ["imle", "aimle"])
def test_two_epochs_and_two_resumed_equal_four(tmp_path, monkeypatch, interrupting, estimator):
    settings = dataclasses.replace(TINY, estimator=estimator)
    run(settings, tmp_path / "whole")
    with monkeypatch.context():
        interrupting(3, 2)  # within the third epoch: what it did must leave no trace
        assert run(settings, tmp_path / "halves")["interrupted"]
    monkeypatch.undo()
    assert not run(settings, tmp_path / "halves", resume=True)["interrupted"]
    whole, halves = (
        torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("whole", "halves")
    )
    assert len(halves["history"]) == 4
    assert same(without_clocks(whole), without_clocks(halves))


def test_an_interrupted_run_keeps_its_best_epoch_and_leaves_everything(tmp_path, interrupting):
    interrupting(3, 1)
    metrics = run(TINY, tmp_path)
    assert metrics["interrupted"]
    assert len(metrics["history"]) == 2
    best = min(metrics["history"], key=lambda record: record["val_excess"])
    assert metrics["best_epoch"] == best["epoch"]
    assert {path.name for path in tmp_path.iterdir()} == {CHECKPOINT, METRICS, PICTURE}


def test_interrupted_before_an_epoch_is_complete_there_still_are_metrics_and_a_picture(
    tmp_path, interrupting
):
    interrupting(1, 1)
    metrics = run(TINY, tmp_path)
    assert metrics["best_epoch"] == 0
    assert metrics["layer_share"] == 0.0
    assert {path.name for path in tmp_path.iterdir()} == {METRICS, PICTURE}


def test_the_best_epoch_is_that_of_the_lowest_excess():
    splits = load(TINY)
    trainer = Trainer(TINY, splits.train, splits.val)
    trainer.fit(Silent())
    assert trainer.best["excess"] == min(record["val_excess"] for record in trainer.history)
    trainer.use_best()
    assert same(dict(trainer.network.state_dict()), trainer.best["network"])


def test_metrics_hold_history_times_settings_and_every_test_map(tmp_path):
    returned = run(TINY, tmp_path)
    metrics = json.loads((tmp_path / METRICS).read_text())
    assert metrics == returned
    assert metrics["settings"] == TINY.as_dict()
    assert {"python", "imle-core", "torch", "numpy", "networkx"} <= metrics["versions"].keys()
    assert [record["epoch"] for record in metrics["history"]] == [1, 2, 3, 4]
    assert {"loss", "seconds", "layer_seconds", "rows_per_second", "val_optimal_percent"} <= metrics[
        "history"
    ][0].keys()
    assert 0 < metrics["times"]["layer"] < metrics["times"]["training"] < metrics["times"]["total"]
    assert metrics["layer_share"] == pytest.approx(metrics["times"]["layer"] / metrics["times"]["training"])
    assert [row["map"] for row in metrics["test_maps"]] == list(range(6))
    assert sum(row["optimal"] for row in metrics["test_maps"]) == metrics["test"]["optimal"]
    assert all(row["cost"] >= row["optimum"] - 1e-4 for row in metrics["test_maps"])
    assert metrics["test"]["mean_cost_ratio"] >= 1


def test_the_picture_is_a_png_of_some_size(tmp_path):
    run(dataclasses.replace(TINY, epochs=1), tmp_path)
    picture = (tmp_path / PICTURE).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


def test_the_same_seed_gives_the_same_run():
    splits = load(TINY)
    trainers = [Trainer(dataclasses.replace(TINY, epochs=1), splits.train, splits.val) for _ in range(2)]
    for trainer in trainers:
        trainer.fit(Silent())
    assert same(*(without_clocks(trainer.state()) for trainer in trainers))


@pytest.mark.slow
def test_training_learns(tmp_path):
    settings = Settings(size=8, train=420, val=50, test=100, epochs=5)
    trained = run(settings, tmp_path / "trained")["test"]
    untrained = run(dataclasses.replace(settings, lr=1e-8, epochs=1), tmp_path / "untrained")["test"]
    assert trained["optimal"] > untrained["optimal"] + 10
    assert trained["mean_cost_ratio"] < untrained["mean_cost_ratio"] - 0.02


def test_resuming_without_a_checkpoint_is_an_error(tmp_path):
    with pytest.raises(CheckpointMismatchError, match="nothing to resume"):
        run(TINY, tmp_path, resume=True)


def test_resuming_with_other_settings_names_them(tmp_path):
    run(dataclasses.replace(TINY, epochs=1), tmp_path)
    with pytest.raises(CheckpointMismatchError, match=r"lr was 0\.003 and is 0\.1"):
        run(dataclasses.replace(TINY, epochs=1, lr=0.1), tmp_path, resume=True)


def test_true_costs_are_not_read_in_training():
    splits = load(TINY)
    blind = dataclasses.replace(splits.train, costs=None)
    trainer = Trainer(dataclasses.replace(TINY, epochs=1), blind, splits.val)
    trainer.fit(Silent())
    assert len(trainer.history) == 1


def test_hamming_counts_the_cells_that_differ():
    paths = torch.tensor([[[1.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    target = torch.tensor([[[1.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    assert hamming(paths, target).item() == 1.0


def test_the_run_module_names_the_files_that_the_documentation_names():
    assert (run_module.CHECKPOINT, run_module.METRICS, run_module.PICTURE) == (
        "checkpoint.pt",
        "metrics.json",
        "warcraft.png",
    )


def test_excess_is_zero_if_another_path_is_as_good_under_the_predicted_costs():
    class Constant(torch.nn.Module):
        def forward(self, x):
            return torch.ones(len(x), 3, 3)

    def path(*cells):
        z = np.zeros((1, 3, 3), dtype=np.uint8)
        for cell in cells:
            z[0][cell] = 1
        return z

    def excess(label):
        maps = Maps(np.zeros((1, 24, 24, 3), dtype=np.uint8), label, np.ones((1, 3, 3), dtype=np.float32))
        layer = imle.SolverLayer(path_solver(3))
        return evaluate(Constant(), layer, maps, torch.device("cpu")).excess

    assert excess(path((0, 0), (1, 1), (2, 2))) == 0
    assert excess(path((0, 0), (0, 1), (1, 2), (2, 2))) == pytest.approx(1 / 3)
