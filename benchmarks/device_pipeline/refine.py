"""Edges and colours at full size: `guided`, `foreground` and `blend` of the gateway on batches.

What only an edge needs is computed at the pixels of edges, which are gathered for it.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from imaging.matting.guided import SURELY_IN, SURELY_OUT
from imaging.matting.guided_fit import (
    AROUND_CELLS,
    FLATNESS,
    NARROW_CELLS,
    PER_WEIGHT,
    STEEP_FROM,
    STEEPER,
    SURE_CONTRAST,
    UNSURE_CONTRAST,
    WIDE_CELLS,
    WIDE_FROM_PX,
)
from imaging.matting.wide_averages import STRIDE_PX, WIDE_PX

_OPAQUE = 255
_TRACE = 1e-3  # these two as the gateway's
_HALVED_FROM = 4


class _Places(NamedTuple):
    """Where pixels lie between the cells of a coarser grid, along one axis."""

    before: Tensor
    after: Tensor
    share: Tensor  # of the cell after


def _between(places: Tensor, cells: int) -> _Places:
    before = places.floor().long()
    return _Places(before, (before + 1).clamp(max=cells - 1), (places - before).float())


def _cell_places(pixels: Tensor, length_px: int, cells: int) -> Tensor:
    """Return where pixels of an axis look in cells that are areas."""
    return ((pixels.double() + 0.5) * cells / length_px - 0.5).clamp(0, cells - 1)


def _look(grid: Tensor, image: Tensor, y: _Places, x: _Places) -> Tensor:
    """Interpolate a grid of (N, h, w, C) at M places: (M, C)."""
    across, down = x.share[:, None], y.share[:, None]
    upper = torch.lerp(grid[image, y.before, x.before], grid[image, y.before, x.after], across)
    lower = torch.lerp(grid[image, y.after, x.before], grid[image, y.after, x.after], across)
    return torch.lerp(upper, lower, down)


def area_weights(pixels: int, cells: int, device: torch.device) -> Tensor:
    """Return the share that each pixel of an axis has in each cell: (cells, pixels) float32."""
    edges = torch.arange(cells + 1, device=device, dtype=torch.float64) * pixels / cells
    starts = torch.arange(pixels, device=device, dtype=torch.float64)
    inside = torch.minimum(edges[1:, None], starts + 1) - torch.maximum(edges[:-1, None], starts)
    return (inside.clamp(min=0) * cells / pixels).float()


def shrink(rgb: Tensor, side: int) -> Tensor:
    """Average photos over the cells of a square.

    Args:
        rgb: (N, 3, H, W) uint8, at least as large as the square.
        side: Of the square.

    Returns:
        (N, 3, side, side) float32, whole numbers of 0 to 255.

    Raises:
        ValueError: A photo is smaller than the square.
    """
    height, width = rgb.shape[2:]
    if min(height, width) < side:
        raise ValueError(f"the photos are {width}x{height}; {side} pixels a side are the least")
    halved = 2 if min(height, width) >= _HALVED_FROM * side else 1
    # As in the gateway, the last pixel of an odd axis is left out where pairs are joined first.
    rgb = rgb[:, :, : height - height % halved, : width - width % halved]
    down, across = (
        area_weights(each // halved, side, rgb.device).repeat_interleave(halved, 1) / halved
        for each in rgb.shape[2:]
    )
    return torch.floor(down @ (rgb.float() @ across.T) + 0.5)


def upsample_guided(mattes: Tensor, guides: Tensor, rgb: Tensor) -> Tensor:
    """Bring mattes to their photos' size, with edges where the photos' are.

    Args:
        mattes: (N, h, w) float32, whole numbers of 0 to 255.
        guides: (N, 3, h, w) float32, the photos at the mattes' size.
        rgb: (N, 3, H, W) uint8, larger than the mattes.

    Returns:
        (N, H, W) uint8.
    """
    height_px, width_px = rgb.shape[2:]
    height, width = mattes.shape[1:]
    lowest, highest = _range_around(mattes, 1)
    band = (highest > SURELY_OUT) & (lowest < SURELY_IN)
    flat = functional.interpolate(mattes[:, None], (height_px, width_px), mode="bilinear")[:, 0]
    alpha = torch.floor(flat + 0.5).to(torch.uint8)
    cell_px = min(height_px / height, width_px / width)
    radius = WIDE_CELLS if cell_px >= WIDE_FROM_PX else NARROW_CELLS
    fit = _fit(mattes, guides / _OPAQUE, band, radius)
    rows, columns = (torch.arange(each, device=rgb.device) for each in (height_px, width_px))
    y = _between(_cell_places(rows, height_px, height), height)
    x = _between(_cell_places(columns, width_px, width), width)
    near = band[:, y.before] | band[:, y.after]
    image, row, column = torch.nonzero(near[:, :, x.before] | near[:, :, x.after], as_tuple=True)
    y, x = (_Places(*(part[at] for part in axis)) for axis, at in ((y, row), (x, column)))
    found = _look(fit, image, y, x)
    steep = fit[..., :3].square().sum(3) > STEEP_FROM**2
    corners = [steep[image, each, at] for each in (y.before, y.after) for at in (x.before, x.after)]
    own = rgb[image, :, row, column].float()
    smooth = torch.stack(corners).any(0)
    own[smooth] = _medians(rgb, image[smooth], row[smooth], column[smooth])
    value = (found[:, :3] * own).sum(1) + found[:, 3] * _OPAQUE
    alpha[image, row, column] = (value.clamp(0, _OPAQUE) + 0.5).to(torch.uint8)
    return alpha


def _range_around(mattes: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Return the lowest and the highest value around each cell, (N, h, w) each."""
    both = torch.stack((-mattes, mattes), 1)
    highest = functional.max_pool2d(both, 2 * cells + 1, 1, cells)
    return -highest[:, 0], highest[:, 1]


def _medians(rgb: Tensor, image: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Return the medians of three by three pixels around M places: (M, 3) float32."""
    height_px, width_px = rgb.shape[2:]
    around = [
        rgb[image, :, (row + down).clamp(0, height_px - 1), (column + along).clamp(0, width_px - 1)]
        for down in (-1, 0, 1)
        for along in (-1, 0, 1)
    ]
    return torch.stack(around).median(0).values.float()


def _steepness(mattes: Tensor) -> Tensor:
    """Tell how much steeper than its fit alpha is around each cell, (N, h, w)."""
    lowest, highest = _range_around(mattes, AROUND_CELLS)
    contrast = (highest - lowest - UNSURE_CONTRAST) / (SURE_CONTRAST - UNSURE_CONTRAST)
    sure = functional.pad(contrast.clamp(0, 1)[:, None], (1, 1, 1, 1), mode="replicate")
    return 1 + (STEEPER - 1) * functional.avg_pool2d(sure, 3, 1)[:, 0]


def _fit(mattes: Tensor, guides: Tensor, band: Tensor, radius: int) -> Tensor:
    """Fit alpha as a linear function of colour: (N, h, w, 4); outside the band the matte alone.

    In double precision: variances are small differences of sums.
    """
    steeper = _steepness(mattes).double()
    weights = 1 + torch.floor((2 * mattes - _OPAQUE) ** 2 / PER_WEIGHT).double()
    mattes = mattes.double() / _OPAQUE
    r, g, b = guides.double().unbind(1)
    planes = torch.stack(
        (
            *(r, g, b, mattes, r * mattes, g * mattes, b * mattes),
            *(r * r, r * g, r * b, g * g, g * b, b * b, torch.ones_like(r)),
        ),
        1,
    )
    planes = planes * weights[:, None]
    for axis in (2, 3):  # cv2's BORDER_REFLECT, which repeats the outermost cell
        first = planes.narrow(axis, 0, radius).flip(axis)
        last = planes.narrow(axis, planes.shape[axis] - radius, radius).flip(axis)
        planes = torch.cat((first, planes, last), axis)
    means = functional.avg_pool2d(planes, 2 * radius + 1, 1)
    means = means[:, :-1] / means[:, -1:]
    colours, value = means[:, :3], means[:, 3]
    rp, gp, bp = (means[:, 4:7] - colours * value[:, None]).unbind(1)
    r, g, b = colours.unbind(1)
    rr, rg, rb, gg, gb, bb = means[:, 7:].unbind(1)
    rr, rg, rb = rr - r * r + FLATNESS, rg - r * g, rb - r * b
    gg, gb, bb = gg - g * g + FLATNESS, gb - g * b, bb - b * b + FLATNESS
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = rr * c_rr + rg * c_rg + rb * c_rb
    a_r = (c_rr * rp + c_rg * gp + c_rb * bp) / determinant
    a_g = (c_rg * rp + c_gg * gp + c_gb * bp) / determinant
    a_b = (c_rb * rp + c_gb * gp + c_bb * bp) / determinant
    alone = (value - a_r * r - a_g * g - a_b * b - 0.5) * steeper + 0.5
    fit = torch.stack((a_r * steeper, a_g * steeper, a_b * steeper, alone), 3)
    zero = torch.zeros_like(mattes)
    flat = torch.stack((zero, zero, zero, mattes), 3)
    return torch.where(band[..., None], fit, flat).float()


def unmix(rgb: Tensor, alpha: Tensor) -> Tensor:
    """Estimate the colours that products have where they are see-through.

    Args:
        rgb: (N, 3, H, W) uint8.
        alpha: (N, H, W) uint8.

    Returns:
        (N, 3, H, W) uint8: the photos' own pixels where alpha is sure.
    """
    front, back = _wide_averages(rgb, alpha)
    colours = _end_wide_pass(rgb[:, :, ::2, ::2], alpha[:, ::2, ::2], front, back)
    image, row, column = torch.nonzero((alpha > SURELY_OUT) & (alpha < SURELY_IN), as_tuple=True)
    rows, columns = colours.shape[1:3]
    found = _look(colours, image, _between(row / 2, rows), _between(column / 2, columns))
    share = alpha[image, row, column].float()[:, None] / _OPAQUE
    mixed = rgb[image, :, row, column].float()
    estimate = _corrected(found[:, :3], found[:, 3:], share, mixed)
    foreground = rgb.clone()
    foreground[image, :, row, column] = (estimate + 0.5).to(torch.uint8)
    return foreground


def _wide_averages(rgb: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Average product and background on a grid of every STRIDE_PX pixels, (N, 3, h, w) each."""
    mixed = rgb[:, :, ::STRIDE_PX, ::STRIDE_PX].float()
    share = alpha[:, None, ::STRIDE_PX, ::STRIDE_PX].float() / _OPAQUE
    window = WIDE_PX // STRIDE_PX | 1
    planes = functional.pad(
        torch.cat((mixed, mixed * share, share), 1), (window // 2,) * 4, mode="reflect"
    )
    total, product, weight = functional.avg_pool2d(planes, window, 1).split((3, 3, 1), 1)  # type: ignore[no-untyped-call]
    front = (product + _TRACE * total) / (weight + _TRACE)
    return front, (total - product + _TRACE * total) / (1 - weight + _TRACE)


def _corrected(front: Tensor, back: Tensor, share: Tensor, mixed: Tensor) -> Tensor:
    rest = mixed - share * front - (1 - share) * back
    return (front + share * rest).clamp(0, _OPAQUE)


def _end_wide_pass(rgb: Tensor, alpha: Tensor, front: Tensor, back: Tensor) -> Tensor:
    """Correct the wide averages at every other pixel and average F over three by three.

    Returns:
        (N, ceil(H / 2), ceil(W / 2), 6) float32: F and B.
    """
    grid = torch.cat((front, back), 1)
    step = STRIDE_PX // 2
    for axis in (2, 3):
        length = rgb.shape[axis]
        places = torch.arange(length, device=rgb.device) / step
        before, after, share = _between(places, grid.shape[axis])
        shape = [1] * 4
        shape[axis] = length
        lower, upper = (grid.index_select(axis, each) for each in (before, after))
        grid = torch.lerp(lower, upper, share.view(shape))
    front, back = grid.split(3, 1)  # type: ignore[no-untyped-call]
    share = alpha[:, None].float() / _OPAQUE
    weight = share + _TRACE
    weighted = torch.cat((weight * _corrected(front, back, share, rgb.float()), weight), 1)
    sums = functional.avg_pool2d(weighted, 3, 1, 1)  # both sums over nine: the nine cancels
    return torch.cat((sums[:, :3] / sums[:, 3:], back), 1).permute(0, 2, 3, 1).contiguous()


def on_white(foreground: Tensor, alpha: Tensor) -> Tensor:
    """Blend colours over white, exactly rounded.

    Args:
        foreground: (N, 3, H, W) uint8.
        alpha: (N, H, W) uint8.

    Returns:
        (N, 3, H, W) uint8.
    """
    hidden = (_OPAQUE - foreground).float() * alpha[:, None].float() / _OPAQUE
    return (_OPAQUE - torch.round(hidden)).to(torch.uint8)
