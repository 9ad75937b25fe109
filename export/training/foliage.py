"""Grounds that grow, drawn: leaves, grass and trunks, sharp near the focus and soft away from it.

The training folder has next to no photos of gardens and woods, the commonest ground of what is
photographed out of doors. A picture is a stack of layers from far to near; each holds many leaves
or blades in related colours, and is blurred by its distance from the plane in focus.
"""

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from export.training.cutouts import Pixels

OVERSAMPLING = 2  # drawn larger and reduced, which is what antialiases
Colour = tuple[int, int, int]
Point = tuple[float, float]
# Mean sRGB colours of what grows: fresh, dark, dry, autumn, flowers.
PALETTES = (
    ((90, 130, 50), (60, 100, 40), (130, 160, 80)),
    ((30, 60, 30), (20, 40, 25), (50, 80, 45)),
    ((150, 135, 80), (120, 105, 60), (175, 165, 110)),
    ((170, 100, 40), (120, 70, 35), (150, 130, 50)),
    ((80, 120, 60), (190, 150, 60), (150, 80, 120)),
)
SKIES = ((200, 215, 235), (160, 190, 225), (235, 235, 230), (25, 30, 25), (60, 70, 50))


def draw_foliage(rng: Generator, side: int) -> Pixels:
    """Draw one ground.

    Args:
        rng: decides everything.
        side: of the picture, pixels.

    Returns:
        (side, side, 3) uint8.
    """
    canvas = side * OVERSAMPLING
    palette = np.array(PALETTES[int(rng.integers(len(PALETTES)))], np.float64)
    image = _far_off(rng, canvas, palette)
    layers = int(rng.integers(3, 7))
    focus = float(rng.uniform(0, layers))
    blur_px = float(rng.choice([0.5, 2.0, 5.0, 9.0])) * canvas / 600
    draw_layer = _grass if rng.random() < 0.45 else _leaves  # noqa: PLR2004
    if rng.random() < 0.3:  # noqa: PLR2004
        _trunks(rng, image)
    for depth in range(layers):
        layer = Image.new("RGBA", image.size)
        # What is far off is paler, as air makes it, or darker, as in a wood.
        light = 1 + float(rng.choice([-0.5, 0.25])) * (1 - depth / layers)
        draw_layer(rng, layer, palette * light, (depth + 1) / layers)
        radius = blur_px * abs(depth - focus) / layers
        soft = layer.filter(ImageFilter.GaussianBlur(radius)) if radius > 0.3 else layer  # noqa: PLR2004
        image.paste(soft, (0, 0), soft)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def _far_off(rng: Generator, canvas: int, palette: NDArray[np.float64]) -> Image.Image:
    """Draw what shows between the leaves: sky above, the palette's blur below."""
    sky = np.array(SKIES[int(rng.integers(len(SKIES)))], np.float64)
    rows = np.linspace(0, 1, 6)[:, None, None]
    horizon = rng.uniform(-0.4, 1.2)
    share = 1 / (1 + np.exp((rows - horizon) * 12))
    patches = palette[rng.integers(0, len(palette), (6, 6))] * rng.uniform(0.5, 1.2, (6, 6, 1))
    small = np.clip(sky * share + patches * (1 - share), 0, 255).astype(np.uint8)
    return Image.fromarray(small).resize((canvas, canvas), Image.Resampling.BICUBIC)


def _colour(rng: Generator, palette: NDArray[np.float64]) -> Colour:
    base = palette[int(rng.integers(len(palette)))] * rng.uniform(0.6, 1.35)
    red, green, blue = (int(v) for v in np.clip(base + rng.normal(0, 10, 3), 0, 255))
    return red, green, blue


def _leaves(rng: Generator, layer: Image.Image, palette: NDArray[np.float64], near: float) -> None:
    """Draw leaves in clumps, larger the nearer they are."""
    draw = ImageDraw.Draw(layer)
    canvas = layer.width
    length = canvas * rng.uniform(0.012, 0.05) * (0.4 + near)
    slender = rng.uniform(0.2, 0.7)
    clumps = rng.uniform(0, canvas, (int(rng.integers(4, 14)), 2))
    spread = canvas * rng.uniform(0.06, 0.25)
    count = int(min(900, 0.5 * canvas**2 / (length**2 * slender)))
    middles = clumps[rng.integers(0, len(clumps), count)] + rng.normal(0, spread, (count, 2))
    for x, y in middles:
        own = length * rng.uniform(0.5, 1.4)
        draw.polygon(
            _leaf(x, y, own, own * slender, rng.uniform(0, math.tau)), _colour(rng, palette)
        )


def _leaf(x: float, y: float, length: float, width: float, angle: float) -> list[Point]:
    cos, sin = math.cos(angle), math.sin(angle)
    outline = [(-0.5, 0.0), (-0.2, 0.4), (0.15, 0.45), (0.5, 0.0), (0.15, -0.45), (-0.2, -0.4)]
    return [
        (
            x + along * length * cos - across * width * sin,
            y + along * length * sin + across * width * cos,
        )
        for along, across in outline
    ]


def _grass(rng: Generator, layer: Image.Image, palette: NDArray[np.float64], near: float) -> None:
    """Draw blades that stand on a line which is lower the nearer they are."""
    draw = ImageDraw.Draw(layer)
    canvas = layer.width
    foot = canvas * (0.25 + 0.85 * near)
    height = canvas * rng.uniform(0.08, 0.4) * (0.3 + near)
    width = height * rng.uniform(0.02, 0.08)
    for _ in range(int(rng.integers(150, 700))):
        x, y = rng.uniform(-0.05, 1.05) * canvas, foot + rng.normal(0, 0.08) * canvas
        own, lean = height * rng.uniform(0.4, 1.2), rng.normal(0, 0.25)
        tip = (x + lean * own, y - own)
        bend = (x + 0.3 * lean * own, y - 0.55 * own)
        draw.polygon(
            [
                (x - width, y),
                (bend[0] - width / 2, bend[1]),
                tip,
                (bend[0] + width / 2, bend[1]),
                (x + width, y),
            ],
            _colour(rng, palette),
        )


def _trunks(rng: Generator, image: Image.Image) -> None:
    """Draw some trunks, lit from one side."""
    draw = ImageDraw.Draw(image)
    canvas = image.width
    for _ in range(int(rng.integers(1, 7))):
        x, half = rng.uniform(0, canvas), canvas * rng.uniform(0.01, 0.06)
        bark = np.array([rng.uniform(40, 140)] * 3) * np.array([1.05, 0.95, 0.85])
        foot = canvas * rng.uniform(0.6, 1.1)
        strips = 9
        for strip in range(strips):
            left = x - half + 2 * half * strip / strips
            red, green, blue = (
                int(v)
                for v in np.clip(
                    bark * (0.6 + 0.8 * strip / strips) * rng.uniform(0.85, 1.15), 0, 255
                )
            )
            draw.rectangle((left, 0, left + 2 * half / strips + 1, foot), (red, green, blue))
