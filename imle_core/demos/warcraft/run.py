"""One run of the demo, from settings to the files it leaves."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import logging
import platform
import time
from typing import TYPE_CHECKING, Any

import torch

from imle_core.demos.warcraft.checkpoint import read_checkpoint, restore_checkpoint, save_checkpoint
from imle_core.demos.warcraft.device import find_device
from imle_core.demos.warcraft.display import display
from imle_core.demos.warcraft.evaluation import Evaluation, evaluate
from imle_core.demos.warcraft.picture import draw
from imle_core.demos.warcraft.settings import SettingsError
from imle_core.demos.warcraft.sources import load
from imle_core.demos.warcraft.training import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from imle_core.demos.warcraft.maps import Splits
    from imle_core.demos.warcraft.settings import Settings

__all__ = ["CHECKPOINT", "METRICS", "PICTURE", "run"]

logger = logging.getLogger(__name__)

CHECKPOINT, METRICS, PICTURE = "checkpoint.pt", "metrics.json", "warcraft.png"


def run(settings: Settings, out: Path, *, resume: bool = False) -> dict[str, Any]:
    """Train, test, and leave checkpoint, metrics and picture.

    Ctrl-C ends the training; what the best epoch has learnt is then tested and drawn all the same.

    Args:
        settings: What to do.
        out: Folder of the results; made if it is not there.
        resume: Go on exactly where the checkpoint in ``out`` was written.

    Returns:
        What ``metrics.json`` holds.

    Raises:
        SettingsError: there is no such device, or ``out`` cannot be a folder.
        DataError: data is missing or inconsistent.
        CheckpointMismatchError: there is nothing to resume, or it is of another run.
    """
    began = time.perf_counter()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    find_device(settings.device)  # what can be wrong is found out before maps are made, which takes seconds
    checkpoint = read_checkpoint(out / CHECKPOINT) if resume else None
    _make_folder(out)
    splits = load(settings)
    settings = dataclasses.replace(settings, size=splits.train.size)  # of the data, where there is any
    data_seconds = time.perf_counter() - began
    logger.info("%d training, %d validation and %d test maps in %.1f s", *map(len, splits[:3]), data_seconds)

    trainer = Trainer(settings, splits.train, splits.val)
    if checkpoint is not None:
        restore_checkpoint(checkpoint, trainer, out / CHECKPOINT)
        logger.info("resuming after epoch %d", len(trainer.history))
    interrupted = _fit(trainer, out / CHECKPOINT)
    trainer.use_best()
    found = evaluate(trainer.network, trainer.layer, splits.test, trainer.device)

    metrics = _metrics(trainer, splits, found)
    metrics["interrupted"] = interrupted
    metrics["times"] |= {"data": data_seconds, "total": time.perf_counter() - began}
    (out / METRICS).write_text(json.dumps(metrics, indent=2) + "\n")
    summary = metrics["test"]
    draw(
        out / PICTURE,
        splits.test,
        found,
        trainer.layer.solver,
        title=f"{summary['optimal']} of {summary['maps']} unseen maps solved at optimal cost, trained on paths alone",
    )
    logger.info("wrote %s, %s and %s to %s", CHECKPOINT, METRICS, PICTURE, out)
    return metrics


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"--out {str(out)!r} cannot be a folder: {error.strerror}.") from error


def _fit(trainer: Trainer, checkpoint: Path) -> bool:
    """Train, saving after each epoch; return whether the user interrupted it."""
    with display(trainer.settings.epochs, lambda _: save_checkpoint(checkpoint, trainer)) as listener:
        try:
            trainer.fit(listener)
        except KeyboardInterrupt:
            logger.warning("interrupted; testing the best of %d finished epochs", len(trainer.history))
            return True
    return False


def _metrics(trainer: Trainer, splits: Splits, found: Evaluation) -> dict[str, Any]:
    training = sum(record["seconds"] for record in trainer.history)
    layer = sum(record["layer_seconds"] for record in trainer.history)
    per_map = zip(
        splits.test_numbers, found.cost.tolist(), found.optimum.tolist(), found.optimal.tolist(), strict=True
    )
    return {
        "settings": trainer.settings.as_dict(),
        "versions": {
            "python": platform.python_version(),
            **{
                name: importlib.metadata.version(name) for name in ("imle-core", "torch", "numpy", "networkx")
            },
        },
        "device": str(trainer.device),
        "threads": torch.get_num_threads(),
        "times": {"training": training, "layer": layer},
        "layer_share": layer / training if training else 0.0,
        "history": trainer.history,
        "best_epoch": trainer.best["epoch"],
        "test": found.summary(),
        "test_maps": [
            {"map": number, "cost": cost, "optimum": optimum, "optimal": optimal}
            for number, cost, optimum, optimal in per_map
        ],
    }
