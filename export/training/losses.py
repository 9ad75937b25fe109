"""How far matte logits are from the true matte, as training sees it."""

import torch
from torch import Tensor
from torch.nn import functional


def matte_loss(levels: list[Tensor], alpha: Tensor, side_weight: float) -> Tensor:
    """Weigh the full-size error and those of the coarse outputs.

    Args:
        levels: logits (N, 1, h, w), full size first.
        alpha: (N, 1, H, W) float32 in [0, 1].
        side_weight: of each coarse output.

    Returns:
        A scalar.
    """
    loss = level_loss(levels[0], alpha)
    for logits in levels[1:]:
        reduced = functional.adaptive_avg_pool2d(alpha, (logits.shape[-2], logits.shape[-1]))
        loss = loss + side_weight * level_loss(logits, reduced)
    return loss


def level_loss(logits: Tensor, alpha: Tensor) -> Tensor:
    """Cross-entropy by the pixel plus soft intersection over union by the picture.

    Cross-entropy alone lets a small object go missing; the ratio alone has little to say about
    soft edges.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, alpha)
    return entropy + soft_iou_loss(torch.sigmoid(logits), alpha)


def soft_iou_loss(matte: Tensor, alpha: Tensor) -> Tensor:
    """Give one less the soft intersection over union, in the mean over pictures (N, 1, H, W)."""
    common = torch.minimum(matte, alpha).sum(dim=(1, 2, 3))
    either = torch.maximum(matte, alpha).sum(dim=(1, 2, 3))
    ratio = (common + 1.0) / (either + 1.0)
    return 1 - ratio.mean()
