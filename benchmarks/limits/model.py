"""A network as `limits` measures it: by raw ONNX Runtime, and behind embedded Triton."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import perf_analyzer
from benchmarks.configuration import Configuration, config_path
from benchmarks.limits.network import Runner, Setting
from benchmarks.triton import Triton, running_triton
from export.triton_config import read_config
from processes.tree import awake, pause

# Least requests in each of perf_analyzer's three windows, and how far these may differ.
_REQUESTS, _STABILITY_PERCENT = 20, 50


@contextmanager
def paused_triton(repository: Path, model: str, setting: Setting) -> Iterator[Triton]:
    """Run Triton with one model at a setting for the time of a block, paused."""
    configuration = replace(
        Configuration.of(read_config(config_path(repository, model))),
        instances=setting.instances,
        threads=setting.threads,
        max_batch_size=setting.batch,
        queue_delay_us=0,
    )
    with (
        TemporaryDirectory() as name,
        running_triton(repository, Path(name), configuration) as triton,
    ):
        pause([triton.server.pid])
        yield triton


@dataclass(frozen=True, slots=True)
class Model:
    """A model at its best setting, by itself and behind Triton."""

    name: str
    path: Path  # its ONNX file
    setting: Setting  # how it is run
    triton: Triton  # which is paused
    triton_dir: Path  # where perf_analyzer is installed

    @property
    def key(self) -> str:
        """Its name among a round's rates; no precision is called so."""
        return f"model {self.name}"

    @property
    def triton_key(self) -> str:
        """The name of Triton's rate."""
        return f"triton {self.name}"

    def images_per_s(self, least_s: float) -> float:
        """Run raw ONNX Runtime for at least so long."""
        with Runner(self.path, self.setting) as runner:
            return runner.images_per_s(least_s)

    def triton_images_per_s(self) -> float:
        """Let `perf_analyzer` ask Triton, with photos in shared memory.

        Raw ONNX Runtime has them at hand as well, so what is compared is the server and not the
        wire. A request brings a whole batch.
        """
        load = perf_analyzer.Load(
            address=self.triton.address,
            model=self.name,
            # As many more wait as are worked on, so that no instance is ever idle.
            concurrency=str(2 * self.setting.instances),
            batch_size=self.setting.batch,
            requests=_REQUESTS,
            stability_percent=_STABILITY_PERCENT,
            memory="system",
        )
        with awake([self.triton.server.pid]):
            (found,) = perf_analyzer.measure(load, self.triton_dir, os.environ)
        return float(found["images_per_s"])
