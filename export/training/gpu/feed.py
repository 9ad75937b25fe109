"""Fills the bank and composes batches in a thread and stream of its own, ahead of training."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from export.training.batch import Batch
from export.training.dice import Dice
from export.training.gpu.bank import DeviceBank
from export.training.gpu.config import DeviceConfig
from export.training.gpu.making import RENDERED
from export.training.gpu.scenes import compose_on
from export.training.gpu.workers import Done, Workers

AHEAD = 3  # batches that wait to be trained on
TAKEN_AT_ONCE = 12  # jobs' results put into the bank between two batches
PUT_S = 0.2
LONGEST_START_S = 240.0
MOST_FAILURES = 50  # batches in a row that could not be composed

logger = logging.getLogger(__name__)


class Fed(NamedTuple):
    """A batch, and the event after which the device has composed it."""

    batch: Batch
    ready: "torch.cuda.Event | None"


class Feed:
    """Composes batches of the side that is wanted, for ever."""

    def __init__(self, config: DeviceConfig, workers: Workers, side: Callable[[], int]) -> None:
        """Wait until the workers have made what there is to begin with."""
        self.config, self.workers, self.side = config, workers, side
        self.device = torch.device(config.device)
        self.bank, self.held = (
            DeviceBank(self.device, config.room, frozenset(RENDERED)) for _ in range(2)
        )
        self.composed = self.failures = self.put = 0
        self.batches: queue.Queue[Fed] = queue.Queue(AHEAD)
        self.ended = threading.Event()
        since = time.monotonic()
        # A job that a killed worker took never comes back.
        while workers.pending and time.monotonic() - since < LONGEST_START_S:
            self._put(workers.take(TAKEN_AT_ONCE, wait=True))
            if not workers.alive():
                raise RuntimeError("every worker has ended before its first jobs were done")
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to compose."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)  # the bank was filled in another stream
        self.thread.start()

    def next(self) -> Batch:
        """Give the next batch; the current stream waits until it is composed.

        Raises:
            RuntimeError: batches cannot be composed any more.
        """
        while True:
            try:
                fed = self.batches.get(timeout=5)
                break
            except queue.Empty:
                if not self.thread.is_alive():
                    raise RuntimeError("no more batches are composed") from None
        if fed.ready is not None:
            stream = torch.cuda.current_stream()
            stream.wait_event(fed.ready)
            fed.batch.rgb.record_stream(stream)
            fed.batch.alpha.record_stream(stream)
        return fed.batch

    def close(self) -> None:
        """Compose no more, end the workers."""
        self.ended.set()
        if self.thread.is_alive():
            self.thread.join(timeout=10)
        self.workers.close()

    def _put(self, done: list[Done]) -> None:
        for one in done:
            bank = self.held if one.held else self.bank
            for use, kind in sorted({(made.use, made.kind) for made in one.made}):
                pictures = [
                    made.pixels for made in one.made if (made.use, made.kind) == (use, kind)
                ]
                bank.put(use, kind, pictures)
                self.put += len(pictures)

    def _run(self) -> None:
        on_gpu = self.device.type == "cuda"
        stream = torch.cuda.Stream(self.device) if on_gpu else None  # type: ignore[no-untyped-call]
        in_a_row = 0
        while not self.ended.is_set() and in_a_row < MOST_FAILURES:
            try:
                with torch.cuda.stream(stream) if stream else contextlib.nullcontext():
                    self._put(self.workers.take(TAKEN_AT_ONCE))
                    fed = self._compose(on_gpu=on_gpu)
            except Exception:  # one bad batch must not end a run on borrowed time
                logger.exception("a batch could not be composed")
                self.failures += 1
                in_a_row += 1
                continue
            in_a_row = 0
            while not self.ended.is_set():
                try:
                    self.batches.put(fed, timeout=PUT_S)
                    break
                except queue.Full:
                    continue

    def _compose(self, *, on_gpu: bool) -> Fed:
        self.composed += 1
        dice = Dice(self.config.seed, self.composed, device=self.device)
        batch = compose_on(dice, self.bank, self.config.scenes, self.config.batch, self.side())
        ready = None
        if on_gpu:
            ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
            ready.record()
        return Fed(batch, ready)
