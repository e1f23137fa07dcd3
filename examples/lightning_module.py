"""Predict, then optimise, with Lightning: the task of plain_pytorch.py, without the loops.

Data, model and baseline are imported from there; what is left is what Lightning needs to know.
"""

import logging
import tempfile
import warnings

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from plain_pytorch import RoutePlanner, fit_costs, regret, sample_days
from torch.utils.data import DataLoader
from torchmetrics import MeanMetric

from imle_core.diagnostics.lightning import SolverReports

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class PlannerModule(lightning.LightningModule):
    """Trains a RoutePlanner on what its routes cost; Lightning switches the layer between training and eval."""

    def __init__(self, lr: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.planner = RoutePlanner()
        self.regret = MeanMetric()

    def training_step(self, batch: Batch) -> torch.Tensor:
        features, costs, least = batch
        return ((self.planner(features) * costs).sum(1) - least).mean()

    def validation_step(self, batch: Batch) -> None:
        features, costs, least = batch
        paid = (self.planner(features) * costs).sum(1)
        self.regret(paid / least - 1, weight=least)  # a ratio of sums, also over batches and processes
        self.log("regret", self.regret)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.hparams["lr"])


def main() -> None:
    warnings.filterwarnings("ignore", ".*does not have many workers")  # the data are in memory
    warnings.filterwarnings("ignore", ".*treespec, LeafSpec")  # Lightning's own use of torch
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)

    lightning.seed_everything(0, verbose=False)
    train_days, valid_days, test_days = sample_days(1000, 250, 2000, seed=0)
    two_stage = RoutePlanner()
    fit_costs(two_stage, train_days)

    with tempfile.TemporaryDirectory() as folder:
        best = ModelCheckpoint(folder, monitor="regret", mode="min")
        trainer = lightning.Trainer(
            max_epochs=20,
            accelerator="cpu",
            gradient_clip_val=10.0,
            callbacks=[best, SolverReports()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        trainer.fit(
            PlannerModule(),
            DataLoader(train_days, batch_size=32, shuffle=True),
            DataLoader(valid_days, batch_size=250),
        )
        agreement = trainer.callback_metrics["solver/planner.route/agreement"]
        module = PlannerModule.load_from_checkpoint(best.best_model_path)
        loader = DataLoader(test_days, batch_size=500)
        (test,) = trainer.validate(module, loader, verbose=False)

    baseline = regret(two_stage, loader)
    print(f"two stages, least squares: {baseline:.1%} regret on {len(test_days)} held-out days")
    print(
        f"end to end, I-MLE:         {test['regret']:.1%}, best of {trainer.max_epochs} epochs by validation"
    )
    print(f"{agreement:.0%} of the samples of a training step changed no route, and taught nothing")
    assert test["regret"] < 0.75 * baseline
    features, *_ = test_days[:100]
    planner = module.planner.eval()
    assert torch.equal(planner(features), planner.route.solver.solve(planner.costs(features)))


if __name__ == "__main__":
    main()
