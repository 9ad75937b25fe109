"""Removes stray islands and closes pinholes: `imaging.matting.clean` on batches of mattes."""

import torch
from torch import Tensor
from torch.nn import functional

from imaging.matting.clean import (
    FAINT_SHARE,
    HOLE_LEVELS,
    HOLE_SHARE,
    REACH_SHARE,
    SHALLOW,
    SOLID_SHARE,
    WALL_SHARE,
)
from imaging.matting.confidence import CUT_AT
from imaging.matting.guided import SURELY_OUT


def clean_mattes(mattes: Tensor) -> Tensor:
    """Clean a batch of mattes as `clean_matte` cleans each.

    Args:
        mattes: (N, h, w) float32, whole numbers of 0 to 255.

    Returns:
        (N, h, w) float32, whole numbers of 0 to 255.
    """
    longer = max(mattes.shape[1:])
    half_wall, reach = (max(1, round(share * longer)) for share in (WALL_SHARE, REACH_SHARE))
    has_product = (mattes >= CUT_AT).flatten(1).any(1)[:, None, None]
    cleaned = _without_islands(_with_holes_closed(mattes, half_wall), reach)
    return torch.where(has_product, cleaned, mattes)


def _with_holes_closed(mattes: Tensor, half_wall: int) -> Tensor:
    closed = mattes
    largest = HOLE_SHARE * _box_area(mattes >= CUT_AT)
    border = torch.ones_like(mattes, dtype=torch.bool)
    border[:, 1:-1, 1:-1] = False
    for level in HOLE_LEVELS:
        below = closed < level
        grown = _grown(below, half_wall)
        labels = components(grown)
        areas = _sums(labels, below.float())
        deep = _any(labels, grown & (closed < SHALLOW))
        enclosed = ~_any(labels, grown & border)
        small = areas <= torch.where(deep, float((half_wall // 2) ** 2), largest[:, None])
        closes = _spread(enclosed & small, labels) & below
        closed = torch.where(closes, float(level), closed)
    return closed


def _without_islands(mattes: Tensor, reach: int) -> Tensor:
    grown = _grown(mattes > SURELY_OUT, reach)
    labels = components(grown)
    masses = _sums(labels, mattes * grown)
    solid = _any(labels, grown & (mattes >= CUT_AT))
    largest = torch.where(solid, masses, 0).amax(1, keepdim=True)
    stray = masses < largest * torch.where(solid, SOLID_SHARE, FAINT_SHARE)
    return torch.where(_spread(stray, labels) & grown, 0.0, mattes)


def components(mask: Tensor) -> Tensor:
    """Label the 8-connected components of a batch of masks.

    Each pixel takes the highest label around it, its root takes that as well, and labels are
    followed to their roots: the number of rounds grows with the logarithm of a component's size.

    Returns:
        (N, h * w) int64: the highest index of the pixel's component; of other pixels their own.
    """
    count, height, width = mask.shape
    inside = mask.flatten(1)
    labels = torch.arange(height * width, device=mask.device).expand(count, -1).contiguous()
    while True:
        shown = torch.where(inside, labels, -1).float().view(count, 1, height, width)
        around = functional.max_pool2d(shown, 3, 1, 1).flatten(1).long()
        around = torch.where(inside, around, labels)
        joined = labels.scatter_reduce(1, labels, around, "amax")
        for _ in range(3):
            joined = joined.gather(1, joined)
        if torch.equal(joined, labels):
            return labels
        labels = joined


def _grown(mask: Tensor, by_cells: int) -> Tensor:
    return functional.max_pool2d(mask[:, None].float(), 2 * by_cells + 1, 1, by_cells)[:, 0] > 0


def _sums(labels: Tensor, values: Tensor) -> Tensor:
    """Add values up over each component, at its label: (N, h * w) float32."""
    return torch.zeros(labels.shape, device=labels.device).scatter_add(1, labels, values.flatten(1))


def _any(labels: Tensor, flags: Tensor) -> Tensor:
    return _sums(labels, flags.float()) > 0


def _spread(flags: Tensor, labels: Tensor) -> Tensor:
    """Return each pixel what holds of its component: (N, h, w) bool, for a square matte."""
    side = round(labels.shape[1] ** 0.5)
    return flags.gather(1, labels).view(-1, side, side)


def _box_area(mask: Tensor) -> Tensor:
    """Return the areas of the boxes around masks, (N,) float32."""
    sides = []
    for dimension in (1, 2):
        lines = mask.any(dimension).float()
        length = lines.shape[1]
        places = torch.arange(length, device=mask.device)
        last = (lines * places).amax(1)
        first = length - 1 - (lines * (length - 1 - places)).amax(1)
        sides.append(torch.where(lines.any(1), last - first + 1, 0))
    return sides[0] * sides[1]
