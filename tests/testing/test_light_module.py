"""A plugin whose module imports what it should not, in a process of its own."""

import importlib
import sys
import textwrap
from importlib.metadata import EntryPoint

import pytest

from imle_core.registry import PluginRegistry, use_registry
from imle_core.testing import solver_checks

PLUGIN = """
    {line}
    from imle_core import SolverSpec, hookimpl

    @hookimpl
    def imle_register_solvers():
        return [SolverSpec(name="good", factory="broken:Good", summary="Two of five.", {fields})]
"""


@pytest.fixture
def outcome(tmp_path, monkeypatch):
    """Return the result of the check for a plugin whose module begins with a line."""

    def run(line, fields=""):
        (tmp_path / "kit_plugin.py").write_text(textwrap.dedent(PLUGIN.format(line=line, fields=fields)))
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()
        entry = EntryPoint("kit", "kit_plugin", "imle.plugins")
        with use_registry(PluginRegistry([entry], env={})):
            (check,) = solver_checks("kit.good", checks=["check_light_module"])
            return check.result()

    yield run
    sys.modules.pop("kit_plugin", None)


def test_a_light_module_passes(outcome):
    assert outcome("import json").outcome == "passed"


@pytest.mark.parametrize(
    ("line", "fields", "library"),
    [
        ("import torch", "", "torch"),
        ("import numpy as np", "", "numpy"),
        ("import networkx", "requires=('networkx>=3',)", "networkx"),
    ],
)
def test_a_module_that_imports_a_heavy_or_required_library_fails(outcome, line, fields, library):
    result = outcome(line, fields)
    assert result.outcome == "failed"
    assert library in result.message.partition("importing kit_plugin imports ")[2].partition("\n")[0].split(
        ", "
    )


def test_a_library_that_is_not_required_may_be_imported(outcome):
    assert outcome("import networkx").outcome == "passed"


def test_a_module_that_depends_on_another_import_fails(outcome):
    result = outcome("import sys; sys.modules['broken' if 'pytest' in sys.modules else 'nowhere']")
    assert result.outcome == "failed"
    assert "KeyError: 'nowhere'" in result.message
