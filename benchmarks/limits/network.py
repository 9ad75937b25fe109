"""ONNX Runtime on a model's file: passes alone, without server, network or photos."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.limits.peaks import CPU, open_session


@dataclass(frozen=True, slots=True)
class Setting:
    """How the cores share the work."""

    instances: int  # sessions that run side by side
    threads: int  # of each session
    batch: int  # photos in one pass


def settings_of(cores: int, batches: Sequence[int]) -> Iterator[Setting]:
    """Return every way to share all cores evenly, at every batch size."""
    for threads in range(1, cores + 1):
        if cores % threads == 0:
            for batch in batches:
                yield Setting(cores // threads, threads, batch)


class Runner:
    """A model's sessions under one setting.

    Args:
        path: The ONNX file, of one input with open first dimension.
        setting: How the cores share the work.
        provider: ONNX Runtime's execution provider.

    Raises:
        RuntimeError: ONNX Runtime would run it elsewhere.
    """

    def __init__(self, path: Path, setting: Setting, provider: str = CPU) -> None:
        self.setting = setting
        self._sessions = [
            open_session(str(path), setting.threads, provider) for _ in range(setting.instances)
        ]
        port = self._sessions[0].get_inputs()[0]
        shape = (setting.batch, *port.shape[1:])
        self._feed = {port.name: np.random.default_rng(0).integers(0, 256, shape, np.uint8)}
        self._pool = ThreadPoolExecutor(setting.instances)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def images_per_s(self, least_s: float) -> float:
        """Run for at least so long, after one pass that warms the caches, and give photos/s."""
        return 1 / self.seconds_per_image(least_s)[0]

    def seconds_per_image(self, least_s: float) -> tuple[float, float]:
        """Run for at least so long, and give the time and the processor time of a photo, s."""
        list(self._pool.map(lambda session: session.run(None, self._feed), self._sessions))
        start_s, cpu_start_s = time.perf_counter(), time.process_time()
        passes = sum(
            self._pool.map(
                lambda at: self._passes(at, start_s + least_s), range(len(self._sessions))
            )
        )
        wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_start_s
        count = passes * self.setting.batch
        return wall_s / count, cpu_s / count

    def _passes(self, at: int, until_s: float) -> int:
        passes = 0
        while passes == 0 or time.perf_counter() < until_s:
            self._sessions[at].run(None, self._feed)
            passes += 1
        return passes


def best_setting(path: Path, settings: Sequence[Setting], least_s: float) -> Setting:
    """Try every setting, there and back, and give the fastest by its slower turn."""
    slower: dict[Setting, float] = {}
    for setting in (*settings, *reversed(settings)):
        with Runner(path, setting) as runner:
            rate = runner.images_per_s(least_s)
        slower[setting] = min(rate, slower.get(setting, rate))
    return max(slower, key=lambda setting: slower[setting])
