"""Triton on a model, at the setting under which raw ONNX Runtime is fastest.

NVIDIA's `perf_analyzer` asks it, with photos in shared memory: raw ONNX Runtime has them at hand as
well, so what is compared is the server and not the wire. A request brings a whole batch.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import perf_analyzer
from benchmarks.limits.network import Setting
from benchmarks.peers.server import awake
from benchmarks.sweep.configuration import Configuration, config_path, copy_configured
from deploy.local.stack import free_addresses, part
from export.triton_config import read_config
from processes.ready import wait_until
from processes.tree import pause, resume
from serving.client import TritonClient

# Least requests in each of perf_analyzer's three windows, and how far these may differ.
_REQUESTS, _STABILITY_PERCENT = 20, 50
_READY_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class EmbeddedTriton:
    """A Triton that is paused except in its turns."""

    load: perf_analyzer.Load  # what it is asked
    pid: int  # of the process that runs it
    triton_dir: Path  # where wheels are installed

    def images_per_s(self) -> float:
        """Measure its throughput.

        Raises:
            AnalyzerError: perf_analyzer found none.
        """
        with awake([self.pid]):
            (found,) = perf_analyzer.measure(self.load, self.triton_dir, os.environ)
        return found.images_per_s


@contextmanager
def embedded_triton(
    repository: Path, model: str, setting: Setting, triton_dir: Path
) -> Iterator[EmbeddedTriton]:
    """Run Triton with one model for the time of a block.

    Args:
        repository: Where the model is; it is copied.
        model: The model.
        setting: Instances, threads of each, and the batch.
        triton_dir: Where wheels are installed.

    Raises:
        ProcessError: It did not start.
    """
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        present = Configuration.of(read_config(config_path(repository, model)))
        configuration = replace(
            present,
            instances=setting.instances,
            threads=setting.threads,
            max_batch_size=setting.batch,
            queue_delay_us=0,
        )
        copy_configured(repository, configuration, scratch / "models")
        environ = {
            **os.environ,
            **free_addresses(),
            "PACKSHOT_MODEL_REPOSITORY": str(scratch / "models"),
            "PACKSHOT_TRITON_MODELS": model,
        }
        server = stack.enter_context(part("serving", environ, scratch))
        # A stopped process does not receive the signal to end.
        stack.callback(resume, [server.process.pid])
        address = environ["PACKSHOT_TRITON"]
        with closing(TritonClient(address)) as client:
            wait_until(lambda: client.is_ready([model]), server.check, "Triton", _READY_TIMEOUT_S)
        load = perf_analyzer.Load(
            address=address,
            model=model,
            # As many more wait as are worked on, so that no instance is ever idle.
            concurrency=str(2 * setting.instances),
            batch_size=setting.batch,
            requests=_REQUESTS,
            stability_percent=_STABILITY_PERCENT,
            memory="system",
        )
        pause([server.process.pid])
        yield EmbeddedTriton(load, server.process.pid, triton_dir)
