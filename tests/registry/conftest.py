"""Distributions that look installed: a folder on sys.path with metadata, entry points and modules."""

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PLUGIN = """
    from imle_core import SolverSpec, hookimpl

    @hookimpl
    def imle_register_solvers():
        return [{specs}]
"""


def spec_source(name: str = "top_k", **fields: object) -> str:
    """Return the source of one SolverSpec."""
    given = {"factory": "fake_solver:TopK", "summary": "The k best of n.", **fields}
    return f"SolverSpec(name={name!r}, {', '.join(f'{key}={value!r}' for key, value in given.items())})"


def plugin_source(*specs: str) -> str:
    """Return the source of a plugin's module with these solvers."""
    return PLUGIN.format(specs=", ".join(specs))


SOLVER = """
    import imle_core as imle

    class TopK(imle.Solver):
        sense = "max"

        def __init__(self, k: int = 1):
            self.k = k

        def solve(self, theta):
            return theta
"""

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution: ``install("dist", {"plugin name": "module"}, module="source", ...)``."""

    def install(
        distribution: str, plugins: dict[str, str] | None = None, *, version: str = "1.0", **modules: str
    ) -> Path:
        site = tmp_path / f"site{len(list(tmp_path.iterdir()))}"
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = [f"{name} = {target}" for name, target in (plugins or {}).items()]
        (info / "entry_points.txt").write_text("\n".join(["[imle.plugins]", *lines, ""]))
        for module, source in modules.items():
            (site / f"{module}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(site))
        return site

    before = set(sys.modules)
    yield install
    for name, module in list(sys.modules.items()):
        if name not in before and str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def good(install: Install) -> str:
    """Install a plugin ``good`` that works, with the solver ``good.top_k``; return its name."""
    install(
        "good-dist", {"good": "good_plugin"}, good_plugin=plugin_source(spec_source()), fake_solver=SOLVER
    )
    return "good"
