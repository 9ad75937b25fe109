"""Judges weights on held-out pictures, on the device: whole photos and composed scenes."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.training.batch import Batch
from export.training.dice import Dice
from export.training.gpu.bank import PHOTO, DeviceBank
from export.training.gpu.config import DeviceScenes
from export.training.gpu.scenes import compose_on
from export.training.warp import sample

HALF = 0.5
BATCH = 24
JUDGED_AT = 384  # pixels, whatever side a network is asked at
SEED = 1


@dataclass(frozen=True)
class Judgement:
    """Mean IoU at one half and mean absolute error, over photos and over scenes."""

    photos_iou: float
    photos_mae: float
    scenes_iou: float
    scenes_mae: float

    @property
    def iou(self) -> float:
        """Give the mean of both IoUs, by which weights are chosen."""
        return (self.photos_iou + self.scenes_iou) / 2


@dataclass(frozen=True)
class HeldOut:
    """Pictures to judge by, (N, 3, S, S) and (N, 1, S, S) each, S being ``JUDGED_AT``."""

    photos: Batch
    scenes: Batch


def held_out_pictures(
    bank: DeviceBank, scenes: DeviceScenes, photos: int, composed: int
) -> HeldOut:
    """Gather what to judge by from a bank of held-out pictures."""
    kinds = [bank.shelves[PHOTO, kind] for kind in bank.kinds(PHOTO)]
    own = torch.cat([shelf.pixels[: shelf.filled] for shelf in kinds])
    # Evenly over all kinds: shelves follow each other.
    own = own[torch.linspace(0, len(own) - 1, min(photos, len(own))).long().to(own.device)]
    whole = torch.eye(2, 3, device=own.device).repeat(len(own), 1, 1)
    seen = sample(own, whole, JUDGED_AT, beyond="reflection")
    alone = replace(scenes, whole=0.0)
    made = [
        compose_on(Dice(SEED, start, device=bank.device), bank, alone, BATCH, JUDGED_AT)
        for start in range(0, composed, BATCH)
    ]
    drawn = Batch(torch.cat([one.rgb for one in made]), torch.cat([one.alpha for one in made]))
    return HeldOut(Batch(seen[:, :3], seen[:, 3:]), drawn)


@torch.no_grad()
def judge(network: nn.Module, held_out: HeldOut, side: int) -> Judgement:
    """Judge a network that is asked at a side, in pixels."""
    network.eval()
    return Judgement(
        *_agreement(network, held_out.photos, side), *_agreement(network, held_out.scenes, side)
    )


def _agreement(network: nn.Module, pictures: Batch, side: int) -> tuple[float, float]:
    ious, errors = [], []
    for start in range(0, len(pictures.rgb), BATCH):
        rgb, alpha = pictures.rgb[start : start + BATCH], pictures.alpha[start : start + BATCH]
        small = functional.interpolate(
            rgb, size=side, mode="bilinear", align_corners=False, antialias=True
        )
        matte = torch.sigmoid(network(small * 2 - 1).float())
        matte = functional.interpolate(
            matte, size=alpha.shape[-1], mode="bilinear", align_corners=False
        )
        ious.append(_iou(matte >= HALF, alpha >= HALF))
        errors.append((matte - alpha).abs().mean(dim=(1, 2, 3)))
    return float(torch.cat(ious).mean()), float(torch.cat(errors).mean())


def _iou(found: Tensor, wanted: Tensor) -> Tensor:
    common = (found & wanted).sum(dim=(1, 2, 3)).float()
    either = (found | wanted).sum(dim=(1, 2, 3)).float()
    return torch.where(either > 0, common / either.clamp(min=1), 1.0)
