"""What is imported when, each in a fresh process."""

import subprocess
import sys

import pytest

HEAVY = "torch, numpy, networkx, numba, scipy, rich, typer"


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "import imle_core.registry",
        "imle.solvers()",
        "imle.PluginRegistry().plugins()",
        "imle.register(lambda k: None, 'top_k')",
    ],
)
def test_listing_and_registering_import_no_heavy_library(code):
    found = run(
        f"import sys, imle_core as imle\n{code}\nprint(set({HEAVY.split(', ')!r}) & set(sys.modules))"
    )
    assert found == "set()"


def test_the_shipped_plugins_are_found_and_healthy():
    code = "import imle_core as imle\nfor spec in imle.solvers(): print(spec.name)"
    assert {"networkx.shortest_path", "torch.k_subset"} <= set(run(code).splitlines())


def test_a_shipped_solver_imports_its_own_library_only():
    code = (
        "import sys, imle_core as imle\nimle.solver('torch.k_subset', k=1)\nprint('networkx' in sys.modules)"
    )
    assert run(code) == "False"
