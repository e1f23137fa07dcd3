"""What benchmarks share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_torch_thread():
    """Torch's own threads are not what is measured, and spin on the cores that a solver's threads want."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def report(capsys):
    """Print a line of results past pytest's capture."""

    def write(line):
        with capsys.disabled():
            print(f"\n{line}", end="")  # noqa: T201

    return write
