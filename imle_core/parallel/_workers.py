"""Workers: rows of a batch solved by threads, each with a model of its own."""

from __future__ import annotations

import itertools
import os
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._share import cpus, pool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

W = TypeVar("W")
T = TypeVar("T")
Row = TypeVar("Row")


class Workers(Generic[W]):
    """Makes models when they are needed, lends each to one thread at a time, and keeps them for the next batch.

    Two threads that share one model of a solver library get wrong answers from it without any error. What a function
    returns for a row must not depend on the rows that its worker had before, because any worker may get any row.

    Args:
        make: Returns a new worker. It runs in the thread that needs the worker.
        threads: Threads at most; None takes the CPUs of this process.

    Example:
        >>> workers = Workers(list, threads=2)  # a worker that is a list
        >>> workers.map(lambda worker, row: worker.append(row) or 10 * row, [1, 2, 3])
        [10, 20, 30]
    """

    def __init__(self, make: Callable[[], W], threads: int | None = None) -> None:
        self._make = make
        self._threads = threads
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[W] = []
        self._process = os.getpid()

    def map(self, function: Callable[[W, Row], T], rows: Sequence[Row]) -> list[T]:
        """Return ``function(worker, row)`` for each row, in order.

        Raises:
            Exception: what the function raised for the first row, in order, for which it raised. Rows after it may
                not have been begun.
        """
        if not rows:
            return []
        if self._process != os.getpid():
            self._begin()  # a forked child: the lock may be held, the models may have lost their threads
        answers: list[Any] = [None] * len(rows)
        errors: dict[int, BaseException] = {}
        order = itertools.count()  # whose next() is atomic

        def work() -> None:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                worker = self._make()
            while not errors and (place := next(order)) < len(rows):
                try:
                    answers[place] = function(worker, rows[place])
                except BaseException as error:
                    errors[place] = error
                    return  # without giving the worker back: its model may be in any state
            with self._lock:
                self._idle.append(worker)

        helpers = min(self._threads or cpus(), len(rows)) - 1
        others = [pool().submit(work) for _ in range(helpers)]
        try:
            work()
        finally:
            for other in others:
                if not other.cancel():
                    other.result()
        if errors:
            raise errors[min(errors)]
        return answers

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the workers: models of solver libraries cannot be copied."""
        return {"_make": self._make, "_threads": self._threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin without workers."""
        self.__dict__.update(state)
        self._begin()
