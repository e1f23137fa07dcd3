"""What is imported, and when."""

import subprocess
import sys

import pytest

import imle_core.diagnostics

NAMES = {
    "Comparison",
    "Comparisons",
    "compare",
    "exact_gradient",
    "grid",
    "CSVFile",
    "Finding",
    "JSONLines",
    "Memory",
    "Report",
    "Sink",
    "TensorBoard",
    "Watch",
} | {
    "findings",
    "watch",
    "write_html",
}


def imported_by(code):
    found = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(found.stdout.split())


def test_the_public_names_are_these():
    assert set(imle_core.diagnostics.__all__) == NAMES
    assert all(getattr(imle_core.diagnostics, name).__doc__ for name in NAMES)


def test_training_without_a_watch_imports_no_sink():
    step = "import torch, imle_core as imle\nlayer = imle.SolverLayer('torch.k_subset', k=1)\n"
    step += (
        "layer(torch.rand(2, 3, requires_grad=True))[0].sum().backward()\nassert layer.last_report.step == 1"
    )
    modules = imported_by(step)
    assert not {name for name in modules if name.startswith("imle_core.diagnostics._")}
    assert not {"tensorboard", "lightning"} & modules


@pytest.mark.parametrize("name", ["write_html", "findings", "JSONLines", "CSVFile", "Memory"])
def test_records_are_written_and_read_without_torch(name):
    assert not {"torch", "tensorboard", "lightning"} & imported_by(
        f"from imle_core.diagnostics import {name}"
    )


def test_watching_imports_neither_tensorboard_nor_lightning():
    modules = imported_by("from imle_core.diagnostics import *")
    assert (
        not {"tensorboard", "torch.utils.tensorboard", "lightning", "pytorch_lightning", "matplotlib"}
        & modules
    )
