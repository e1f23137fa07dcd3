"""What is documented is there, and what is there is documented; every example in a docstring runs."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import imle_core as imle
from imle_core.registry import _hooks

ROOT = Path(__file__).parents[1]
API = (ROOT / "docs" / "api.md").read_text()

OPTIONAL = {"gurobipy": "_backends.gurobi", "pyscipopt": "_backends.scip"}


def modules():
    for package in ("imle_core", "imle_torch", "imle_networkx", "imle_pulp", "imle_ortools"):
        path = importlib.import_module(package).__path__
        yield package
        for module in pkgutil.walk_packages(path, package + "."):
            yield module.name


@pytest.mark.parametrize("name", list(modules()))
def test_examples_of_docstrings_run(name):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for library, module in OPTIONAL.items():  # which the development environment does without
        if name.endswith(module):
            pytest.importorskip(library)
    result = doctest.testmod(importlib.import_module(name), optionflags=flags)
    assert result.failed == 0


@pytest.mark.parametrize("name", [name for name in imle.__all__ if name not in ("errors", "ImleError")])
def test_public_name_is_in_the_api_reference_and_has_a_docstring(name):
    assert re.search(rf":: imle_core\.{name}$", API, re.MULTILINE), f"docs/api.md lacks imle_core.{name}"
    assert getattr(imle, name).__doc__


@pytest.mark.parametrize("name", [name for name in dir(_hooks) if name.startswith("imle_")])
def test_hook_is_documented(name):
    assert f"_hooks.{name}" in API
    assert f"def {name}(" in (ROOT / "docs" / "writing_a_solver.md").read_text()


def test_relative_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    targets = [t for t in re.findall(r"\]\(([^)]+)\)", text) if "://" not in t]
    assert len(targets) > 5
    assert [t for t in targets if not (ROOT / t).exists()] == []
