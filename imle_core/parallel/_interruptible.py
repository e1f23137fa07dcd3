"""Calls of solver libraries that Ctrl-C ends."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_threads: ThreadPoolExecutor | None = None

PATIENCE = 0.05
"""Seconds until a search that goes on is asked to stop again: it may not have begun when it was asked first."""


def interruptible(call: Callable[[], T], stop: Callable[[], object]) -> T:
    """Return ``call()``, a search of a library that releases the GIL, and stop it at Ctrl-C.

    Python hears signals in its main thread, and between two steps of its own: while a library searches there, never.
    So the main thread waits, and another one searches. In other threads the call is made as it is.

    Args:
        call: The search.
        stop: Asks it to end soon; from another thread, and more than once.

    Raises:
        BaseException: what the call raised; KeyboardInterrupt, after the search has ended.

    Example:
        >>> interruptible(lambda: 2 + 2, stop=lambda: None)
        4
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    searching: Future[T] | None = None
    try:
        searching = _beside().submit(call)
        return searching.result()
    except BaseException:
        while searching is not None and not searching.done():
            stop()
            wait([searching], PATIENCE)
        raise


def _beside() -> ThreadPoolExecutor:
    """Return a thread that is kept: in a new one libraries begin with memory of their own, for half a millisecond.

    One is used at a time, but where a handler of a signal solves as well.
    """
    global _threads
    if _threads is None:
        _threads = ThreadPoolExecutor(8, thread_name_prefix="imle-beside")
    return _threads


def _forget() -> None:
    """Drop the thread in a forked child, which inherits the object without it."""
    global _threads
    _threads = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
