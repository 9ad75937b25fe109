"""The training run: compose, step, average, validate, keep the best, go on after a stop."""

import csv
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from export.measures import Agreement
from export.networks.registry import seeded_network
from export.training.checkpoint import Checkpoint, load_weights
from export.training.config import Stage, TrainingConfig
from export.training.pretrained import hold_still, load_encoder
from export.training.shards import Shards
from export.training.sources import Pictures
from export.training.validation import validate, validation_batches

CHECKPOINT = "last.pt"
BEST = "best.pt"
LOG = "log.csv"
LONGEST_STEP_S = 60.0
BAR = "{l_bar}{bar}| {elapsed}<{remaining}"

logger = logging.getLogger(__name__)


class Training:
    """A run in a folder of its own, which holds its checkpoints and its log."""

    def __init__(
        self, config: TrainingConfig, folder: Path, train: Pictures, held_out: Pictures
    ) -> None:
        """Start afresh, or go on where the folder's checkpoint stands."""
        self.config, self.folder = config, folder
        self.device = torch.device(config.device)
        last = config.stages[-1].side
        self.judged_by = validation_batches(held_out.to(self.device), config.scene, last)
        self.network = seeded_network(config.network, config.seed).to(self.device)
        if config.encoder:
            load_encoder(self.network, Path(config.encoder))
        if config.start:
            load_weights(self.network, Path(config.start))
        hold_still(self.network, config.frozen_blocks, statistics=bool(config.encoder))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.shards = Shards(self.network, config, train.to(self.device))
        # Buffers (batch norm's statistics) are averaged along with the weights they belong to.
        self.average = AveragedModel(
            self.network, multi_avg_fn=_average_of(config.average_decay), use_buffers=True
        )
        self.optimiser = AdamW(_weight_groups(self.network, config), lr=config.peak_rate)
        self.step, self.best_iou, self.trained_s = 0, -1.0, 0.0
        if (folder / CHECKPOINT).exists():
            self._resume()

    @property
    def progress(self) -> float:
        """Say how much of the run is done, in [0, 1]."""
        return self.config.progress(self.step, self.trained_s)

    def run(self, until_step: int | None = None) -> Agreement:
        """Train to the end, or to a step before it.

        Returns:
            How the averaged weights do at that point on the held-out pictures.
        """
        saved = since = time.monotonic()
        losses: list[float] = []
        pictures = 0
        with tqdm(total=100, unit="%", mininterval=10, bar_format=BAR) as bar:
            while self.progress < 1 and self.step != until_step:
                stage = self.config.stage_at(self.progress)
                begun = time.monotonic()
                losses.append(self._train_step(stage))
                pictures += stage.batch
                # A process that was stopped for a while has not trained while it stood still.
                self.trained_s += min(time.monotonic() - begun, LONGEST_STEP_S)
                bar.update(round(100 * self.progress, 2) - bar.n)
                if self.step % self.config.validate_every_steps == 0:
                    rate = pictures / (time.monotonic() - since)
                    self._log(stage, sum(losses) / len(losses), rate, self._validate())
                    losses, pictures, since = [], 0, time.monotonic()
                if time.monotonic() - saved > self.config.checkpoint_every_s:
                    self._checkpoint()
                    saved = time.monotonic()
        result = self._validate()
        self._checkpoint()
        return result

    def _train_step(self, stage: Stage) -> float:
        # A step's pictures depend on the seed and its number alone: a resumed run sees the same.
        loss = self.shards.fill_gradients(self.step, stage)
        for group in self.optimiser.param_groups:
            rate = rate_at(self.config, self.step, self.progress)
            group["lr"] = rate * group["share"]
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        self.step += 1
        return loss

    def _validate(self) -> Agreement:
        result = validate(self.average.module, self.judged_by)
        if result.iou > self.best_iou:
            self.best_iou = result.iou
            self.folder.mkdir(parents=True, exist_ok=True)
            torch.save(self.average.module.state_dict(), self.folder / BEST)
        return result

    def _log(self, stage: Stage, loss: float, rate: float, result: Agreement) -> None:
        path = self.folder / LOG
        row = {
            "step": self.step,
            "side": stage.side,
            "trained_s": round(self.trained_s),
            "pictures_per_s": round(rate, 1),
            "loss": round(loss, 4),
            "held_out_iou": round(result.iou, 4),
            "held_out_mae": round(result.mae, 4),
        }
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        logger.info("%s", row)

    def _checkpoint(self) -> None:
        Checkpoint(
            step=self.step,
            network=self.network.state_dict(),
            average=self.average.state_dict(),
            optimiser=self.optimiser.state_dict(),
            best_iou=self.best_iou,
            trained_s=self.trained_s,
            config=self.config.as_dict(),
        ).save(self.folder / CHECKPOINT)

    def _resume(self) -> None:
        state = Checkpoint.load(self.folder / CHECKPOINT, self.config.as_dict())
        self.network.load_state_dict(state.network)
        self.average.load_state_dict(state.average)
        self.optimiser.load_state_dict(state.optimiser)
        self.step, self.best_iou, self.trained_s = state.step, state.best_iou, state.trained_s


def rate_at(config: TrainingConfig, step: int, progress: float) -> float:
    """Give a step's learning rate: a short rise, then half a cosine down to the last one."""
    rise = min(1.0, (step + 1) / config.warmup_steps)
    fall = 0.5 * (1 + math.cos(math.pi * progress))
    return config.peak_rate * rise * (config.last_rate + (1 - config.last_rate) * fall)


def _average_of(decay: float) -> Callable[..., None]:
    """Give a running average that reaches back ``decay``'s way once there are steps enough."""

    @torch.no_grad()
    def update(averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        steps = float(count)
        share = 1 - min(decay, (1 + steps) / (10 + steps))
        for own, new in zip(averaged, current, strict=True):
            if own.is_floating_point():
                own.lerp_(new, share)
            else:
                own.copy_(new)

    return update


def _weight_groups(network: nn.Module, config: TrainingConfig) -> list[dict[str, object]]:
    """Let matrices decay; norms and offsets are few and must stay free.

    ``share`` is the group's share of the rate: an encoder that knows much changes more slowly.
    """
    groups = []
    for encoder, share in ((False, 1.0), (True, config.encoder_rate)):
        own = [
            weight
            for name, weight in network.named_parameters()
            if weight.requires_grad and name.startswith("encoder.") is encoder
        ]
        for decays, decay in ((True, config.weight_decay), (False, 0.0)):
            weights = [weight for weight in own if (weight.ndim > 1) is decays]
            if weights:
                groups.append({"params": weights, "weight_decay": decay, "share": share})
    return groups
