"""Five textures drawn by code: grass, earth, tree crowns, rippled water and cracked rock.

Each is a square that wraps around at its edges, so that a map can take its window anywhere. Colours are kept
at the mean of the published maps' palette, which is dark: no channel exceeds about 150 of 255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CELL", "MEAN_RGB", "SIDE", "draw_textures", "wrapped_noise"]

CELL = 8
"""Pixels along one side of a cell."""

SIDE = 256
"""Pixels along one side of a texture."""

MEAN_RGB: NDArray[np.float32] = np.array(
    [[49, 81, 10], [103, 65, 8], [17, 79, 8], [10, 53, 101], [75, 75, 74]], dtype=np.float32
)
"""Mean colour of each kind of ground, indexed by :class:`~imle_core.demos.warcraft.terrain.Terrain`."""


def draw_textures(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw one texture for each kind of ground.

    Args:
        rng: Source of all randomness.

    Returns:
        Colours in grey levels (0 to 255), shape ``(5, SIDE, SIDE, 3)``.
    """
    shades = [_grass(rng), _earth(rng), _forest(rng), _water(rng), _rock(rng)]
    textures = [
        rgb * (shade / shade.mean((0, 1))) for rgb, shade in zip(MEAN_RGB, shades, strict=True)
    ]  # the mean is exact before clipping, which touches few pixels
    return np.clip(np.stack(textures), 0, 160).astype(np.float32)


def wrapped_noise(
    rng: np.random.Generator, length: float | tuple[float, float], count: int = 1
) -> NDArray[Any]:
    """Gaussian noise of unit variance and the given correlation length in pixels, ``(count, SIDE, SIDE)``."""
    vertical, horizontal = length if isinstance(length, tuple) else (length, length)
    frequency = (vertical * np.fft.fftfreq(SIDE)[:, None]) ** 2 + (
        horizontal * np.fft.rfftfreq(SIDE)[None, :]
    ) ** 2
    spectrum = np.fft.rfft2(rng.standard_normal((count, SIDE, SIDE))) * np.exp(-2 * np.pi**2 * frequency)
    noise = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    return noise / noise.std(axis=(1, 2), keepdims=True)


def _tinted(shade: NDArray[Any], tint: tuple[float, float, float]) -> NDArray[Any]:
    """A grey shade as three channels; ``tint`` says how strongly each channel follows it."""
    return 1 + (shade[..., None] - 1) * np.asarray(tint)


def _grass(rng: np.random.Generator) -> NDArray[Any]:
    meadow, blades = wrapped_noise(rng, 14)[0], wrapped_noise(rng, (1.1, 0.5))[0]
    shade = 1 + 0.13 * np.tanh(2 * meadow) + 0.10 * blades + 0.16 * (blades > 1.5)
    return np.maximum(_tinted(shade, (1.5, 0.8, 1.2)), 0.2)


def _earth(rng: np.random.Generator) -> NDArray[Any]:
    patches, grain = wrapped_noise(rng, 11)[0], wrapped_noise(rng, 0.7)[0]
    shade = 1 - 0.14 * (np.tanh(4 * (patches - 0.8)) + 1) + 0.06 * grain + 0.12 * (grain > 1.9)
    return np.maximum(_tinted(shade, (1.0, 1.0, 1.6)), 0.2)


def _forest(rng: np.random.Generator) -> NDArray[Any]:
    crowns = _scatter(rng, spacing=64 / 11, jitter=0.55)
    lit = 1.05 - 0.26 * crowns.near + 0.17 * (-crowns.dx - crowns.dy)  # light falls from the upper left
    shade = np.where(crowns.far - crowns.near < 0.8, 0.38, lit) + 0.14 * wrapped_noise(rng, 0.6)[0]
    crown_tone = 1 + 0.16 * crowns.tone
    return np.maximum(_tinted(np.maximum(shade, 0.15) * crown_tone, (1.7, 1.0, 1.0)), 0.12)


def _water(rng: np.random.Generator) -> NDArray[Any]:
    depth, swell = wrapped_noise(rng, 16)[0], wrapped_noise(rng, (1.2, 3.5))[0]
    shade = 1 + 0.07 * depth + 0.07 * swell + 0.22 * np.maximum(swell - 1.3, 0)
    return np.maximum(_tinted(shade, (2.2, 1.3, 0.8)), 0.2)


def _rock(rng: np.random.Generator) -> NDArray[Any]:
    blocks = _scatter(rng, spacing=SIDE / 32, jitter=0.9)
    facet = 1 + 0.13 * (-blocks.dx - 1.3 * blocks.dy) + 0.10 * blocks.tone
    shade = np.where(blocks.far - blocks.near < 1.1, 0.42, facet) + 0.12 * wrapped_noise(rng, (0.6, 1.2))[0]
    return np.maximum(_tinted(shade, (1.0, 1.0, 0.95)), 0.15)


class _Scatter(NamedTuple):
    """For each pixel: distance to the nearest and second nearest point, offset from and tone of the nearest."""

    near: NDArray[Any]
    far: NDArray[Any]
    dy: NDArray[Any]
    dx: NDArray[Any]
    tone: NDArray[Any]


def _scatter(rng: np.random.Generator, *, spacing: float, jitter: float) -> _Scatter:
    """Points on a staggered, shaken lattice that wraps around, and what each pixel sees of them."""
    count = round(SIDE / spacing / 2) * 2  # even, so that the stagger closes
    step = SIDE / count
    row, column = np.mgrid[:count, :count].astype(float)
    y = (row + 0.5 + jitter * (rng.random((count, count)) - 0.5)) * step
    x = (column + 0.25 + 0.5 * (row % 2) + jitter * (rng.random((count, count)) - 0.5)) * step
    tone = rng.standard_normal((count, count))
    py, px = np.mgrid[:SIDE, :SIDE].astype(float)
    cell_y, cell_x = (py / step).astype(int), (px / step).astype(int)
    near = np.full((SIDE, SIDE), np.inf)
    far, best = near.copy(), [np.zeros((SIDE, SIDE)) for _ in range(3)]
    for i in range(-2, 3):
        for j in range(-2, 3):
            at = (cell_y + i) % count, (cell_x + j) % count
            dy = (py - y[at] + SIDE / 2) % SIDE - SIDE / 2
            dx = (px - x[at] + SIDE / 2) % SIDE - SIDE / 2
            distance = np.hypot(dy, dx)
            closer = distance < near
            far = np.where(closer, near, np.minimum(far, distance))
            near = np.where(closer, distance, near)
            best = [np.where(closer, new, old) for new, old in zip((dy, dx, tone[at]), best, strict=True)]
    return _Scatter(near, far, *best)
