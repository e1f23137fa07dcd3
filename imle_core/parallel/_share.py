"""Sharing the rows of a batch among threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_pool: ThreadPoolExecutor | None = None


def cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share(work: Callable[[int, int], None], rows: int, *, block: int, threads: int) -> None:
    """Call ``work(start, stop)`` for parts of ``range(rows)``, each but the last a multiple of ``block`` long.

    The calling thread does the first part itself. One pool serves the whole process, so that copies of a
    solver do not multiply threads.
    """
    blocks = -(-rows // block)
    parts = max(1, min(threads, blocks))
    cuts = [min(rows, block * (blocks * part // parts)) for part in range(parts + 1)]
    others = [pool().submit(work, *cuts[part : part + 2]) for part in range(1, parts)]
    try:
        work(*cuts[:2])
    finally:
        for other in others:  # also after an interrupt: the parts write to arrays that must outlive them
            other.result()


def pool() -> ThreadPoolExecutor:
    """Return the threads of this process, one fewer than its CPUs: the calling thread works as well."""
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(max(1, cpus() - 1), thread_name_prefix="imle")
    return _pool


def _forget() -> None:
    """Drop the pool in a forked child, which inherits the object but none of its threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
