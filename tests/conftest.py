"""What holds for all tests."""

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard():
    """Ctrl-C raises KeyboardInterrupt, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
