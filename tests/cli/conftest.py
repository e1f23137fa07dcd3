"""The command ``imle`` as a user types it, and distributions that look installed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imle_core.cli import main


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run the command on a wide terminal; return its exit code, its output and its errors."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in words])
        return (caught.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make a distribution look installed, by its metadata alone: ``distribution("highspy", "1.15.0")``."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(name: str, version: str, *more: str) -> None:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *more]
        (info / "METADATA").write_text("\n".join(lines) + "\n")

    return install
