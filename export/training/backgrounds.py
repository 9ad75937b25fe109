"""Grounds for composed scenes: crops of real photos, and rendered studio grounds."""

import torch
from torch import Tensor
from torch.nn import functional

from export.training.config import STUDIO
from export.training.dice import Dice
from export.training.sources import Pictures
from export.training.warp import photo_views, sample

CLOSE_UP = {"clothes"}  # seen from near: a whole garment as ground would teach that it is none


def draw_grounds(
    dice: Dice, pictures: Pictures, weights: dict[str, float], count: int, side: int
) -> Tensor:
    """Draw a ground for each scene.

    Returns:
        (count, 3, side, side) float32 in [0, 1].
    """
    grounds = torch.empty(count, 3, side, side, device=pictures.masked.device)
    kinds = dice.kinds(weights, count)
    for kind in sorted(set(kinds)):
        at = torch.tensor([index for index, drawn in enumerate(kinds) if drawn == kind])
        if kind == STUDIO:
            grounds[at] = render_studio(dice, len(at), side).to(grounds.device)
            continue
        bank = pictures.backgrounds[kind]
        chosen = bank[dice.below(len(bank), len(at)).to(bank.device)]
        views = photo_views(dice, len(at), closest=0.25 if kind in CLOSE_UP else 0.4)
        if kind in CLOSE_UP:
            views = views * torch.tensor([0.4, 0.4, 1.0])
        grounds[at] = sample(chosen, views, side, beyond="reflection")
    return grounds


def render_studio(dice: Dice, count: int, side: int) -> Tensor:
    """Render plain, graded and softly cluttered grounds, white ones often, as sellers use.

    Returns:
        (count, 3, side, side) float32 in [0, 1].
    """
    bright = dice.uniform(0.05, 1.0, count, 1).sqrt()
    tint = dice.normal(0.1, count, 3) * dice.chance(0.6, count, 1)
    base = (bright + tint).clamp(0, 1)
    white = dice.chance(0.3, count, 1)
    base = torch.where(white > 0, dice.uniform(0.9, 1.0, count, 1), base)[:, :, None, None]
    # A few random values blown up to the frame make gradients, vignettes and blurred clutter.
    graded = functional.interpolate(
        dice.normal(0.07, count, 3, 2, 2), size=side, mode="bilinear", align_corners=True
    )
    cells = int(dice.uniform(3, 12, 1))
    cluttered = functional.interpolate(
        dice.normal(0.16, count, 3, cells, cells), size=side, mode="bicubic", align_corners=False
    )
    ground = base + graded * dice.chance(0.7, count, 1, 1, 1)
    ground = ground + cluttered * dice.chance(0.25, count, 1, 1, 1)
    return (ground + _table(dice, count, side)).clamp(0, 1)


def _table(dice: Dice, count: int, side: int) -> Tensor:
    """Render a step in brightness at some height: where a table meets a wall."""
    rows = torch.linspace(0, 1, side)[None, None, :, None]
    edge = dice.uniform(0.35, 0.9, count)[:, None, None, None]
    softness = dice.uniform(0.003, 0.08, count)[:, None, None, None]
    step = torch.sigmoid((rows - edge) / softness)
    shade = dice.normal(0.12, count, 3)[:, :, None, None] * dice.chance(0.35, count, 1, 1, 1)
    return step * shade
