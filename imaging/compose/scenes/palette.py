"""Colours of a scene's surfaces."""

import numpy as np

from imaging.compose.scenes.stage import Floats
from imaging.types import Color, Pixels

# Rec. 709's luminance, here of encoded values, which is close enough to weigh stops by.
_LUMA = (0.2126, 0.7152, 0.0722)
# How much more a shade is a shade in what the surface absorbs, and at most.
_BOUNCE, _MOST_BOUNCE = 1.6, 0.3


def rgb(color: Color) -> Floats:
    """Return a colour as (3,) float32, 0 to 255."""
    return np.asarray(color, np.float32)


def shaded(shade: Floats, color: Color) -> Floats:
    """Shade a surface that stands among others of its colour.

    What lies in the shade is lit by those others, and light that was reflected twice has the
    surface's colour twice: shades are more saturated than lights (Koenderink and van Doorn:
    Geometrical Modes, JOSA 1983, on interreflection). A power per channel stands for it.

    Args:
        shade: (h, w) float32, about 0 to 1.
        color: The surface's colour.

    Returns:
        (h, w, 3) float32, 0 to 255.
    """
    absorbed = 1 - rgb(color) / np.float32(max(*color, 1))
    powers = 1 + np.minimum(np.float32(_BOUNCE) * absorbed, np.float32(_MOST_BOUNCE))
    return np.asarray(shade[:, :, None] ** powers * rgb(color), np.float32)


def mix(color: Color, other: Color, share: float) -> Color:
    """Return a colour with a share, 0 to 1, of another in it."""
    return Color(*(round(a + (b - a) * share) for a, b in zip(color, other, strict=True)))


def scaled(color: Color, factor: float) -> Color:
    """Return a colour brightened or darkened by a factor: its hue stays, its range ends at 255."""
    held = min(factor, 255 / max(*color, 1))
    return Color(*(round(channel * held) for channel in color))


def tinted(stops: tuple[Color, ...], color: Color | None) -> tuple[Color, ...]:
    """Give stops another colour: each one's luminance, of their mean's, times the colour."""
    if color is None:
        return stops
    luma = np.asarray(stops, np.float64) @ _LUMA
    return tuple(scaled(color, float(each / luma.mean())) for each in luma)


def ramp(stops: tuple[Color, ...], factor: float = 1.0) -> Pixels:
    """Return a table from 0..255 to colours, (256, 1, 3) uint8, through stops at even distances."""
    places = np.linspace(0, 255, len(stops))
    levels = np.arange(256)
    columns = [
        np.interp(levels, places, [stop[channel] * factor for stop in stops])
        for channel in range(3)
    ]
    return np.clip(np.rint(np.stack(columns, axis=1)), 0, 255).astype(np.uint8)[:, None]
