"""The tutorial notebook as it is stored; the build of the documentation executes it."""

import json
from pathlib import Path

NOTEBOOK = json.loads((Path(__file__).parents[2] / "docs" / "tutorial.ipynb").read_text())


def test_the_tutorial_is_stored_without_outputs():
    cells = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 10
    assert [cell["id"] for cell in cells if cell["outputs"] or cell["execution_count"] is not None] == []


def test_the_tutorial_runs_in_the_kernel_of_any_environment():
    assert NOTEBOOK["metadata"]["kernelspec"]["name"] == "python3"
