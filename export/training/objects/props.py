"""What products stand on and beside in a studio, and what is ground: plinths, cubes, balls, slabs.

Plain of colour or of a grain, never printed: a printed box is a product.
"""

import numpy as np
from numpy.random import Generator

from export.training.cutouts import Pixels
from export.training.objects.sculpture import (
    Outline,
    Plane,
    Point,
    between,
    chance,
    field,
    fitted,
    tone,
)

PLINTH, PROP = "plinth", "prop"  # kinds of cutouts that are ground
PROPS = frozenset({PLINTH, PROP})
TOP_AT = 0.24  # height of the middle of a plinth's top on its canvas, of the side
TOP_REACH = 0.46  # half the width of that top, of the side


def _material(rng: Generator, side: int) -> Plane:
    """Draw a plain colour, at times with a grain as of wood, stone or cloth, (side, side, 3)."""
    pale = np.clip(between(rng, 0.6, 0.97) + rng.normal(0, 0.08, 3), 0.05, 1).astype(np.float32)
    base = pale if chance(rng, 0.6) else tone(rng, 0.5)
    strength, cells = 0.0, (2, 2)
    if chance(rng, 0.5):
        strength = between(rng, 0.02, 0.12)
        cells = ((3, 40), (40, 3), (40, 40), (90, 90))[int(rng.integers(4))]
    grain = field(rng, side, cells) * np.float32(strength)
    stuff: Plane = np.clip(base + grain[..., None], 0, 1).astype(np.float32)
    return stuff


def _lit(own: Plane, mask: Plane, light: Plane | float) -> Plane:
    shade = np.broadcast_to(np.asarray(light, np.float32), mask.shape)
    lit: Plane = np.clip(own * shade[..., None], 0, 1) * mask[..., None]
    return lit


def _over(below: list[Plane], mask: Plane, colours: Plane) -> list[Plane]:
    """Lay premultiplied colours over colours and alpha."""
    through = (1 - mask)[..., None]
    return [colours + below[0] * through, mask + below[1] * through[..., 0]]


def _empty(side: int) -> list[Plane]:
    return [np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.float32)]


def _round_body(rng: Generator, side: int, squash: float, foot: float) -> list[Plane]:
    """Draw a cylinder whose top is where plinths have it."""
    reach, top = TOP_REACH, TOP_AT
    narrower = between(rng, 0.85, 1.0) if chance(rng, 0.3) else 1.0
    corners = [(0.5 - reach, top), (0.5 + reach, top)]
    corners += [(0.5 + reach * narrower, foot), (0.5 - reach * narrower, foot)]
    body = Outline(side).fill(corners)
    body.ellipse((0.5, foot), reach * narrower, reach * narrower * squash)
    across = np.clip((np.arange(side, dtype=np.float32) / side - 0.5) / reach, -1, 1)[None]
    turn = between(rng, -1.2, 1.2)
    facing = np.sqrt(1 - across * across) * np.cos(turn) + across * np.sin(turn)
    ambient = between(rng, 0.35, 0.75)
    side_light = np.broadcast_to(ambient + (0.95 - ambient) * np.clip(facing, 0, 1), (side, side))
    own = _material(rng, side)
    planes = _over(_empty(side), body.mask(), _lit(own, body.mask(), side_light))
    lid = Outline(side).ellipse((0.5, top), reach, reach * squash).mask()
    return _over(planes, lid, _lit(own, lid, between(rng, 0.9, 1.12)))


def _square_body(rng: Generator, side: int, squash: float, foot: float) -> list[Plane]:
    """Draw a block with three faces, its top's middle where plinths have it."""
    turn = between(rng, 0.15, 1.4)
    corners = [
        (
            0.5 + TOP_REACH * float(np.cos(turn + k * np.pi / 2)),
            TOP_AT + TOP_REACH * squash * float(np.sin(turn + k * np.pi / 2)),
        )
        for k in range(4)
    ]
    fall = foot - TOP_AT
    own, planes = _material(rng, side), _empty(side)
    nearest = max(range(4), key=lambda k: corners[k][1])
    for step in (-1, 1):
        near, far = corners[nearest], corners[(nearest + step) % 4]
        face = [near, far, (far[0], far[1] + fall), (near[0], near[1] + fall)]
        mask = Outline(side).fill(face).mask()
        planes = _over(planes, mask, _lit(own, mask, between(rng, 0.45, 0.95)))
    lid = Outline(side).fill(corners).mask()
    return _over(planes, lid, _lit(own, lid, between(rng, 0.92, 1.12)))


def draw_plinth(rng: Generator, side: int) -> Pixels:
    """Draw what a product stands on; its top's middle is at (0.5, TOP_AT) of the canvas.

    Returns:
        (side, side, 4) uint8, straight colours.
    """
    squash = between(rng, 0.06, 0.4)
    foot = TOP_AT + (between(rng, 0.03, 0.15) if chance(rng, 0.35) else between(rng, 0.15, 0.55))
    draw = _round_body if chance(rng, 0.55) else _square_body
    colours, alpha = draw(rng, side, squash, foot)
    straight = colours / np.maximum(alpha, 1e-3)[..., None]
    whole = np.concatenate([straight, alpha[..., None]], axis=2)
    pixels: Pixels = (np.clip(whole, 0, 1) * 255 + 0.5).astype(np.uint8)
    return pixels


def _ball(rng: Generator, side: int) -> list[Plane]:
    at = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = np.meshgrid(at / 0.9, at / 0.9)
    inside = x * x + y * y
    z = np.sqrt(np.clip(1 - inside, 0, 1))
    turn = between(rng, -2.6, -0.5)
    light = np.array([np.cos(turn), np.sin(turn), between(rng, 0.4, 1.2)])
    light /= np.linalg.norm(light)
    facing = np.clip(x * light[0] + y * light[1] + z * light[2], 0, 1)
    ambient = between(rng, 0.3, 0.7)
    mask = np.clip((1 - inside) * side / 4, 0, 1).astype(np.float32)
    shade = (ambient + (1 - ambient) * facing).astype(np.float32)
    return _over(_empty(side), mask, _lit(_material(rng, side), mask, shade))


def _flat(rng: Generator, side: int) -> list[Plane]:
    """Draw a panel, arch, frame or board that leans somewhere."""
    lean, half = between(rng, -0.12, 0.12), between(rng, 0.12, 0.4)
    points: list[Point] = [(0.5 - half, 0.95), (0.5 + half, 0.95)]
    points += [(0.5 + half + lean, 0.1), (0.5 - half + lean, 0.1)]
    outline = Outline(side).fill(points)
    if chance(rng, 0.4):
        outline = Outline(side).fill([*points[:2], (0.5 + half, 0.45), (0.5 - half, 0.45)])
        outline.ellipse((0.5, 0.45), half, min(half, 0.34))
    mask = outline.mask()
    shade = between(rng, 0.6, 1.05) + 0.1 * field(rng, side, (2, 2))
    return _over(_empty(side), mask, _lit(_material(rng, side), mask, shade))


def draw_prop(rng: Generator, side: int) -> Pixels:
    """Draw a thing that decorates a studio and is no product: block, cylinder, ball, panel.

    Returns:
        (side, side, 4) uint8, straight colours that reach past the edge.
    """
    if chance(rng, 0.3):
        return fitted(*_pair(_ball(rng, side) if chance(rng, 0.5) else _flat(rng, side)), side)
    foot = TOP_AT + between(rng, 0.1, 0.6)
    draw = _round_body if chance(rng, 0.35) else _square_body
    return fitted(*_pair(draw(rng, side, between(rng, 0.1, 0.5), foot)), side)


def _pair(planes: list[Plane]) -> tuple[Plane, Plane]:
    colours, alpha = planes
    return colours.astype(np.float32), alpha.astype(np.float32)
