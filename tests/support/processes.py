"""The processes that the tests started, on Linux."""

from __future__ import annotations

import threading
import time
from pathlib import Path


def children():
    """Return the process ids of all children of this process."""
    files = Path("/proc/self/task").glob("*/children")
    return {int(child) for file in files for child in file.read_text().split()}


def when_a_child_runs(action):
    """Call the action with the process id of the next child, in a thread, which is returned."""
    older = children()  # such as Python's own helpers of other tests

    def watch():
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            if found := children() - older:
                time.sleep(0.2)
                action(found.pop())
                return
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread
