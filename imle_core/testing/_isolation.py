"""What a solver prints, also past Python, and what it warns of: caught while a check runs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
import warnings
from dataclasses import dataclass
from io import StringIO
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Output:
    """What was printed."""

    text: str = ""


@contextlib.contextmanager
def captured(output: Output) -> Iterator[None]:
    """Collect what is written to the standard streams: by Python, and to the file descriptors 1 and 2."""
    printed = StringIO()
    _flush()
    saved = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile(mode="w+", errors="replace") as file:
        try:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                yield
        finally:
            _flush()
            for descriptor, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)
            output.text += printed.getvalue() + _read(file)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what is printed and warned of, so that a noisy solver fails the checks of that and no other."""
    with captured(Output()), without_warnings():
        yield


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore warnings, also where they would be errors."""
    with warnings.catch_warnings():
        # no filter that a solver could add, which would then change nothing
        warnings.filterwarnings("ignore", message=".*")
        yield


def _flush() -> None:
    """Flush Python's buffers and C's: what is in them belongs to the side that wrote it."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with contextlib.suppress(OSError, TypeError, AttributeError):  # no C library to be found by this name
        ctypes.CDLL(None).fflush(None)


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
