"""What a run of the demo is asked to do. Standard library only, so that the command line starts quickly."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from imle_core.errors import ImleError

__all__ = ["ESTIMATORS", "NOISES", "TEST_MAPS", "TILE_MAPS", "TRAIN_MAPS", "Settings", "SettingsError"]

TRAIN_MAPS, TEST_MAPS = 5000, 200
"""Generated maps, if the settings give no number."""
TILE_MAPS = "even"
"""Maps of an atlas to build from, if the settings name none."""
NOISES = ("sum-of-gamma", "gumbel", "normal", "logistic")
ESTIMATORS = ("imle", "aimle", "blackbox")


class SettingsError(ImleError, ValueError):
    """An option cannot be used here."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of ``imle demo warcraft``.

    The published run has 10,000 maps, 50 epochs, batches of 70 and Adam at 5e-4, cut tenfold at epochs 30 and
    40: 7,100 steps. The defaults here make 720 steps of the same size and so anneal a four times larger rate.

    Args:
        data: Folder of the published archive; None generates maps.
        md5: Verify the archive's files against their published checksums.
        tiles: Tile atlas from which maps are built instead of in our own art.
        tile_maps: Which of the atlas' maps to build from: ``even``, ``odd``, ``all`` or ranges as in ``0-13,20``;
            None is ``even``.
        test_maps: Files of real maps to test on; those that gave tiles to training are left out.
        size: Cells along each side of generated maps; read from the data otherwise.
        train: Number of training maps; None is 5,000 generated ones or all of an archive.
        val: Number of validation maps. Their labels choose the best epoch.
        test: Number of test maps; None is 200 generated ones or all of an archive.
        epochs: Passes over the training maps.
        batch: Maps in a batch.
        lr: Peak learning rate of Adam: linear warm-up, then a cosine down to zero.
        augment: Transpose maps and turn them by half a circle at random: start and target stay corners.
        estimator: One of ``ESTIMATORS``.
        samples: Perturbed solutions a map.
        noise: One of ``NOISES``.
        tau: Temperature, the factor of the noise.
        lam: Step of the target costs, relative to the size of the costs.
        seed: Seed of everything random.
        bf16: Run the convolutions in bfloat16; None where the processor has instructions for it, because it is then
            about twice faster and as good.
        threads: Threads of torch; 0 leaves its default.
        device: ``auto``, ``cpu``, ``cuda``, ...
    """

    data: Path | None = None
    md5: bool = False
    tiles: Path | None = None
    tile_maps: str | None = None
    test_maps: tuple[Path, ...] = ()
    size: int = 12
    train: int | None = None
    val: int = 200
    test: int | None = None
    epochs: int = 10
    batch: int = 70
    lr: float = 2e-3
    augment: bool = True
    estimator: str = "imle"
    samples: int = 1
    noise: str = "sum-of-gamma"
    tau: float = 0.1
    lam: float = 1.0
    seed: int = 0
    bf16: bool | None = None
    threads: int = 0
    device: str = "auto"

    def as_dict(self) -> dict[str, Any]:
        """Return plain types, as a checkpoint and ``metrics.json`` keep them."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [str(v) for v in value] if isinstance(value, tuple) else value
