"""Thin and holed things, drawn: what photographs of clothes and groceries lack.

Spokes, chair legs, lamp arms, racks, chains and rings, with ground showing through. Their colours
are plain; ``compose`` lays real texture over them.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

CENTRE = 320
CANVAS = 2 * CENTRE  # pixels; drawn large and reduced, which is what antialiases
Colour = tuple[int, int, int, int]
Point = tuple[float, float]


class Pen:
    """Draws parts in related colours onto a transparent canvas."""

    def __init__(self, rng: Generator) -> None:
        """Start an empty canvas of CANVAS x CANVAS."""
        self.rng = rng
        self.image = Image.new("RGBA", (CANVAS, CANVAS), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)
        self.palette = [self._random_colour() for _ in range(3)]
        self.width_px = float(rng.uniform(5, 22))

    def happens(self, share: float) -> bool:
        """Draw whether a part is there."""
        return bool(self.rng.random() < share)

    def _random_colour(self) -> NDArray[np.float64]:
        grey = self.rng.uniform(20, 235)
        spread = self.rng.choice([4, 25, 90])
        return np.clip(grey + self.rng.normal(0, spread, 3), 5, 250)

    def colour(self, light: float = 1.0) -> Colour:
        """Give a colour of the palette, brighter or darker."""
        base = self.palette[int(self.rng.integers(3))] * light
        red, green, blue = (int(value) for value in np.clip(base, 0, 255))
        return red, green, blue, 255

    def stroke(self, points: list[Point], width_px: float | None = None) -> None:
        """Draw a tube: a dark rim and a lighter core along one line."""
        width = width_px or self.width_px
        base = self.palette[int(self.rng.integers(3))]
        for share, light in ((1.0, 0.65), (0.6, 1.0), (0.25, 1.3)):
            red, green, blue = (int(v) for v in np.clip(base * light, 0, 255))
            across = max(round(width * share), 1)
            self.draw.line(points, (red, green, blue, 255), across, joint="curve")
            if share == 1.0:
                for x, y in (points[0], points[-1]):
                    half = width / 2
                    self.draw.ellipse(
                        (x - half, y - half, x + half, y + half), (red, green, blue, 255)
                    )

    def ring(self, centre: Point, radius: float, width_px: float, squash: float = 1.0) -> None:
        """Draw a ring, seen at an angle where squash is below 1."""
        angles = np.linspace(0, 2 * np.pi, 60)
        self.stroke(
            [
                (centre[0] + radius * squash * np.cos(a), centre[1] + radius * np.sin(a))
                for a in angles
            ],
            width_px,
        )

    def solid(self, points: list[Point]) -> None:
        """Draw a filled outline."""
        self.draw.polygon(points, self.colour())


def wheel(pen: Pen, centre: Point = (320, 320), radius: float = 270) -> None:
    """Draw a spoked wheel."""
    squash = float(pen.rng.uniform(0.45, 1))
    pen.ring(centre, radius, pen.width_px * 1.3, squash)
    spokes = int(pen.rng.integers(3, 20))
    thin = max(pen.width_px * float(pen.rng.uniform(0.15, 0.8)), 3)
    turn = float(pen.rng.uniform(0, 6.3))
    for k in range(spokes):
        a = turn + 2 * np.pi * k / spokes
        end = (centre[0] + radius * squash * np.cos(a), centre[1] + radius * np.sin(a))
        pen.stroke([centre, end], thin)
    pen.ring(centre, radius * 0.12, pen.width_px, squash)


def cycle(pen: Pen) -> None:
    """Draw two wheels, a frame, a bar and a seat."""
    radius = float(pen.rng.uniform(110, 145))
    rear, front = (165.0, 440.0), (475.0, 440.0)
    for centre in (rear, front):
        state = pen.rng.bit_generator.state
        wheel(pen, centre, radius)
        pen.rng.bit_generator.state = state
    seat, crank, head = (250.0, 240.0), (300.0, 430.0), (430.0, 250.0)
    for line in (
        [rear, seat],
        [rear, crank],
        [crank, seat],
        [crank, head],
        [seat, head],
        [head, front],
    ):
        pen.stroke([line[0], line[1]])
    top = (415.0 + float(pen.rng.uniform(-25, 25)), 180.0)
    pen.stroke([head, top, (top[0] + float(pen.rng.uniform(-60, 60)), 170.0)])
    pen.stroke([(seat[0] - 35, 215), (seat[0] + 35, 215)], pen.width_px * 1.8)


def furniture(pen: Pen) -> None:
    """Draw a chair, stool or table: a slab on legs, perhaps with a back of bars."""
    left, right = sorted(float(v) for v in pen.rng.uniform([60, 380], [250, 590]))
    seat, depth = float(pen.rng.uniform(230, 400)), float(pen.rng.uniform(15, 90))
    shift = float(pen.rng.uniform(-60, 60))
    pen.solid(
        [(left, seat), (right, seat), (right + shift, seat - depth), (left + shift, seat - depth)]
    )
    splay = float(pen.rng.uniform(-40, 40))
    for x in (left, right, left + shift, right + shift):
        pen.stroke([(x, seat), (x + (splay if x > CENTRE else -splay), 600)])
    if pen.happens(0.6):
        for x in np.linspace(left + shift, right + shift, int(pen.rng.integers(2, 8))):
            pen.stroke([(float(x), seat - depth), (float(x), 60.0)], pen.width_px * 0.7)
        pen.stroke([(left + shift, 60), (right + shift, 60)], pen.width_px * 1.6)
    if pen.happens(0.5):
        pen.stroke([(left, 510), (right, 510)], pen.width_px * 0.7)


def lamp(pen: Pen) -> None:
    """Draw a foot, a jointed arm and a shade."""
    foot = float(pen.rng.uniform(180, 460))
    half = float(pen.rng.uniform(60, 130))
    points = [(foot, 590.0)]
    joints = np.linspace(460, 190, int(pen.rng.integers(1, 4)))
    points += [(float(pen.rng.uniform(120, 520)), float(y)) for y in joints]
    head = (float(pen.rng.uniform(150, 490)), float(pen.rng.uniform(90, 180)))
    pen.stroke([*points, head])
    pen.draw.ellipse((foot - half, 560, foot + half, 615), pen.colour())
    top, wide, tall = (float(v) for v in pen.rng.uniform([15, 70, 60], [60, 150, 130]))
    tilt = float(pen.rng.uniform(-60, 60))
    x, y = head
    pen.solid(
        [
            (x - top, y - tall / 2),
            (x + top, y - tall / 2),
            (x + wide + tilt, y + tall / 2),
            (x - wide + tilt, y + tall / 2),
        ]
    )


def rack(pen: Pen) -> None:
    """Draw a grid, fence, ladder or basket."""
    left, right, top, bottom = (
        60.0,
        float(pen.rng.uniform(350, 590)),
        60.0,
        float(pen.rng.uniform(300, 590)),
    )
    lean = float(pen.rng.uniform(-50, 50))
    thin = pen.width_px * float(pen.rng.uniform(0.4, 1))
    for x in np.linspace(left, right, int(pen.rng.integers(2, 10))):
        pen.stroke([(float(x), top), (float(x) + lean, bottom)], thin)
    for y in np.linspace(top, bottom, int(pen.rng.integers(2, 10))):
        offset = lean * (float(y) - top) / (bottom - top)
        pen.stroke([(left + offset, float(y)), (right + offset, float(y))], pen.width_px)


def chain(pen: Pen) -> None:
    """Draw links or beads along a curve, as of a necklace."""
    angles = np.linspace(
        pen.rng.uniform(-0.5, 1), pen.rng.uniform(3, 6), int(pen.rng.integers(10, 30))
    )
    wide, tall = pen.rng.uniform(130, 270, 2)
    link = float(pen.rng.uniform(9, 26))
    for a in angles:
        x, y = 320 + wide * np.cos(a), 320 + tall * np.sin(a)
        if pen.happens(0.8):
            pen.ring((x, y), link, max(link * 0.4, 4))
        else:
            pen.draw.ellipse((x - link, y - link, x + link, y + link), pen.colour())


def cable(pen: Pen) -> None:
    """Draw a winding cable, strap or branch with a piece at its end."""
    steps = np.linspace(0, 1, 80)
    waves = [pen.rng.normal(0, 1 / k, 4) * 170 for k in range(1, 4)]
    turns = [
        np.stack([np.sin(np.pi * 2 * k * steps * w[2] / 170 + w[3]) for w in (wave,)])[0] * wave[0]
        for k, wave in enumerate(waves, 1)
    ]
    lifts = [np.cos(np.pi * 2 * k * steps + wave[3]) * wave[1] for k, wave in enumerate(waves, 1)]
    x = np.clip(320 + (steps - 0.5) * 400 + sum(turns), 15, 625)
    y = np.clip(320 + sum(lifts), 15, 625)
    pen.stroke([(float(a), float(b)) for a, b in zip(x, y, strict=True)])
    half = float(pen.rng.uniform(20, 60))
    pen.draw.rounded_rectangle(
        (x[-1] - half, y[-1] - half / 2, x[-1] + half, y[-1] + half / 2), 8, pen.colour()
    )


def frame(pen: Pen) -> None:
    """Draw a closed outline with a hole: ring, mirror, picture frame, handle, pair of glasses."""
    for centre in ((320.0, 320.0),) if pen.happens(0.6) else ((180.0, 320.0), (460.0, 320.0)):
        room = min(centre[0], CANVAS - centre[0]) - 30
        power, squash = float(pen.rng.uniform(0.3, 1.2)), float(pen.rng.uniform(0.5, 1))
        points = []
        for a in np.linspace(0, 2 * np.pi, 90):
            c, s = np.cos(a), np.sin(a)
            x = np.sign(c) * np.abs(c) ** power * room
            y = np.sign(s) * np.abs(s) ** power * room * squash
            points.append((float(centre[0] + x), float(centre[1] + y)))
        pen.stroke(points, pen.width_px * 2)
    pen.stroke([(250, 320), (390, 320)])


def vessel(pen: Pen) -> None:
    """Draw a turned body, bottle to bowl, at times with a handle."""
    levels = int(pen.rng.integers(3, 7))
    heights = np.linspace(70, 570, levels)
    halves = np.abs(np.cumsum(pen.rng.normal(0, 60, levels))) + pen.rng.uniform(40, 150)
    fine = np.linspace(70, 570, 70)
    profile = np.clip(np.interp(fine, heights, halves), 15, 240)
    profile = np.convolve(np.pad(profile, 6, mode="edge"), np.ones(13) / 13, mode="valid")
    if pen.happens(0.5):
        pen.ring(
            (320 + float(profile[35]) + 20, 320),
            float(pen.rng.uniform(60, 110)),
            pen.width_px * 1.4,
            0.6,
        )
    for share, light in ((1.0, 0.6), (0.85, 0.85), (0.55, 1.05), (0.2, 1.25)):
        outline = [(320 - h * share, y) for h, y in zip(profile, fine, strict=True)]
        outline += [(320 + h * share, y) for h, y in zip(profile[::-1], fine[::-1], strict=True)]
        red, green, blue = (int(v) for v in np.clip(pen.palette[0] * light, 0, 255))
        pen.draw.polygon([(float(a), float(b)) for a, b in outline], (red, green, blue, 255))
    if pen.happens(0.6):
        top, bottom = sorted(int(v) for v in pen.rng.integers(10, 60, 2))
        band = [(320 - profile[i], fine[i]) for i in range(top, bottom + 2)]
        band += [(320 + profile[i], fine[i]) for i in range(bottom + 1, top - 1, -1)]
        pen.draw.polygon([(float(a), float(b)) for a, b in band], pen.colour())


# What is named twice is drawn twice as often.
KINDS: tuple[Callable[[Pen], None], ...] = (
    *(cycle, furniture, lamp, vessel) * 2,
    *(wheel, rack, chain, cable, frame),
)


def draw_shape(rng: Generator, side: int) -> NDArray[np.uint8]:
    """Draw one thing.

    Args:
        rng: decides what and how.
        side: of the square it stands on, pixels.

    Returns:
        (side, side, 4) uint8 with exact alpha.
    """
    pen = Pen(rng)
    KINDS[int(rng.integers(len(KINDS)))](pen)
    return np.asarray(
        pen.image.resize((side, side), Image.Resampling.BOX, reducing_gap=None), np.uint8
    ).copy()
