"""Loses what JPEG loses: each block of 8x8 pixels in frequencies, rounded (Wallace 1992)."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from export.training.dice import Dice

BLOCK = 8
LUMA, CHROMA = 14.0, 26.0  # mean steps of the standard's tables at quality 50, of 255


def _basis(device: torch.device) -> Tensor:
    at = torch.arange(BLOCK, device=device).float()
    basis = torch.cos((2 * at[None] + 1) * at[:, None] * math.pi / (2 * BLOCK)) / 2
    basis[0] /= math.sqrt(2)
    return basis


def compress(dice: Dice, rgb: Tensor, share: float) -> Tensor:
    """Compress some pictures.

    Args:
        dice: decides which and how much.
        rgb: (N, 3, S, S) float32 in [0, 1], S divisible by 16.
        share: of the pictures.
    """
    at = dice.chance(share, len(rgb)).nonzero()[:, 0].to(rgb.device)
    strength = torch.exp(dice.uniform(-2.0, 0.9, len(at)))
    if len(at) == 0:
        return rgb
    red, green, blue = rgb[at].unbind(dim=1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = torch.stack([(blue - luma) * 0.564, (red - luma) * 0.713], dim=1)
    luma = _rounded(luma[:, None], strength * LUMA / 255)
    chroma = _rounded(functional.avg_pool2d(chroma, 2), strength * CHROMA / 255)
    chroma = functional.interpolate(chroma, scale_factor=2.0, mode="bilinear", align_corners=False)
    blue, red = luma[:, 0] + chroma[:, 0] / 0.564, luma[:, 0] + chroma[:, 1] / 0.713
    green = (luma[:, 0] - 0.299 * red - 0.114 * blue) / 0.587
    rgb = rgb.clone()
    rgb[at] = torch.stack([red, green, blue], dim=1).clamp(0, 1)
    return rgb


def _rounded(planes: Tensor, step: Tensor) -> Tensor:
    count, channels, side, _ = planes.shape
    basis = _basis(planes.device)
    blocks = planes.reshape(count, channels, side // BLOCK, BLOCK, side // BLOCK, BLOCK)
    waves = torch.einsum("ui,ncaibj,vj->ncaubv", basis, blocks, basis)
    # Steps grow with the frequency, as in the standard's tables.
    rise = torch.arange(BLOCK, device=planes.device).float() / BLOCK
    steps = step[:, None, None] * (0.7 + 1.6 * (rise[:, None] + rise[None]))
    steps = steps[:, None, None, :, None, :]
    waves = torch.round(waves / steps) * steps
    back = torch.einsum("ui,ncaubv,vj->ncaibj", basis, waves, basis)
    return back.reshape(count, channels, side, side)
