"""Bitmaps for the surfaces of the sample photos, each made from noise and a seed.

Colour bitmaps are (H, W, 3) uint8 sRGB and tile without a seam unless said otherwise; heights for
bump maps are (H, W) float32 in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Colours = NDArray[np.uint8]
    Heights = NDArray[np.float32]


@dataclass(frozen=True)
class Bitmap:
    """A texture for one property of a material.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, or (H, W) float32 that is used as it is.
        repeat: How often the bitmap fits into one unit of u and of v.
    """

    pixels: NDArray[np.uint8] | NDArray[np.float32]
    repeat: tuple[float, float] = (1.0, 1.0)


def noise(
    size: tuple[int, int], rng: np.random.Generator, *, falloff: float, grain: tuple[float, float]
) -> Floats:
    """Tiling noise with a power-law spectrum: (H, W) float64, mean 0, deviation 1.

    Args:
        size: H and W, px.
        rng: Source of the noise.
        falloff: Exponent of the amplitude over the frequency; 0 white, 1 clouds, 2 smooth.
        grain: Finest detail along y and along x, px; unequal for streaks.
    """
    fy = np.fft.fftfreq(size[0])[:, None] * grain[0]
    fx = np.fft.rfftfreq(size[1])[None, :] * grain[1]
    radius = np.hypot(fy, fx)
    lowest = min(grain[0] / size[0], grain[1] / size[1])
    amplitude = np.maximum(radius, lowest) ** -falloff * np.exp(-2 * radius**2)
    amplitude[0, 0] = 0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(size)) * amplitude, s=size)
    scaled: Floats = field / field.std()
    return scaled


def _unit(field: Floats) -> Heights:
    low, high = np.percentile(field, [0.5, 99.5])
    heights: Heights = np.clip((field - low) / (high - low), 0, 1).astype(np.float32)
    return heights


def ramp(field: Floats, stops: list[str]) -> Colours:
    """The colours of `stops` ("#rrggbb", evenly spaced) at a field of values in [0, 1]."""
    table = np.array([[int(s[i : i + 2], 16) for i in (1, 3, 5)] for s in stops], dtype=np.float64)
    place = np.linspace(0, 1, len(stops))
    rgb = np.stack([np.interp(field, place, table[:, k]) for k in range(3)], axis=-1)
    return np.round(rgb).astype(np.uint8)


def wood(
    seed: int, stops: list[str], *, planks: int = 4, size: int = 1024, rings: float = 9.0
) -> tuple[Colours, Heights]:
    """Planks side by side, their grain along x: colours (dark to light stops) and heights.

    Args:
        seed: Of the noise and of where each plank was cut.
        stops: Colours from the dark late wood to the light early wood.
        planks: How many lie across the bitmap; 1 for a seamless board.
        size: Side of the bitmap, px.
        rings: Year rings across a plank.
    """
    rng = np.random.default_rng(seed)
    rows = size // planks
    warp = noise((size, size), rng, falloff=1.6, grain=(6, 60))
    fibre = noise((size, size), rng, falloff=0.5, grain=(2, 90))
    pores = noise((size, size), rng, falloff=0.2, grain=(2, 40))
    x = np.linspace(-1, 1, size)[None, :]
    y = np.linspace(-0.5, 0.5, rows)[:, None]
    value = np.empty((planks * rows, size))
    for k in range(planks):
        band = slice(k * rows, (k + 1) * rows)
        centre, slope = rng.uniform(-0.5, 0.5), rng.uniform(-0.25, 0.25)
        depth = rng.uniform(0.15, 0.5) + slope * x + 0.05 * np.cos(np.pi * x + rng.uniform(0, 6))
        distance = np.hypot(y - centre, depth) + 0.045 * warp[band]
        phase = (distance * rings) % 1.0
        # Early wood fades slowly into late wood, which ends at once.
        ring = np.where(phase < 0.85, phase / 0.85, (1 - phase) / 0.15) ** 1.6  # noqa: PLR2004
        shade = 0.62 - 0.38 * ring + 0.1 * fibre[band] + rng.uniform(-0.09, 0.09)
        value[band] = shade - 0.3 * np.clip(pores[band] - 1.5, 0, 1)
    height = 0.75 + 0.05 * fibre[: len(value)] - 0.5 * np.clip(pores[: len(value)] - 1.5, 0, 0.4)
    if planks > 1:
        edge = np.abs((np.arange(len(value)) + rows / 2) % rows - rows / 2)[:, None]
        gap = np.clip(1 - edge / 3.0, 0, 1)
        value = value - 0.9 * gap
        height = height - gap
    return ramp(np.clip(value, 0, 1), stops), np.clip(height, 0, 1).astype(np.float32)


def plaster(
    seed: int, colour: str, *, size: int = 1024, contrast: float = 5.0
) -> tuple[Colours, Heights]:
    """A painted wall or paper: colour, clouded by `contrast` grey levels, and its trowel marks."""
    rng = np.random.default_rng(seed)
    clouds = noise((size, size), rng, falloff=1.3, grain=(3, 3))
    base = ramp(np.zeros((size, size)), [colour, colour]).astype(np.float64)
    colours = np.clip(np.round(base + contrast * clouds[..., None]), 0, 255).astype(np.uint8)
    return colours, _unit(noise((size, size), rng, falloff=1.0, grain=(4, 4)))


def linen(
    seed: int, stops: list[str], *, threads: int = 96, size: int = 1024
) -> tuple[Colours, Heights]:
    """Plain weave: colours and heights, with `threads` in each direction across the bitmap."""
    rng = np.random.default_rng(seed)
    wander = 0.9 * noise((size, size), rng, falloff=1.4, grain=(8, 8))
    place = np.arange(size) / size * threads
    across, along = np.meshgrid(place, place)
    across, along = across + 0.12 * wander, along + 0.12 * wander.T
    thick = rng.normal(1, 0.22, (2, threads))
    warp = np.abs(np.sin(np.pi * across)) * thick[0][np.floor(across).astype(int) % threads]
    weft = np.abs(np.sin(np.pi * along)) * thick[1][np.floor(along).astype(int) % threads]
    over = (np.floor(across) + np.floor(along)) % 2
    height = np.where(over > 0, warp, weft) + 0.35 * np.where(over > 0, weft, warp)
    height = height + 0.12 * noise((size, size), rng, falloff=0.4, grain=(2, 2))
    shade = _unit(height)
    tint = 0.72 * shade + 0.28 * _unit(wander)
    return ramp(tint.astype(np.float64), stops), shade


def leather(seed: int, *, size: int = 1024, pebble: float = 10.0) -> Heights:
    """Heights of pebbled leather, about `pebble` px from dale to dale."""
    rng = np.random.default_rng(seed)
    first = noise((size, size), rng, falloff=0.0, grain=(pebble, pebble))
    second = noise((size, size), rng, falloff=0.0, grain=(pebble, pebble))
    # Where two fields both cross zero lie points, where one does lie creases: together, pebbles.
    return _unit(np.minimum(np.abs(first), 0.8) + 0.7 * np.minimum(np.abs(second), 0.8))
