"""The temperature at which perturb-and-MAP comes closest to the exponential family."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

from imle_core._checks import require_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from imle_core._family import ExponentialFamily
    from imle_core.noise import Noise

_RANGE = 20.0  # of the temperatures tried: tau / 20 to 20 tau
_GRID = 13
_GOLDEN = (math.sqrt(5) - 1) / 2
_REFINEMENTS = 10  # of the logarithm of the temperature, to less than a hundredth


class Calibration(NamedTuple):
    """A temperature for perturb-and-MAP.

    Attributes:
        noise: The noise.
        tau: The temperature whose perturb-and-MAP marginals are closest to the exact ones.
        error: Root of the mean square difference of those marginals.
        resolution: What of the error is left by the number of samples, if the marginals were equal.
    """

    noise: Noise
    tau: float
    error: float
    resolution: float


def calibrate(
    family: ExponentialFamily, noise: Noise, *, samples: int = 1000, generator: torch.Generator | None = None
) -> Calibration:
    """Fit the temperature by golden-section search of its logarithm, with the same draws at each.

    See :meth:`ExponentialFamily.calibrate`.
    """
    require_count("calibrate", "samples", samples)
    solver = family.solver
    theta = family.theta.detach()
    theta = theta.to(torch.promote_types(theta.dtype, torch.float32))
    with torch.no_grad():
        mean = family.mean.detach().to(theta.dtype)
    if theta.numel() == 0:
        raise ValueError(
            f"calibrate: the batch {tuple(family.batch_shape)} is empty, so there is nothing to fit."
        )
    draws = noise.sample((samples, *theta.shape), generator=generator, device=theta.device, dtype=theta.dtype)
    draws = draws if solver.sense == "max" else -draws
    shape = (-1, *family.event_shape)
    instances = None if family.instances is None else [*family.instances] * samples

    def error(log_tau: float) -> float:
        points = theta + math.exp(log_tau) * draws
        z = solver.solve(points.reshape(shape), instances=instances).reshape(draws.shape)
        return float((z.mean(0) - mean).double().square().mean().sqrt())

    best = _minimise(error, math.log(family.tau) - math.log(_RANGE), math.log(family.tau) + math.log(_RANGE))
    resolution = float((family.variance / samples).double().mean().clamp(min=0).sqrt())
    return Calibration(noise, math.exp(best), error(best), resolution)


def _minimise(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function of one number is smallest: the best of a grid, refined between its neighbours."""
    step = (high - low) / (_GRID - 1)
    grid = [low + i * step for i in range(_GRID)]
    centre = min(grid, key=function)
    low, high = centre - step, centre + step
    for _ in range(_REFINEMENTS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if function(left) < function(right):
            high = right
        else:
            low = left
    return (low + high) / 2
