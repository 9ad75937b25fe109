"""ONNX Runtime on a model's file: passes alone, without server, network or photos."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime

CPU, OPENVINO = "CPUExecutionProvider", "OpenVINOExecutionProvider"


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


def open_session(
    model: str | bytes, threads: int, provider: str = CPU, *, plans_memory: bool = True
) -> onnxruntime.InferenceSession:
    """Open a graph, with threads that rest while others are measured.

    Args:
        model: The file's path, or its content.
        threads: Of one pass.
        provider: ONNX Runtime's execution provider.
        plans_memory: Whether memory is planned by the first pass' shapes, as by default; Triton's
            backend here does not.

    Raises:
        RuntimeError: The provider is not there or does not start; nothing is run elsewhere instead.
    """
    if provider not in onnxruntime.get_available_providers():
        raise RuntimeError(f"this onnxruntime has no {provider}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = plans_memory
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")
    told = {"device_type": "CPU", "precision": "FP32", "num_of_threads": str(threads)}
    asked = (provider, told if provider == OPENVINO else {})
    session = onnxruntime.InferenceSession(model, options, providers=[asked], enable_fallback=0)
    if session.get_providers()[0] != provider:
        raise RuntimeError(f"{provider} does not start: it would be {session.get_providers()[0]}")
    return session


class Runner:
    """A model's sessions under one setting.

    Args:
        path: The ONNX file, of one input with open first dimension.
        setting: How the cores share the work.
        provider: ONNX Runtime's execution provider.
        plans_memory: As `open_session` takes it.

    Raises:
        RuntimeError: ONNX Runtime would run it elsewhere.
    """

    def __init__(
        self, path: Path, setting: Setting, provider: str = CPU, *, plans_memory: bool = True
    ) -> None:
        self.setting = setting
        self._sessions = [
            open_session(str(path), setting.threads, provider, plans_memory=plans_memory)
            for _ in range(setting.instances)
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
