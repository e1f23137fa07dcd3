"""Arrays that a solver computes once, on whatever device theta is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Constants:
    """Arrays as tensors, brought to each device once.

    Args:
        arrays: NumPy arrays; they are not to be changed afterwards.
    """

    def __init__(self, *arrays: NDArray[np.generic]) -> None:
        self._host = [torch.from_numpy(array) for array in arrays]
        self._on: dict[tuple[torch.device, torch.dtype | None], list[torch.Tensor]] = {}

    def on(self, device: torch.device, dtype: torch.dtype | None = None) -> Sequence[torch.Tensor]:
        """Return the arrays in their order, on a device and, if one is given, of a dtype."""
        found = self._on.get((device, dtype))
        if found is None:
            # Ordinary tensors, whatever is going on: those of inference mode, or of tracing, are of no use afterwards.
            with torch.inference_mode(False):
                found = [tensor.to(device=device, dtype=dtype) for tensor in self._host]
            if all(type(tensor) is torch.Tensor for tensor in found):
                self._on[device, dtype] = found
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle the arrays, not what was made of them on devices that may not be there."""
        return {**self.__dict__, "_on": {}}
