"""Photographs a composed scene: light, colour, focus, grain. Object and ground share all of it."""

import torch
from torch import Tensor
from torch.nn import functional

from export.training.dice import Dice

HUE_TURNED = 0.15  # share of pictures whose hues are turned


def photograph(dice: Dice, rgb: Tensor) -> Tensor:
    """Vary what a camera varies.

    Args:
        dice: decides how.
        rgb: (N, 3, S, S) float32 in [0, 1].

    Returns:
        The same shape and range.
    """
    return _grain(dice, _focus(dice, _colour(dice, rgb)))


def _each(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(len(values), -1, 1, 1).to(like.device)


def _colour(dice: Dice, rgb: Tensor) -> Tensor:
    count = len(rgb)
    gain = torch.exp(dice.normal(0.12, count, 1) + dice.normal(0.05, count, 3))
    saturation = torch.exp(dice.normal(0.25, count)) * (1 - dice.chance(0.06, count))
    contrast = torch.exp(dice.normal(0.12, count))
    gamma = torch.exp(dice.normal(0.18, count))
    rgb = _turned(dice, rgb)
    grey = rgb.mean(dim=1, keepdim=True)
    rgb = torch.lerp(grey.expand_as(rgb), rgb, _each(saturation, rgb))
    middle = rgb.mean(dim=(1, 2, 3), keepdim=True)
    rgb = (middle + (rgb - middle) * _each(contrast, rgb)) * _each(gain, rgb)
    return rgb.clamp(1e-4, 1.0).pow(_each(gamma, rgb))


def _turned(dice: Dice, rgb: Tensor) -> Tensor:
    """Turn the hues of some pictures about grey."""
    count = len(rgb)
    angle = dice.uniform(-3.1, 3.1, count) * dice.chance(HUE_TURNED, count)
    cos, sin = torch.cos(angle), torch.sin(angle) / 3**0.5
    even = (1 - cos) / 3
    rows = [[cos + even, even - sin, even + sin], [even + sin, cos + even, even - sin]]
    rows.append([even - sin, even + sin, cos + even])
    turn = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1).to(rgb.device)
    return torch.einsum("nij,njhw->nihw", turn, rgb).clamp(0, 1)


def _focus(dice: Dice, rgb: Tensor) -> Tensor:
    """Blur some pictures, sharpen others."""
    blurred = functional.avg_pool2d(
        functional.pad(rgb, (1, 1, 1, 1), mode="replicate"), 3, stride=1
    )
    share = dice.uniform(-0.6, 1.0, len(rgb)) * dice.chance(0.5, len(rgb))
    rgb = torch.lerp(rgb, blurred, _each(share, rgb))
    if dice.happens(0.15):
        side = rgb.shape[-1]
        small = functional.interpolate(
            rgb, scale_factor=float(dice.uniform(0.45, 0.9, 1)), mode="bilinear"
        )
        soft = functional.interpolate(small, size=side, mode="bilinear")
        rgb = torch.lerp(rgb, soft, _each(dice.chance(0.5, len(rgb)), rgb))
    return rgb


def _grain(dice: Dice, rgb: Tensor) -> Tensor:
    strength = dice.uniform(0, 0.05, len(rgb)) * dice.chance(0.6, len(rgb))
    noise = dice.normal(1.0, *rgb.shape).to(rgb.device)
    return (rgb + noise * _each(strength, rgb)).clamp(0, 1)
