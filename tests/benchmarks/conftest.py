"""What benchmarks share."""

import pytest


@pytest.fixture
def report(capsys):
    """Print a line of results past pytest's capture."""

    def write(line):
        with capsys.disabled():
            print(f"\n{line}", end="")  # noqa: T201

    return write
