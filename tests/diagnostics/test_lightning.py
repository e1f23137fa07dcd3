"""The callback of Lightning, in real fits."""

import contextlib
import csv
import subprocess
import sys

import pytest
import torch

pytest.importorskip("lightning")

import lightning.pytorch as pl
from lightning.pytorch.loggers import CSVLogger
from toys import TopK

import imle_core as imle
from imle_core.diagnostics import Report
from imle_core.diagnostics.lightning import SolverReports
from imle_core.errors import RecordError

pytestmark = [
    # Lightning's own: advice on workers, devices and logging intervals; and what its dependencies deprecate
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:The number of training batches"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:lightning"),
    pytest.mark.filterwarnings("ignore:.*isinstance\\(treespec, LeafSpec\\).*"),
]


class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.scores = torch.nn.Linear(3, 5)
        self.planner = torch.nn.Sequential(imle.SolverLayer(TopK(), imle.IMLE(samples=2)))
        self.seen, self.grads = [], []

    def training_step(self, batch, _):
        return (self.planner(self.scores(batch[0])) * torch.arange(5.0)).sum()

    def on_before_optimizer_step(self, optimizer):
        self.grads.append([parameter.grad.clone() for parameter in self.parameters()])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Seen(pl.Callback):
    """What a logger would be given after each batch."""

    def __init__(self):
        self.metrics = []

    def on_train_batch_end(self, trainer, *_):
        self.metrics.append(dict(trainer.logged_metrics))


def fit(*callbacks, steps=4, module=None, ckpt_path=None, **options):
    torch.manual_seed(0)
    module = module or Module()
    data = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.randn(4 * steps, 3)), batch_size=4
    )
    options = {
        "logger": False,
        "max_epochs": 1,
        "log_every_n_steps": 1,
        "enable_checkpointing": False,
    } | options
    pl.Trainer(
        accelerator="cpu",
        devices=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
        **options,
    ).fit(module, data, ckpt_path=ckpt_path)
    return module


def test_each_batch_logs_the_figures_of_its_report():
    seen = Seen()
    module = fit(SolverReports(), seen)
    assert len(seen.metrics) == 4
    report = module.planner[0].last_report
    logged = {name: value.item() for name, value in seen.metrics[-1].items()}
    for figure in ("gradient_norm", "zero_rows", "solves", "seconds/forward"):
        assert logged[f"solver/planner.0/{figure}"] == pytest.approx(report.as_dict()[figure])
    assert not any("estimator" in name or name.endswith("/step") for name in logged)
    times = [metrics["solver/planner.0/seconds/forward"].item() for metrics in seen.metrics]
    assert len(set(times)) == 4


def count_reads(monkeypatch):
    """Count reports whose figures are computed, and calls of log_dict."""
    counts = {"as_dict": 0, "log_dict": 0}

    def counting(owner, name):
        plain = getattr(owner, name)

        def call(*args, **options):
            counts[name] += 1
            return plain(*args, **options)

        monkeypatch.setattr(owner, name, call)

    counting(Report, "as_dict")
    counting(pl.LightningModule, "log_dict")
    return counts


def written(folder):
    """Return the steps and rows of what a CSV logger wrote of the layer."""
    (table,) = folder.rglob("metrics.csv")
    with table.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("solver/planner.0/solves")]
    return [int(row["step"]) for row in rows], rows


@pytest.mark.parametrize("every", [0, 1, 3, 50])
def test_figures_are_computed_and_logged_when_the_loggers_write_and_only_then(tmp_path, monkeypatch, every):
    counts = count_reads(monkeypatch)
    module = fit(
        SolverReports(prefix="solver/"), steps=7, logger=CSVLogger(tmp_path), log_every_n_steps=every
    )
    expected = {0: 0, 1: 7, 3: 2, 50: 0}[every]
    assert counts == {"as_dict": expected, "log_dict": expected}
    if expected:
        steps, rows = written(tmp_path)
        assert steps == list(range(every - 1, 7, every))
        assert len({row["solver/planner.0/seconds/forward"] for row in rows}) == expected
    assert module.planner[0].last_report.step == 7


class Manual(Module):
    """Two passes and steps a batch, none in each third one."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.norms = []

    def training_step(self, batch, index):
        for _ in range(0 if index % 3 == 2 else 2):
            loss = super().training_step(batch, index)
            self.optimizers().zero_grad()
            self.manual_backward(loss)
            self.optimizers().step()
            self.norms.append(self.planner[0].last_report.gradient_norm)


@pytest.mark.parametrize("every", [1, 2])
def test_in_manual_optimisation_the_passes_of_a_batch_are_logged_together(tmp_path, every):
    callback = SolverReports()
    module = fit(callback, module=Manual(), steps=8, logger=CSVLogger(tmp_path), log_every_n_steps=every)
    norms = dict(
        zip([0, 1, 3, 4, 6, 7], torch.tensor(module.norms).view(-1, 2).mean(1).tolist(), strict=True)
    )
    steps, rows = written(tmp_path)
    assert steps == list(range(every - 1, 8, every))
    for step, row in zip(steps, rows, strict=True):
        if step in norms:
            assert float(row["solver/planner.0/gradient_norm"]) == pytest.approx(norms[step])
            assert float(row["solver/planner.0/rows"]) == 2 * 4
            assert float(row["solver/planner.0/samples"]) == 2


@pytest.mark.parametrize("every", [1, 2])
def test_where_gradients_are_accumulated_the_passes_of_a_step_are_logged_together(
    tmp_path, every, monkeypatch
):
    counts = count_reads(monkeypatch)
    fit(
        SolverReports(),
        steps=7,
        accumulate_grad_batches=3,
        logger=CSVLogger(tmp_path),
        log_every_n_steps=every,
    )
    steps, rows = written(tmp_path)
    assert steps == list(range(every - 1, 3, every))  # of 3, 3 and 1 batches
    assert [float(row["solver/planner.0/rows"]) for row in rows] == [12, 12, 4][every - 1 :: every]
    assert counts["log_dict"] == len(steps)


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.parametrize("module", [Module, Manual])
def test_a_fit_that_goes_on_from_a_checkpoint_logs_on_the_same_steps(tmp_path, module):
    options = {"logger": CSVLogger(tmp_path / "first"), "log_every_n_steps": 4, "enable_checkpointing": True}
    options |= {"default_root_dir": tmp_path}
    fit(SolverReports(), module=module(), steps=6, max_epochs=1, **options)
    (checkpoint,) = tmp_path.rglob("*.ckpt")
    options["logger"] = CSVLogger(tmp_path / "second")
    fit(SolverReports(), module=module(), steps=6, max_epochs=2, ckpt_path=checkpoint, **options)
    assert written(tmp_path / "first")[0] == [3]
    assert written(tmp_path / "second")[0] == [7, 11]


def test_the_callback_lets_go_of_the_layers_also_after_an_exception():
    class Fails(Module):
        def training_step(self, batch, index):
            if index == 2:
                raise ZeroDivisionError
            return super().training_step(batch, index)

    for module in (Module(), Fails()):
        with contextlib.suppress(ZeroDivisionError):
            fit(SolverReports(), module=module)
        assert module.planner[0].last_report.step >= 2
        assert not module.planner[0]._binding.ledger.hooks


@pytest.mark.filterwarnings("ignore:`training_step` returned `None`")
def test_a_batch_without_a_backward_pass_logs_nothing_again():
    class Skips(Module):
        def training_step(self, batch, index):
            return super().training_step(batch, index) if index % 2 == 0 else None

        def on_before_optimizer_step(self, optimizer):
            pass  # there may be no gradients

    logged = []

    class Counts(SolverReports):
        def _figures(self, name, reports):
            logged.extend(report.step for report in reports)
            return super()._figures(name, reports)

    fit(Counts(), module=Skips())
    assert logged == [1, 2]


def test_loggers_are_given_the_figures(tmp_path):
    fit(SolverReports(), logger=CSVLogger(tmp_path))
    (table,) = tmp_path.rglob("metrics.csv")
    lines = table.read_text().splitlines()
    assert "solver/planner.0/gradient_norm" in lines[0].split(",")
    assert len(lines) == 1 + 4


def test_gradients_are_the_same_with_and_without_the_callback():
    plain, logged = fit().grads, fit(SolverReports()).grads
    assert len(plain) == len(logged) == 4
    for before, after in zip(plain, logged, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_module_without_a_layer_is_an_error_that_says_so():
    module = Module()
    module.planner = torch.nn.Identity()
    with pytest.raises(RecordError, match=r"Module holds no imle_core\.SolverLayer"):
        fit(SolverReports(), module=module)


def test_without_lightning_the_error_names_the_command_that_installs_it():
    code = """
import sys
sys.modules["lightning"] = sys.modules["lightning.pytorch"] = sys.modules["pytorch_lightning"] = None
from imle_core.errors import MissingDependencyError
try:
    import imle_core.diagnostics.lightning
except MissingDependencyError as error:
    assert "pip install lightning" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_pytorch_lightning_serves_where_it_alone_is_installed():
    pytest.importorskip("pytorch_lightning")
    code = """
import sys
sys.modules["lightning"] = sys.modules["lightning.pytorch"] = None
import pytorch_lightning
from imle_core.diagnostics.lightning import SolverReports
assert issubclass(SolverReports, pytorch_lightning.Callback)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
