"""Shadows of standing objects: cast along the ground, and dark where object and ground touch."""

import torch
from torch import Tensor
from torch.nn import functional

from export.training.dice import Dice

SOLID = 0.5


def _each(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1, 1, 1)


def lowest_rows(alpha: Tensor) -> Tensor:
    """Find where objects end below, (N,) in [-1, 1] of the frame; 1 for those without any."""
    side = alpha.shape[-1]
    rows = (alpha[:, 0] > SOLID).any(dim=2)
    index = torch.arange(side, device=alpha.device)
    lowest = torch.where(rows, index, -1).amax(dim=1)
    lowest = torch.where(lowest < 0, side - 1, lowest)
    return (2 * lowest.float() + 1) / side - 1


def cast(dice: Dice, alpha: Tensor) -> Tensor:
    """Cast soft shadows.

    Args:
        dice: decides where the light stands.
        alpha: (N, 1, S, S) mattes of the objects.

    Returns:
        (N, 1, S, S) share of light that is missing, in [0, 1].
    """
    count = len(alpha)
    foot = lowest_rows(alpha)
    # A shadow on the ground is the object seen flattened about its foot and sheared.
    flat = dice.uniform(0.06, 0.55, count) * (1 - 2 * dice.chance(0.35, count))
    lean = dice.normal(0.7, count)
    place = torch.zeros(count, 2, 3, device=alpha.device)
    place[:, 0, 0] = 1
    place[:, 0, 1] = lean / flat
    place[:, 0, 2] = -lean / flat * foot
    place[:, 1, 1] = 1 / flat
    place[:, 1, 2] = foot - foot / flat
    return _soft(dice, _seen(alpha, place), (0.4, 1.0))


def contact(dice: Dice, alpha: Tensor) -> Tensor:
    """Darken the ground close below and beside the foot of objects, as ``cast`` gives it."""
    count = len(alpha)
    foot = lowest_rows(alpha)
    flat = dice.uniform(0.02, 0.1, count)
    sink = dice.uniform(0.0, 0.015, count)
    place = torch.zeros(count, 2, 3, device=alpha.device)
    place[:, 0, 0] = 1 / dice.uniform(1.0, 1.08, count)
    place[:, 1, 1] = 1 / flat
    place[:, 1, 2] = foot - (foot + sink) / flat
    return _soft(dice, _seen(alpha, place), (0.0, 0.4))


def behind(dice: Dice, alpha: Tensor) -> Tensor:
    """Cast a shadow on a wall behind, shifted and soft, as ``cast`` gives it."""
    count = len(alpha)
    place = torch.zeros(count, 2, 3, device=alpha.device)
    place[:, 0, 0] = place[:, 1, 1] = 1 / dice.uniform(0.97, 1.1, count)
    place[:, 0, 2], place[:, 1, 2] = dice.normal(0.08, count), dice.normal(0.05, count) - 0.02
    return _soft(dice, _seen(alpha, place), (0.2, 1.0))


def _seen(alpha: Tensor, place: Tensor) -> Tensor:
    """See mattes at half size through affine windows."""
    count, _, side, _ = alpha.shape
    half = functional.avg_pool2d(alpha, 2)
    grid = functional.affine_grid(place, [count, 1, side // 2, side // 2], align_corners=False)
    return functional.grid_sample(half, grid, padding_mode="zeros", align_corners=False)


def _soft(dice: Dice, shadow: Tensor, softness: tuple[float, float]) -> Tensor:
    """Blur by a mix of a sharp, a soft and a very soft shadow; give full size."""
    side = shadow.shape[-1]
    little = _blurred(shadow, max(side // 50, 1))
    much = _blurred(little, max(side // 14, 1))
    how = _each(dice.uniform(*softness, len(shadow)))
    mixed = torch.lerp(little, much, how)
    return functional.interpolate(mixed, scale_factor=2.0, mode="bilinear", align_corners=False)


def _blurred(shadow: Tensor, radius: int) -> Tensor:
    for _ in range(2):
        shadow = functional.avg_pool2d(shadow, (2 * radius + 1, 1), 1, (radius, 0))
        shadow = functional.avg_pool2d(shadow, (1, 2 * radius + 1), 1, (0, radius))
    return shadow
