"""The callback of Lightning, in real fits."""

import subprocess
import sys

import pytest
import torch

pytest.importorskip("lightning")

import lightning.pytorch as pl
from lightning.pytorch.loggers import CSVLogger
from toys import TopK

import imle_core as imle
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


def fit(*callbacks, steps=4, module=None, **options):
    torch.manual_seed(0)
    module = module or Module()
    data = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.randn(4 * steps, 3)), batch_size=4
    )
    options = {"logger": False} | options
    pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        devices=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        callbacks=list(callbacks),
        **options,
    ).fit(module, data)
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


def test_every_thins_and_the_prefix_is_put_before():
    seen = Seen()
    module = fit(SolverReports(prefix="x/", every=3), seen)
    times = [metrics.get("x/planner.0/seconds/forward") for metrics in seen.metrics]
    assert times[0] == times[1] == times[2] != times[3]
    assert module.planner[0].last_report.step == 4


@pytest.mark.filterwarnings("ignore:`training_step` returned `None`")
def test_a_batch_without_a_backward_pass_logs_nothing_again():
    class Skips(Module):
        def training_step(self, batch, index):
            return super().training_step(batch, index) if index % 2 == 0 else None

        def on_before_optimizer_step(self, optimizer):
            pass  # there may be no gradients

    logged = []

    class Counts(SolverReports):
        def _figures(self, name, report):
            logged.append(report.step)
            return super()._figures(name, report)

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
