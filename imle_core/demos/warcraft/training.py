"""Training: Adam on the Hamming loss between predicted path and label, through the solver layer."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

import imle_core as imle
from imle_core.demos.warcraft.device import find_device, has_bfloat16
from imle_core.demos.warcraft.evaluation import evaluate
from imle_core.demos.warcraft.maps import path_solver
from imle_core.demos.warcraft.network import CostNetwork

if TYPE_CHECKING:
    from imle_core.demos.warcraft.maps import Maps
    from imle_core.demos.warcraft.settings import Settings
    from imle_core.estimators import Estimator

__all__ = ["Listener", "Trainer"]

_WARM_UP = 0.15  # part of the steps


class Listener(Protocol):
    """What is told of the progress."""

    def step(self, epoch: int, done: int, steps: int, metrics: dict[str, float]) -> None:
        """Called after each step."""

    def epoch(self, record: dict[str, Any]) -> None:
        """Called after each epoch, when everything is ready to be saved."""


class Trainer:
    """Everything that training changes, and nothing else: what a checkpoint has to hold.

    Args:
        settings: Hyper-parameters.
        train: Training maps; their costs are not read.
        val: Validation maps. The best epoch is that of the lowest ``excess``, for which labels suffice.
    """

    def __init__(self, settings: Settings, train: Maps, val: Maps) -> None:
        self.device = find_device(settings.device)
        if settings.bf16 is None:
            settings = dataclasses.replace(settings, bf16=has_bfloat16(self.device))
        self.settings, self.train, self.val = settings, train, val
        torch.manual_seed(settings.seed)
        mean, std = train.colour_statistics()
        self.network = CostNetwork(train.size, mean=mean, std=std).to(self.device)
        self.noise_generator = torch.Generator(self.device).manual_seed(settings.seed)
        self.order_generator = torch.Generator().manual_seed(settings.seed + 1)
        self.layer = imle.SolverLayer(
            path_solver(train.size), make_estimator(settings, train.size), generator=self.noise_generator
        ).to(self.device)
        self.steps = math.ceil(len(train) / settings.batch)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=settings.lr)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: _schedule(step / (self.steps * settings.epochs))
        )
        # What a first call does once (imports, compiled kernels) is not the layer's share of the training.
        self.layer.eval()(torch.ones(1, train.size, train.size, device=self.device))
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] = {"epoch": 0, "excess": math.inf, "network": None}

    def fit(self, listener: Listener) -> None:
        """Train for the epochs that remain."""
        while len(self.history) < self.settings.epochs:
            record = {"epoch": len(self.history) + 1, **self._train_epoch(listener)}
            found = evaluate(self.network, self.layer, self.val, self.device)
            record |= {f"val_{name}": value for name, value in found.summary().items()}
            if found.excess < self.best["excess"]:
                weights = {name: value.cpu().clone() for name, value in self.network.state_dict().items()}
                self.best = {"epoch": record["epoch"], "excess": found.excess, "network": weights}
            self.history.append(record)
            listener.epoch(record)

    def use_best(self) -> None:
        """Take the weights of the best epoch, if one is complete."""
        if self.best["network"] is not None:
            self.network.load_state_dict(self.best["network"])

    def state(self) -> dict[str, Any]:
        """Return all state, in tensors and plain types."""
        return {
            "network": self.network.state_dict(),
            "layer": self.layer.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "noise_generator": self.noise_generator.get_state(),
            "order_generator": self.order_generator.get_state(),
            "torch_generator": torch.get_rng_state(),
            "history": self.history,
            "best": self.best,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a state was taken, exactly."""
        for name in ("network", "layer", "optimizer", "scheduler"):
            getattr(self, name).load_state_dict(state[name])
        self.noise_generator.set_state(state["noise_generator"])
        self.order_generator.set_state(state["order_generator"])
        torch.set_rng_state(state["torch_generator"])
        self.history, self.best = list(state["history"]), state["best"]

    def _train_epoch(self, listener: Listener) -> dict[str, float]:
        self.network.train()
        self.layer.train()
        began = self._clock()
        loss_sum = layer_seconds = 0.0
        order = torch.randperm(len(self.train), generator=self.order_generator).numpy()
        for step in range(self.steps):
            rows = order[step * self.settings.batch : (step + 1) * self.settings.batch]
            loss, seconds = self._step(rows)
            loss_sum += loss * len(rows)
            layer_seconds += seconds
            seen = min((step + 1) * self.settings.batch, len(order))
            elapsed = self._clock() - began
            metrics = {
                "loss": loss_sum / seen,
                "seconds": elapsed,
                "layer_seconds": layer_seconds,
                "rows_per_second": seen / elapsed,
            }
            listener.step(len(self.history) + 1, step + 1, self.steps, metrics)
        return metrics

    def _step(self, rows: np.ndarray[Any, Any]) -> tuple[float, float]:
        """Make one step; return the loss and the seconds spent in solver and layer."""
        pixels, target = self._batch(rows)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bool(self.settings.bf16)):
            costs = self.network(pixels)
        # Plain code would be `hamming(layer(network(pixels)), target).backward()`. The cut at the costs
        # changes nothing but lets the clock tell the layer from the network, in both directions.
        leaf = costs.detach().requires_grad_()
        began = self._clock()
        loss = hamming(self.layer(leaf), target)
        loss.backward()  # type: ignore[no-untyped-call]
        seconds = self._clock() - began
        self.optimizer.zero_grad()
        costs.backward(leaf.grad)
        self.optimizer.step()
        self.scheduler.step()
        return loss.item(), seconds

    def _batch(self, rows: np.ndarray[Any, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = torch.from_numpy(np.ascontiguousarray(self.train.pixels[rows])).to(self.device)
        target = torch.from_numpy(np.asarray(self.train.paths[rows], dtype=np.float32)).to(self.device)
        if self.settings.augment:
            for symmetry in (_transposed, _turned):
                chosen = (torch.rand(len(rows), generator=self.order_generator) < 0.5).to(self.device)
                pixels = torch.where(chosen[:, None, None, None], symmetry(pixels), pixels)
                target = torch.where(chosen[:, None, None], symmetry(target), target)
        return pixels, target

    def _clock(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def _transposed(maps: torch.Tensor) -> torch.Tensor:
    """Mirror maps at the diagonal from start to target."""
    return maps.transpose(1, 2)


def _turned(maps: torch.Tensor) -> torch.Tensor:
    """Turn maps by half a circle, which swaps start and target."""
    return maps.flip(1, 2)


def hamming(paths: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean over maps of the number of cells in which a path differs from its label."""
    return (paths * (1 - target) + (1 - paths) * target).sum((1, 2)).mean()


def make_estimator(settings: Settings, size: int) -> Estimator:
    """Return the gradient estimator that the settings name."""
    # A path between opposite corners visits about 1.2 K cells: that many entries sum to a Gumbel.
    noises = {
        "sum-of-gamma": imle.SumOfGamma(k=1.2 * size),
        "gumbel": imle.Gumbel(),
        "normal": imle.Normal(),
        "logistic": imle.Logistic(),
    }
    noise, samples, tau = noises[settings.noise], settings.samples, settings.tau
    if settings.estimator == "blackbox":
        return imle.BlackBox(lam=settings.lam)
    if settings.estimator == "aimle":
        return imle.AIMLE(samples=samples, noise=noise, tau=tau)
    return imle.IMLE(samples=samples, noise=noise, tau=tau, lam=settings.lam, step="relative")


def _schedule(progress: float) -> float:
    """Factor of the learning rate: up linearly, then down to zero along a cosine."""
    if progress < _WARM_UP:
        return max(progress / _WARM_UP, 0.02)
    return 0.5 * (1 + math.cos(math.pi * min((progress - _WARM_UP) / (1 - _WARM_UP), 1.0)))
