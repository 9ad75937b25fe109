"""The run on a device: trains by the clock, averages, judges, keeps the best, leaves a record."""

import copy
import csv
import logging
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from export.networks.lite import LiteMatte
from export.networks.registry import levels_of, network_of
from export.state_file import read_state
from export.training.gpu.config import DeviceConfig
from export.training.gpu.feed import Feed
from export.training.gpu.judge import JUDGED_AT, Judgement, held_out_pictures, judge
from export.training.gpu.losses import device_loss
from export.training.gpu.record import LATEST, WEIGHTS, write_record, write_state
from export.training.gpu.workers import Workers

LOG = "log.csv"
LONGEST_STEP_S = 10.0  # a process that was stopped has not trained while it stood still
LOOK_EVERY = 20  # steps between looks at the loss, each of which waits for the device
WORST_LOSS = 50.0
SIDES = (320, 352, 384)  # at which the end is judged

logger = logging.getLogger(__name__)


class DeviceRun:
    """A run and its folder."""

    def __init__(self, config: DeviceConfig, folder: Path, command: str) -> None:
        """Start workers, read packs, build the network; ``command`` goes to the record."""
        self.config, self.folder, self.command = config, folder, command
        self.begun = time.monotonic()
        self.trained_s, self.steps, self.pictures, self.skipped = 0.0, 0, 0, 0
        self.best, self.judgements = -1.0, dict[str, Any]()
        folder.mkdir(parents=True, exist_ok=True)
        # Forked before the device is touched.
        self.workers = Workers([Path(one) for one in config.packs], config.workers, config.seed)
        self.device = torch.device(config.device)
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        self.feed = Feed(config, self.workers, lambda: config.side_at(self.progress))
        self.held_out = held_out_pictures(
            self.feed.held, config.scenes, config.judged_photos, config.judged_scenes
        )
        self.network = self._network()
        self.average = copy.deepcopy(self.network).eval().requires_grad_(requires_grad=False)
        self.optimiser = self._optimiser()
        self._say(f"ready after {time.monotonic() - self.begun:.0f} s: {self.feed.bank.count()}")

    @property
    def progress(self) -> float:
        """Say how much of the run is done, in [0, 1]."""
        return min(self.trained_s / self.config.seconds, 1.0)

    def train(self) -> Judgement:
        """Train until the seconds are used, then judge at several sides and write the record.

        Returns:
            How the kept weights do on the held-out pictures, at the best side.
        """
        self._judge("start")
        self.feed.start()
        ask = torch.compile(levels_of) if self.config.compiled else levels_of
        saved = judged = told = self.trained_s
        last = time.monotonic()
        losses: list[torch.Tensor] = []
        while self.progress < 1:
            losses.append(self._step(ask))
            if self.steps % LOOK_EVERY == 0:
                losses = [torch.stack(losses).mean()]
                float(losses[0])  # wait for the device, or the clock runs ahead of it
            now = time.monotonic()
            self.trained_s += min(now - last, LONGEST_STEP_S)
            last = now
            if self.trained_s - told >= self.config.checkpoint_every_s:
                self._tell(float(torch.stack(losses).mean()), self.trained_s - told)
                losses, told = [], self.trained_s
            if self.trained_s - judged >= self.config.judge_every_s:
                self._judge(f"{self.trained_s:.0f} s")
                judged = self.trained_s
            if self.trained_s - saved >= self.config.checkpoint_every_s:
                self._save()
                saved = self.trained_s
        self.feed.close()
        return self._end()

    def _step(self, ask: Any) -> torch.Tensor:
        batch = self.feed.next()
        rate = self._rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.network.train()
        photo = (batch.rgb * 2 - 1).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            levels = ask(self.network, photo)
        loss = device_loss(levels, batch.alpha, self.config.side_weight, self.config.edge_weight)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        # A step that came to nothing moves no weight: zeros instead of a branch that would wait.
        sound = torch.isfinite(norm) & torch.isfinite(loss)
        for weight in self.network.parameters():
            if weight.grad is not None:
                weight.grad.nan_to_num_(0.0, 0.0, 0.0).mul_(sound)
        self.optimiser.step()
        self.steps += 1
        self.pictures += len(photo)
        self._average()
        return torch.where(sound, loss.detach(), WORST_LOSS)

    @torch.no_grad()
    def _average(self) -> None:
        share = 1 - min(self.config.average_decay, (1 + self.steps) / (10 + self.steps))
        mine = [*self.average.parameters(), *self._statistics(self.average)]
        new = [*self.network.parameters(), *self._statistics(self.network)]
        torch._foreach_lerp_(mine, new, share)

    @staticmethod
    def _statistics(network: nn.Module) -> list[torch.Tensor]:
        return [one for one in network.buffers() if one.is_floating_point()]

    def _rate(self) -> float:
        rise = min(1.0, (self.steps + 1) / self.config.warmup_steps)
        fall = 0.5 * (1 + math.cos(math.pi * self.progress))
        last = self.config.last_rate
        return self.config.rate * rise * (last + (1 - last) * fall)

    def _network(self) -> nn.Module:
        network = network_of(self.config.network)
        if self.config.start:
            state = read_state(Path(self.config.start))
            missing, unknown = network.load_state_dict(state, strict=False)
            if unknown or any("num_batches" not in name for name in missing):
                raise ValueError(f"{self.config.start} fits another network than {network}")
        if isinstance(network, LiteMatte):
            network.encoder.frozen_statistics = self.config.frozen_statistics
        moved: nn.Module = network.to(self.device)
        return moved.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def _optimiser(self) -> torch.optim.Optimizer:
        groups = []
        for encoder, share in ((False, 1.0), (True, self.config.encoder_rate)):
            own = [
                weight
                for name, weight in self.network.named_parameters()
                if name.startswith("encoder.") is encoder
            ]
            for decays in (True, False):
                weights = [weight for weight in own if (weight.ndim > 1) is decays]
                decay = self.config.weight_decay * decays
                groups.append({"params": weights, "weight_decay": decay, "share": share})
        fused = self.device.type == "cuda"
        return torch.optim.AdamW(groups, lr=self.config.rate, fused=fused)

    def _judge(self, when: str) -> None:
        found = judge(self.average, self.held_out, JUDGED_AT)
        self.judgements[when] = asdict(found)
        kept = found.iou > self.best
        if kept:
            self.best = found.iou
            write_state(self.average, self.folder / WEIGHTS)
        self._say(f"judged at {when}: {found}{', kept' if kept else ''}")
        self._save()

    def _save(self) -> None:
        write_state(self.average, self.folder / LATEST)
        write_record(self.folder, self._record())

    def _tell(self, loss: float, took_s: float) -> None:
        row = {
            "step": self.steps,
            "side": self.config.side_at(self.progress),
            "trained_s": round(self.trained_s, 1),
            "pictures": self.pictures,
            "loss": round(loss, 4),
            "rate": round(self._rate(), 6),
            "put": self.feed.put,
            "failed": self.workers.failed + self.feed.failures,
            "took_s": round(took_s, 1),
        }
        new = not (self.folder / LOG).exists()
        with (self.folder / LOG).open("a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        self._say(" ".join(f"{name} {value}" for name, value in row.items()))

    def _end(self) -> Judgement:
        self._judge("end")
        best = network_of(self.config.network).to(self.device)
        best.load_state_dict(read_state(self.folder / WEIGHTS), strict=False)
        found = {side: judge(best, self.held_out, side) for side in SIDES}
        for side, one in found.items():
            self.judgements[f"kept at {side}"] = asdict(one)
            self._say(f"kept weights at {side}: {one}")
        write_record(self.folder, self._record())
        return max(found.values(), key=lambda one: one.iou)

    def _record(self) -> dict[str, Any]:
        name = "the CPU"
        if self.device.type == "cuda":
            name = torch.cuda.get_device_name(self.device)
        return {
            "config": self.config.as_dict() | {"stages": [{"side": self.config.sides[-1][1]}]},
            "command": self.command,
            "device": name,
            "step": self.steps,
            "pictures": self.pictures,
            "trained_s": round(self.trained_s, 1),
            "whole_s": round(time.monotonic() - self.begun, 1),
            "best_iou": self.best,
            "failed_pictures": self.workers.failed,
            "bank": self.feed.bank.count(),
            "judgements": self.judgements,
        }

    @staticmethod
    def _say(line: str) -> None:
        logger.info("%s", line)
