"""One step's gradient, each share of the batch on a thread of its own.

A thread composes its pictures, runs its copy of the network forward and back, and meets the other
threads once a step. Threads inside an operation, torch's own way, meet at every operation: on a
machine that has other work too, each of those meetings waits for the slowest.
"""

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import torch
from torch import Tensor, nn

from export.networks.registry import levels_of
from export.training.compose import compose_batch
from export.training.config import Stage, TrainingConfig
from export.training.dice import Dice
from export.training.losses import matte_loss
from export.training.sources import Pictures


class Shards:
    """Fills a network's gradients from a batch that is composed for the step."""

    def __init__(self, network: nn.Module, config: TrainingConfig, pictures: Pictures) -> None:
        """Copy the network for each further worker."""
        self.config, self.pictures = config, pictures
        self.replicas = [network, *(copy.deepcopy(network) for _ in range(config.workers - 1))]
        self.pool = ThreadPoolExecutor(config.workers)
        if config.workers > 1:
            torch.set_num_threads(1)

    def fill_gradients(self, step: int, stage: Stage) -> float:
        """Compose the step's pictures and fill the network's gradients with the mean of theirs.

        Returns:
            The mean loss.
        """
        network, *others = self.replicas
        for replica in others:
            replica.load_state_dict(network.state_dict())
        share = stage.batch // len(self.replicas)
        dice = [Dice(self.config.seed, step, worker) for worker in range(len(self.replicas))]
        jobs = [
            self.pool.submit(self._share, replica, own, share, stage)
            for replica, own in zip(self.replicas, dice, strict=True)
        ]
        losses = [job.result() for job in jobs]
        self._gather()
        return sum(losses) / len(losses)

    def _share(self, replica: nn.Module, dice: Dice, count: int, stage: Stage) -> float:
        batch = compose_batch(dice, self.pictures, self.config.scene, count, stage.side)
        photo = (batch.rgb * 2 - 1).contiguous(memory_format=torch.channels_last)
        replica.train()
        replica.zero_grad(set_to_none=True)
        mixed = self.config.mixed_precision
        with torch.autocast(photo.device.type, torch.bfloat16, enabled=mixed):
            levels = levels_of(replica, photo)
        loss = matte_loss([level.float() for level in levels], batch.alpha, self.config.side_weight)
        torch.autograd.backward(loss)
        return float(loss.detach())

    @torch.no_grad()
    def _gather(self) -> None:
        """Average gradients and batch norm's statistics into the first network."""
        count = len(self.replicas)
        for copies in zip(*(replica.parameters() for replica in self.replicas), strict=True):
            if not copies[0].requires_grad:
                continue
            gradients = [cast("Tensor", weight.grad) for weight in copies]
            copies[0].grad = torch.stack(gradients).mean(dim=0) if count > 1 else gradients[0]
        for buffers in zip(*(replica.buffers() for replica in self.replicas), strict=True):
            if buffers[0].is_floating_point():
                buffers[0].copy_(torch.stack(buffers).mean(dim=0))
