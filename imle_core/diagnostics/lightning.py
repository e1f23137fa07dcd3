"""Reports of solver layers in the logs of Lightning; imported explicitly, because it imports Lightning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imle_core._checks import require_count
from imle_core.errors import MissingDependencyError

from ._watch import find_layers

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer

    from imle_core import SolverLayer

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


class SolverReports(Callback):
    """Log the figures of every solver layer of a module, once a training batch, by ``pl_module.log_dict``.

    They go wherever the trainer's loggers write, as ``"solver/planner.layer/gradient_norm"``. The trainer's own
    ``log_every_n_steps`` (50 by default) thins what loggers are given; a figure that was not measured is left out.

    Args:
        prefix: Put before the name of the layer.
        every: Log each ``every``-th report of a layer, from the first on.

    Raises:
        RecordError: at the start of the fit, if the module holds no solver layer.

    Example:
        >>> SolverReports(every=10).prefix
        'solver/'
    """

    def __init__(self, *, prefix: str = "solver/", every: int = 1) -> None:
        super().__init__()
        require_count("SolverReports", "every", every)
        self.prefix = prefix
        self.every = every
        self._layers: dict[str, SolverLayer] = {}
        self._last: dict[str, Report | None] = {}
        self._seen: dict[str, int] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find the layers."""
        self._layers = find_layers(pl_module)
        self._last = {name: layer.last_report for name, layer in self._layers.items()}
        self._seen = dict.fromkeys(self._layers, 0)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Log what the layers reported since the batch before."""
        for name, layer in self._layers.items():
            report = layer.last_report
            if report is None or report is self._last[name]:
                continue
            self._last[name] = report
            count = self._seen[name]
            self._seen[name] = count + 1
            if count % self.every == 0:
                pl_module.log_dict(self._figures(name, report), on_step=True, on_epoch=False)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let go of the layers."""
        self._layers, self._last = {}, {}

    def _figures(self, name: str, report: Report) -> dict[str, float]:
        return {
            f"{self.prefix}{name}/{figure}": float(value)
            for figure, value in report.as_dict().items()
            if figure != "step" and isinstance(value, (int, float))
        }
