"""The instances of MIPLIB 3.0, where they are at hand."""

import itertools
import os
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(os.environ.get("IMLE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "miplib3"
REASON = f"no MIPLIB: {FOLDER} is not there (set IMLE_DATA)"


def files():
    """Return the path of each instance by its name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.gz"))}


class Optimum(NamedTuple):
    """The catalogue's optimum of an instance, and one unit of its last digit."""

    value: float
    unit: float


def optima():
    """Return the optimum of each instance of which the catalogue has a proven one."""
    lines = (FOLDER / "miplib3.cat").read_text(encoding="latin-1").splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:4] == ["NAME", "ROWS", "COLS", "INT"])
    found = {}
    for line, after in itertools.pairwise(lines[start + 2 :]):
        if not line.strip():
            break
        fields = line.split()
        if len(fields) == 8 and "not opt" not in after:
            value, relaxed = Decimal(fields[6]), Decimal(fields[7])
            # Everything is minimised; the catalogue's figure for mas76, below its relaxation, lacks a digit.
            if value >= relaxed:
                found[fields[0]] = Optimum(float(value), 10.0 ** value.as_tuple().exponent)
    return found
