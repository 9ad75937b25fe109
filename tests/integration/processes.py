"""Server processes for tests: started with a log file, awaited by evidence, stopped to the last."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from tritonclient import grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from deploy.local.stack import free_ports

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class ServerProcess:
    """A server under test, in a process group of its own.

    Attributes:
        name: For messages.
        command: Its command line.
        log_path: The file that its output goes to.
        environ: Added to this process's environment.
        status: Its exit status once it has ended; -N: killed by signal N.
    """

    name: str
    command: Sequence[str]
    log_path: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None

    def __post_init__(self) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._seen: dict[int, psutil.Process] = {}

    @property
    def pid(self) -> int:
        """The process id of what was started."""
        return self._popen.pid

    @property
    def log(self) -> str:
        """All that it has written."""
        return self.log_path.read_text(errors="replace")

    def is_running(self) -> bool:
        """Whether it has not ended."""
        self.status = self._popen.poll()
        return self.status is None

    def wait_until(self, check: Callable[[], bool], timeout_s: float = 60.0) -> float:
        """Wait until a check holds; fail with the log's end if it does not, or the server ends.

        Returns:
            How long it took, s.
        """
        start_s = time.monotonic()
        while not check():
            assert self.is_running(), self._report(f"ended with status {self.status}")
            waited_s = time.monotonic() - start_s
            assert waited_s < timeout_s, self._report(f"{check} did not hold in {timeout_s:g} s")
            time.sleep(0.05)
        return time.monotonic() - start_s

    def descendants(self) -> list[psutil.Process]:
        """The processes below it that are running now."""
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.pid).children(recursive=True):
                self._seen[child.pid] = child
        return [process for process in self._seen.values() if _runs(process)]

    def send_signal(self, number: int) -> None:
        """Send a signal to it alone."""
        self.descendants()
        self._popen.send_signal(number)

    def wait(self, timeout_s: float = 30.0) -> int:
        """Wait for its end; fail with the log's end if it stays.

        Returns:
            Its exit status.
        """
        try:
            self.status = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(self._report(f"still ran after {timeout_s:g} s")) from None
        return self.status

    def stop(self, timeout_s: float = 40.0) -> int:
        """Stop it by SIGTERM and make sure that nothing of it is left.

        Returns:
            Its exit status.
        """
        if self.is_running():
            self.send_signal(signal.SIGTERM)
        status = self.wait(timeout_s)
        left = self.left_over()
        self.kill()
        assert not left, self._report(f"left {left} behind")
        return status

    def left_over(self, within_s: float = 5.0) -> list[psutil.Process]:
        """The processes that outlive it."""
        until_s = time.monotonic() + within_s
        while self.descendants() and time.monotonic() < until_s:
            time.sleep(0.05)
        return self.descendants()

    def kill(self) -> None:
        """End it and all below it at once, whatever state they are in."""
        processes = self.descendants()
        if self.is_running():
            self._popen.kill()
            self.status = self._popen.wait()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self.is_running():
            self.stop()
        else:
            self.kill()

    def _report(self, what: str) -> str:
        tail = "\n".join(self.log.splitlines()[-40:])
        return f"{self.name} {what}; the end of {self.log_path}:\n{tail}"


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
    process = ServerProcess("python -m serving", command, log_path, environ or {})
    names = models or sorted(path.name for path in repository.glob("*") if path.is_dir())
    http_address, grpc_address, metrics_address = (
        f"127.0.0.1:{port}" for port in (http, grpc, metrics)
    )
    return Triton(process, http_address, grpc_address, metrics_address, names)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
