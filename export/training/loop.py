"""The training run: compose, step, average, validate, keep the best, go on after a stop."""

import csv
import logging
import math
import time
from pathlib import Path

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from export.measures import Agreement
from export.networks.matte import seeded
from export.training.checkpoint import Checkpoint, load_weights
from export.training.config import Stage, TrainingConfig
from export.training.shards import Shards
from export.training.sources import Pictures
from export.training.validation import validate, validation_batches

CHECKPOINT = "last.pt"
BEST = "best.pt"
LOG = "log.csv"
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
        self.network = seeded(config.seed).to(self.device)
        if config.start:
            load_weights(self.network, Path(config.start))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.shards = Shards(self.network, config, train.to(self.device))
        # Buffers (batch norm's statistics) are averaged along with the weights they belong to.
        average = get_ema_multi_avg_fn(config.average_decay)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
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
        begun = saved = since = time.monotonic()
        before_s = self.trained_s
        losses: list[float] = []
        pictures = 0
        with tqdm(total=100, unit="%", mininterval=10, bar_format=BAR) as bar:
            while self.progress < 1 and self.step != until_step:
                stage = self.config.stage_at(self.progress)
                losses.append(self._train_step(stage))
                pictures += stage.batch
                self.trained_s = before_s + time.monotonic() - begun
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
            group["lr"] = rate_at(self.config, self.step, self.progress)
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


def _weight_groups(network: nn.Module, config: TrainingConfig) -> list[dict[str, object]]:
    """Let matrices decay; norms and offsets are few and must stay free."""
    decaying = [weight for weight in network.parameters() if weight.ndim > 1]
    free = [weight for weight in network.parameters() if weight.ndim <= 1]
    return [
        {"params": decaying, "weight_decay": config.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
