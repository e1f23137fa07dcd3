"""Reading a training run: from a file or from records, verified, and put into columns."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from imle_core.errors import RecordError

from ._json_lines import from_json
from ._run import LayerRun, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._run import Column
    from ._sink import Record

    Records: TypeAlias = Iterable[Record] | str | os.PathLike[str]

_COUNTS = ("rows", "samples", "solves", "timeouts")
_SHARES = ("zero_rows", "gradient_norm")
_OPTIONAL = ("lam", "agreement")
_MOST = 2**53  # of steps, counts and seconds; beyond it, float64 does not tell whole numbers apart


@dataclass
class _Part:
    """What lies between two beginnings of the steps."""

    offset: int = 0
    last: dict[str | None, int] = field(default_factory=dict)
    times: tuple[float, float] | None = None
    span: tuple[int, int] | None = None

    def restarts_at(self, layer: str | None, step: int) -> bool:
        """Whether this step is of a new part: each layer's steps increase, the user's own do not decrease."""
        last = self.last.get(layer)
        return last is not None and (step < last if layer is None else step <= last)

    def add(self, layer: str | None, step: int, time: float) -> None:
        self.last[layer] = step
        self.times = (self.times or (time, time))[0], time
        low, high = self.span or (step, step)
        self.span = min(low, step), max(high, step)


def read_run(source: Records) -> Run:
    """Read a run from the path of a file that :class:`JSONLines` wrote, or from records.

    Raises:
        RecordError: there is no such file, no record in it, or something that is no record.
    """
    notes: list[str] = []
    records = _read(Path(source), notes) if isinstance(source, (str, os.PathLike)) else _numbered(source)
    reports: dict[str, list[Record]] = defaultdict(list)
    steps: dict[str, list[int]] = defaultdict(list)
    values: dict[str, list[tuple[int, float]]] = defaultdict(list)
    parts = [_Part()]
    count = 0
    for where, record in records:
        _verify(where, record)
        count += 1
        layer, step = record.get("layer"), int(record["step"])
        if layer is not None:
            layer = _printable(layer)
        if parts[-1].restarts_at(layer, step):
            before = parts[-1]
            parts.append(_Part(offset=before.offset + max(before.last.values())))
        parts[-1].add(layer, step, float(record["time"]))
        step += parts[-1].offset
        if layer is not None:
            reports[layer].append(record)
            steps[layer].append(step)
            continue
        for name, value in record.items():
            if name not in ("time", "step", "layer") and _is_number(value):
                values[_printable(name)].append((step, float(value)))
    if not count:
        raise RecordError(f"{_called(source)} no records.{' ' + notes[0] if notes else ''}")
    if not reports:
        raise RecordError(f"{_called(source)} no report of a solver layer, only values logged beside them.")
    if len(parts) > 1:
        notes.append(
            f"The steps begin anew {len(parts) - 1} times (a run that was continued) and are counted on."
        )
    return Run(
        layers=tuple(_layer_run(name, reports[name], steps[name]) for name in reports),
        values={name: _columns(pairs) for name, pairs in values.items()},
        began=float(parts[0].times[0]) if parts[0].times else 0.0,
        wall=sum(part.times[1] - part.times[0] for part in parts if part.times),
        steps=max(max(each) for each in steps.values()),
        covered=sum(part.span[1] - part.span[0] for part in parts if part.span),
        parts=len(parts),
        records=count,
        notes=tuple(notes),
    )


def _called(source: Records) -> str:
    return f"{os.fspath(source)} holds" if isinstance(source, (str, os.PathLike)) else "There are"


def _numbered(records: Iterable[Record]) -> Iterator[tuple[str, Any]]:
    for number, record in enumerate(records, start=1):
        yield f"record {number}", record


def _read(path: Path, notes: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the place and the record of each line; an unfinished last line is left out, with a note."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    record = from_json(line)
                except ValueError as error:
                    if not line.endswith("\n") and number > 1:
                        notes.append(f"The last line ({number}) is unfinished and was left out.")
                        return
                    raise RecordError(
                        f"{path}, line {number}: this is not JSON ({error}): {line.strip()[:60]!r}. What is read is a "
                        "file that imle_core.diagnostics.JSONLines wrote."
                    ) from error
                yield f"{path}, line {number}", record
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} is not text; what is read is a file of JSONLines.") from error
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}.") from error


def _verify(where: str, record: Any) -> None:
    """Raise RecordError unless this is a record of a layer, or of the user's own values."""

    def fail(what: str) -> RecordError:
        return RecordError(
            f"{where}: {what}, so this is no record of imle_core.diagnostics. A record has 'time' and 'step'; one of a "
            "layer also the figures of Report.as_dict()."
        )

    if not hasattr(record, "keys"):
        raise fail(f"a {type(record).__name__} and no mapping")
    if not all(isinstance(name, str) for name in record):
        raise fail("not all of its names are text")
    layer = record.get("layer")
    wanted: tuple[str, ...] = ("time", "step")
    if layer is not None:
        if not isinstance(layer, str) or not isinstance(record.get("solver"), str):
            raise fail("'layer' and 'solver' are not both text")
        wanted += _COUNTS + _SHARES
    for name in wanted:
        if name not in record:
            raise fail(f"{name!r} is missing")
    grouped = () if layer is None else tuple(name for name in record if "/" in name)
    for name in (*wanted, *_OPTIONAL, *grouped):
        value = record.get(name)
        if not _is_number(value) and not (value is None and name not in wanted):
            raise fail(f"{name!r} is {_shown(value)} and no number")
    for name, value in record.items():
        if isinstance(value, int) and abs(value) > sys.float_info.max:
            raise fail(f"{name!r} is {_shown(value)}, larger than any float64")
    counts = ("step",) if layer is None else ("step", *_COUNTS, *grouped)
    ranges = dict.fromkeys(counts, (0, _MOST)) | {"time": (-_MOST, _MOST)}
    if layer is not None:
        ranges |= {"zero_rows": (0, 1), "agreement": (0, 1)}
    for name, (low, high) in ranges.items():
        value = record.get(name)
        if value is not None and not low <= value <= high:
            raise fail(f"{name!r} is {_shown(value)}, not between {low} and {high}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    """Return what a record holds in at most one line."""
    if isinstance(value, int) and abs(value) > _MOST:  # text of a very long one is refused by Python
        return f"a whole number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _printable(text: str) -> str:
    r"""Return a text that every file and terminal takes: JSON can hold half a character, such as ``\ud800``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _layer_run(name: str, records: list[Record], steps: list[int]) -> LayerRun:
    fixed = dict.fromkeys((*_COUNTS, *_SHARES, *_OPTIONAL), np.nan)
    # What was not there at first (a cause of avoided solves, say) was none.
    found = {figure: 0.0 for record in records for figure in record if "/" in figure}
    columns: dict[str, Column] = {}
    for figure, missing in (fixed | found).items():
        column = [record.get(figure) for record in records]
        columns[_printable(figure)] = np.array(
            [missing if value is None else value for value in column], dtype=np.float64
        )
    estimators = tuple(dict.fromkeys(_printable(str(record.get("estimator", ""))) for record in records))
    solver = _printable(records[-1]["solver"])
    return LayerRun(name, solver, estimators, np.array(steps, dtype=np.float64), columns)


def _columns(pairs: list[tuple[int, float]]) -> tuple[Column, Column]:
    table = np.array(pairs, dtype=np.float64)
    return table[:, 0], table[:, 1]
