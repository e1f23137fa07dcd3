"""Reader of the published archive: ``{train,val,test}_{maps,shortest_paths,vertex_weights}.npy`` in one folder.

Files are memory-mapped; large ones may be split into ``train_maps_part0.npy``, ``train_maps_part1.npy``, ...

Reference:
    Vlastelica et al. (2020), Differentiation of Blackbox Combinatorial Solvers; data: Edmond,
    doi:10.17617/3.YJCQ5S.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core.demos.warcraft.maps import Maps
from imle_core.demos.warcraft.textures import CELL
from imle_core.errors import ImleError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["DataError", "read_split", "true_costs", "verify_checksums"]

logger = logging.getLogger(__name__)

PUBLISHED_MD5 = {
    "train_maps": "c31760c5fbd9d034b6e21a6612895e69",
    "train_vertex_weights": "761cc8098730504335efdefec3b221a6",
    "train_shortest_paths": "1483015985796f3bf9f3e5e00cb8e855",
    "val_maps": "cfe9288a537d46be48c0c287885f8405",
    "val_vertex_weights": "452753f9d8b31ac03bbd532953974072",
    "val_shortest_paths": "95e81a2a3263d6520fa5f07a8701c74a",
    "test_maps": "a5c50ae11e4bd01cb1a2cd76e5849b22",
    "test_vertex_weights": "071dbcf2aa9d98fc255abdcb780151b1",
    "test_shortest_paths": "deae60b10d932e2a37271df4b44e295d",
}
"""Checksums of the 12x12 files."""


class DataError(ImleError, ValueError):
    """A data set is missing, incomplete or inconsistent."""


class _Parts:
    """Arrays seen as one, end to end along the rows; rows are read when asked for."""

    def __init__(self, parts: list[NDArray[Any]]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    @property
    def shape(self) -> tuple[int, ...]:
        return (int(self._starts[-1]), *self._parts[0].shape[1:])

    def __getitem__(self, index: Any) -> NDArray[Any]:
        rows = np.arange(self.shape[0])[index]
        out = np.empty((len(rows), *self.shape[1:]), dtype=self._parts[0].dtype)
        for part, start in zip(self._parts, self._starts, strict=False):
            here = (rows >= start) & (rows < start + len(part))
            out[here] = part[rows[here] - start]
        return out


def read_split(folder: Path, split: str) -> Maps:
    """Open one split of the archive.

    Args:
        folder: Folder of the files of one size.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Returns:
        The maps; their size K is that of the paths.

    Raises:
        DataError: a file is missing, or shapes or labels do not fit together.
    """
    pixels = _open(folder, f"{split}_maps")
    paths = _open(folder, f"{split}_shortest_paths")
    costs = true_costs(_open(folder, f"{split}_vertex_weights")[:])
    count, size = paths.shape[0], paths.shape[-1]
    wanted = {
        "maps": (pixels.shape, (count, CELL * size, CELL * size, 3)),
        "shortest_paths": (paths.shape, (count, size, size)),
        "vertex_weights": (costs.shape, (count, size, size)),
    }
    for name, (found, shape) in wanted.items():
        if found != shape:
            raise DataError(
                f"{folder}: {split}_{name} has shape {found}, but {split}_shortest_paths has {paths.shape}: "
                f"expected {shape}."
            )
    sample = paths[:100]
    if not (np.isin(sample, (0, 1)).all() and sample[:, 0, 0].all() and sample[:, -1, -1].all()):
        raise DataError(
            f"{folder}: {split}_shortest_paths must hold 0 and 1, with 1 at the first and last cell of each path."
        )
    return Maps(pixels, paths, costs)


def true_costs(stored: NDArray[Any]) -> NDArray[np.float32]:
    """Undo half precision: costs have one decimal, and 3 x 0.8 must equal 2 x 1.2 for ties to be ties."""
    return np.round(stored.astype(np.float32), 2 if stored.dtype == np.float16 else 6)


def verify_checksums(folder: Path) -> None:
    """Compare the files with the published MD5 sums, which are known for 12x12.

    Raises:
        DataError: a file differs.
    """
    for name, expected in PUBLISHED_MD5.items():
        path = folder / f"{name}.npy"
        if not path.is_file():
            raise DataError(f"{path} is missing, so its checksum cannot be verified.")
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "md5").hexdigest()
        if found != expected:
            raise DataError(
                f"{path} has MD5 {found}; the published 12x12 file has {expected}. Download it again, or leave "
                "out --md5 if it is another size or your own data."
            )
    logger.info("all %d files have their published checksums", len(PUBLISHED_MD5))


def _open(folder: Path, name: str) -> _Parts:
    whole = folder / f"{name}.npy"
    files = [whole] if whole.is_file() else _part_files(folder, name)
    if not files:
        sizes = sorted(path.parent.name for path in folder.glob("*/train_maps*.npy"))
        hint = f" Did you mean one of its folders: {', '.join(dict.fromkeys(sizes))}?" if sizes else ""
        raise DataError(f"{folder} has no {name}.npy and no {name}_part0.npy.{hint}")
    try:
        parts = [np.load(file, mmap_mode="r", allow_pickle=False) for file in files]
    except (ValueError, OSError) as error:
        raise DataError(f"{folder}: {name} cannot be read as a NumPy array: {error}") from error
    if len({(part.shape[1:], part.dtype) for part in parts}) > 1:
        raise DataError(f"{folder}: the parts of {name} differ in shape or dtype.")
    return _Parts(parts)


def _part_files(folder: Path, name: str) -> list[Path]:
    """Parts in their order, up to the first that is missing; a gap is an error."""
    found = {int(path.stem.rsplit("part", 1)[1]): path for path in folder.glob(f"{name}_part[0-9]*.npy")}
    if sorted(found) != list(range(len(found))):
        raise DataError(
            f"{folder}: parts {sorted(found)} of {name} are there; expected 0, 1, 2, ... without a gap."
        )
    return [found[number] for number in sorted(found)]
