"""Reading a run: what is tolerated, and what is refused and how."""

import json

import numpy as np
import pytest

from imle_core.diagnostics import JSONLines
from imle_core.diagnostics._reading import read_run
from imle_core.errors import RecordError


@pytest.fixture
def write(tmp_path):
    path = tmp_path / "run.jsonl"

    def write(*records):
        file = JSONLines(path, append=True)
        for record in records:
            file.write(record)
        file.close()
        return path

    return write


def test_a_file_and_its_records_are_the_same_run(write, report, value):
    records = [
        value(0, loss=1.0),
        report(1),
        report(1, layer="b"),
        report(2, gradient_norm=float("inf")),
        report(3),
    ]
    for run in (read_run(records), read_run(write(*records)), read_run(str(write()))):
        assert [layer.name for layer in run.layers] == ["planner", "b"]
        assert run.layers[0].steps.tolist() == [1, 2, 3]
        assert run.layers[0].columns["gradient_norm"].tolist() == [2, np.inf, 2]
        assert run.values["loss"][1].tolist() == [1.0]
        assert (run.steps, run.wall, run.covered, run.records, run.notes) == (3, 3.0, 3, 5, ())


def test_a_missing_figure_is_nan_and_a_missing_count_is_none(report):
    (layer,) = read_run([report(1, lam=None), report(2, **{"avoided/equal points": 7})]).layers
    assert np.isnan(layer.columns["lam"]).tolist() == [True, False]
    assert layer.group("avoided")["equal points"].tolist() == [0, 7]
    assert layer.solver_seconds == pytest.approx([0.06, 0.06])


def test_an_annealed_estimator_is_several(report):
    (layer,) = read_run([report(1), report(2, estimator="IMLE(tau=0.5)"), report(3)]).layers
    assert layer.estimators == ("IMLE(samples=2)", "IMLE(tau=0.5)")


def test_a_continued_run_counts_its_steps_on_and_leaves_out_the_pause(report, value):
    first = [report(1), report(1, layer="b"), report(2), report(2, layer="b"), value(2, loss=1.0)]
    pause = 500.0
    second = [{**record, "time": record["time"] + pause} for record in first]
    run = read_run(first + second)
    assert [layer.steps.tolist() for layer in run.layers] == [[1, 2, 3, 4]] * 2
    assert run.values["loss"][0].tolist() == [2, 4]
    assert (run.parts, run.steps, run.wall, run.covered) == (2, 4, 2.0, 2)
    assert "begin anew 1 times" in run.notes[0]


def test_an_unfinished_last_line_is_left_out_with_a_note(write, report):
    path = write(report(1), report(2))
    path.write_text(path.read_text() + json.dumps(report(3))[:40])
    run = read_run(path)
    assert run.steps == 2
    assert run.notes == ("The last line (3) is unfinished and was left out.",)


def test_a_last_line_without_a_break_is_read_if_it_is_whole(write, report):
    path = write(report(1), report(2))
    path.write_text(path.read_text().rstrip())
    assert (read_run(path).steps, read_run(path).notes) == (2, ())


def test_empty_lines_and_a_byte_order_mark_are_passed_over(write, report):
    path = write(report(1), report(2))
    path.write_text("\ufeff\n" + path.read_text().replace("\n", "\n\n"))
    assert read_run(path).steps == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no records"),
        ("\n\n", "holds no records"),
        ("time,step,layer\n1,1,a\n", "line 1: this is not JSON"),
        (
            '{"time": 0, "step": 1, "loss": 0.5}\n{"broken\n{"time": 0, "step": 2}\n',
            "line 2: this is not JSON",
        ),
        ('{"epoch": 1, "loss": 0.5}\n', "line 1: 'time' is missing, so this is no record"),
        ("[1, 2]\n", "line 1: a list and no mapping"),
        ('{"time": 0, "step": "one"}\n', "'step' is 'one' and no number"),
        ('{"time": 0, "step": -1}\n', "'step' is -1, not between"),
        ('{"time": "NaN", "step": 1}\n', "'time' is nan, not between"),
        ('{"time": 0, "step": 1, "layer": 3}\n', "not both text"),
        ('{"time": 0, "step": 1, "layer": "a", "solver": "b"}\n', "'rows' is missing"),
        ('{"time": 0, "step": 1, "loss": 0.5}\n', "holds no report of a solver layer"),
        (b"\xff\xfe\x00\x01", "is not text"),
        ("[" * 100_000 + "\n", "line 1: this is not JSON (nested too deeply)"),
        (f'{{"time": 0, "step": {"9" * 400}}}\n', "'step' is a whole number of 1329 bits"),
        (f'{{"time": 0, "step": {"9" * 5000}}}\n', "line 1: this is not JSON"),
        (f'{{"time": {"9" * 400}, "step": 1}}\n', "'time' is a whole number of 1329 bits"),
        (f'{{"time": 0, "step": 1, "loss": -{"9" * 400}}}\n', "'loss' is a whole number of 1329 bits"),
        ('{"time": 0, "step": 1e17}\n', "'step' is 1e+17, not between 0 and 9007199254740992"),
    ],
)
def test_what_is_no_run_is_refused_with_the_place_and_the_reason(tmp_path, text, message):
    path = tmp_path / "run.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RecordError) as caught:
        read_run(path)
    assert message in str(caught.value)
    assert "run.jsonl" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_figure_that_is_no_number_is_refused(report):
    with pytest.raises(RecordError, match="record 2: 'lam' is 'large' and no number"):
        read_run([report(1), report(2, lam="large")])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("seconds/forward", "abc", "is 'abc' and no number"),
        ("seconds/forward", [1], r"is \[1\] and no number"),
        ("seconds/forward", -1.0, "is -1.0, not between 0"),
        ("avoided/zero gradient", float("nan"), "is nan, not between 0"),
        ("avoided/zero gradient", True, "is True and no number"),
        ("rows", 10**400, "is a whole number of 1329 bits, larger than any float64"),
        ("solves", float("inf"), "is inf, not between 0"),
        ("zero_rows", 1.5, "is 1.5, not between 0 and 1"),
        ("agreement", -0.5, "is -0.5, not between 0 and 1"),
        ("lam", 10**400, "is a whole number of 1329 bits, larger than any float64"),
        ("gradient_norm", "x" * 1000, "is 'x{59}... and no number"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(report, name, value, message):
    with pytest.raises(RecordError, match=f"record 2: '{name}' {message}"):
        read_run([report(1), report(2, **{name: value})])


def test_a_cause_or_phase_may_be_missing(report):
    (layer,) = read_run([report(1, **{"seconds/noise": None}), report(2)]).layers
    assert layer.group("seconds")["noise"].tolist() == [0, 0.01]


def test_names_that_are_no_text_are_refused(report):
    with pytest.raises(RecordError, match="record 1: not all of its names are text"):
        read_run([{**report(1), 3: 1.0}])


def test_half_a_character_in_a_name_is_shown_as_its_number(report, value):
    half = "a\ud800"
    records = [
        report(1, layer=half, solver=half, estimator=half, **{f"avoided/{half}": 1}),
        value(1, **{half: 1}),
    ]
    run = read_run(records)
    (layer,) = run.layers
    shown = r"a\ud800"
    assert (layer.name, layer.solver, layer.estimators) == (shown, shown, (shown,))
    assert list(layer.group("avoided")) == ["zero gradient", shown]
    assert list(run.values) == [shown]


def test_there_is_nothing_in_no_records():
    with pytest.raises(RecordError, match="There are no records"):
        read_run([])


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(RecordError, match="cannot be read"):
        read_run(tmp_path / name)
