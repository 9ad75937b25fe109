"""One Triton for all variants, and NVIDIA's `perf_analyzer` that asks it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc as triton_grpc

from benchmarks import perf_analyzer
from benchmarks.gpu_serving.gauges import watching
from benchmarks.gpu_serving.variants import Variant
from deploy.local.stack import free_addresses, part
from processes.ready import wait_until
from processes.server import ServerProcess
from serving.client import TritonClient
from serving.errors import ServingError

_READY_TIMEOUT_S = 60.0
_LOAD_TIMEOUT_S = 45.0
_ANALYZER_TIMEOUT_S = 25.0
_CALL_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Triton:
    """A running Triton."""

    address: str  # its gRPC address
    server: ServerProcess  # its process
    models: Path  # the project's model repository
    repository: Path  # its own one, of variants
    kind: str  # `gpu` or `cpu`
    quick: bool  # whether few requests will do: a rehearsal

    @contextmanager
    def serving(self, variant: Variant) -> Iterator[dict[str, Any]]:
        """Load a variant for the time of a block.

        Yields:
            The columns of its rows, with the seconds that loading took.

        Raises:
            ServingError: It cannot be loaded; the message says why.
        """
        variant.write(self.models, self.repository, self.kind)
        client = TritonClient(self.address)
        start_s = time.monotonic()
        try:
            client.load(variant.name, _LOAD_TIMEOUT_S)
            yield {**variant.columns(), "load_s": round(time.monotonic() - start_s, 2)}
        finally:
            try:
                client.unload(variant.name, _CALL_TIMEOUT_S)
            except ServingError as exc:
                print(f"unloading {variant.name}: {exc}", flush=True)
            client.close()

    def ask(self, variant: str, concurrency: int, memory: str = "system") -> dict[str, Any]:
        """Measure a variant by perf_analyzer at one concurrency.

        Args:
            variant: The model.
            concurrency: Requests in flight.
            memory: How photos and mattes travel: `none` (in the messages), `system` or `cuda`
                shared memory.

        Raises:
            ServingError: perf_analyzer failed.
        """
        requests = 10 if self.quick else max(100, 25 * concurrency)
        load = perf_analyzer.Load(
            address=self.address,
            model=variant,
            concurrency=str(concurrency),
            requests=requests,
            stability_percent=999 if self.quick else 15,
            memory=memory,
            timeout_s=_ANALYZER_TIMEOUT_S,
        )
        before = self.batches(variant)
        with watching() as load_seen:
            (found,) = perf_analyzer.measure(load, Path(".triton"), os.environ)
        photos, passes = (new - old for new, old in zip(self.batches(variant), before, strict=True))
        return {
            "memory": memory,
            **asdict(found),
            "mean_batch": photos / passes if passes else None,
            **load_seen.columns(),
        }

    def batches(self, model: str) -> tuple[int, int]:
        """Return how many photos a model has answered, and in how many passes."""
        with triton_grpc.InferenceServerClient(self.address) as client:
            (found,) = client.get_inference_statistics(model).model_stats
            return found.inference_count, found.execution_count

    def infer(self, model: str, photos: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Send one request."""
        given = triton_grpc.InferInput("photo", list(photos.shape), "UINT8")
        given.set_data_from_numpy(photos)
        with triton_grpc.InferenceServerClient(self.address) as client:
            answer = client.infer(model, [given], client_timeout=_CALL_TIMEOUT_S)
        mattes: np.ndarray[Any, Any] = answer.as_numpy("matte")
        return mattes


@contextmanager
def running_triton(
    models: Path, scratch: Path, first: Variant, kind: str, *, quick: bool
) -> Iterator[Triton]:
    """Run Triton for the time of a block.

    Args:
        models: The project's model repository.
        scratch: For its repository and its log.
        first: The variant that it starts with.
        kind: `gpu` or `cpu`.
        quick: Whether few requests will do.

    Raises:
        ProcessError: It did not start.
    """
    repository = scratch / "variants"
    first.write(models, repository, kind)
    environ = {
        **os.environ,
        **free_addresses(),
        "PACKSHOT_MODEL_REPOSITORY": str(repository),
        "PACKSHOT_TRITON_MODELS": first.name,
        "PACKSHOT_TRITON_LOG_LEVEL": "info",
        # The watch would probe the models that are being measured.
        "PACKSHOT_TRITON_WATCH_INTERVAL_S": "3600",
        "PACKSHOT_TRITON_EXIT_TIMEOUT_S": "5",
    }
    address = environ["PACKSHOT_TRITON"]
    with part("serving", environ, scratch) as server:
        client = TritonClient(address)
        try:
            wait_until(
                lambda: client.is_ready([first.name]), server.check, "Triton", _READY_TIMEOUT_S
            )
        finally:
            client.close()
        yield Triton(address, server, models, repository, kind, quick)
