"""Files that a user names on the command line; a mistake is an error that says which file and what is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imle_core.errors import ImleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARRAYS = (".npy", ".npz", ".csv", ".txt", ".json")


class CommandLineError(ImleError, ValueError):
    """What the user gave on the command line cannot be used."""


def read_json(path: str) -> Any:
    """Return what a file of JSON holds; ``-`` reads from stdin.

    Raises:
        CommandLineError: the file cannot be read, or is no JSON.
    """
    text = _text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandLineError(f"{_called(path)} is not JSON: {error}.") from error


def read_array(path: str) -> NDArray[Any]:
    """Return the array in a file: .npy, .npz with one array, .csv or .txt, .json; ``-`` reads JSON from stdin.

    Raises:
        CommandLineError: the file cannot be read, or holds no array of numbers.
    """
    import numpy as np

    suffix = ".json" if path == "-" else Path(path).suffix.lower()
    if suffix not in ARRAYS:
        raise CommandLineError(
            f"{_called(path)}: an array is read from {', '.join(ARRAYS)}, or '-' for JSON from stdin."
        )
    try:
        if suffix == ".json":
            array = np.asarray(read_json(path))
        elif suffix in (".npy", ".npz"):
            with open(path, "rb") as file:  # without pickles, which could run code
                array = _only(np.load(file, allow_pickle=False), path)
        else:
            array = _table(_text(path))
    except OSError as error:
        raise _unreadable(path, error) from error
    except CommandLineError:
        raise
    except Exception as error:  # what NumPy and zipfile raise of a broken file is of many kinds
        # NumPy says that it may hold a pickle, and how to run what is in it: no advice to pass on.
        damaged = "it is damaged, or holds Python objects"
        reason = damaged if suffix in (".npy", ".npz") else _one_line(error)
        raise CommandLineError(f"{_called(path)} holds no array of numbers: {reason}.") from error
    if not (np.issubdtype(array.dtype, np.number) and np.isrealobj(array)):
        raise CommandLineError(
            f"{_called(path)} holds {array.dtype}, not real numbers in rows of equal length."
        )
    return array


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array under exactly this name: as .npy, or one row a line if the name ends in .csv or .txt.

    Raises:
        CommandLineError: the file cannot be written, or the name promises another format.
    """
    import numpy as np

    suffix = path.suffix.lower()
    if suffix in (".npz", ".json"):
        raise CommandLineError(
            f"{str(path)!r}: an array is written as .npy, .csv or .txt; take another name."
        )
    try:
        with path.open("wb") as file:
            if suffix in (".csv", ".txt"):
                rows = array.reshape(len(array), -1) if array.ndim > 1 else array[None]
                np.savetxt(file, rows, fmt="%.17g", delimiter="," if suffix == ".csv" else " ")
            else:
                np.save(file, array)
    except OSError as error:
        raise CommandLineError(f"{str(path)!r} cannot be written: {error.strerror}.") from error


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise CommandLineError(f"{_called(path)} is not text in UTF-8: {_one_line(error)}.") from error


def _table(text: str) -> NDArray[Any]:
    """Return lines of numbers, separated by commas, semicolons, tabs or spaces; '#' begins a comment."""
    import numpy as np

    delimiter = next((sign for sign in ",;\t" if sign in text.partition("#")[0] or sign in text), None)
    lines = [line for line in text.splitlines() if line.partition("#")[0].strip()]
    if not lines:
        raise ValueError("it is empty")
    table = np.loadtxt(lines, delimiter=delimiter, ndmin=2)
    return table[0] if len(table) == 1 else table


def _only(loaded: Any, path: str) -> NDArray[Any]:
    import numpy as np

    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
        if len(loaded.files) != 1:
            raise CommandLineError(
                f"{_called(path)} holds {len(loaded.files)} arrays ({', '.join(loaded.files)}); save one alone."
            )
        return loaded[loaded.files[0]]


def _unreadable(path: str, error: OSError) -> CommandLineError:
    return CommandLineError(f"{_called(path)} cannot be read: {error.strerror or error}.")


def _called(path: str) -> str:
    return "stdin" if path == "-" else repr(path)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
