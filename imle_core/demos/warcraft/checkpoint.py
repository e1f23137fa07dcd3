"""Checkpoints: everything needed to go on exactly, in tensors and plain types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from imle_core.errors import CheckpointMismatchError

if TYPE_CHECKING:
    from pathlib import Path

    from imle_core.demos.warcraft.settings import Settings
    from imle_core.demos.warcraft.training import Trainer

__all__ = ["read_checkpoint", "restore_checkpoint", "save_checkpoint"]

# What may differ between the two halves of a run: where it runs, and what it is tested on afterwards.
_FREE = {"device", "threads", "test", "md5", "data", "tiles", "test_maps"}


def save_checkpoint(path: Path, trainer: Trainer) -> None:
    """Write the state of a trainer; a file that is there is replaced at once or not at all."""
    temporary = path.with_suffix(".partial")
    torch.save({"settings": trainer.settings.as_dict(), **trainer.state()}, temporary)
    temporary.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote.

    Raises:
        CheckpointMismatchError: there is nothing.
    """
    if not path.is_file():
        raise CheckpointMismatchError(f"nothing to resume: {path} does not exist. Run once without --resume.")
    return torch.load(path, map_location="cpu", weights_only=True)


def restore_checkpoint(state: dict[str, Any], trainer: Trainer, path: Path) -> None:
    """Let a trainer go on where the checkpoint in ``path`` was written.

    Raises:
        CheckpointMismatchError: it is of a run with other settings.
    """
    mine: Settings = trainer.settings
    differing = [
        f"{name} was {state['settings'].get(name)!r} and is {value!r}"
        for name, value in mine.as_dict().items()
        if name not in _FREE and state["settings"].get(name) != value
    ]
    if differing:
        raise CheckpointMismatchError(
            f"{path} is of a run with other settings: {'; '.join(differing)}. Resume with the same options, or "
            "start anew in another --out."
        )
    trainer.restore(state)
