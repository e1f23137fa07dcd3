"""What each sink makes of records."""

import csv
import json
import logging
import sys

import pytest

from imle_core.diagnostics import CSVFile, JSONLines, Memory, TensorBoard
from imle_core.diagnostics._reading import read_run
from imle_core.errors import MissingDependencyError, RecordError

FILES = [pytest.param(CSVFile, id="csv"), pytest.param(JSONLines, id="jsonl")]


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("sink", FILES)
def test_a_record_is_in_the_file_as_soon_as_it_was_written(sink, tmp_path, report):
    path = tmp_path / "new" / "run"
    file = sink(path)
    for step in (1, 2):
        file.write(report(step))
        lines = path.read_text().splitlines()
        assert str(1000.0 + step) in lines[-1]
    file.close()


@pytest.mark.parametrize("sink", FILES)
def test_a_run_is_never_overwritten(sink, tmp_path):
    path = tmp_path / "run"
    path.write_text("something\n")
    with pytest.raises(RecordError, match=r"already holds a run \(10 bytes\)"):
        sink(path)
    assert path.read_text() == "something\n"


@pytest.mark.parametrize("sink", FILES)
def test_a_file_of_something_else_is_not_appended_to(sink, tmp_path):
    path = tmp_path / "notes"
    path.write_text("a,b\n1,2\nunfinished")
    with pytest.raises(RecordError, match="none are appended"):
        sink(path, append=True)
    assert path.read_text() == "a,b\n1,2\nunfinished"


@pytest.mark.parametrize("sink", FILES)
def test_a_folder_is_no_file(sink, tmp_path):
    with pytest.raises(RecordError, match="is a folder"):
        sink(tmp_path)


@pytest.mark.parametrize("sink", FILES)
@pytest.mark.parametrize("tail", ["", "x", "x" * 20_000])
def test_an_interrupted_run_goes_on_after_its_last_whole_line(sink, tail, tmp_path, report, caplog):
    path = tmp_path / "run"
    file = sink(path)
    file.write(report(1))
    file.close()
    whole = path.read_text()
    path.write_text(whole + tail)
    with caplog.at_level(logging.WARNING, logger="imle_core"):
        file = sink(path, append=True)
    file.write(report(2))
    file.close()
    assert path.read_text().startswith(whole)
    assert len(path.read_text().splitlines()) == len(whole.splitlines()) + 1
    assert bool(tail) == ("cut an unfinished last line" in caplog.text)


@pytest.mark.parametrize("sink", FILES)
def test_an_empty_file_may_be_appended_to(sink, tmp_path, report):
    (tmp_path / "run").touch()
    file = sink(tmp_path / "run", append=True)
    file.write(report(1))
    file.close()
    assert (tmp_path / "run").read_text()


def test_lines_of_json_are_valid_json_of_what_was_written(tmp_path, report, value):
    file = JSONLines(tmp_path / "run.jsonl")
    records = [
        report(1, layer='a "quoted"\nlayer'),
        report(2, gradient_norm=float("nan"), lam=None),
        value(2, up=float("inf"), down=-float("inf")),
    ]
    for record in records:
        file.write(record)
    file.close()

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    lines = (tmp_path / "run.jsonl").read_text().splitlines()
    read = [json.loads(line, parse_constant=refuse) for line in lines]
    assert read == [
        records[0],
        records[1] | {"gradient_norm": "NaN"},
        value(2, up="Infinity", down="-Infinity"),
    ]


def test_a_layer_may_be_called_as_a_number_that_is_not_finite(tmp_path, report):
    file = JSONLines(tmp_path / "run.jsonl")
    file.write(report(1, layer="NaN", solver="Infinity", estimator="-Infinity"))
    file.close()
    (layer,) = read_run(tmp_path / "run.jsonl").layers
    assert (layer.name, layer.solver, layer.estimators) == ("NaN", "Infinity", ("-Infinity",))


def test_a_file_of_endless_brackets_is_not_appended_to(tmp_path):
    (tmp_path / "run").write_text("[" * 100_000 + "\n")
    with pytest.raises(RecordError, match="none are appended"):
        JSONLines(tmp_path / "run", append=True)


def test_columns_that_appear_later_are_added_at_the_right(tmp_path, report, value):
    path = tmp_path / "run.csv"
    file = CSVFile(path)
    file.write(report(1))
    first = next(csv.reader([path.read_text().splitlines()[0]]))
    file.write(value(1, loss=0.5))
    file.write(report(2, **{"avoided/equal points": 7}))
    file.close()
    rows = rows_of(path)
    assert list(rows[0]) == [*first, "loss", "avoided/equal points"]
    assert [row["loss"] for row in rows] == ["", "0.5", ""]
    assert [row["avoided/equal points"] for row in rows] == ["", "", "7"]
    assert [row["layer"] for row in rows] == ["planner", "", "planner"]
    assert [row["step"] for row in rows] == ["1", "1", "2"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.csv"]


def test_a_table_keeps_its_columns_when_it_goes_on(tmp_path, report, value):
    path = tmp_path / "run.csv"
    for records in ([value(0, loss=1.0), report(1)], [report(1), value(1, loss=0.5, accuracy=0.75)]):
        file = CSVFile(path, append=True)
        for record in records:
            file.write(record)
        file.close()
    rows = rows_of(path)
    assert [row["loss"] for row in rows] == ["1.0", "", "", "0.5"]
    assert rows[3]["accuracy"] == "0.75"
    assert rows[1] == rows[2]


def test_a_table_whose_header_is_unfinished_gets_a_new_one(tmp_path, value):
    path = tmp_path / "run.csv"
    path.write_text("time,step,layer,los")
    file = CSVFile(path, append=True)
    file.write(value(1, loss=0.5))
    file.close()
    assert rows_of(path) == [{"time": "1001.0", "step": "1", "layer": "", "loss": "0.5"}]


def test_cells_with_commas_quotes_and_values_that_are_not_finite_are_read_back(tmp_path, report):
    file = CSVFile(tmp_path / "run.csv")
    file.write(report(1, estimator='IMLE(samples=2, noise="a")', gradient_norm=float("nan"), lam=None))
    file.write(report(2, new=1))
    file.close()
    row = rows_of(tmp_path / "run.csv")[0]
    assert row["estimator"] == 'IMLE(samples=2, noise="a")'
    assert (row["gradient_norm"], row["lam"]) == ("nan", "")


def test_memory_keeps_copies_and_gives_columns(report, value):
    memory = Memory()
    record = report(1)
    memory.write(record)
    memory.write(value(1, loss=0.5))
    memory.write(report(2, layer="other"))
    memory.close()
    record["step"] = 7
    assert len(memory) == 3
    assert memory.as_columns()["step"] == [1, 1, 2]
    assert memory.as_columns()["loss"] == [None, 0.5, None]
    assert memory.as_columns("other")["layer"] == ["other"]
    assert memory.as_columns("none") == {}


class Writer:
    def __init__(self):
        self.scalars, self.calls = [], []

    def add_scalar(self, tag, value, step):
        self.scalars.append((tag, value, step))

    def flush(self):
        self.calls.append("flush")

    def close(self):
        self.calls.append("close")


def test_scalars_have_the_layer_in_their_tag_and_leave_out_what_was_not_measured(report, value):
    writer = Writer()
    sink = TensorBoard(writer)
    sink.write(report(3, lam=None, layer="planner.layer"))
    sink.write(value(4, loss=0.5))
    tags = {tag: (number, step) for tag, number, step in writer.scalars}
    assert tags["planner.layer/gradient_norm"] == (2.0, 3)
    assert tags["planner.layer/avoided/zero gradient"] == (2, 3)
    assert tags["loss"] == (0.5, 4)
    assert not {"planner.layer/lam", "planner.layer/solver", "planner.layer/step", "time"} & set(tags)


def test_a_writer_that_was_given_is_flushed_and_left_open():
    writer = Writer()
    TensorBoard(writer).close()
    assert writer.calls == ["flush"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard")
def test_a_folder_gets_event_files_that_tensorboard_reads(tmp_path, report):
    sink = TensorBoard(tmp_path / "run")
    sink.write(report(1))
    sink.write(report(2, gradient_norm=3.0))
    sink.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "run"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("planner/gradient_norm")] == [(1, 2.0), (2, 3.0)]


def test_a_folder_without_tensorboard_names_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingDependencyError, match="pip install tensorboard"):
        TensorBoard(tmp_path)


def test_what_is_neither_writer_nor_folder_is_refused():
    with pytest.raises(TypeError, match="add_scalar"):
        TensorBoard(3)
