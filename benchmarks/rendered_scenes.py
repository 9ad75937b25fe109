"""Rendered pictures whose alpha and foreground are known exactly: the measure of every edge."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Color, Pixels

# Product, background and the strength of their texture; the last two differ little in brightness.
PALETTES = (
    (Color(60, 45, 40), Color(190, 195, 205), 40),
    (Color(200, 170, 120), Color(60, 80, 60), 40),
    (Color(170, 50, 60), Color(110, 130, 70), 30),
    (Color(225, 220, 215), Color(150, 160, 175), 20),
    (Color(40, 70, 140), Color(150, 120, 90), 30),
    (Color(120, 110, 100), Color(165, 160, 150), 20),
)
_FINER = 2  # drawn this many times larger, then averaged
_OPAQUE = 255
_SHIFT = 4  # coordinates in sixteenths of a pixel


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and what it was made of."""

    rgb: Pixels  # (H, W, 3) uint8, the product over its background
    alpha: Pixels  # (H, W) uint8, exact
    foreground: Pixels  # (H, W, 3) uint8, the product's colours everywhere


def render_scene(number: int, side_px: int) -> Scene:
    """Render one scene: a body with hair, a wheel with spokes, a box with a hole, a thick bar.

    Args:
        number: Which; it seeds the shapes and textures and picks the colours.
        side_px: Width and height.

    Returns:
        The scene.
    """
    rng = np.random.default_rng(number)
    product, background, contrast = PALETTES[number % len(PALETTES)]
    alpha = _shapes(rng, side_px)
    front = _texture(rng, side_px, product, contrast)
    back = _texture(rng, side_px, background, contrast)
    share = alpha[:, :, None].astype(np.float32) / 255
    mixed = front * share + back * (1 - share)
    return Scene(_rounded(mixed), alpha, _rounded(front))


def small_matte(alpha: Pixels, side_px: int) -> Pixels:
    """Average an alpha over the cells of a small square matte.

    Args:
        alpha: (H, W) uint8.
        side_px: The matte's width and height.

    Returns:
        (side_px, side_px) uint8: the best that a network of that size could answer.
    """
    return np.asarray(
        cv2.resize(alpha, (side_px, side_px), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )


def band_around_edges(alpha: Pixels, margin_px: int) -> npt.NDArray[np.bool_]:
    """Find where an exact alpha is soft, and what lies near.

    Args:
        alpha: (H, W) uint8.
        margin_px: How near.

    Returns:
        (H, W) bool.
    """
    soft = ((alpha > 0) & (alpha < _OPAQUE)).astype(np.uint8)
    side = 2 * margin_px + 1
    return np.asarray(cv2.dilate(soft, np.ones((side, side), np.uint8)) > 0)


def on_white(rgb: Pixels, alpha: Pixels) -> npt.NDArray[np.floating]:
    """Blend over white without rounding; (H, W, 3) floats of 0 to 255."""
    share = alpha[:, :, None].astype(np.float32) / 255
    return rgb * share + 255 * (1 - share)


def _rounded(values: npt.NDArray[np.floating]) -> Pixels:
    return np.asarray(np.rint(values), np.uint8)


def _texture(
    rng: np.random.Generator, side_px: int, base: Color, contrast: int
) -> npt.NDArray[np.float32]:
    """Return noise of four scales around a colour, mostly of brightness; (H, W, 3) float32."""
    noise = np.zeros((side_px, side_px, 3), np.float32)
    for cells, strength in ((4, 0.5), (24, 0.3), (160, 0.2), (side_px // 2, 0.1)):
        coarse = rng.normal(size=(cells, cells, 3)).astype(np.float32)
        coarse = 0.3 * coarse + 1.2 * coarse.mean(axis=2, keepdims=True)
        noise += strength * cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(np.asarray(base) + contrast * noise, 0, 255), np.float32)


def _shapes(rng: np.random.Generator, side_px: int) -> Pixels:
    side = _FINER * side_px
    mask = np.zeros((side, side), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    waves = 0.12 * np.sin(3 * angles + rng.uniform(0, 6)) + 0.06 * np.sin(7 * angles)
    radii = 0.2 * (1 + waves)[:, None]
    body = 0.5 + radii * np.stack((np.cos(angles), np.sin(angles)), axis=1)
    _fill(mask, body, 255)
    _hair(rng, mask, body, angles)
    hub, rim = np.array([0.72, 0.72]), 0.14
    for angle in np.linspace(0, 2 * np.pi, 14, endpoint=False):
        spoke = hub + rim * np.array([np.cos(angle), np.sin(angle)])
        _stroke(mask, [hub, spoke], 4 * _FINER)
    tyre = hub + rim * np.stack((np.cos(angles), np.sin(angles)), axis=1)
    _stroke(mask, [*tyre, tyre[0]], 7 * _FINER)
    _stroke(mask, [np.array([0.5, 0.5]), hub], 20 * _FINER)
    corner = np.array([0.14, 0.66])
    _fill(mask, corner + np.array([[0, 0], [0.18, 0.03], [0.16, 0.2], [-0.02, 0.17]]), 255)
    hole = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    _fill(mask, corner + np.array([0.08, 0.1]) + 0.03 * hole, 0)
    return np.asarray(
        cv2.resize(mask, (side_px, side_px), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )


def _hair(
    rng: np.random.Generator,
    mask: Pixels,
    body: npt.NDArray[np.float64],
    angles: npt.NDArray[np.float64],
) -> None:
    """Draw hairs of one to three pixels, bent, all over the body's upper half."""
    along = np.linspace(0, 1, 12)
    for _ in range(160):
        root = int(rng.integers(120, 240))
        bend = angles[root] + rng.normal(0, 0.35) + rng.normal(0, 0.5) * along
        step = rng.uniform(0.04, 0.12) / len(along)
        path = body[root] + step * np.cumsum(np.stack((np.cos(bend), np.sin(bend)), 1), axis=0)
        _stroke(mask, path, int(rng.integers(_FINER, 3 * _FINER)))


def _fill(mask: Pixels, outline: npt.NDArray[np.float64], value: int) -> None:
    cv2.fillPoly(mask, [_fixed_point(mask, outline)], value, cv2.LINE_AA, _SHIFT)


def _stroke(
    mask: Pixels,
    path: Sequence[npt.NDArray[np.float64]] | npt.NDArray[np.float64],
    thickness_px: int,
) -> None:
    points = _fixed_point(mask, np.asarray(path))
    cv2.polylines(mask, [points], False, 255, thickness_px, cv2.LINE_AA, _SHIFT)  # noqa: FBT003


def _fixed_point(mask: Pixels, points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    return np.asarray(np.rint(points * mask.shape[0] * 2**_SHIFT), np.int32)
