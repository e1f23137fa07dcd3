"""What benchmarks share."""

import csv
from pathlib import Path

import pytest
import torch

DOCS = Path(__file__).parents[2] / "docs"

HEADER = ["task, batch of 320", "NetworkX, us a row", "compiled, us a row", "times faster"]


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


@pytest.fixture
def renew():
    """Write a line of a table of the documentation; each run of a benchmark renews its own lines.

    The first fields, one or as many as ``keys``, say what the line is about.
    """

    def write(name, header, fields, *, keys=1):
        path, fields = DOCS / name, [str(field) for field in fields]
        lines = {}
        if path.exists():
            with path.open(newline="") as file:
                lines = {tuple(line[:keys]): line for line in list(csv.reader(file))[1:]}
        lines[tuple(fields[:keys])] = fields
        with path.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *(lines[key] for key in sorted(lines))])

    return write


@pytest.fixture
def table(report, renew):
    """Write a line of the table of solvers on graphs: a task, and the seconds a row that it takes."""

    def write(task, *, networkx, compiled):
        ratio = networkx / compiled
        report(f"{task:44s}{networkx * 1e6:12.1f}{compiled * 1e6:10.2f} us a row{ratio:9.0f} times")
        fields = [task, f"{networkx * 1e6:,.0f}", f"{compiled * 1e6:,.1f}", f"{ratio:,.0f}"]
        renew("graph_speed.csv", HEADER, fields)
        return ratio

    return write
