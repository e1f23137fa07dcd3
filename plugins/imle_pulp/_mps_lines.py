"""How a line of the MPS format is split into fields, in its free and in its fixed form."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHOUT_VALUE = ("FR", "MI", "PL", "BV")
"""The bounds that have no number."""

_FIELDS = (slice(1, 3), slice(4, 12), slice(14, 22), slice(24, 36), slice(39, 47), slice(49, 61))
"""Where the six fields of a line in fixed form are: characters 2-3, 5-12, 15-22, 25-36, 40-47 and 50-61."""
_GAPS = (
    slice(0, 1),
    slice(3, 4),
    slice(12, 14),
    slice(22, 24),
    slice(36, 39),
    slice(47, 49),
    slice(61, None),
)


class FormatError(Exception):
    """A text is not in the MPS format, or says what no linear programme can; the message names the line."""


def free_fields(section: str, line: str, columns: Mapping[str, int]) -> list[str]:
    """Split a line at blanks; the names of vectors, which may be left out in free form, are put in."""
    fields = line.split()
    if section in ("RHS", "RANGES") and len(fields) % 2 == 0:
        return ["", *fields]
    if section == "BOUNDS":
        whole = 3 if fields[0].upper() in WITHOUT_VALUE else 4
        # Some writers give a bound without a value one all the same: then the column stands before the last field.
        if len(fields) == whole - 1 or (len(fields) == whole == 3 and fields[2] not in columns):
            return [fields[0], "", *fields[1:]]
    return fields


def fixed_fields(section: str, line: str, columns: Mapping[str, int]) -> list[str]:
    """Cut a line at the places of the fixed form, where names may hold blanks."""
    code, *fields = (line[place].strip() for place in _FIELDS)
    coded = section in ("ROWS", "BOUNDS")
    if "\t" in line or any(line[gap].strip() for gap in _GAPS) or (code and not coded):
        raise FormatError(f"text between the fields of the fixed form: {line!r}.")
    if section == "COLUMNS":
        return [field for field in fields if field]  # a marker leaves a number out
    while fields and not fields[-1]:
        fields.pop()
    return [code, *fields] if coded else fields


def counted(fields: list[str], *counts: int) -> list[str]:
    """Return the fields of a line, or raise FormatError unless their number is one of these."""
    if len(fields) not in counts:
        raise FormatError(
            f"{len(fields)} fields where {' or '.join(map(str, counts))} are expected: {' '.join(fields)[:60]!r}."
        )
    return fields


def number(text: str) -> float:
    """Return a number; its exponent may be written with a D, as in Fortran."""
    try:
        value = float(text.upper().replace("D", "E"))
    except ValueError:
        value = math.nan
    if math.isnan(value) or "_" in text:
        raise FormatError(f"{text!r} is no number.")
    return value


def finite(text: str, what: str) -> float:
    """Return a number that is finite."""
    value = number(text)
    if math.isinf(value):
        raise FormatError(f"the {what} is infinite.")
    return value
