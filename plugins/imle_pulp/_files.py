"""Programmes in files of the MPS format, plain or compressed."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imle_core.errors import SolverParameterError
from imle_pulp._lower import Model
from imle_pulp._mps import MpsParser
from imle_pulp._mps_lines import FormatError, fixed_fields, free_fields
from imle_pulp._program import Program

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

_GZIP = b"\x1f\x8b"
_HUGE = 1e20
"""From this magnitude on a bound is none, as every reader of the format has it."""


def read_mps(path: str | os.PathLike[str]) -> Model:
    r"""Read a programme from a file of the MPS format.

    .. math:: \min_x \text{ or } \max_x \; c^\top x + c_0 \quad \text{s.t.} \quad l_r \le A x \le u_r, \;
       l \le x \le u, \; x_j \in \mathbb{Z} \text{ for } j \in I

    Free and fixed form are told apart by themselves: a file is read in fixed form, whose names may hold spaces, where
    it makes no sense in the free one. Where the format leaves a choice, the one of CPLEX, CBC and HiGHS is taken:

    - Integer columns between markers that have no bound at all are binary.
    - An upper bound below 0 without a lower bound leaves the column without one.
    - ``MI`` takes the lower bound away and leaves the upper one alone.
    - The negative of the objective's right-hand side is its constant.
    - Rows of type ``N`` after the first are dropped.
    - The sense is the one of ``OBJSENSE``; without it, of the comment ``*SENSE:Maximize`` that PuLP writes; without
      either, the least is wanted.

    Nothing is guessed beyond that: what is neither known nor a number is an error that names the line.

    Args:
        path: The file; one compressed by gzip is known by its first bytes, whatever its name.

    Returns:
        The programme with its objective, as :func:`imle_pulp._lower.lower` makes it of a model of PuLP.

    Raises:
        SolverParameterError: there is no such file, it cannot be read, or it is no MPS file; it has several vectors of
            right-hand sides, ranges or bounds; or it holds what is no linear programme: semicontinuous variables,
            special ordered sets, indicators, quadratic terms.

    References:
        IBM (1971), Mathematical Programming System/360, the fixed form. Bixby, Ceria, McZeal and Savelsbergh (1998), An
        updated mixed integer programming library: MIPLIB 3.0.

    Example:
        >>> import pathlib, tempfile
        >>> text = '''NAME  tiny
        ... ROWS
        ...  N  profit
        ...  L  weight
        ... COLUMNS
        ...     x  profit  3  weight  2
        ...     y  profit  2  weight  1
        ... RHS
        ...     RHS  weight  2
        ... BOUNDS
        ...  BV BND  x
        ... ENDATA
        ... '''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "tiny.mps")
        ...     _ = path.write_text(text)
        ...     model = read_mps(path)
        >>> model.program.names, model.maximise, model.objective.tolist(), model.program.integer.tolist()
        (('x', 'y'), False, [3.0, 2.0], [True, False])
    """
    text = _text(Path(path))
    if not text.strip():
        raise SolverParameterError(f"{path} is empty; expected a programme in the MPS format.")
    try:
        return _lower(_parse(text))
    except FormatError as error:
        raise SolverParameterError(f"{path} is no MPS file that can be read: {error}") from None


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SolverParameterError(
            f"there is no file {path}; give the path of an MPS file or an LpProblem."
        ) from None
    except OSError as error:
        raise SolverParameterError(f"{path} cannot be read: {error.strerror}.") from error
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise SolverParameterError(f"{path} is not a whole gzip file: {error}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _parse(text: str) -> MpsParser:
    """Parse in free form, and where that makes no sense in fixed form; the error is that of the free form."""
    try:
        return MpsParser(text, free_fields)
    except FormatError as error:
        try:
            return MpsParser(text, fixed_fields)
        except FormatError:
            raise error from None


def _lower(mps: MpsParser) -> Model:
    height, width = len(mps.kinds), len(mps.columns)
    row_names = tuple(name for name, row in mps.rows.items() if row >= 0)
    row_lower, row_upper = _unless_beyond(row_names, *_limits(mps))
    bounds = np.array([mps.bounds_of(column) for column in range(width)], dtype=float).reshape(-1, 2)
    lower, upper = _unless_beyond(tuple(mps.columns), *bounds.T)
    rows, columns, values = _entries(mps)
    objective = np.zeros(width)
    objective[list(mps.objective)] = list(mps.objective.values())
    integer = np.zeros(width, bool)
    integer[list(mps.integer)] = True
    program = Program(
        cost=np.zeros(width),
        starts=np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=height))]).astype(np.int32),
        columns=columns,
        values=values,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=integer,
        names=tuple(mps.columns),
        row_names=row_names,
    )
    return Model(program, objective, mps.constant, maximise=mps.sense == "max")


def _entries(mps: MpsParser) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return the entries in order of rows, and of columns within each: rows, columns and values."""
    places = np.array(list(mps.entries), dtype=np.int64).reshape(-1, 2)
    values = np.array(list(mps.entries.values()), dtype=float)
    order = np.lexsort((places[:, 0], places[:, 1]))
    return places[order, 1], places[order, 0].astype(np.int32), values[order]


def _limits(mps: MpsParser) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest value of each row, from its type, right-hand side and range."""
    kinds = np.array(mps.kinds, dtype="U1")
    right = np.zeros(len(kinds))
    right[list(mps.right)] = list(mps.right.values())
    span = np.where(kinds == "E", 0.0, np.inf)
    span[list(mps.ranges)] = list(mps.ranges.values())
    # A range of an equation says by its sign on which side of the right-hand side the row may lie.
    below = (kinds == "L") | ((kinds == "E") & (span < 0))
    return np.where(below, right - np.abs(span), right), np.where(below, right, right + np.abs(span))


def _unless_beyond(
    names: tuple[str, ...], lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return limits with infinities for huge ones, or raise FormatError where nothing finite could hold them."""
    beyond = np.flatnonzero((lower >= _HUGE) | (upper <= -_HUGE))
    if len(beyond):
        raise FormatError(f"the limits of {names[beyond[0]]!r} are infinite on the wrong side.")
    return np.where(lower <= -_HUGE, -np.inf, lower), np.where(upper >= _HUGE, np.inf, upper)
