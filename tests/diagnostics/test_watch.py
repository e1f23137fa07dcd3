"""Which layers are watched, and what reaches the sinks."""

import copy
import threading
import time

import numpy as np
import pytest
import torch
from toys import TopK

import imle_core as imle
from imle_core.diagnostics import JSONLines, Memory, watch
from imle_core.errors import RecordError


class Planner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scores = torch.nn.Linear(3, 5)
        self.layer = imle.SolverLayer(TopK(), imle.IMLE(samples=2))

    def forward(self, x):
        return self.layer(self.scores(x))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.planner = Planner()
        self.select = imle.SolverLayer("torch.k_subset", k=1)
        self.again = self.select

    def forward(self, x):
        return self.select(self.planner(x) + self.planner.scores(x))


class Sink:
    """Remembers what was done to it, and fails where it is told to."""

    def __init__(self, failing=()):
        self.done, self.failing = [], failing

    def _do(self, what):
        self.done.append(what)
        if what in self.failing:
            raise OSError(f"{what} failed")

    def write(self, record):
        self._do("write")

    def close(self):
        self._do("close")


def step(model, size=3):
    loss = (model(torch.randn(4, size)) * torch.randn(5)).sum()
    loss.backward()
    return loss


def test_each_report_of_each_layer_is_recorded_under_its_path_and_a_shared_layer_once():
    model, memory = Model(), Memory()
    with watch(model, memory) as run:
        assert list(run.layers) == ["planner.layer", "select"]
        for _ in range(3):
            step(model)
    seen = [(record["layer"], record["step"]) for record in memory]
    assert sorted(seen) == [(name, i) for name in ("planner.layer", "select") for i in (1, 2, 3)]
    planner = [record for record in memory if record["layer"] == "planner.layer"]
    last = model.planner.layer.last_report.as_dict()
    assert {name: planner[-1][name] for name in last} == last


def test_records_have_the_time_at_which_they_were_made():
    layer, memory = imle.SolverLayer(TopK()), Memory()
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), layer)
    before = time.time()
    with watch(model, memory) as run:
        step(model)
        run.log(loss=1)
    first, second = (record["time"] for record in memory)
    assert before <= first <= second <= time.time()


def test_a_layer_at_the_root_goes_by_its_solver():
    with watch(imle.SolverLayer("torch.k_subset", k=1), Memory()) as run:
        assert list(run.layers) == ["torch.k_subset"]


def test_a_compiled_model_is_watched_under_the_names_of_the_plain_one():
    model, memory = Planner(), Memory()
    compiled = torch.compile(model, backend="aot_eager")
    with watch(compiled, memory):
        for _ in range(2):
            step(compiled)
    assert [(record["layer"], record["step"]) for record in memory] == [("layer", 1), ("layer", 2)]


def test_a_model_without_a_layer_is_an_error_that_says_so():
    with pytest.raises(RecordError, match=r"Linear holds no imle_core\.SolverLayer"):
        watch(torch.nn.Linear(1, 1), Memory())


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda sink: watch("model", sink), TypeError),
        (lambda sink: watch(torch.nn.Linear(1, 1), sink), RecordError),
        (lambda sink: watch(Planner(), sink, every=0), ValueError),
        (lambda sink: watch(Planner(), sink, "run.jsonl"), TypeError),
    ],
    ids=["no model", "no layer", "every", "no sink"],
)
def test_sinks_are_closed_where_the_watching_cannot_begin(wrong, error):
    sink = Sink()
    with pytest.raises(error):
        wrong(sink)
    assert sink.done == ["close"]


def test_every_records_the_first_report_and_then_each_nth_but_all_values():
    model, memory = Planner(), Memory()
    step(model)  # not watched yet
    with watch(model, memory, every=3) as run:
        for i in range(7):
            step(model)
            run.log(loss=i)
    assert [record["step"] for record in memory if "layer" in record] == [2, 5, 8]
    assert [record["loss"] for record in memory if "loss" in record] == list(range(7))


def test_reports_that_every_leaves_out_are_not_reduced():
    model = Planner()
    with watch(model, Memory(), every=2):
        step(model)
        assert "gradient_norm" in vars(model.layer.last_report)
        step(model)
        assert "gradient_norm" not in vars(model.layer.last_report)


def test_values_are_logged_at_the_step_of_the_last_backward_pass():
    model, memory = Planner(), Memory()
    with watch(model, memory) as run:
        run.log(accuracy=0.1)
        step(model)
        loss = step(model)
        run.log(loss=loss, accuracy=np.float32(0.5), count=torch.tensor([[3]]), solved=loss > 1e9)
    values = [record for record in memory if "layer" not in record]
    assert [record["step"] for record in values] == [0, 2]
    assert values[1]["loss"] == pytest.approx(loss.item())
    assert [type(values[1][name]) for name in ("loss", "accuracy", "count", "solved")] == [
        float,
        float,
        int,
        int,
    ]


@pytest.mark.parametrize("value", ["0.5", None, torch.zeros(2), [1.0], np.zeros(3)])
def test_what_is_no_number_is_not_logged(value):
    memory = Memory()
    with watch(Planner(), memory) as run, pytest.raises(TypeError, match="log: loss must be a number"):
        run.log(loss=value)
    assert memory.records == []


@pytest.mark.parametrize("name", ["time", "step", "layer"])
def test_a_value_may_not_take_the_name_of_what_every_record_has(name):
    with watch(Planner(), Memory()) as run, pytest.raises(ValueError, match="choose another name"):
        run.log(**{name: 1.0})


def test_closing_detaches_and_closes_once():
    model, sink = Planner(), Sink()
    run = watch(model, sink)
    step(model)
    run.close()
    run.close()
    step(model)
    run.log(loss=1.0)
    assert sink.done == ["write", "close"]


def test_an_exception_in_training_detaches_and_closes_and_is_not_hidden():
    model, sink = Planner(), Sink()

    def train():
        with watch(model, sink):
            step(model)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()
    step(model)
    assert sink.done == ["write", "close"]


def test_each_sink_is_closed_where_another_one_fails():
    model, sinks = Planner(), [Sink(), Sink(failing=("close",)), Sink()]
    with pytest.raises(OSError, match="close failed"), watch(model, *sinks):
        step(model)
    step(model)
    assert [sink.done for sink in sinks] == [["write", "close"]] * 3


def test_a_sink_that_fails_to_write_reaches_the_training_loop():
    with pytest.raises(OSError, match="write failed"), watch(model := Planner(), Sink(failing=("write",))):
        step(model)


class Replies(Sink):
    """Logs values in reply to records."""

    def __init__(self, to):
        super().__init__()
        self.to, self.run = to, None

    def write(self, record):
        super().write(record)
        if self.to in record:
            self.run.log(doubled=2 * record.get("loss", 0))


def test_what_a_sink_logs_goes_to_all_sinks_after_the_record_that_it_replies_to():
    model, first, reply, last = Planner(), Memory(), Replies(to="loss"), Memory()
    with watch(model, first, reply, last) as run:
        reply.run = run
        # In a thread, so that a deadlock fails the test instead of stopping it.
        logging = threading.Thread(target=lambda: run.log(loss=step(model)), daemon=True)
        logging.start()
        logging.join(60)
        assert not logging.is_alive()
    for memory in (first, last):
        assert [sorted(set(record) & {"layer", "loss", "doubled"}) for record in memory] == [
            ["layer"],
            ["loss"],
            ["doubled"],
        ]
    assert last.records[2]["doubled"] == 2 * last.records[1]["loss"]
    assert last.records[2]["step"] == 1


def test_a_sink_that_replies_to_itself_is_told_so_and_the_watch_goes_on():
    model, reply, memory = Planner(), Replies(to="time"), Memory()
    with watch(model, reply, memory) as run:
        reply.run = run
        with pytest.raises(RecordError, match="in reply to what it logged itself"):
            run.log(loss=1.0)
        reply.to, count = "nothing", len(memory)
        run.log(loss=2.0)
    assert [record["loss"] for record in memory.records[count:]] == [2.0]


def test_without_sinks_nothing_is_attached(monkeypatch):
    def refuse(self, hook):
        raise AssertionError("a hook was attached")

    monkeypatch.setattr(imle.SolverLayer, "register_report_hook", refuse)
    with watch(model := Planner()) as run:
        step(model)
        run.log(loss=1.0)
    assert list(run.layers) == ["layer"]


def test_gradients_are_the_same_with_and_without_a_watch(tmp_path):
    def gradients(*sinks):
        torch.manual_seed(0)
        model = Planner()
        with watch(model, *sinks) as run:
            for _ in range(3):
                run.log(loss=step(model))
        return [parameter.grad for parameter in model.parameters()]

    for plain, watched in zip(
        gradients(), gradients(Memory(), JSONLines(tmp_path / "run.jsonl")), strict=True
    ):
        assert torch.equal(plain, watched)


def test_a_copy_of_a_watched_model_is_not_watched(tmp_path):
    model = Planner()
    with watch(model, JSONLines(tmp_path / "run.jsonl")):
        other = copy.deepcopy(model)
        step(other)
    assert (tmp_path / "run.jsonl").read_text() == ""
