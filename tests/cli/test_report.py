"""``imle report`` on the command line."""

import json
import subprocess
import sys

import pytest
import typer

from imle_core.cli import main
from imle_core.diagnostics import JSONLines


def record(step, **changed):
    return {
        "time": 1000.0 + step,
        "layer": "planner",
        "step": step,
        "solver": "torch.k_subset",
        "estimator": "IMLE()",
        "rows": 10,
        "samples": 1,
        "zero_rows": 0.95,
        "gradient_norm": 2.0,
        "lam": 0.5,
        "agreement": 0.5,
        "solves": 20,
        "timeouts": 0,
        **changed,
    }


@pytest.fixture
def run_file(tmp_path):
    file = JSONLines(tmp_path / "run.jsonl")
    for step in (1, 2, 3):
        file.write(record(step))
    file.close()
    return file.path


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command; return its exit code, its output and its errors."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        with pytest.raises(SystemExit) as caught:
            main(["report", *map(str, words)])
        return (caught.value.code or 0, *capsys.readouterr())

    return run


def test_a_page_is_written_beside_the_records_and_the_findings_are_listed(run, run_file):
    code, out, err = run(run_file)
    assert (code, err) == (0, "")
    assert "3 steps, layers: planner" in out.replace("\n", " ")
    assert "95 % of rows had a zero gradient in the last 3 reports" in out
    assert run_file.with_suffix(".html").read_text().startswith("<!doctype html>")


def test_a_run_in_order_has_nothing_to_list(run, tmp_path):
    file = JSONLines(tmp_path / "good.jsonl")
    file.write(record(1, zero_rows=0.0))
    file.close()
    assert "Nothing stands out." in run(file.path)[1]


def test_out_and_title_are_as_given(run, run_file, tmp_path):
    page = tmp_path / "pages" / "first.html"
    assert run(run_file, "--out", page, "--title", "A <title>")[0] == 0
    assert "<h1>A &lt;title&gt;</h1>" in page.read_text()
    assert not run_file.with_suffix(".html").exists()


def test_as_json_it_is_what_a_program_needs(run, run_file):
    run_file.write_text(run_file.read_text() + '{"time": 1')
    described = json.loads(run(run_file, "--json")[1])
    assert described["page"] == str(run_file.with_suffix(".html"))
    assert (described["steps"], described["seconds"], described["layers"]) == (3, 2.0, ["planner"])
    assert described["notes"] == ["The last line (4) is unfinished and was left out."]
    (finding,) = described["findings"]
    assert (finding["level"], finding["layer"]) == ("problem", "planner")


@pytest.mark.parametrize(("words", "opened"), [((), False), (("--open",), True), (("--no-open",), False)])
def test_the_browser_is_opened_on_request(run, run_file, monkeypatch, words, opened):
    launched = []
    monkeypatch.setattr(typer, "launch", launched.append)
    run(run_file, *words)
    assert launched == [str(run_file.with_suffix(".html"))] * opened


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "holds no records"),
        ("not json\n", "line 1: this is not JSON"),
        ('{"epoch": 1}\n', "'time' is missing"),
        ('{"time": 0, "step": 1, "loss": 1}\n', "no report of a solver layer"),
    ],
)
def test_a_file_of_something_else_is_one_line_on_stderr_and_exit_code_2(run, tmp_path, content, message):
    path = tmp_path / "run.jsonl"
    if content is not None:
        path.write_text(content)
    code, out, err = run(path)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not path.with_suffix(".html").exists()


def test_the_records_are_never_replaced(run, run_file):
    before = run_file.read_text()
    code, _, err = run(run_file, "--out", run_file)
    assert code == 2
    assert "does not end in .html" in err
    assert run_file.read_text() == before


def test_records_that_are_named_as_a_page_are_never_replaced(run, run_file, tmp_path):
    records = run_file.rename(tmp_path / "run.html")
    link = tmp_path / "page.html"
    link.symlink_to(records)
    before = records.read_text()
    for words in ((records,), (records, "--out", records), (records, "--out", link), (link,)):
        code, out, err = run(*words)
        assert (code, out) == (2, "")
        assert "is the file of the records" in err
        assert records.read_text() == before
    assert run(records, "--out", tmp_path / "other.html")[0] == 0


@pytest.mark.parametrize("folder", [".", "..", "/", ""])
def test_a_folder_is_no_file_of_records(run, folder):
    code, _, err = run(folder)
    assert code == 2
    assert "is a folder; give the file of records in it" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "changed",
    [{"seconds/forward": "abc"}, {"rows": 10**400}, {"step": 10**400}, {"lam": [1]}, {"zero_rows": -1}],
    ids=lambda changed: next(iter(changed)),
)
def test_records_that_cannot_be_are_one_line_on_stderr(run, run_file, changed):
    run_file.write_text(run_file.read_text() + json.dumps(record(4) | changed) + "\n")
    code, out, err = run(run_file)
    assert (code, out) == (2, "")
    assert f"run.jsonl, line 4: '{next(iter(changed))}' is " in err
    assert err.count("\n") == 1


def test_names_that_no_terminal_can_show_are_shown_by_their_numbers(run_file):
    run_file.write_text(json.dumps(record(1, layer="a\ud800")) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "imle_core.cli", "report", str(run_file)], capture_output=True, check=True
    )
    assert rb"layers: a\ud800" in done.stdout


def test_no_torch_is_imported(run_file):
    code = f"""
import sys
from imle_core.cli import main
try:
    main(["report", {str(run_file)!r}])
except SystemExit as exit:
    assert not exit.code
assert not {{"torch", "matplotlib"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
