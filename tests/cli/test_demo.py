"""``imle demo warcraft`` on the command line."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
import torch
import typer
from typer.testing import CliRunner

from imle_core.cli import demo, main
from imle_core.cli.demo import INTERRUPTED, app
from imle_core.demos.warcraft.settings import TILE_MAPS, Settings
from imle_core.demos.warcraft.sources import load
from imle_core.demos.warcraft.terrain import generate_terrain
from imle_core.errors import MissingDependencyError, SolverParameterError

TINY = ["--size", "4", "--train", "20", "--val", "5", "--test", "6", "--epochs", "1", "--batch", "10"]


@pytest.fixture
def invoke():
    def call(*args):
        return CliRunner().invoke(app, list(args), catch_exceptions=False)

    return call


def test_warcraft_is_a_sub_command(invoke):
    assert "warcraft" in invoke("--help").output


def test_every_option_has_a_help_text():
    (command,) = (typer.main.get_command(app).commands[name] for name in typer.main.get_command(app).commands)
    assert all(option.help for option in command.params)


def test_a_run_leaves_its_files_and_prints_a_summary(invoke, tmp_path):
    result = invoke("warcraft", *TINY, "--out", str(tmp_path / "runs"))
    assert result.exit_code == 0
    assert "test maps solved at optimal cost" in result.output
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {
        "checkpoint.pt",
        "metrics.json",
        "warcraft.png",
    }
    assert json.loads((tmp_path / "runs" / "metrics.json").read_text())["settings"]["size"] == 4


def test_progress_is_a_log_line_an_epoch_where_there_is_no_terminal(invoke, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="imle_core.demos"):
        invoke("warcraft", *TINY, "--out", str(tmp_path))
    lines = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("epoch 1/1") and "maps/s" in line for line in lines)


def test_the_command_leaves_logging_as_it_was(invoke, tmp_path):
    log = logging.getLogger("imle_core.demos")
    before = (list(log.handlers), log.level)
    invoke("warcraft", *TINY, "--out", str(tmp_path))
    assert (log.handlers, log.level) == before


def test_ctrl_c_exits_with_130_and_resume_goes_on(invoke, tmp_path, monkeypatch):
    from imle_core.demos.warcraft.training import Trainer

    def interrupted(self, rows):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", interrupted)
        assert invoke("warcraft", *TINY, "--out", str(tmp_path)).exit_code == INTERRUPTED
    assert invoke("warcraft", *TINY, "--out", str(tmp_path)).exit_code == 0
    assert invoke("warcraft", *TINY, "--out", str(tmp_path), "--resume").exit_code == 0


@pytest.mark.parametrize("args", [("--size", "1"), ("--epochs", "0"), ("--lr", "0"), ("--tau", "-1")])
def test_a_value_out_of_range_is_refused(invoke, args):
    assert invoke("warcraft", *args).exit_code == 2


@pytest.mark.parametrize("option", ["--noise", "--estimator"])
def test_an_unknown_choice_lists_the_valid_ones(invoke, option):
    with pytest.raises(SolverParameterError, match="choose one of"):
        invoke("warcraft", option, "nonsense")


def test_a_missing_extra_is_named_with_the_command_that_installs_it(invoke, monkeypatch):
    find = demo.importlib.util.find_spec
    monkeypatch.setattr(
        demo.importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    with pytest.raises(MissingDependencyError, match=r"pip install 'imle-core\[demo\]'"):
        invoke("warcraft")


def test_the_command_line_imports_nothing_heavy():
    code = (
        "import sys, imle_core.cli.demo; "
        "print([m for m in ('torch', 'numpy', 'matplotlib', 'networkx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def refused(capsys, monkeypatch, tmp_path):
    """Run the demo as a user does, expect one red line before any map is made, and return that line."""

    def no_maps(*args, **kwargs):
        raise AssertionError("maps were generated")

    monkeypatch.setattr("imle_core.demos.warcraft.sources._generated", no_maps)
    monkeypatch.chdir(tmp_path)

    def call(*args):
        with pytest.raises(SystemExit) as caught:
            main(["demo", "warcraft", *TINY, *args])
        out, err = capsys.readouterr()
        assert (caught.value.code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("Error: ")
        return err

    return call


@pytest.mark.parametrize("device", ["foo", "cuda:77", "meta", ""])
def test_a_device_that_is_not_there_is_refused(refused, tmp_path, device):
    line = refused("--device", device)
    assert f"--device {device!r} cannot be used (" in line
    assert "take auto or cpu" in line
    assert not list(tmp_path.iterdir())


def test_cuda_is_refused_where_there_is_none(refused, monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    assert "--device 'cuda' cannot be used (" in refused("--device", "cuda")


@pytest.mark.parametrize("below", ["", "runs", "runs/demo"])
def test_an_out_that_is_or_lies_below_a_file_is_refused(refused, tmp_path, below):
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" / below
    assert f"--out {str(out)!r} cannot be a folder: " in refused("--out", str(out))
    assert (tmp_path / "file").read_text() == "mine"


def test_tile_maps_without_tiles_are_refused(refused):
    for selection in ("foo", "odd", "even"):
        assert "--tile-maps needs --tiles" in refused("--tile-maps", selection)


def test_resuming_without_a_checkpoint_is_refused_and_leaves_no_folder(refused, tmp_path):
    assert "nothing to resume: " in refused("--resume", "--out", str(tmp_path / "new"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("split", "others"), [("train", {}), ("test", {"train": 1, "val": 1})])
def test_the_help_tells_the_number_of_maps_that_are_generated(monkeypatch, split, others):
    drawn = []

    def draw(count, size, rng):
        drawn.append(count)
        if count > 1:
            raise KeyboardInterrupt
        return generate_terrain(count, size, rng)

    monkeypatch.setattr("imle_core.demos.warcraft.sources.generate_terrain", draw)
    with pytest.raises(KeyboardInterrupt):
        load(Settings(**others))
    assert f"by default {drawn[-1]} generated ones" in help_of(split)


def test_the_help_tells_which_maps_of_an_atlas_are_built_from():
    assert f"by default {TILE_MAPS}" in help_of("tile_maps")


def help_of(name):
    (command,) = typer.main.get_command(app).commands.values()
    return next(option.help for option in command.params if option.name == name)
