"""Machine code on disk: never that of other sources, and not needed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numba.core.caching
import pytest

from imle_core.kernels import compiled

if TYPE_CHECKING:
    from pathlib import Path

INNER = """
from kernels._compile import compiled

@compiled
def inner(x):
    return x + {summand}
"""
OUTER = """
from kernels._compile import compiled
from kernels._inner import inner

@compiled
def outer(x):
    return 10 * inner(x)
"""
CALL = """
from kernels._outer import outer
print(outer(1), sum(outer.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path):
    """A package with two kernels, one of which calls the other, and the way to compile."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    source = importlib.util.find_spec("imle_core.kernels._compile").origin
    shutil.copy(source, folder / "_compile.py")
    (folder / "_inner.py").write_text(INNER.format(summand=1))
    (folder / "_outer.py").write_text(OUTER)
    return folder


def call(package: Path, **env: str) -> tuple[int, int]:
    """Call the outer kernel in a new process; return its value and how often the cache had it."""
    env = {**os.environ, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1", **env}
    env.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", CALL], env=env, capture_output=True, text=True, check=True)
    value, hits = done.stdout.split()
    return int(value), int(hits)


def test_a_change_of_a_kernel_is_noticed_by_the_caches_of_its_callers(package):
    assert call(package) == (20, 0)
    assert call(package) == (20, 1)
    (package / "_inner.py").write_text(INNER.format(summand=2))
    assert call(package) == (30, 0)
    assert call(package) == (30, 1)


def test_where_no_folder_can_be_written_to_kernels_are_compiled_without_a_cache(package):
    (package / "__pycache__").write_text("a file, so that no folder can have this name")
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"), str(package / "__pycache__"))
    assert call(package, **homes) == (20, 0)
    assert call(package, **homes) == (20, 0)


def test_a_numba_with_another_cache_compiles_without_it(monkeypatch):
    monkeypatch.setattr(numba.core.caching, "IndexDataCacheFile", lambda **_: object())
    kernel = compiled(lambda x: x + 1)
    assert kernel(2) == 3
    assert kernel._cache.cache_path is None
