"""Calls of solver libraries that Ctrl-C ends."""

from __future__ import annotations

import _thread
import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

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
        BaseException: what the call raised; KeyboardInterrupt, when the search has ended. A second Ctrl-C leaves it to
            end by itself.

    Example:
        >>> interruptible(lambda: 2 + 2, stop=lambda: None)
        4
    """
    global _latest
    # Nor where a handler of a signal solves while the main thread waits, or a search was left to end by itself.
    if threading.current_thread() is not threading.main_thread() or not (_latest is None or _latest.over):
        return call()
    try:
        jobs = _beside()
    except RuntimeError:  # the interpreter ends, and starts no more threads
        return call()
    job = _Job(call)
    # An interrupt may come between any two steps: what threads share are single steps in C, and may be done twice.
    try:
        _latest = job
        jobs.put(job)
        job.ended.acquire()
    except BaseException:
        job.wanted = False
        jobs.put(job)
        while not (job.over or job.ended.acquire(timeout=PATIENCE)):
            stop()
        raise
    return job.answer()


class _Job(Generic[T]):
    """A call, and what came of it; it is made once at most, however often it is run."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call: Callable[[], T] | None = call
        self._answer: list[T] = []
        self._error: BaseException | None = None
        self.wanted = True
        self.over = False
        self.ended = threading.Lock()
        self.ended.acquire()

    def run(self) -> None:
        call, self._call = self._call, None
        if call is None:
            return
        try:
            if self.wanted:
                self._answer.append(call())
        except BaseException as error:
            self._error = error
        self.over = True
        self.ended.release()

    def answer(self) -> T:
        error, self._error = self._error, None  # whose traceback holds this object
        if error is None:
            return self._answer[0]
        try:
            raise error
        finally:
            del error


def _beside() -> SimpleQueue[_Job[Any]]:
    """Return the jobs of a thread that is kept: in a new one libraries begin with memory of their own, and slowly."""
    global _jobs
    if _jobs is None:
        jobs: SimpleQueue[_Job[Any]] = SimpleQueue()
        _thread.start_new_thread(_work, (jobs,))  # threading.Thread waits in steps that an interrupt may tear
        _jobs = jobs
    return _jobs


def _work(jobs: SimpleQueue[_Job[Any]]) -> None:
    while True:
        jobs.get().run()


def _forget() -> None:
    """Begin anew in a forked child, which has the objects and not the thread."""
    global _jobs, _latest
    _jobs = _latest = None


_jobs: SimpleQueue[_Job[Any]] | None = None
_latest: _Job[Any] | None = None

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
