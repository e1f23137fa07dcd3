"""Records of a run as scalars of TensorBoard."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from imle_core.errors import MissingDependencyError

if TYPE_CHECKING:
    from ._sink import Record


class TensorBoard:
    """Write each figure as a scalar: ``"planner.layer/gradient_norm"`` for a layer's, ``"loss"`` for the user's own.

    Args:
        writer: An object with ``add_scalar(tag, value, step)``, which stays its owner's to close; or a folder, for
            which a ``torch.utils.tensorboard.SummaryWriter`` is made, and closed.

    Raises:
        MissingDependencyError: a folder was given, and tensorboard is not installed.

    Example:
        >>> class Writer:
        ...     def add_scalar(self, tag, value, step):
        ...         print(tag, value, step)
        >>> TensorBoard(Writer()).write({"time": 0.0, "step": 7, "layer": "planner", "lam": 0.5})
        planner/lam 0.5 7
    """

    def __init__(self, writer: Any) -> None:
        self._owned = isinstance(writer, (str, os.PathLike))
        if not self._owned and not callable(getattr(writer, "add_scalar", None)):
            raise TypeError(f"TensorBoard takes a writer with add_scalar, or a folder; got {writer!r}.")
        self._writer = _summary_writer(writer) if self._owned else writer

    def write(self, record: Record) -> None:
        """Write the numbers of the record; what was not measured is left out."""
        layer = record.get("layer")
        for name, value in record.items():
            if name not in ("time", "step") and isinstance(value, (int, float)):
                self._writer.add_scalar(f"{layer}/{name}" if layer else name, value, record["step"])

    def close(self) -> None:
        """Close the writer that was made for a folder; flush one that was given."""
        if self._owned:
            self._writer.close()
        elif flush := getattr(self._writer, "flush", None):
            flush()


def _summary_writer(folder: str | os.PathLike[str]) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingDependencyError(
            f"TensorBoard({os.fspath(folder)!r}) needs tensorboard, which cannot be imported ({error}). "
            "Install with: pip install tensorboard"
        ) from error
    return SummaryWriter(os.fspath(folder))
