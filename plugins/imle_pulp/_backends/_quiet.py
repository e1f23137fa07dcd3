"""Keeping HiGHS 1.12 from printing: one line of its MIP solver ignores that output is off."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_saved: int | None = None


def _streams() -> tuple[ctypes.c_void_p, int] | None:
    """Return C's own ``stdout`` and a stream to nowhere, where the C library has them as variables (glibc, musl)."""
    try:
        library = ctypes.CDLL(None)
        stdout = ctypes.c_void_p.in_dll(library, "stdout")
        library.fopen.restype = ctypes.c_void_p
        nowhere = library.fopen(b"/dev/null", b"w")
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return (stdout, nowhere) if nowhere and stdout.value else None


_found = _streams()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what C code prints to nowhere; Python's own output, and the file descriptors, are left alone.

    Threads may be inside at the same time: the last to leave restores the stream.
    """
    global _inside, _saved
    if _found is None:
        yield
        return
    stdout, nowhere = _found
    with _lock:
        if _inside == 0:
            _saved, stdout.value = stdout.value, nowhere
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                stdout.value = _saved
