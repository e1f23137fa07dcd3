"""How good predicted paths are: their true cost against the best path's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from imle_core.demos.warcraft.maps import Maps

__all__ = ["Evaluation", "evaluate"]

_TOLERANCE = 1e-4  # relative; costs have one decimal, so paths of different cost differ by far more


@dataclass(frozen=True)
class Evaluation:
    """What a network predicts for a set of maps.

    Args:
        costs: Predicted costs, shape ``(N, K, K)``.
        paths: Paths that are best under them, shape ``(N, K, K)``.
        cost: True cost of each predicted path, shape ``(N,)``.
        optimum: True cost of each best path, shape ``(N,)``.
        hamming: Mean number of cells in which predicted path and label differ.
        excess: By how much the label costs more than the predicted path under the predicted costs: mean ratio,
            less 1. It needs labels alone, and unlike the Hamming distance it does not care which one of
            several equally good paths the label shows.
    """

    costs: NDArray[np.float32]
    paths: NDArray[np.float32]
    cost: NDArray[np.float64]
    optimum: NDArray[np.float64]
    hamming: float
    excess: float

    @property
    def ratio(self) -> NDArray[np.float64]:
        """Cost over optimum for each map, at least 1."""
        return self.cost / self.optimum

    @property
    def optimal(self) -> NDArray[np.bool_]:
        """Which predicted paths cost no more than the best."""
        return self.ratio <= 1 + _TOLERANCE

    def summary(self) -> dict[str, Any]:
        """Return counts and means as plain numbers."""
        return {
            "maps": len(self.cost),
            "optimal": int(self.optimal.sum()),
            "optimal_percent": 100 * float(self.optimal.mean()),
            "mean_cost_ratio": float(self.ratio.mean()),
            "hamming": self.hamming,
            "excess": self.excess,
        }


def evaluate(
    network: nn.Module, layer: nn.Module, maps: Maps, device: torch.device, batch: int = 100
) -> Evaluation:
    """Predict costs and plain, unperturbed paths; the modules are left in evaluation mode.

    Args:
        network: From pixels to costs.
        layer: From costs to paths.
        maps: What to predict, and the truth.
        device: Where the network is.
        batch: Maps at once.

    Returns:
        Predictions and their true costs.
    """
    network.eval()
    layer.eval()
    predicted, paths = [], []
    with torch.no_grad():
        for start in range(0, len(maps), batch):
            pixels = torch.from_numpy(np.ascontiguousarray(maps.pixels[slice(start, start + batch)]))
            batch_costs = network(pixels.to(device))
            predicted.append(batch_costs.cpu().numpy())
            paths.append(layer(batch_costs).cpu().numpy())
    costs, found = np.concatenate(predicted), np.concatenate(paths)
    truth, weights = np.asarray(maps.paths[:]), np.asarray(maps.costs[:], dtype=np.float64)
    return Evaluation(
        costs=costs,
        paths=found,
        cost=(found * weights).sum((1, 2)),
        optimum=(truth * weights).sum((1, 2)),
        hamming=float(np.abs(found - truth).sum((1, 2)).mean()),
        excess=float(((truth * costs).sum((1, 2)) / (found * costs).sum((1, 2))).mean() - 1),
    )
