"""Builds an object from parts: outlines inflated to bodies, lit from one side, laid in order.

Inflation takes the blurred outline as height, whose slope gives normals; Lambert's law and Blinn's
highlight (Blinn 1977) light them. No mesh is needed, and a part costs a millisecond.
"""

from collections.abc import Iterable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from export.training.cutouts import CANVAS_MARGIN, Pixels

FINE = 3  # outlines are drawn this many times finer and reduced, which is what antialiases
BULGE = 2.2  # slope of an inflated edge
BLEED_PX = 3  # how far colours reach past the edge, so that sampling there finds no black
VISIBLE = 0.08  # alpha from which a pixel counts towards the object's extent

Plane = NDArray[np.float32]
Point = tuple[float, float]


def chance(rng: Generator, share: float) -> bool:
    """Draw whether something happens."""
    return bool(rng.random() < share)


def between(rng: Generator, low: float, high: float) -> float:
    """Draw a number from [low, high)."""
    return float(rng.uniform(low, high))


def tone(rng: Generator, vivid: float = 0.4) -> Plane:
    """Draw a colour, (3,) in [0, 1]: mostly muted, vivid with the given chance."""
    grey = rng.uniform(0.04, 0.96)
    spread = 0.35 if chance(rng, vivid) else 0.05
    return np.clip(grey + rng.normal(0, spread, 3), 0.02, 0.98).astype(np.float32)


def box_blur(plane: Plane, radius: int, passes: int = 2) -> Plane:
    """Blur (H, W) by a running mean of 2 radius + 1 pixels, again and again; outside is zero."""
    if radius < 1:
        return plane
    width = 2 * radius + 1
    for _ in range(passes):
        for _ in range(2):
            padded = np.pad(plane, ((radius + 1, radius), (0, 0)))
            total = np.cumsum(padded, axis=0, dtype=np.float32)
            plane = ((total[width:] - total[:-width]) / np.float32(width)).T.astype(np.float32)
    return np.ascontiguousarray(plane)


def field(rng: Generator, side: int, cells: tuple[int, int]) -> Plane:
    """Draw smooth noise around 0, (side, side), of so many cells down and across."""
    coarse = Image.fromarray(rng.normal(0, 1.2, cells).astype(np.float32))
    return np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.float32)


def rounded(points: Iterable[Point], times: int = 3, *, closed: bool = True) -> NDArray[np.float64]:
    """Cut corners off a line of points (Chaikin 1974), (N, 2)."""
    line = np.asarray(list(points), np.float64)
    for _ in range(times):
        after = np.roll(line, -1, axis=0) if closed else line[1:]
        before = line if closed else line[:-1]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        inner = cut.reshape(-1, 2)
        line = inner if closed else np.concatenate([line[:1], inner, line[-1:]])
    return line


class Outline:
    """A silhouette in the making; coordinates run over the canvas from 0 to 1, down and right."""

    def __init__(self, side: int, squeeze: float = 1.0, recede: float = 0.0) -> None:
        """Start an empty one; ``squeeze`` and ``recede`` see it at an angle."""
        self.side, self.squeeze, self.recede = side, squeeze, recede
        self.image = Image.new("L", (side * FINE, side * FINE), 0)
        self.draw = ImageDraw.Draw(self.image)

    def _seen(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Project points; give fine pixels and how much smaller things are there."""
        x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
        nearness = 1 / (1 + self.recede * x)
        seen = np.stack([x * self.squeeze * nearness, y * nearness], axis=1) + 0.5
        return seen * self.side * FINE, nearness

    def fill(self, points: Iterable[Point], round_times: int = 0, value: int = 255) -> "Outline":
        """Fill a closed line, its corners cut off so many times."""
        seen, _ = self._seen(rounded(points, round_times))
        self.draw.polygon([(float(x), float(y)) for x, y in seen], value)
        return self

    def ellipse(
        self,
        centre: Point,
        across: float,
        down: float | None = None,
        turn: float = 0.0,
        value: int = 255,
    ) -> "Outline":
        """Fill an ellipse of two radii, turned clockwise by radians."""
        angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        x, y = across * np.cos(angles), (across if down is None else down) * np.sin(angles)
        cos, sin = np.cos(turn), np.sin(turn)
        points = np.stack([centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos], axis=1)
        return self.fill(points, value=value)

    def limb(self, points: Iterable[Point], radii: Iterable[float], steps: int = 36) -> "Outline":
        """Fill a smooth limb that runs through points, of a radius at each."""
        line = rounded(points, 3, closed=False)
        own = np.asarray(list(radii), np.float64)
        at = np.linspace(0, 1, steps)
        along = np.linspace(0, 1, len(line))
        path = np.stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])], 1)
        seen, nearness = self._seen(path)
        thick = np.interp(at, np.linspace(0, 1, len(own)), own) * nearness * self.side * FINE
        for (x, y), radius in zip(seen.tolist(), thick.tolist(), strict=True):
            self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
        return self

    def tube(self, points: Iterable[Point], width: float, value: int = 255) -> "Outline":
        """Draw a line of constant width with round ends."""
        seen, _ = self._seen(np.asarray(list(points), np.float64))
        across = max(round(width * self.side * FINE), 2)
        self.draw.line([(float(x), float(y)) for x, y in seen], value, across, joint="curve")
        for x, y in (seen[0].tolist(), seen[-1].tolist()):
            self.draw.ellipse(
                (x - across / 2, y - across / 2, x + across / 2, y + across / 2), value
            )
        return self

    def ring(self, centre: Point, radius: float, width: float, turns: float = 1.0) -> "Outline":
        """Draw a ring."""
        angles = np.linspace(0, 2 * np.pi * turns, 48)
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + centre
        return self.tube(points, width)

    def mask(self) -> Plane:
        """Give the silhouette, (side, side) in [0, 1]."""
        return np.asarray(self.image.reduce(FINE), np.float32) / np.float32(255)


class Sculpture:
    """An object, premultiplied colours and alpha, to which parts are added front of each other."""

    def __init__(self, rng: Generator, side: int) -> None:
        """Start an empty canvas of side pixels under light from above."""
        self.rng, self.side = rng, side
        self.colours = np.zeros((side, side, 3), np.float32)
        self.alpha = np.zeros((side, side), np.float32)
        turn, rise = rng.uniform(-2.7, -0.4), rng.uniform(0.35, 1.1)
        flat = np.cos(rise)
        self.light = (float(flat * np.cos(turn)), float(flat * np.sin(turn)), float(np.sin(rise)))
        self.ambient = between(rng, 0.25, 0.65)
        self.squeeze, self.recede = 1.0, 0.0

    def seen_at_an_angle(self) -> None:
        """Foreshorten all further outlines, as of a long thing seen not quite from the side."""
        self.squeeze = between(self.rng, 0.7, 1.0)
        self.recede = between(self.rng, -0.35, 0.35)

    def outline(self) -> Outline:
        """Start the outline of a part."""
        return Outline(self.side, self.squeeze, self.recede)

    def lay(
        self,
        part: Outline | Plane,
        colour: Plane,
        *,
        roundness: float = 0.03,
        gloss: float = 0.1,
        opacity: float = 1.0,
    ) -> None:
        """Lay a part over what is there.

        Args:
            part: its outline, or its mask (side, side) in [0, 1].
            colour: (3,), or (side, side, 3) for a pattern.
            roundness: how far from its edge it curves, of the side.
            gloss: strength of its highlight.
            opacity: below 1, what lies behind shows through; the object stays opaque there.
        """
        mask = part.mask() if isinstance(part, Outline) else part
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows) == 0:
            return
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        mask = mask[window]
        albedo = colour[window] if colour.ndim > 1 else colour
        lit, highlight = self._lit(mask, max(round(roundness * self.side), 1))
        shaded = albedo * lit[..., None] + (gloss * highlight)[..., None]
        over = (mask * opacity)[..., None]
        self.colours[window] = self.colours[window] * (1 - over) + np.clip(shaded, 0, 1) * over
        self.alpha[window] += (1 - self.alpha[window]) * over[..., 0]

    def _lit(self, mask: Plane, radius: int) -> tuple[Plane, Plane]:
        """Light an inflated mask: share of light returned, and highlight."""
        height = box_blur(np.pad(mask, 1), radius)
        # Central differences of the padded height, back to the mask's size.
        steep = BULGE * radius
        across = (height[1:-1, :-2] - height[1:-1, 2:]) * np.float32(steep)
        down = (height[:-2, 1:-1] - height[2:, 1:-1]) * np.float32(steep)
        length = np.sqrt(1 + across * across + down * down)
        x, y, z = self.light
        lambert = np.clip((across * x + down * y + z) / length, 0, 1)
        halfway = np.array([x, y, z + 1]) / np.linalg.norm([x, y, z + 1])
        blinn = np.clip(
            (across * halfway[0] + down * halfway[1] + halfway[2]) / length, 0, 1
        ) ** np.float32(40)
        lit = self.ambient + (1.15 - self.ambient) * lambert
        return lit.astype(np.float32), blinn.astype(np.float32)

    def finish(self) -> Pixels:
        """Fit the object on its canvas.

        Returns:
            (side, side, 4) uint8, colours spread past the edge.
        """
        return fitted(self.colours, self.alpha, self.side)


def fitted(colours: Plane, alpha: Plane, side: int) -> Pixels:
    """Fit premultiplied colours (H, W, 3) and alpha (H, W), in [0, 1], on a transparent square.

    Returns:
        (side, side, 4) uint8, straight colours that reach past the edge.

    Raises:
        ValueError: nothing of it is visible.
    """
    rows = np.flatnonzero((alpha > VISIBLE).any(axis=1))
    columns = np.flatnonzero((alpha > VISIBLE).any(axis=0))
    if len(rows) == 0:
        raise ValueError("an object without a visible part")
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    planes = [alpha[window], *(colours[..., i][window] for i in range(3))]
    height, width = planes[0].shape
    scale = (side - 2 * CANVAS_MARGIN) / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    y, x = (side - size[1]) // 2, (side - size[0]) // 2
    placed = np.zeros((4, side, side), np.float32)
    for plane, own in zip(placed, planes, strict=True):
        image = Image.fromarray(np.ascontiguousarray(own))
        resized = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
        plane[y : y + size[1], x : x + size[0]] = resized
    spread = [box_blur(plane, BLEED_PX) for plane in placed]
    inside = placed[0] > VISIBLE
    straight = [
        np.where(inside, own / np.maximum(placed[0], VISIBLE), near / np.maximum(spread[0], 1e-4))
        for own, near in zip(placed[1:], spread[1:], strict=True)
    ]
    whole = np.stack([*straight, placed[0]], axis=2)
    pixels: Pixels = (np.clip(whole, 0, 1) * 255 + 0.5).astype(np.uint8)
    return pixels
