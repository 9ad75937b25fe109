"""Sets props into scenes: plinths below objects, blocks and balls beside them. All of it is ground.

A product photo often shows its product on a plinth among other bodies. What tells them apart is
that the product stands on it, is what is printed, detailed or glossy, and is in focus.
"""

import torch
from torch import Tensor

from export.training.dice import Dice
from export.training.objects.props import TOP_AT, TOP_REACH
from export.training.warp import object_places, sample

FOOT_SHARE = 0.12  # of an object's height: its lowest part, which rests on a plinth
SOLID = 0.5


def scatter(dice: Dice, bank: Tensor, ground: Tensor, wanted: Tensor) -> Tensor:
    """Set a prop somewhere on each ground that is wanted, in colours that lean to the ground's.

    Args:
        dice: decides which and where.
        bank: (K, 4, C, C) uint8 props.
        ground: (N, 3, S, S) float32 in [0, 1].
        wanted: (N,) 1.0 where this shall happen.
    """
    at = wanted.nonzero()[:, 0]
    places = object_places(dice, len(at), smallest=0.15, largest=0.8)
    return _laid(dice, bank, ground, at, places)


def set_on_plinth(
    dice: Dice, bank: Tensor, ground: Tensor, alpha: Tensor, wanted: Tensor
) -> Tensor:
    """Set a plinth below each object that is wanted and whose foot is in the frame.

    Args:
        dice: decides which, how wide and how steeply seen.
        bank: (K, 4, C, C) uint8 plinths, their tops' middles where ``draw_plinth`` puts them.
        ground: (N, 3, S, S) float32 in [0, 1].
        alpha: (N, 1, S, S) of the objects that will stand there.
        wanted: (N,) 1.0 where this shall happen.
    """
    count, side = len(alpha), alpha.shape[-1]
    wider, flatter = dice.uniform(0.75, 2.2, count), dice.uniform(0.7, 1.3, count)
    aside, deeper = dice.normal(0.06, count), dice.uniform(0.0, 0.05, count)
    solid = alpha[:, 0] > SOLID
    frame = torch.linspace(-1, 1, side, device=alpha.device)
    rows = solid.any(dim=2)
    there = rows.any(dim=1)
    index = torch.arange(side, device=alpha.device)
    lowest = torch.where(rows, index, -1).amax(dim=1)
    highest = torch.where(rows, index, side).amin(dim=1)
    from_row = lowest - ((lowest - highest) * FOOT_SHARE).long()
    foot = solid & (index[None] >= from_row[:, None])[:, :, None]
    columns = foot.any(dim=1)
    left = torch.where(columns, index, side).amin(dim=1).clamp(max=side - 1)
    right = torch.where(columns, index, -1).amax(dim=1).clamp(min=0)
    half = ((frame[right] - frame[left]) / 2).clamp(min=0.08)
    x = (frame[right] + frame[left]) / 2
    y = frame[lowest.clamp(min=0)]
    at = (wanted * there * (lowest < side * 0.97)).nonzero()[:, 0]
    scale = 2 * TOP_REACH / (half * wider)  # canvas half widths: 2 TOP_REACH of it is the top's
    places = torch.zeros(count, 2, 3, device=alpha.device)
    places[:, 0, 0], places[:, 1, 1] = scale, scale * flatter
    places[:, 0, 2] = -places[:, 0, 0] * (x + aside * half)
    # The object's foot rests before the middle of the top, not at its far rim.
    top = 2 * TOP_AT - 1
    places[:, 1, 2] = top + deeper - places[:, 1, 1] * y
    return _laid(dice, bank, ground, at, places[at])


def _laid(dice: Dice, bank: Tensor, ground: Tensor, at: Tensor, places: Tensor) -> Tensor:
    """Lay props drawn from a bank over some of the grounds."""
    count = len(at)
    chosen = dice.below(len(bank), count)
    share = dice.uniform(0.0, 0.9, count) * dice.chance(0.6, count)
    if count == 0:
        return ground
    seen = sample(bank[chosen], places, ground.shape[-1], beyond="zeros")
    rgb, alpha = seen[:, :3], seen[:, 3:]
    behind = ground[at]
    weight = alpha.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    drift = (
        behind.mean(dim=(2, 3), keepdim=True) - (rgb * alpha).sum(dim=(2, 3), keepdim=True) / weight
    )
    rgb = (rgb + drift * share[:, None, None, None]).clamp(0, 1)
    ground = ground.clone()
    ground[at] = torch.lerp(behind, rgb, alpha)
    return ground
