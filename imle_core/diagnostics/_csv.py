"""Records of a run as a table."""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING

from imle_core.errors import RecordError

from ._files import claim, cut_partial_line, first_line

if TYPE_CHECKING:
    from ._sink import Record

_ALWAYS = ("time", "step", "layer")


class CSVFile:
    """Write each record as one row of a table with a header, for a spreadsheet or ``pandas.read_csv``.

    A name that appears later (the first time-out of a kind, a value logged once an epoch) becomes one more column at
    the right end: the file is then written anew beside itself, with empty cells in the rows before, and put in place in
    one step. Otherwise rows are only appended, and each is in the file as soon as its record was written. What a
    record lacks is an empty cell; the user's own values have no layer.

    Args:
        path: The file; its folder is made if it is not there.
        append: Go on with the file of an interrupted run. By default a file that holds something is refused.

    Raises:
        RecordError: the file holds something, or, with ``append``, something else than such a table.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = CSVFile(f"{folder}/run.csv")
        ...     file.write({"time": 0.5, "step": 1, "loss": 0.25})
        ...     file.write({"time": 1.5, "step": 2, "loss": 0.125, "accuracy": 0.75})
        ...     file.close()
        ...     print(pathlib.Path(folder, "run.csv").read_text())
        time,step,layer,loss,accuracy
        0.5,1,,0.25,
        1.5,2,,0.125,0.75
        <BLANKLINE>
    """

    def __init__(self, path: str | os.PathLike[str], *, append: bool = False) -> None:
        self.path = claim(path, append=append)
        self._columns: list[str] = []
        if line := first_line(self.path):
            self._columns = next(csv.reader([line]))
            if not set(_ALWAYS) <= set(self._columns):
                raise RecordError(
                    f"{self.path} is no table of records, so none are appended. Its first line is {line[:60]!r}."
                )
            cut_partial_line(self.path)
            if not self.path.stat().st_size:  # the header itself was unfinished
                self._columns = []
        self._open()

    def write(self, record: Record) -> None:
        """Write the record as one row."""
        known = set(self._columns)
        new = [name for name in (*(() if known else _ALWAYS), *record) if name not in known]
        if new:
            self._widen(list(dict.fromkeys(new)))
        self._writer.writerow([record.get(name) for name in self._columns])
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> None:
        self._file = self.path.open("a", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")

    def _widen(self, new: list[str]) -> None:
        """Write the file anew with more columns, and put it in the place of the old one in one step."""
        self._columns += new
        self._file.close()
        beside = self.path.with_name(self.path.name + ".part")
        with (
            self.path.open(newline="", encoding="utf-8") as old,
            beside.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self._columns)
            rows = csv.reader(old)
            next(rows, None)
            for row in rows:
                writer.writerow(row + [""] * len(new))
        os.replace(beside, self.path)
        self._open()
