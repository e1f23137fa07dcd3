"""Reports of solver layers in the logs of Lightning; imported explicitly, because it imports Lightning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imle_core.errors import MissingDependencyError

from ._watch import find_layers

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer
    from torch.utils.hooks import RemovableHandle

    from ._report import Report
else:
    try:
        from lightning.pytorch import Callback
    except ModuleNotFoundError:
        try:
            from pytorch_lightning import Callback
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                "imle_core.diagnostics.lightning needs Lightning, which is not installed. "
                "Install with: pip install lightning"
            ) from error

__all__ = ["SolverReports"]

# Over passes, as what was avoided and the times are; the rest is averaged.
_ADDED = ("rows", "solves", "timeouts")


class SolverReports(Callback):
    """Log the figures of every solver layer of a module, by ``pl_module.log_dict``, when the trainer's loggers write.

    They go wherever those write, as ``"solver/planner.layer/gradient_norm"``, every ``log_every_n_steps`` of the
    trainer (50 by default). In between, nothing is computed and nothing logged: a ``log_dict`` of a layer costs some
    milliseconds of the host, mostly Lightning's own. What is written is of that one step: where a layer had several
    backward passes in it (manual optimisation, accumulated gradients, a layer used twice), rows, solves, time-outs and
    times are added, all else is averaged. A figure that was not measured is left out. For every pass of a run, see
    :func:`~imle_core.diagnostics.watch`.

    Args:
        prefix: Put before the name of the layer.

    Raises:
        RecordError: at the start of the fit, if the module holds no solver layer.

    Example:
        >>> SolverReports().prefix
        'solver/'
    """

    def __init__(self, *, prefix: str = "solver/") -> None:
        super().__init__()
        self.prefix = prefix
        self._passes: dict[str, list[Report]] = {}
        self._handles: list[RemovableHandle] = []
        self._steps = 0

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find the layers, and attach to them."""
        layers = find_layers(pl_module)
        self._passes = {name: [] for name in layers}
        self._handles = [
            layer.register_report_hook(self._passes[name].append) for name, layer in layers.items()
        ]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to count where the run does: it may go on from a checkpoint."""
        self._steps = _steps(trainer, pl_module)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Log what the layers reported in this step, if the trainer is about to write."""
        steps = _steps(trainer, pl_module)
        if steps == self._steps:  # gradients are accumulated: the step is not complete
            return
        self._steps = steps
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        fast: int = trainer.fast_dev_run  # type: ignore[attr-defined]
        writes = every > 0 and (steps % every == 0 or trainer.should_stop or fast > 0)
        for name, reports in self._passes.items():
            if reports and writes:
                pl_module.log_dict(self._figures(name, reports), on_step=True, on_epoch=False)
            reports.clear()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let go of the layers."""
        self._detach()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Let go of the layers."""
        self._detach()

    def _detach(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles, self._passes = [], {}

    def _figures(self, name: str, reports: list[Report]) -> dict[str, float]:
        columns: dict[str, list[float]] = {}
        for report in reports:
            for figure, value in report.as_dict().items():
                if figure != "step" and isinstance(value, (int, float)):
                    columns.setdefault(figure, []).append(float(value))
        return {
            f"{self.prefix}{name}/{figure}": sum(values)
            / (1 if figure in _ADDED or "/" in figure else len(values))
            for figure, values in columns.items()
        }


def _steps(trainer: Trainer, pl_module: LightningModule) -> int:
    """Return the number of steps done, as ``log_every_n_steps`` counts them: a batch is one in manual optimisation."""
    return trainer.global_step if pl_module.automatic_optimization else trainer.fit_loop.total_batch_idx + 1
