"""Packaged goods: bottles, jars, tins, tubes and boxes, printed with labels."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from export.training.cutouts import Pixels
from export.training.objects.sculpture import (
    FINE,
    Plane,
    Point,
    between,
    chance,
    field,
    fitted,
    tone,
)

LABEL_PX = 160  # side of a printed face before it is wrapped around something
FACE_MARGIN = 12  # what a face is continued by, so that nothing black looks in at its edges
WIDEST = 0.3  # half width of a turned body, of the side
BOTTLE, JAR, TIN, TUBE = range(4)


@dataclass(frozen=True)
class Turned:
    """A turned body seen from a little above, each plane (side, side).

    ``mask`` in [0, 1]; ``across``: from -1 to 1 over the body's width; ``along``: from 0 at its
    top to 1 at its foot, following its round edges.
    """

    mask: Plane
    across: Plane
    along: Plane


def turn(side: int, halves: NDArray[np.float64], top: float, foot: float, tilt: float) -> Turned:
    """Turn a body about its upright axis.

    Args:
        side: of the canvas, pixels.
        halves: half widths from top to foot, of the side.
        top: where it begins, of the side.
        foot: where it ends, of the side.
        tilt: how far its round edges sink in the middle, of their half width.
    """
    levels = np.linspace(top, foot, len(halves))
    left = [(0.5 - half, y) for half, y in zip(halves, levels, strict=True)]
    right = [(0.5 + half, y) for half, y in zip(halves, levels, strict=True)][::-1]
    fine = Image.new("L", (side * FINE, side * FINE), 0)
    draw = ImageDraw.Draw(fine)
    scale = side * FINE
    draw.polygon([(x * scale, y * scale) for x, y in left + right], 255)
    for half, y in ((halves[0], top), (halves[-1], foot)):
        box = (0.5 - half, y - half * tilt, 0.5 + half, y + half * tilt)
        draw.ellipse([value * scale for value in box], 255)
    mask = np.asarray(fine.reduce(FINE), np.float32) / np.float32(255)
    at = (np.arange(side, dtype=np.float32) + 0.5) / side
    width = np.interp(at, levels, halves).astype(np.float32)[:, None]
    across = np.clip((at[None, :] - 0.5) / width, -1, 1)
    sunk = at[:, None] - tilt * width * np.sqrt(1 - across * across)
    along = (sunk - top) / np.float32(foot - top)
    return Turned(mask, across.astype(np.float32), along.astype(np.float32))


def profile(rng: Generator, sort: int) -> NDArray[np.float64]:
    """Draw the half widths of a bottle, jar, tin or tube, 120 from top to foot."""
    at = np.linspace(0, 1, 120)
    body = between(rng, 0.1, WIDEST)
    if sort == BOTTLE:
        neck, shoulder = body * between(rng, 0.25, 0.5), between(rng, 0.15, 0.5)
        rise = between(rng, 0.03, 0.2)
        halves = neck + (body - neck) / (1 + np.exp(-(at - shoulder) / (rise * 0.25)))
    elif sort == JAR:
        halves = body * np.interp(at, [0, 0.14, 0.15, 0.24, 1], [0.86, 0.86, 0.8, 1, 1])
    elif sort == TIN:
        rim = between(rng, 0.85, 1)
        halves = body * np.interp(at, [0, 0.03, 0.08, 0.94, 0.98, 1], [rim, rim, 1, 1, rim, rim])
    else:
        halves = body * np.interp(at, [0, 0.2, 0.21, 0.3, 1], [0.45, 0.45, 0.3, 0.9, 1.05])
    round_foot = np.clip((1 - at) / 0.03, 0, 1) ** 0.5 * 0.06 + 0.94
    return halves * round_foot


def draw_label(rng: Generator, paper: Plane | None = None) -> Plane:
    """Print a label: stripes, blocks, discs and lines of letters, (LABEL_PX, LABEL_PX, 3)."""
    paper = tone(rng, 0.5) if paper is None else paper
    inks = [tone(rng, 0.6) for _ in range(3)]

    def ink() -> tuple[int, int, int]:
        red, green, blue = (inks[int(rng.integers(3))] * 255).astype(int).tolist()
        return red, green, blue

    red, green, blue = (paper * 255).astype(int).tolist()
    image = Image.new("RGB", (LABEL_PX, LABEL_PX), (red, green, blue))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.integers(-20, LABEL_PX, 2).tolist()
        wide, tall = rng.integers(8, LABEL_PX, 2).tolist()
        if chance(rng, 0.5):
            draw.rectangle((0, y, LABEL_PX, y + tall // 3), ink())
        elif chance(rng, 0.5):
            draw.ellipse((x, y, x + wide, y + wide), ink())
        else:
            draw.rectangle((x, y, x + wide, y + tall), ink())
    letters = "ABCDEFGHIKLMNOPRSTUVWZabcdeghiklmnoprstuvw0123456789 "
    y = int(rng.integers(5, 60))
    for _ in range(int(rng.integers(1, 8))):
        size = int(rng.integers(7, 34))
        text = "".join(letters[i] for i in rng.integers(len(letters), size=180 // size))
        draw.text((int(rng.integers(2, 60)), y), text, ink(), font_size=size)
        y += size + 3
    if chance(rng, 0.3):  # a bar code
        for x in range(100, 150, 2):
            draw.line((x, 130, x, 152), (20, 20, 20) if chance(rng, 0.6) else (240, 240, 240))
    return np.asarray(image, np.float32) / np.float32(255)


def wrapped(
    label: Plane, body: Turned, top: float, foot: float, start: float
) -> tuple[Plane, Plane]:
    """Wrap a label round a body between two heights; give its colours and where it is."""
    angle = np.arcsin(body.across) / np.pi  # half a turn is seen
    column = ((angle + start) % 1 * LABEL_PX).astype(np.intp) % LABEL_PX
    down = (body.along - top) / (foot - top)
    row = np.clip(down * LABEL_PX, 0, LABEL_PX - 1).astype(np.intp)
    there = np.clip((np.minimum(down, 1 - down)) * 100 + 0.5, 0, 1).astype(np.float32)
    return label[row, column], there * body.mask


def sheen(rng: Generator, across: Plane, gloss: float) -> tuple[Plane, Plane]:
    """Light a turned body: what it returns of its colour, and the mirrored lights."""
    turn_of_light = between(rng, -0.9, 0.9)
    facing = np.sqrt(1 - across * across)
    lambert = np.clip(facing * np.cos(turn_of_light) + across * np.sin(turn_of_light), 0, 1)
    mirrored = np.zeros_like(across)
    for _ in range(int(rng.integers(1, 4))):
        at, wide = between(rng, -0.85, 0.85), between(rng, 0.02, 0.12)
        mirrored += np.exp(-(((across - at) / wide) ** 2)) * between(rng, 0.3, 1)
    ambient = between(rng, 0.2, 0.5)
    return ambient + (1.1 - ambient) * lambert, gloss * mirrored


def vessel(rng: Generator, side: int) -> Pixels:
    """Draw a bottle, jar, tin or tube with a cap and a label."""
    sort = int(rng.integers(4))
    body = turn(side, profile(rng, sort), 0.05, 0.95, between(rng, 0.0, 0.22))
    colours = np.broadcast_to(tone(rng, 0.5), (side, side, 3))
    top, foot = between(rng, 0.25, 0.55), between(rng, 0.7, 0.97)
    if sort == TIN:
        top, foot = 0.06, 0.95
    if chance(rng, 0.85):
        label, there = wrapped(draw_label(rng), body, top, foot, between(rng, 0, 1))
        colours = colours + (label - colours) * there[..., None]
    if sort != TIN:
        cap = np.clip((between(rng, 0.1, 0.2) - body.along) * 120, 0, 1)[..., None]
        colours = colours + (tone(rng, 0.4) - colours) * cap
    lit, mirrored = sheen(rng, body.across, between(rng, 0, 0.5))
    shaded = np.clip(colours * lit[..., None] + mirrored[..., None], 0, 1)
    if sort == TIN:
        lid = np.clip(-body.along * 100 + 1, 0, 1)[..., None]
        shaded = shaded + (between(rng, 0.5, 0.9) - shaded) * lid
    shaded = (shaded * body.mask[..., None]).astype(np.float32)
    return fitted(shaded, body.mask, side)


def _placed(face: Plane, corners: list[Point], side: int) -> tuple[Plane, Plane]:
    """See a square face through four corners on the canvas; give premultiplied colours, mask."""
    far = len(face) + FACE_MARGIN
    ends = [(FACE_MARGIN, FACE_MARGIN), (far, FACE_MARGIN), (far, far), (FACE_MARGIN, far)]
    face = np.pad(face, ((FACE_MARGIN,) * 2, (FACE_MARGIN,) * 2, (0, 0)), mode="edge")
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, ends, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    # The homography from twice the canvas to the face, as Pillow takes it.
    inverse = np.linalg.solve(np.array(rows, np.float64), np.array(wanted, np.float64)).tolist()
    image = Image.fromarray((face * 255).astype(np.uint8))
    size = (2 * side, 2 * side)
    seen = image.transform(size, Image.Transform.PERSPECTIVE, inverse, Image.Resampling.BILINEAR)
    solid = Image.new("L", size, 0)
    ImageDraw.Draw(solid).polygon([(float(x), float(y)) for x, y in corners], 255)
    mask = np.asarray(solid.reduce(2), np.float32) / np.float32(255)
    colours = np.asarray(seen.reduce(2), np.float32) / np.float32(255)
    return colours, mask


def box(rng: Generator, side: int) -> Pixels:
    """Draw a carton, book, case or device in perspective, three faces seen."""
    wide, tall, deep = rng.uniform([0.3, 0.3, 0.04], [1, 1, 0.8])
    yaw, pitch, roll = rng.uniform([-0.9, 0.05, -0.15], [0.9, 1.2, 0.15])
    ends = np.array([(x, y, z) for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], np.float64)
    points = ends * np.array([wide, tall, deep]) / 2
    cos, sin = np.cos(yaw), np.sin(yaw)
    points = points @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    cos, sin = np.cos(pitch), np.sin(pitch)
    points = points @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    cos, sin = np.cos(roll), np.sin(roll)
    points = points @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    seen = points[:, :2] / (between(rng, 2, 6) + points[:, 2:])
    seen = seen - (seen.max(0) + seen.min(0)) / 2
    seen = (seen / (seen.max(0) - seen.min(0)).max() * 0.94 + 0.5) * 2 * side
    faces = ((0, 1, 3, 2), (5, 4, 6, 7), (4, 5, 1, 0), (2, 3, 7, 6), (4, 0, 2, 6), (1, 5, 7, 3))
    light = rng.normal(0, 1, 3)
    paper = tone(rng, 0.5)
    colours, alpha = np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.float32)
    for face in faces:
        corners = seen[list(face)]
        first, second = corners[1] - corners[0], corners[2] - corners[1]
        if first[0] * second[1] - first[1] * second[0] <= 0:
            continue  # it looks away
        normal = np.cross(points[face[1]] - points[face[0]], points[face[2]] - points[face[1]])
        facing = float(normal @ light / np.linalg.norm(normal) / np.linalg.norm(light))
        lit = 0.75 + 0.35 * facing + 0.06 * field(rng, side, (2, 2))[..., None]
        where: list[Point] = [(float(x), float(y)) for x, y in corners]
        printed, mask = _placed(draw_label(rng, paper), where, side)
        # Faces share edges and never overlap: their coverage adds up, and no seam is left.
        covered = np.minimum(mask, 1 - alpha)
        colours += np.clip(printed * lit, 0, 1) * covered[..., None]
        alpha += covered
    return fitted(colours, alpha, side)


PACKAGES = (vessel, box)


def draw_package(rng: Generator, side: int) -> Pixels:
    """Draw one packaged good, (side, side, 4) uint8."""
    return PACKAGES[int(rng.integers(len(PACKAGES)))](rng, side)
