from __future__ import annotations

import inspect
import tempfile

import pytest

from imle_core.registry import PluginRegistry, SolverSpec, use_registry
from imle_core.testing import LEVELS, Example, solver_checks


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """What a broken solver leaves behind, it leaves in folders that pytest removes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def failures():
    """The checks that a factory's solver fails, each with its message; timed ones only where they are named."""

    def run(factory, *, instances=(), checks=None, **traits):
        if inspect.isclass(factory):
            traits = {"sense": factory.sense, "output": factory.output, **traits}
        traits.setdefault("examples", lambda: [Example(instances=instances)])
        levels = None if checks else [level for level in LEVELS if level != "speed"]
        with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
            registry.register(SolverSpec(name="x.broken", factory=factory, summary="Broken.", **traits))
            results = [each.result() for each in solver_checks("x.broken", levels=levels, checks=checks)]
        return {result.check: result.message for result in results if result.outcome == "failed"}

    return run
