"""Finding, fetching and verifying the files of a data set; no test needs a network."""

from __future__ import annotations

import hashlib

import pytest

from imle_core.demos.data import planning, roads
from imle_core.demos.data.files import DataError, Remote, arguments, fetch, find

CONTENT = b"one line\n"


@pytest.fixture(autouse=True)
def no_data_in_the_environment(monkeypatch):
    monkeypatch.delenv("IMLE_DATA", raising=False)


@pytest.fixture
def remote(tmp_path):
    """A data set of two files at file:// addresses."""
    there = tmp_path / "there"
    sums = {}
    for name in ("a.txt", "inner/b.txt"):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(CONTENT + name.encode())
        sums[name] = hashlib.sha256(CONTENT + name.encode()).hexdigest()
    return Remote(there.as_uri() + "/", sums, "for tests only")


def test_all_files_are_fetched(tmp_path, remote):
    fetch(remote, tmp_path / "here")
    assert (tmp_path / "here/a.txt").read_bytes() == CONTENT + b"a.txt"
    assert (tmp_path / "here/inner/b.txt").read_bytes() == CONTENT + b"inner/b.txt"


def test_what_is_there_is_not_fetched_again(tmp_path, remote):
    fetch(remote, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.txt")}
    fetch(remote._replace(base="file:///nowhere/"), tmp_path)  # where there is nothing to be fetched
    assert before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.txt")} == before


def test_a_file_of_the_user_is_not_overwritten(tmp_path, remote):
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(DataError, match=r"a\.txt is there with SHA-256 .*move it away"):
        fetch(remote, tmp_path)
    assert (tmp_path / "a.txt").read_text() == "mine"


def test_a_file_that_has_changed_is_refused_and_not_kept(tmp_path, remote):
    wrong = remote._replace(sums={**remote.sums, "a.txt": "0" * 64})
    with pytest.raises(DataError, match=rf"a\.txt has SHA-256 {remote.sums['a.txt']}, but 0000"):
        fetch(wrong, tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


def test_a_missing_file_is_named(tmp_path, remote):
    with pytest.raises(DataError, match=r"no_such\.txt cannot be fetched"):
        fetch(remote._replace(sums={"no_such.txt": "0" * 64}), tmp_path)
    assert list(tmp_path.glob("*.part")) == []


def test_the_folder_of_the_data_set_or_the_one_above_may_be_given(tmp_path):
    (tmp_path / "set").mkdir()
    assert find("set", tmp_path) == tmp_path / "set"
    assert find("set", tmp_path / "set") == tmp_path / "set"


def test_the_environment_names_the_folder_above(tmp_path, monkeypatch):
    monkeypatch.setenv("IMLE_DATA", str(tmp_path))
    assert find("set", None) is None
    (tmp_path / "set").mkdir()
    assert find("set", None) == tmp_path / "set"


def test_without_any_folder_there_is_no_data():
    assert find("set", None) is None


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"there is no folder .*leave out --data"):
        find("set", tmp_path / "none")


def test_the_command_line_fetches_and_makes_the_folder_of_the_figure(tmp_path, remote):
    words = ["--data", str(tmp_path / "data"), "--download", "--full", "--out", str(tmp_path / "out/deep")]
    options = arguments("An example.", "set", remote, words)
    assert options.full
    assert options.folder == tmp_path / "data/set"
    assert (options.folder / "a.txt").exists()
    assert options.out.is_dir()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--download"], "--download needs --data FOLDER"),
        (["--data", "/no/such/folder"], "there is no folder /no/such/folder"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(remote, capsys, words, message):
    with pytest.raises(SystemExit):
        arguments("An example.", "set", remote, words)
    assert message in capsys.readouterr().err


def test_a_set_without_an_address_has_no_download(capsys):
    with pytest.raises(SystemExit):
        arguments("An example.", "set", argv=["--download"])
    assert "unrecognized arguments: --download" in capsys.readouterr().err


@pytest.mark.parametrize("shipped", [roads.REMOTE, planning.REMOTE], ids=["roads", "planning"])
def test_the_published_sets_have_addresses_and_sums(shipped):
    assert shipped.base.startswith("https://")
    assert shipped.base.endswith("/")
    assert all(len(bytes.fromhex(total)) == 32 for total in shipped.sums.values())
    assert len(set(shipped.sums.values())) == len(shipped.sums)
