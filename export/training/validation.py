"""Judges a network on pictures held out of training: whole photos and composed scenes."""

from dataclasses import replace

import torch
from torch import nn

from export.measures import Agreement, agreement, mean_agreement
from export.training.batch import Batch
from export.training.compose import compose_batch
from export.training.config import SceneConfig
from export.training.dice import Dice
from export.training.sources import Pictures
from export.training.warp import sample

VALIDATION_SEED = 1  # the same scenes in every run, so that runs compare
PHOTOS_MOST = 48
SCENES = 64
BATCH = 8


def validation_batches(held_out: Pictures, scene: SceneConfig, side: int) -> list[Batch]:
    """Compose the pictures to judge by: half are whole held-out photos, unchanged."""
    whole = torch.eye(2, 3)[None]
    bank = held_out.masked[:PHOTOS_MOST]
    batches = []
    for start in range(0, len(bank), BATCH):
        photos = bank[start : start + BATCH]
        seen = sample(photos, whole.repeat(len(photos), 1, 1), side, beyond="reflection")
        batches.append(Batch(seen[:, :3], seen[:, 3:]))
    scenes = replace(scene, masked_share=0.0)
    for index in range(SCENES // BATCH):
        dice = Dice(VALIDATION_SEED, index)
        batches.append(compose_batch(dice, held_out, scenes, BATCH, side))
    return batches


@torch.inference_mode()
def validate(network: nn.Module, batches: list[Batch]) -> Agreement:
    """Average agreement over the held-out pictures."""
    network.eval()
    found = []
    for batch in batches:
        mattes = torch.sigmoid(network(batch.rgb * 2 - 1)).cpu().numpy()
        wanted = batch.alpha.cpu().numpy()
        found += [agreement(matte, alpha) for matte, alpha in zip(mattes, wanted, strict=True)]
    return mean_agreement(found)
