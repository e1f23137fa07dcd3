"""The network from pixels to costs: a ResNet18 cut after its first stage, pooled to one cost a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CostNetwork"]

_CHANNELS = 64


class CostNetwork(nn.Module):
    r"""Costs of the cells of a map.

    The published network: 7x7 convolution of stride 2, batch norm, ReLU, max-pool, two residual blocks of 64
    channels, adaptive max-pool to K x K. A 1x1 convolution and a softplus then make one positive cost a cell.
    Shortest paths do not change with the scale of the costs, so nothing fixes it but the noise.

    Args:
        size: Cells along each side, K.
        mean: Mean of each colour channel over the training maps, grey levels.
        std: Standard deviation of each, grey levels.

    Shape:
        - Input: ``(B, 8K, 8K, 3)``, uint8 or floating, channels last as the archive has them.
        - Output: ``(B, K, K)``, float32, positive.

    Reference:
        Vlastelica et al. (2020), section 4.1; He et al. (2016), Deep Residual Learning for Image Recognition.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, size: int, *, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))
        self.stem = nn.Sequential(
            nn.Conv2d(3, _CHANNELS, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(_CHANNELS),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stage = nn.Sequential(_ResidualBlock(), _ResidualBlock())
        self.pool = nn.AdaptiveMaxPool2d(size)
        self.head = nn.Conv2d(_CHANNELS, 1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.head.weight, std=0.01)
        for parameter in self.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the costs of maps."""
        # Permuting what is stored channels-last gives the memory format of the convolutions without a copy.
        pixels = ((maps.to(torch.float32) - self.mean) / self.std).permute(0, 3, 1, 2)
        features = self.pool(self.stage(self.stem(pixels)))
        with torch.autocast(pixels.device.type, enabled=False):  # bfloat16 would round costs into ties
            return nn.functional.softplus(self.head(features.float()).squeeze(1))


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(_CHANNELS),
            nn.ReLU(inplace=True),
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(_CHANNELS),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))
