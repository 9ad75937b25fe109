"""The loss on a device: as ``matte_loss``, with more weight near edges and none of the syncs."""

import torch
from torch import Tensor
from torch.nn import functional

from export.training.losses import level_loss, soft_iou_loss


def edge_band(alpha: Tensor, reach: int = 3) -> Tensor:
    """Find pixels near an edge or half transparent, (N, 1, H, W) in [0, 1]."""
    width = 2 * reach + 1
    most = functional.max_pool2d(alpha, width, 1, reach)
    least = -functional.max_pool2d(-alpha, width, 1, reach)
    return most - least


def device_loss(
    levels: list[Tensor], alpha: Tensor, side_weight: float, edge_weight: float
) -> Tensor:
    """Weigh the full-size error, edges more, and those of the coarse outputs.

    Args:
        levels: logits (N, 1, h, w), full size first.
        alpha: (N, 1, H, W) float32 in [0, 1].
        side_weight: of each coarse output.
        edge_weight: how much more a pixel near an edge counts.

    Returns:
        A scalar: cross-entropy, mean absolute error and soft intersection over union.
    """
    weight = 1 + edge_weight * edge_band(alpha)
    logits = levels[0].float()
    matte = torch.sigmoid(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, alpha, reduction="none")
    total = weight.sum()
    loss = ((entropy + (matte - alpha).abs()) * weight).sum() / total
    loss = loss + soft_iou_loss(matte, alpha)
    for coarse in levels[1:]:
        logits = coarse.float()
        reduced = functional.adaptive_avg_pool2d(alpha, (logits.shape[-2], logits.shape[-1]))
        loss = loss + side_weight * level_loss(logits, reduced)
    return loss
