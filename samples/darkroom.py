"""From light on film to a file: tone, lens and sensor traces, and how the photo is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

EXIF_ORIENTATION = 0x0112
TURN_CLOCKWISE_TO_VIEW = 6


def _blur(field: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Gaussian blur over the first two axes by the Fourier transform; edges are mirrored."""
    pad = int(np.ceil(3 * sigma))
    field = np.pad(field, ((pad, pad), (pad, pad), (0, 0)), mode="symmetric")
    fy = np.fft.fftfreq(field.shape[0])[:, None, None]
    fx = np.fft.rfftfreq(field.shape[1])[None, :, None]
    gain = np.exp(-2 * (np.pi * sigma) ** 2 * (fy**2 + fx**2))
    spectrum = np.fft.rfft2(field, axes=(0, 1)) * gain
    smooth = np.fft.irfft2(spectrum, s=field.shape[:2], axes=(0, 1))
    inner: NDArray[np.float64] = smooth[pad:-pad, pad:-pad]
    return inner


def develop(light: NDArray[np.float64], exposure: float, seed: int) -> NDArray[np.uint8]:
    """The photo as a camera would have stored it.

    Args:
        light: (H, W, 3) float64, linear sRGB radiance.
        exposure: Factor on `light`; 1 leaves radiance 1 just short of white.
        seed: Of the sensor noise.

    Returns:
        (H, W, 3) uint8, sRGB.
    """
    height, width = light.shape[:2]
    light = light * exposure
    # Glass scatters a little of each highlight around it.
    light = 0.97 * light + 0.03 * _blur(light, 0.012 * max(height, width))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = light * (1 - 0.14 * ((x**2 + y**2) / 2) ** 1.2)[..., None]
    # Linear in the shadows, rolling off towards white as film and cameras do.
    knee = 0.55
    over = np.maximum(light - knee, 0)
    tone = np.where(light > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), light)
    rng = np.random.default_rng(seed)
    shot = np.sqrt(np.maximum(tone, 0)) * 0.006 + 0.0012
    grain = rng.standard_normal(tone.shape)
    tone = np.clip(tone + shot * (0.6 * grain + 0.9 * _blur(grain, 0.8)), 0, 1)
    srgb = np.where(tone <= 0.0031308, 12.92 * tone, 1.055 * tone ** (1 / 2.4) - 0.055)  # noqa: PLR2004
    # A gentle S: what every camera's own picture style adds.
    srgb = srgb + 0.1 * (srgb * srgb * (3 - 2 * srgb) - srgb)
    pixels: NDArray[np.uint8] = np.round(255 * np.clip(srgb, 0, 1)).astype(np.uint8)
    return pixels


def save_photo(path: Path, pixels: NDArray[np.uint8], *, rotated: bool, quality: int = 88) -> None:
    """Write the photo as JPEG.

    Args:
        path: The file.
        pixels: (H, W, 3) uint8, upright.
        rotated: Store it lying on its side with EXIF orientation 6, which viewers undo.
        quality: Of the JPEG, 1 to 95.
    """
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    if rotated:
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[EXIF_ORIENTATION] = TURN_CLOCKWISE_TO_VIEW
    image.save(path, quality=quality, optimize=True, exif=exif.tobytes() if rotated else b"")


def save_matte(path: Path, coverage: NDArray[np.float64]) -> None:
    """Write the matte as 8-bit grey PNG, upright: `coverage` is (H, W) float64 in [0, 1]."""
    Image.fromarray(np.round(255 * coverage).astype(np.uint8)).save(path, optimize=True)
