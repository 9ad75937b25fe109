"""A Triton of a benchmark's own, on configured copies of models."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc as triton_grpc

from benchmarks.configuration import Configuration
from deploy.local.stack import free_addresses, part
from processes.server import ServerProcess
from serving.client import TritonClient
from serving.errors import ServingError

_READY_TIMEOUT_S = 120.0
_LOAD_TIMEOUT_S = 45.0
_CALL_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Triton:
    """A running Triton."""

    address: str  # its gRPC address
    server: ServerProcess  # its process
    models: Path  # the project's model repository
    repository: Path  # its own one, of copies
    kind: str | None  # where its models run; None: where their configuration says

    @contextmanager
    def serving(self, one: Configuration) -> Iterator[dict[str, Any]]:
        """Load a copy of a model, so configured, for the time of a block.

        Yields:
            The columns of its rows, with the seconds that loading took.

        Raises:
            ServingError: It cannot be loaded; the message says why.
        """
        one.write(self.models, self.repository, self.kind)
        start_s = time.monotonic()
        with closing(TritonClient(self.address)) as client:
            try:
                client.load(one.name, _LOAD_TIMEOUT_S)
                yield {**one.columns(), "load_s": round(time.monotonic() - start_s, 2)}
            finally:
                try:
                    client.unload(one.name, _CALL_TIMEOUT_S)
                except ServingError as exc:
                    print(f"unloading {one.name}: {exc}", flush=True)

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
    models: Path, scratch: Path, first: Configuration, kind: str | None = None
) -> Iterator[Triton]:
    """Run Triton for the time of a block.

    Args:
        models: The project's model repository, which is only read.
        scratch: For its repository and its log.
        first: What it starts with.
        kind: Where its models run; None: where their configuration says.

    Raises:
        ProcessError: It did not start.
    """
    repository = scratch / "models"
    first.write(models, repository, kind)
    name = first.name or first.model
    environ = {
        **os.environ,
        **free_addresses(),
        "PACKSHOT_MODEL_REPOSITORY": str(repository),
        "PACKSHOT_TRITON_MODELS": name,
        "PACKSHOT_TRITON_LOG_LEVEL": "info",
        # The watch would probe the models that are being measured.
        "PACKSHOT_TRITON_WATCH_INTERVAL_S": "3600",
        "PACKSHOT_TRITON_EXIT_TIMEOUT_S": "5",
    }
    address = environ["PACKSHOT_TRITON"]
    with part("serving", environ, scratch) as server:
        with closing(TritonClient(address)) as client:
            server.wait_until(lambda: client.is_ready([name]), _READY_TIMEOUT_S)
        yield Triton(address, server, models, repository, kind)
