"""Rendered pictures that show no product: what a model is asked to find nothing in."""

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Pixels

_GREYS = (0, 64, 128, 200, 245, 255)
_COLOURS = {"red": (200, 30, 30), "blue": (40, 90, 200), "beige": (230, 215, 190)}
_SPREADS = (5, 20, 60)


def render_backgrounds(width_px: int, height_px: int) -> dict[str, Pixels]:
    """Render plain, graded, lit and noisy grounds.

    Returns:
        (height_px, width_px, 3) uint8 each, by what it shows.
    """
    rng = np.random.default_rng(0)
    shape = (height_px, width_px, 3)
    down, across = np.meshgrid(
        np.linspace(0, 1, height_px), np.linspace(0, 1, width_px), indexing="ij"
    )
    off_centre = (down - 0.5) ** 2 + (across - 0.5) ** 2
    grounds = {f"plain {grey}": np.full(shape, float(grey)) for grey in _GREYS}
    grounds |= {
        f"plain {name}": np.broadcast_to(np.array(colour, float), shape)
        for name, colour in _COLOURS.items()
    }
    grounds |= {
        "gradient down": _grey(120 + 120 * down),
        "gradient across": _grey(120 + 120 * across),
        "vignette": _grey(240 * np.exp(-2 * off_centre)),
        "spot of light": _grey(60 + 190 * np.exp(-12 * off_centre)),
        "table against wall": _grey(225 - 45 / (1 + np.exp((0.6 - down) * 200))),
    }
    grounds |= {f"noise {deviation}": rng.normal(128, deviation, shape) for deviation in _SPREADS}
    for cells in (4, 16):
        coarse = rng.normal(128, 50, (cells, cells, 3))
        clouds = cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
        grounds[f"clouds {cells}"] = np.asarray(clouds, np.float64)
    return {name: np.clip(values, 0, 255).astype(np.uint8) for name, values in grounds.items()}


def _grey(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.repeat(values[:, :, None], 3, axis=2)
