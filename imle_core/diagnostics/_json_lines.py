"""Records of a run as lines of JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from imle_core.errors import RecordError

from ._files import claim, cut_partial_line, first_line

if TYPE_CHECKING:
    import os

    from ._sink import Record

_NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TEXTS = ("layer", "solver", "estimator")  # of a record; a layer may be called NaN


class JSONLines:
    r"""Write each record as one line of JSON, what :func:`write_html` and ``imle report`` read.

    A line is complete in the file as soon as its record was written, so a run that is killed loses nothing. JSON has no
    numbers that are not finite: they are written as the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.

    Args:
        path: The file; its folder is made if it is not there.
        append: Go on with the file of an interrupted run. By default a file that holds something is refused.

    Raises:
        RecordError: the file holds something, or, with ``append``, something else than records.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = JSONLines(f"{folder}/run.jsonl")
        ...     file.write({"time": 0.0, "step": 1, "loss": float("inf")})
        ...     file.close()
        ...     pathlib.Path(folder, "run.jsonl").read_text()
        '{"time": 0.0, "step": 1, "loss": "Infinity"}\n'
    """

    def __init__(self, path: str | os.PathLike[str], *, append: bool = False) -> None:
        self.path = claim(path, append=append)
        if line := first_line(self.path):
            if not _is_record(line):
                raise RecordError(
                    f"{self.path} holds no records, so none are appended. Its first line is {line[:60]!r}."
                )
            cut_partial_line(self.path)
        # One write a line: line-buffered text would be flushed in pieces where a line is longer than the buffer.
        self._file = self.path.open("ab", buffering=0)

    def write(self, record: Record) -> None:
        """Write the record as one line."""
        self._file.write(f"{to_json(record)}\n".encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def to_json(record: Record) -> str:
    """Return a record as valid JSON in one line."""
    try:
        return json.dumps(record, allow_nan=False)
    except ValueError:
        return json.dumps({name: _named(value) for name, value in record.items()}, allow_nan=False)


def from_json(line: str) -> Any:
    """Return what a line of JSON holds; of an object, with its numbers that are not finite as such.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(value, dict):
        return {
            name: _NAMES.get(entry, entry) if isinstance(entry, str) and name not in _TEXTS else entry
            for name, entry in value.items()
        }
    return value


def _named(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _is_record(line: str) -> bool:
    try:
        record = from_json(line)
    except ValueError:
        return False
    return isinstance(record, dict) and {"time", "step"} <= record.keys()
