"""The shadow of a product on the floor that it stands on, seen slightly from above.

Light is taken away from the floor in proportion to exp(-depth), and three such depths add up:

- two of nearness: what lies close above a floor keeps the light of a hemisphere from
  it (ambient occlusion; Zhukov et al.: An ambient light illumination model, EGWR 1998). Here it is
  a narrow and a wide blur of the contact line, the part of the outline's lower edge that can lie
  on a floor;
- the shadow that the light casts: the outline in slices, each projected onto the floor away from
  the light (Blinn: Me and My (Fake) Shadow, IEEE CG&A 8(1), 1988), moved by its height times the
  light's tangent, and blurred in proportion to its height, as the penumbra of a light that has a
  size widens (Fernando: Percentage-Closer Soft Shadows, SIGGRAPH 2005 sketches).

One picture cannot tell how deep a product is. Its footprint is taken for a line, or for a flat
ellipse beneath the slices, and all blurs are as flat.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, exp, pi, radians, sqrt, tan

import cv2
import numpy as np

from imaging.compose.staging.grid import Floats, Grid, Layer

# How tall things on the floor look for their width: the sine of the eye's elevation, 17 degrees.
_FLATNESS = 0.3

# Lengths are shares of the product's size from here on.

# The steepest that the line between two points of contact rises across the picture.
_MAX_RISE = 0.3
# What lies this far above the base line hardly touches the floor any more.
_MAX_GAP = 0.2
# A tip, the lowest place within this distance, touches it even above a line of that rise, the less
# the higher.
_FOOT_REACH, _FOOT_LIFT = 0.06, 0.07


@dataclass(frozen=True, slots=True)
class _Occlusion:
    """A blur of the contact line.

    Attributes:
        depth: Its optical depth on a long level line.
        lift: How far above the floor an edge hardly darkens it any more.
        blur: Standard deviation from left to right.
        height: Standard deviation from top to bottom, as a share of `blur`.
    """

    depth: float
    lift: float
    blur: float
    height: float = 0.5


_OCCLUSIONS = (_Occlusion(1.8, 0.014, 0.009), _Occlusion(0.65, 0.035, 0.036))

# Where one slice ends and the next begins, above the base line.
_SLICES = (0.0, 0.06, 0.14, 0.25, 0.4, 0.6)
_CAST_DEPTH = 0.65
# A slice counts for less, by e, every so much higher: what is high blocks little of a wide light.
_CAST_FADE = 0.3
_CAST_BLUR, _CAST_WIDENING = 0.035, 0.3
# How far the footprint reaches back from the base line.
_FOOTPRINT = 0.13
_MAX_TANGENT = 2.5
_DEVIATIONS = 3
# Of a column's part in the contact line: below, it darkens the floor by a twentieth of a level.
_LEAST_WEIGHT = 1e-4


@dataclass(frozen=True, slots=True)
class _Canvas:
    """The part of the floor that is worked on, in cells.

    Attributes:
        shape: Its height and width.
        left: Its columns left of the product.
        above: Its rows above the base line.
    """

    shape: tuple[int, int]
    left: int
    above: int


def contact_layer(grid: Grid, light_angle_deg: float) -> Layer:
    """Draw the shadow of a product that stands on a floor at its lower end.

    Args:
        grid: The product's outline; all of its lower end is the base line.
        light_angle_deg: Where the light comes from, clockwise from straight above; the shadow gets
            no longer beyond 68 degrees.

    Returns:
        Density, 0 to 1: a dark line where the product touches the floor, soft around it, fading
        away from the light.
    """
    tangent = min(max(-tan(radians(light_angle_deg)), -_MAX_TANGENT), _MAX_TANGENT)
    canvas = _canvas(grid, tangent)
    depth = _cast(grid, tangent, canvas)
    gaps = _gaps(grid)
    for occlusion in _OCCLUSIONS:
        _occlude(occlusion, gaps, grid.size_cells, canvas, depth)
    # By OpenCV, which takes a tenth of NumPy's time for exponentials.
    density = np.asarray(1 - cv2.exp(-depth), np.float32)
    return Layer(density, -canvas.left, grid.outline.shape[0] - canvas.above)


def _canvas(grid: Grid, tangent: float) -> _Canvas:
    size = grid.size_cells
    reach = ceil(_DEVIATIONS * (_CAST_BLUR + _CAST_WIDENING * _SLICES[-1]) * size) + 1
    shift = ceil(abs(tangent) * _SLICES[-1] * size)
    left, right = (reach + shift, reach) if tangent < 0 else (reach, reach + shift)
    below = ceil(reach * _FLATNESS) + 1
    above = below + ceil(2 * _MAX_GAP * size)
    return _Canvas((above + below, left + grid.outline.shape[1] + right), left, above)


def _gaps(grid: Grid) -> Floats:
    """Measure how far above the base line the outline begins, in sizes.

    Returns:
        (w,) float32; infinite in a column without product.
    """
    solid = grid.outline[::-1] >= max(float(grid.outline.max()) / 2, 1 / 255)
    gaps = np.where(solid.any(axis=0), solid.argmax(axis=0) / grid.size_cells, np.inf)
    return gaps.astype(np.float32)


def _touching(gaps: Floats, lift: float, size_cells: float) -> Floats:
    """Weigh how closely the lower edge of each column lies on the floor.

    The floor is seen where the edge does not rise steeply: at the highest curve below all gaps that
    nowhere rises by more than `_MAX_RISE`, a lower envelope by that cone. Slanted edges of a box
    lie on it, handles do not. Tips of feet just above that curve, as of legs further back, count as
    well.

    Returns:
        (w,) float32, 0 to 1.
    """
    edge = np.where(np.isfinite(gaps), gaps, 1e3).astype(np.float32)
    ramp = np.arange(len(edge), dtype=np.float32) * np.float32(_MAX_RISE / size_cells)
    rightwards = np.minimum.accumulate(edge - ramp) + ramp
    leftwards = np.minimum.accumulate((edge + ramp)[::-1])[::-1] - ramp
    over_floor = edge - np.minimum(rightwards, leftwards)
    window = np.ones((1, 2 * ceil(_FOOT_REACH * size_cells) + 1), np.uint8)
    over_tip = edge - cv2.erode(edge[None], window, borderValue=1e3)[0]
    on_floor = np.exp(-((over_floor / lift) ** 2))
    foot = np.exp(-((over_tip / lift) ** 2) - (over_floor / _FOOT_LIFT) ** 2)
    weight = np.maximum(on_floor, foot) * np.exp(-((edge / _MAX_GAP) ** 4))
    return np.asarray(weight, np.float32)


def _occlude(
    occlusion: _Occlusion, gaps: Floats, size_cells: float, canvas: _Canvas, depth: Floats
) -> None:
    """Blur the contact line so that a long level one has the occlusion's depth, and add it.

    Args:
        occlusion: The blur.
        gaps: As `_gaps` measures them.
        size_cells: The product's size.
        canvas: The floor.
        depth: (h, w) float32 of the canvas's size, added to around the line.
    """
    weight = _touching(gaps, occlusion.lift, size_cells)
    columns = np.flatnonzero((gaps < 2 * _MAX_GAP) & (weight > _LEAST_WEIGHT))
    if not columns.size:
        return
    rows = canvas.above - 1 - np.rint(gaps[columns] * size_cells).astype(int)
    across = max(occlusion.blur * size_cells, 0.5)
    down = max(across * occlusion.height, 0.5)
    # OpenCV's kernel for such values ends here.
    beside, over = ceil(4 * across) + 1, ceil(4 * down) + 1
    height, width = canvas.shape
    top, bottom = max(rows.min() - over, 0), min(rows.max() + over + 1, height)
    left = max(canvas.left + columns[0] - beside, 0)
    right = min(canvas.left + columns[-1] + beside + 1, width)
    line = np.zeros((bottom - top, right - left), np.float32)
    line[rows - top, canvas.left + columns - left] = weight[columns]
    soft = cv2.GaussianBlur(line, (0, 0), across, sigmaY=down, borderType=cv2.BORDER_CONSTANT)
    depth[top:bottom, left:right] += soft * np.float32(occlusion.depth * down * sqrt(2 * pi))


def _cast(grid: Grid, tangent: float, canvas: _Canvas) -> Floats:
    """Project the slices onto the floor: each its profile across, times an ellipse's down."""
    size = grid.size_cells
    footprint = np.zeros((canvas.shape[0], 1), np.float32)
    footprint[canvas.above - ceil(_FOOTPRINT * size) : canvas.above] = 1
    downs, profiles = [], []
    weights = [
        (high - low) * exp(-(low + high) / 2 / _CAST_FADE) for low, high in pairwise(_SLICES)
    ]
    for (low, high), weight in zip(pairwise(_SLICES), weights, strict=True):
        height = (low + high) / 2
        blur = max((_CAST_BLUR + _CAST_WIDENING * height) * size, 0.5)
        move = np.array([[1, 0, tangent * height * size], [0, 1, 0]])
        moved = cv2.warpAffine(_profile(grid, low, high, canvas), move, (canvas.shape[1], 1))
        # Both end in zeros; across their one cell, repeating it keeps the blur from thinning them.
        across = cv2.GaussianBlur(moved, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
        down = cv2.GaussianBlur(
            footprint, (0, 0), max(blur * _FLATNESS, 0.5), borderType=cv2.BORDER_REPLICATE
        )
        downs.append(down * np.float32(_CAST_DEPTH * weight / sum(weights)))
        profiles.append(across)
    # The sum of the slices' products is a product of matrices.
    none = np.zeros((1, 1), np.float32)
    return np.asarray(cv2.gemm(np.hstack(downs), np.vstack(profiles), 1, none, 0), np.float32)


def _profile(grid: Grid, low: float, high: float, canvas: _Canvas) -> Floats:
    """Average a slice of the outline, which may end above the product, from top to bottom.

    Returns:
        (1, canvas width) float32, 0 to 1.
    """
    rows, columns = grid.outline.shape
    first, last = ceil(high * grid.size_cells), int(low * grid.size_cells)
    part = grid.outline[max(rows - first, 0) : max(rows - last, 0)]
    profile = np.zeros((1, canvas.shape[1]), np.float32)
    profile[0, canvas.left : canvas.left + columns] = part.sum(axis=0) / (first - last)
    return profile
