"""The sections and fields of the MPS format, read strictly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from imle_core.errors import closest
from imle_pulp._mps_lines import WITHOUT_VALUE, FormatError, counted, finite, number

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    Fields = Callable[[str, str, Mapping[str, int]], list[str]]

_SENSES: dict[str, Literal["min", "max"]] = {
    "MIN": "min",
    "MINIMIZE": "min",
    "MINIMISE": "min",
    "MAX": "max",
    "MAXIMIZE": "max",
    "MAXIMISE": "max",
}
_HEADERS = ("NAME", "OBJSENSE", "ROWS", "COLUMNS", "RHS", "RANGES", "BOUNDS", "ENDATA")
_WITH_VALUE = ("LO", "UP", "FX", "LI", "UI")


class MpsParser:
    """A text in the MPS format, taken apart.

    Args:
        text: The whole file.
        split: How a line is split into fields.

    Attributes:
        sense: Whether the objective shall be least or greatest.
        rows: The number of each row by its name; -1 for the objective, -2 for rows that are dropped.
        kinds: The type of each row: "L", "G" or "E".
        columns: The number of each column by its name.
        integer: The columns that are integers.
        objective: The costs of columns.
        constant: The constant of the objective.
        entries: The entries by ``(column, row)``.
        right: Right-hand sides of rows that have one.
        ranges: Ranges of rows that have one.

    Raises:
        FormatError: the text is not in the format.
    """

    def __init__(self, text: str, split: Fields) -> None:
        self.sense: Literal["min", "max"] = "min"
        self.rows: dict[str, int] = {}
        self.kinds: list[str] = []
        self.columns: dict[str, int] = {}
        self.integer: set[int] = set()
        self.objective: dict[int, float] = {}
        self.constant = 0.0
        self.entries: dict[tuple[int, int], float] = {}
        self.right: dict[int, float] = {}
        self.ranges: dict[int, float] = {}
        self._lower: dict[int, float] = {}
        self._upper: dict[int, float] = {}
        self._bounded: set[int] = set()
        self._between_markers: set[int] = set()
        self._in_markers = False
        self._vectors: dict[str, str] = {}
        self._seen: set[str] = set()
        self._split = split
        self._read(text)

    def bounds_of(self, column: int) -> tuple[float, float]:
        """Return the lower and the upper bound of a column."""
        binary = column in self._between_markers and column not in self._bounded
        upper = self._upper.get(column, 1.0 if binary else math.inf)
        return self._lower.get(column, -math.inf if upper < 0 else 0.0), upper

    def _read(self, text: str) -> None:
        section = ""
        for place, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
            if line.startswith("*SENSE:") and "OBJSENSE" not in self._seen:
                self.sense = _SENSES.get(line[7:].strip().upper(), self.sense)
            if not line.strip() or line.startswith("*"):
                continue
            try:
                if not line[0].isspace():
                    section = self._open(line.split())
                    if section == "ENDATA":
                        return
                else:
                    self._read_line(section, line)
            except FormatError as error:
                raise FormatError(f"line {place}: {error}") from None
        missing = [header for header in ("ROWS", "COLUMNS") if header not in self._seen]
        raise FormatError(
            f"it has no {missing[0]} section." if missing else "it ends without ENDATA; is it whole?"
        )

    def _open(self, fields: list[str]) -> str:
        """Begin a section; return its name."""
        header = fields[0].upper()
        if header not in _HEADERS:
            raise FormatError(
                f"{fields[0]!r} is none of the sections that a linear programme has ({', '.join(_HEADERS)}); lines "
                "of data begin with a blank."
            )
        if header in self._seen:
            raise FormatError(f"a second section {header}.")
        for before in {"COLUMNS": ["ROWS"], "NAME": [], "OBJSENSE": [], "ROWS": []}.get(header, ["COLUMNS"]):
            if before not in self._seen:
                raise FormatError(f"{header} before {before}.")
        self._seen.add(header)
        if header == "OBJSENSE" and len(fields) > 1:
            self._read_sense(fields[1])
        return header

    def _read_line(self, section: str, line: str) -> None:
        if section == "OBJSENSE":
            self._read_sense(line)
            return
        if section in ("", "NAME"):
            raise FormatError(f"a line of data before the section ROWS: {line.strip()[:40]!r}.")
        fields = self._split(section, line, self.columns)
        if section == "ROWS":
            self._read_row(*counted(fields, 2))
        elif section == "COLUMNS":
            self._read_column(counted(fields, 3, 5))
        elif section == "BOUNDS":
            self._read_bound(*counted(fields, 3, 4))
        else:
            self._read_vector(section, *counted(fields, 3, 5))

    def _read_sense(self, word: str) -> None:
        try:
            self.sense = _SENSES[word.strip().upper()]
        except KeyError:
            raise FormatError(f"OBJSENSE is MIN or MAX, not {word.strip()!r}.") from None

    def _read_row(self, kind: str, name: str) -> None:
        if name in self.rows:
            raise FormatError(f"a second row {name!r}.")
        kind = kind.upper()
        if kind == "N":
            self.rows[name] = -2 if -1 in self.rows.values() else -1
        elif kind in ("L", "G", "E"):
            self.rows[name] = len(self.kinds)
            self.kinds.append(kind)
        else:
            raise FormatError(f"the type of row {name!r} is N, L, G or E, not {kind!r}.")

    def _read_column(self, fields: list[str]) -> None:
        if fields[1].strip("'") == "MARKER":
            self._read_marker(fields[-1].strip("'"))
            return
        column = self.columns.setdefault(fields[0], len(self.columns))
        if column < len(self.columns) - 1:
            raise FormatError(f"column {fields[0]!r} has ended, with other columns after it.")
        if self._in_markers:
            self.integer.add(column)
            self._between_markers.add(column)
        for name, value in zip(fields[1::2], fields[2::2], strict=True):
            row, what = _look_up("row", name, self.rows), f"entry of column {fields[0]!r} in row {name!r}"
            entry = finite(value, what)
            if row == -1:
                _enter(self.objective, column, entry, what)
            elif row >= 0:
                _enter(self.entries, (column, row), entry, what)

    def _read_marker(self, marker: str) -> None:
        if marker not in ("INTORG", "INTEND"):
            raise FormatError(f"the marker {marker!r} is none of a linear programme: INTORG or INTEND.")
        self._in_markers = marker == "INTORG"

    def _read_vector(self, section: str, vector: str, *fields: str) -> None:
        self._require_one(section, vector)
        for name, value in zip(fields[::2], fields[1::2], strict=True):
            row, what = _look_up("row", name, self.rows), f"entry of {section} for row {name!r}"
            entry = finite(value, what)
            if row >= 0:
                _enter(self.right if section == "RHS" else self.ranges, row, entry, what)
            elif row == -1 and section == "RHS":
                self.constant = -entry

    def _read_bound(self, kind: str, vector: str, name: str, value: str = "") -> None:
        self._require_one("BOUNDS", vector)
        kind = kind.upper()
        if kind not in WITHOUT_VALUE + _WITH_VALUE:
            raise FormatError(
                f"a bound {kind!r} of column {name!r}, which no linear programme has: semicontinuous variables are not "
                f"supported. Bounds: {', '.join(_WITH_VALUE + WITHOUT_VALUE)}."
            )
        column = _look_up("column", name, self.columns)
        self._bounded.add(column)
        if kind in ("BV", "LI", "UI"):
            self.integer.add(column)
        lower, upper = _sides(kind, 0.0 if kind in WITHOUT_VALUE else number(value))
        for bounds, side, bound in ((self._lower, "lower", lower), (self._upper, "upper", upper)):
            # The same bound may come twice: files have a BV and a UP of 1.
            if bound is not None and bounds.setdefault(column, bound) != bound:
                raise FormatError(f"a second {side} bound of column {name!r}.")

    def _require_one(self, section: str, vector: str) -> None:
        first = self._vectors.setdefault(section, vector)
        if first != vector:
            raise FormatError(f"{section} has several vectors, {first!r} and {vector!r}: keep one of them.")


def _sides(kind: str, value: float) -> tuple[float | None, float | None]:
    """Return the lower and the upper bound that one line gives; None: that side is left alone."""
    lower = {"LO": value, "LI": value, "FX": value, "BV": 0.0, "FR": -math.inf, "MI": -math.inf}
    upper = {"UP": value, "UI": value, "FX": value, "BV": 1.0, "FR": math.inf, "PL": math.inf}
    return lower.get(kind), upper.get(kind)


def _look_up(kind: str, name: str, names: Mapping[str, int]) -> int:
    try:
        return names[name]
    except KeyError:
        raise FormatError(f"there is no {kind} {name!r}.{closest(name, names)}") from None


def _enter(values: dict[Any, float], key: Hashable, value: float, what: str) -> None:
    if key in values:
        raise FormatError(f"a second {what}.")
    values[key] = value
