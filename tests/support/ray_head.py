"""A Ray cluster of one node on this machine, to which jobs are submitted as to any other."""

import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from processes.ready import free_ports
from processes.server import ServerProcess

ROOT: Final = Path(__file__).resolve().parents[2]
_BIN: Final = Path(sys.executable).parent
_OVER: Final = {"SUCCEEDED", "FAILED", "STOPPED"}


@dataclass(frozen=True, slots=True)
class RayHead:
    """A running head.

    Attributes:
        process: `ray start`.
        address: The URL of its dashboard, which takes jobs.
        environ: What a client of it has in its environment.
    """

    process: ServerProcess
    address: str
    environ: Mapping[str, str]

    def submit(
        self, name: str, command: Sequence[str], env_vars: Mapping[str, str], *options: str
    ) -> None:
        """Submit a job as the documents say, without waiting for it.

        Args:
            name: Its id.
            command: Its entrypoint.
            env_vars: Of its runtime environment.
            options: Further ones of `ray job submit`.
        """
        runtime = json.dumps({"env_vars": dict(env_vars)})
        subprocess.run(
            [
                *(_BIN / "ray", "job", "submit", "--address", self.address, "--no-wait"),
                *("--submission-id", name, "--runtime-env-json", runtime),
                *(*options, "--", *command),
            ],
            cwd=ROOT,
            env=dict(self.environ),
            check=True,
            capture_output=True,
            timeout=120,
        )

    def status(self, name: str) -> str:
        """A job's status, such as RUNNING."""
        return str(self._ask(f"/api/jobs/{name}")["status"])

    def is_over(self, name: str) -> bool:
        """Whether a job has ended."""
        return self.status(name) in _OVER

    def log(self, name: str) -> str:
        """What a job has said."""
        return str(self._ask(f"/api/jobs/{name}/logs")["logs"])

    def kill_driver(self) -> None:
        """Kill the entrypoint of the job that runs, `python -m catalogue run`."""
        for process in self.process.descendants():
            with suppress(psutil.NoSuchProcess):
                if process.cmdline()[1:4] == ["-m", "catalogue", "run"]:
                    process.kill()
                    return
        raise AssertionError("no job runs")

    def is_ready(self) -> bool:
        """Whether it takes jobs."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/api/jobs/", headers=self._headers).is_success
        return False

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.environ['RAY_AUTH_TOKEN']}"}

    def _ask(self, path: str) -> dict[str, object]:
        answer = httpx.get(f"{self.address}{path}", headers=self._headers, timeout=30)
        return dict(answer.raise_for_status().json())


@contextmanager
def ray_head(folder: Path, environ: Mapping[str, str]) -> Iterator[RayHead]:
    """Run a head of two processors for the time of a block.

    Args:
        folder: For its log.
        environ: Its environment.
    """
    port, dashboard, agent, client = free_ports(4)
    mine = {
        **environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(16),
        "RAY_USAGE_STATS_ENABLED": "0",
        "PATH": f"{_BIN}:{environ['PATH']}",
    }
    command = [
        str(_BIN / "ray"),
        *("start", "--head", "--block", "--num-cpus=2"),
        *(f"--port={port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"),
        *(f"--dashboard-agent-listen-port={agent}", f"--ray-client-server-port={client}"),
        f"--object-store-memory={128 * 2**20}",
    ]
    log = folder / "ray.log"
    # A name of its own: Ray notes there which cluster runs, and sockets want a short one.
    with (
        tempfile.TemporaryDirectory(prefix="ray-") as temporary,
        ServerProcess(
            "ray start",
            [*command, f"--temp-dir={temporary}"],
            log,
            environ=mine,
            lenient=True,
        ) as process,
    ):
        head = RayHead(process, f"http://127.0.0.1:{dashboard}", mine)
        process.wait_until(head.is_ready, timeout_s=120)
        yield head
