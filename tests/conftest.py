"""What holds for all tests."""

import signal
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard():
    """Ctrl-C raises KeyboardInterrupt, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    """Fail the test after which Ctrl-C would kill the process: a library took the handler, and Python cannot see it."""
    heard = sys.platform != "linux" or _caught(signal.SIGINT)
    if not heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if not heard:
        pytest.fail(f"{item.nodeid} left the process without Python's handler of SIGINT")


def _caught(number):
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["SigCgt"], 16) >> (number - 1) & 1
