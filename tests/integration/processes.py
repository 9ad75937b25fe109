"""Servers under test: the project's own commands, and the ways to a Triton."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from tritonclient import grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from processes.ready import free_ports
from processes.server import ServerProcess

ROOT = Path(__file__).resolve().parents[2]


def start_server(
    name: str, command: Sequence[str], log_path: Path, environ: Mapping[str, str] | None = None
) -> ServerProcess:
    """Start a server under test in the repository's root.

    Args:
        name: For messages.
        command: Its command line.
        log_path: The file that its output goes to.
        environ: Added to this process's environment.
    """
    return ServerProcess(
        name, command, log_path, environ={"PYTHONUNBUFFERED": "1", **(environ or {})}, cwd=ROOT
    )


@dataclass
class Triton:
    """A running `python -m serving` and the ways to it.

    Attributes:
        process: The command's process.
        http_address: `HOST:PORT` of Triton's HTTP.
        grpc_address: `HOST:PORT` of Triton's gRPC.
        metrics_address: `HOST:PORT` of Triton's metrics.
        models: The models that are loaded at the start.
    """

    process: ServerProcess
    http_address: str
    grpc_address: str
    metrics_address: str
    models: Sequence[str]

    @property
    def pid(self) -> int:
        """The process id of `python -m serving`."""
        return self.process.pid

    @property
    def triton_pid(self) -> int:
        """The process id of Triton itself."""
        found = [p.pid for p in self.process.descendants() if p.name() == "tritonserver"]
        assert len(found) == 1, f"there are {len(found)} tritonserver processes"
        return found[0]

    def stub_pids(self, model: str) -> list[int]:
        """The process ids of a model's stubs."""
        found = []
        for process in self.process.descendants():
            with suppress(psutil.NoSuchProcess):
                command = process.cmdline()
                if "python_backend_stub" in command[0] and f"/{model}/" in command[1]:
                    found.append(process.pid)
        return found

    def client(self) -> triton_grpc.InferenceServerClient:
        """A new client of it; the caller closes it."""
        return triton_grpc.InferenceServerClient(
            self.grpc_address, channel_args=[("grpc.max_reconnect_backoff_ms", 200)]
        )

    def is_ready(self) -> bool:
        """Whether it has said that it serves, and the server and its models are ready."""
        if "Triton serves" not in self.process.log:
            return False
        with self.client() as client:
            try:
                return bool(client.is_server_ready(client_timeout=5)) and all(
                    client.is_model_ready(model, client_timeout=5) for model in self.models
                )
            except InferenceServerException:
                return False

    def statistics(self, model: str) -> tuple[int, int]:
        """Count a model's inferences (photos) and executions (passes) since it was loaded."""
        with self.client() as client:
            stats = client.get_inference_statistics(model, client_timeout=10).model_stats[0]
        return int(stats.inference_count), int(stats.execution_count)


def launch_triton(
    repository: Path,
    log_path: Path,
    *,
    models: Sequence[str] = (),
    ports: Sequence[int] = (),
    environ: Mapping[str, str] | None = None,
) -> Triton:
    """Start `python -m serving` without waiting for it.

    Args:
        repository: The model repository.
        log_path: Where its output goes.
        models: The models to load; none: all of the repository.
        ports: For HTTP, gRPC and metrics; none: free ones.
        environ: Further settings.

    Returns:
        What has been started; `process` is to be stopped by the caller.
    """
    http, grpc, metrics = ports or free_ports(3)
    command = [
        *(sys.executable, "-m", "serving", "--model-repository", str(repository)),
        *("--http-port", str(http), "--grpc-port", str(grpc), "--metrics-port", str(metrics)),
        *(("--models", ",".join(models)) if models else ()),
    ]
    process = start_server("python -m serving", command, log_path, environ)
    names = models or sorted(path.name for path in repository.glob("*") if path.is_dir())
    http_address, grpc_address, metrics_address = (
        f"127.0.0.1:{port}" for port in (http, grpc, metrics)
    )
    return Triton(process, http_address, grpc_address, metrics_address, names)
