"""How an object and its ground meet: alike in tone, mirrored, equally sharp or out of focus."""

import torch
from torch import Tensor
from torch.nn import functional

from export.training.dice import Dice

WHITE_SHARE, BLACK_SHARE = 0.6, 0.15  # of scenes in one tone; the others keep their ground's own
TINY = 1e-4


def _each(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(len(values), -1, 1, 1).to(like.device)


def tone_on_tone(
    dice: Dice, rgb: Tensor, alpha: Tensor, ground: Tensor, wanted: Tensor
) -> tuple[Tensor, Tensor]:
    """Draw an object's and its ground's colours close to each other: white on white above all.

    Both keep some of their own light and shade around the common tone; the object lies a little
    below or above the ground, so that there is something to find.

    Args:
        dice: decides which tone and how close.
        rgb: (N, 3, S, S) objects, float32 in [0, 1].
        alpha: (N, 1, S, S) their mattes.
        ground: (N, 3, S, S).
        wanted: (N,) 1.0 where this shall happen.

    Returns:
        Objects and grounds.
    """
    at = wanted.nonzero()[:, 0]
    count = len(at)
    sort = dice.uniform(0, 1, count)
    # Short of white and black: the camera's gain goes the rest, and must leave a difference.
    light, dark = dice.uniform(0.72, 0.92, count), dice.uniform(0.05, 0.16, count)
    contrast, calm = dice.uniform(0.2, 0.6, count), dice.uniform(0.02, 0.2, count)
    apart = dice.uniform(0.05, 0.15, count) * (1 - 2 * dice.chance(0.3, count))
    if count == 0:
        return rgb, ground
    at = at.to(rgb.device)
    own = ground[at].mean(dim=(2, 3), keepdim=True)
    weight = alpha[at].sum(dim=(2, 3), keepdim=True).clamp(min=1)
    middle = (rgb[at] * alpha[at]).sum(dim=(2, 3), keepdim=True) / weight
    tone = torch.where(_each(sort, rgb) < WHITE_SHARE, _each(light, rgb).expand_as(own), own)
    is_black = _each(sort, rgb) > 1 - BLACK_SHARE
    tone = torch.where(is_black, _each(dark, rgb).expand_as(own), tone)
    # White has room below only, black above only.
    apart = torch.where(sort < WHITE_SHARE, -apart.abs(), apart)
    apart = torch.where(sort > 1 - BLACK_SHARE, apart.abs(), apart)
    rgb, ground = rgb.clone(), ground.clone()
    ground[at] = (tone + (ground[at] - own) * _each(calm, rgb)).clamp(0, 1)
    shade = (rgb[at] - middle) * _each(contrast, rgb)
    rgb[at] = (tone + _each(apart, rgb) + shade).clamp(0, 1)
    return rgb, ground


def match_sharpness(
    rgb: Tensor, alpha: Tensor, ground: Tensor, wanted: Tensor
) -> tuple[Tensor, Tensor]:
    """Blur objects that show finer detail than their ground, edge and inside alike.

    Args:
        rgb: (N, 3, S, S) objects.
        alpha: (N, 1, S, S) their mattes.
        ground: (N, 3, S, S).
        wanted: (N,) 1.0 where this shall happen.
    """
    at = wanted.nonzero()[:, 0].to(rgb.device)
    if len(at) == 0:
        return rgb, alpha
    whole = torch.cat([rgb[at], alpha[at]], dim=1)
    soft = functional.avg_pool2d(whole, 3, 1, 1, count_include_pad=False)
    inside = alpha[at]
    detail = ((whole - soft)[:, :3].abs() * inside).sum(dim=(1, 2, 3))
    detail = detail / inside.sum(dim=(1, 2, 3)).clamp(min=1)
    behind = ground[at]
    theirs = behind - functional.avg_pool2d(behind, 3, 1, 1, count_include_pad=False)
    theirs = theirs.abs().sum(dim=1).mean(dim=(1, 2))
    share = (1 - theirs / detail.clamp(min=TINY)).clamp(0, 1)
    mixed = torch.lerp(whole, soft, _each(share, rgb))
    rgb, alpha = rgb.clone(), alpha.clone()
    rgb[at], alpha[at] = mixed[:, :3], mixed[:, 3:]
    return rgb, alpha


def defocus(dice: Dice, ground: Tensor, wanted: Tensor) -> Tensor:
    """Put grounds out of focus, as a lens does that is set on the object before them.

    Args:
        dice: decides how far.
        ground: (N, 3, S, S).
        wanted: (N,) 1.0 where this shall happen.

    Returns:
        The grounds.
    """
    at = wanted.nonzero()[:, 0]
    reach = float(dice.uniform(1.5, 9.0, 1))  # pixels of the reduced ground, the batch's own
    if len(at) == 0:
        return ground
    side = ground.shape[-1]
    at = at.to(ground.device)
    small = functional.interpolate(ground[at], size=max(int(side / reach), 4), mode="area")
    # Twice over a grid that is not the pixels' own: no blocks are left to be seen.
    soft = functional.avg_pool2d(functional.pad(small, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    ground = ground.clone()
    ground[at] = functional.interpolate(soft, size=side, mode="bicubic").clamp(0, 1)
    return ground


def reflect(dice: Dice, rgb: Tensor, alpha: Tensor, ground: Tensor, wanted: Tensor) -> Tensor:
    """Mirror objects in the ground below their lowest point, fading with the distance.

    Args:
        dice: decides how strong and how deep.
        rgb: (N, 3, S, S) objects.
        alpha: (N, 1, S, S) their mattes.
        ground: (N, 3, S, S).
        wanted: (N,) 1.0 where this shall happen.

    Returns:
        The grounds.
    """
    at = wanted.nonzero()[:, 0]
    count = len(at)
    strength, depth = dice.uniform(0.1, 0.5, count), dice.uniform(0.05, 0.3, count)
    if count == 0:
        return ground
    at = at.to(rgb.device)
    side = rgb.shape[-1]
    rows = torch.arange(side, device=rgb.device)
    solid = (alpha[at] > 0.5).any(dim=3)[:, 0]  # noqa: PLR2004
    lowest = torch.where(solid, rows, -1).amax(dim=1)[:, None]  # -1: nothing stands there
    below = rows[None] - lowest
    mirrored = (lowest - below).clamp(0, side - 1)
    index = torch.arange(len(at), device=rgb.device)[:, None]
    seen = rgb[at].transpose(1, 2)[index, mirrored].transpose(1, 2)
    there = alpha[at].transpose(1, 2)[index, mirrored].transpose(1, 2)
    fade = torch.exp(-below / side / depth.to(rgb.device)[:, None]) * (below > 0)
    share = there * fade[:, None, :, None] * _each(strength, rgb)
    ground = ground.clone()
    ground[at] = torch.lerp(ground[at], seen, share)
    return ground
