"""Keeping C libraries from printing: some lines ignore that output is off."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["quiet"]


class _Stream:
    """One of C's own streams, where the C library has them as variables (glibc, musl)."""

    def __init__(self, name: str) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved: int | None = None
        self._found = _find(name)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        """Restore the stream in a forked child, in which nobody is inside: other threads are not there."""
        self._lock = threading.Lock()
        if self._inside and self._found is not None:
            self._found[0].value = self._saved
        self._inside = 0

    @contextlib.contextmanager
    def to_nowhere(self) -> Iterator[None]:
        if self._found is None:
            yield
            return
        stream, nowhere = self._found
        with self._lock:
            if self._inside == 0:
                self._saved, stream.value = stream.value, nowhere
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    stream.value = self._saved


def _find(name: str) -> tuple[ctypes.c_void_p, int] | None:
    """Return the variable of a stream, and a stream to nowhere."""
    try:
        library = ctypes.CDLL(None)
        stream = ctypes.c_void_p.in_dll(library, name)
        library.fopen.restype = ctypes.c_void_p
        nowhere = library.fopen(b"/dev/null", b"w")
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return (stream, nowhere) if nowhere and stream.value else None


_STREAMS = {name: _Stream(name) for name in ("stdout", "stderr")}


def quiet(stream: Literal["stdout", "stderr"] = "stdout") -> contextlib.AbstractContextManager[None]:
    """Send what C code prints to nowhere; Python's own output, and the file descriptors, are left alone.

    Threads may be inside at the same time: the last to leave restores the stream.

    Example:
        >>> with quiet():
        ...     print("by Python")
        by Python
    """
    return _STREAMS[stream].to_nowhere()
