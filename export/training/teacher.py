"""Masks for photos that have none, by a network trained before: pseudo-labels.

Only where the teacher is sure (Lee: Pseudo-Label, ICML workshop 2013, with a threshold): its mattes
of a photo, of its mirror image and of a smaller copy must agree, leave little between product and
ground, and show a product of ordinary size. What they agree on, their mean, becomes the label.
"""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from export.training.checkpoint import open_network
from export.training.cutouts import Pixels, cut_out
from export.training.sources import Pictures

UNMASKED = ("clothes", "groceries")  # photos of one product or of a shelf, as shops have them
LEAST_AGREEMENT = 0.9  # intersection over union of any two mattes
MOST_UNSURE = 0.12  # of a product's area: pixels that are neither
SURE = (0.1, 0.9)
PRODUCT_SHARE = (0.04, 0.75)  # of the photo
SMALLER_SIDE = 192
BATCH = 16

logger = logging.getLogger(__name__)


def with_labels(pictures: Pictures, teacher: Path, side: int) -> Pictures:
    """Add the photos that a teacher is sure of to the masked ones, their products to the garments.

    Args:
        pictures: to train on; its unmasked photos are among its backgrounds, and stay there.
        teacher: file of weights, as ``best.pt`` of a run's folder.
        side: of the photos as the teacher sees them, pixels.

    Raises:
        CheckpointError: the weights are missing or another network's.
    """
    network = open_network(teacher).eval()
    masked, cutouts = [pictures.masked], [pictures.cutouts["garment"]]
    for kind in UNMASKED:
        photos = pictures.backgrounds[kind]
        mattes, sure = label(network, photos, side, kind)
        whole = torch.cat([photos, mattes], dim=1)[sure]
        logger.info("teacher: sure of %d of %d photos of %s", len(whole), len(photos), kind)
        masked.append(whole)
        if kind == "clothes":
            cutouts.append(_cutouts(whole, cutouts[0].shape[-1]))
    garments = {"garment": torch.cat(cutouts)}
    return replace(pictures, masked=torch.cat(masked), cutouts={**pictures.cutouts, **garments})


@torch.inference_mode()
def label(network: nn.Module, photos: Tensor, side: int, name: str = "") -> tuple[Tensor, Tensor]:
    """Let a teacher cut photos, each three times.

    Args:
        network: the teacher.
        photos: (N, 3, S, S) uint8.
        side: of the photos as the teacher sees them.
        name: shown beside the progress.

    Returns:
        (N, 1, S, S) uint8 mattes and (N,) bool, whether the teacher is sure.
    """
    mattes, sure = [], []
    for start in tqdm(range(0, len(photos), BATCH), desc=f"labelling {name}", mininterval=5):
        batch = functional.interpolate(
            photos[start : start + BATCH].float() / 127.5 - 1, size=side, mode="bilinear"
        )
        smaller = functional.interpolate(batch, size=SMALLER_SIDE, mode="bilinear")
        views = (
            network(batch),
            network(batch.flip(3)).flip(3),
            functional.interpolate(network(smaller), size=side, mode="bilinear"),
        )
        each = [torch.sigmoid(view) for view in views]
        mean = torch.stack(each).mean(dim=0)
        sure.append(_is_sure(each, mean))
        full = functional.interpolate(mean, size=photos.shape[-1], mode="bilinear")
        mattes.append((full * 255).round().to(torch.uint8))
    return torch.cat(mattes), torch.cat(sure)


def _is_sure(views: list[Tensor], mean: Tensor) -> Tensor:
    """Judge (N, 1, S, S) mattes by their agreement, their doubt and the product's size."""
    within = (1, 2, 3)
    found = [view > 0.5 for view in views]  # noqa: PLR2004
    agreements = [
        (one & other).sum(within) / (one | other).sum(within).clamp(min=1)
        for at, one in enumerate(found)
        for other in found[at + 1 :]
    ]
    area = (mean > 0.5).sum(within).clamp(min=1)  # noqa: PLR2004
    low, high = SURE
    unsure = ((mean > low) & (mean < high)).sum(within) / area
    share = area / mean[0].numel()
    smallest, largest = PRODUCT_SHARE
    return (
        (torch.stack(agreements).amin(dim=0) >= LEAST_AGREEMENT)
        & (unsure <= MOST_UNSURE)
        & (share >= smallest)
        & (share <= largest)
    )


def _cutouts(whole: Tensor, side: int) -> Tensor:
    """Cut the products of masked photos out, (N, 4, S, S) to (at most N, 4, side, side)."""
    kept: list[Pixels] = []
    for photo in whole.permute(0, 2, 3, 1).numpy():
        cutout = cut_out(photo[..., :3], photo[..., 3], side)
        if cutout is not None:
            kept.append(cutout)
    if not kept:
        return torch.empty(0, 4, side, side, dtype=torch.uint8)
    return torch.from_numpy(np.stack(kept)).permute(0, 3, 1, 2)
