"""Calls of solver libraries that Ctrl-C ends."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

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
    with ThreadPoolExecutor(1) as beside:
        searching: Future[T] | None = None
        try:
            searching = beside.submit(call)
            return searching.result()
        except BaseException:
            while searching is not None and not searching.done():
                stop()
                wait([searching], PATIENCE)
            raise
