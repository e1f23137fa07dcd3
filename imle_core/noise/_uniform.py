"""Uniform numbers for the quantile functions: independent, antithetic, or quasi-random."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from imle_core._checks import require_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

Draws = Literal["independent", "antithetic", "sobol"]

# Half the spacing of the uniform numbers that torch draws: 24 bits of mantissa in float32, 53 in float64.
_RESOLUTION = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}
_BITS = 30  # of a Sobol point
_MAX_DIMENSION = torch.quasirandom.SobolEngine.MAXDIM


def uniform(
    shape: Sequence[int],
    draws: Draws = "independent",
    *,
    generator: torch.Generator | None,
    device: torch.device | str | None,
    dtype: torch.dtype,
) -> Tensor:
    """Return uniform numbers in the open interval (0, 1), so that every quantile is finite.

    Each number is uniform whatever ``draws`` is, and rows are independent of each other; what it couples is the
    samples of a row.

    Args:
        shape: Samples, rows, event: ``(S, N, *event)``; any shape if the draws are independent.
        draws: ``"independent"``; ``"antithetic"``: sample s + S/2 is one minus sample s (rounded up: with S odd, one
            sample has no partner); ``"sobol"``: the samples of a row are a scrambled Sobol sequence, with a random
            digital shift for each row.
        generator: Source of randomness, on ``device``; None takes torch's global one.
        device: Where the numbers are made.
        dtype: ``torch.float32`` or ``torch.float64``.

    Raises:
        ValueError: the dtype is another, or an event has too many entries for a Sobol sequence.

    Reference:
        Owen (2003), Quasi-Monte Carlo sampling, sections 3 and 4.
    """
    require_choice("sample", "draws", draws, ("independent", "antithetic", "sobol"))
    if dtype not in _RESOLUTION:
        raise ValueError(f"noise is drawn in float32 or float64; got {dtype}.")
    if draws == "sobol":
        # Rounded to float32, the largest are 1, whose quantile is infinite.
        u = _sobol(tuple(shape), generator, device, dtype).clamp_(max=1 - 2 * _RESOLUTION[dtype])
    else:
        shape = tuple(shape)
        first = (-(-shape[0] // 2), *shape[1:]) if draws == "antithetic" else shape
        u = torch.rand(first, generator=generator, device=device, dtype=dtype)
        if draws == "antithetic":
            u = u.clamp_(min=_RESOLUTION[dtype])
            # 1 - u of the smallest u rounds to 1, whose quantile is infinite
            other = (1 - u[: shape[0] // 2]).clamp_(max=1 - 2 * _RESOLUTION[dtype])
            return torch.cat([u, other])
    return u.clamp_(min=_RESOLUTION[dtype])


def _sobol(
    shape: tuple[int, ...],
    generator: torch.Generator | None,
    device: torch.device | str | None,
    dtype: torch.dtype,
) -> Tensor:
    if len(shape) < 2:
        raise ValueError(f"Sobol draws have samples and rows: a shape (S, N, *event); got {shape}.")
    if torch.Size(shape).numel() == 0:
        return torch.empty(shape, device=device, dtype=dtype)
    samples, rows = shape[:2]
    dimension = torch.Size(shape[2:]).numel()
    if dimension > _MAX_DIMENSION:
        raise ValueError(
            f"a Sobol sequence has at most {_MAX_DIMENSION} dimensions; an event of shape {shape[2:]} has "
            f"{dimension} entries. Use antithetic or independent draws."
        )
    shift = torch.randint(2**_BITS, (rows, dimension), generator=generator, device=device, dtype=torch.int32)
    points = _points(samples, dimension, shift.device)
    # Exclusive or with a random number: uniform, and the points of a row stay as evenly spread as they were.
    shifted = points[:, None] ^ shift
    return shifted.to(dtype).add_(0.5).mul_(2.0**-_BITS).reshape(shape)


@functools.lru_cache(maxsize=16)
def _points(samples: int, dimension: int, device: torch.device) -> Tensor:
    """Return the points of a scrambled Sobol sequence as integers, shape ``(samples, dimension)``."""
    # The matrix scramble is the same in each call; what is random in each is the shift.
    engine = torch.quasirandom.SobolEngine(max(dimension, 1), scramble=True, seed=0)  # type: ignore[no-untyped-call]
    with torch.device("cpu"):  # whatever the default device is
        points = engine.draw(samples, dtype=torch.float64)[:, :dimension]
    return (points * 2**_BITS).to(torch.int32).to(device)
