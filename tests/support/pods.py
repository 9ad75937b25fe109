"""A rendered chart's pods as processes of this machine, each a host of its own.

A container's process is number 1 of its namespace. It takes Linux, root, `ip` and `setpriv`.
"""

import os
import secrets as secrets_of
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from processes.server import ServerProcess
from tests.integration.processes import start_server
from tests.support.chart import NAMESPACE, Manifest
from tests.support.pod_sandbox import Sandbox

_READY_S: Final = 120.0


class NoPodsError(Exception):
    """This machine cannot run pods; the message says why."""


class NoToolError(NoPodsError):
    """A program is missing that could be installed."""


def check_machine() -> None:
    """Raise `NoPodsError` where pods cannot be run."""
    if os.geteuid() != 0:
        raise NoPodsError("pods of their own user and network need root")
    for program in ("ip", "setpriv"):
        if shutil.which(program) is None:
            raise NoToolError(f"{program} is not installed")
    done = subprocess.run(
        ["unshare", "--mount", "--net", "true"],  # noqa: S607  wherever it is
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NoPodsError(f"no namespaces here: {done.stderr.strip()}")


@dataclass
class Pod:
    """One pod with its one container.

    Attributes:
        name: Its name.
        labels: Its labels.
        spec: Its spec, as rendered.
        address: Its IP address.
        process: What runs it.
    """

    name: str
    labels: Mapping[str, str]
    spec: Manifest
    address: str
    process: ServerProcess
    started_s: float = field(default_factory=time.monotonic)

    @property
    def container(self) -> Manifest:
        """Its container, as rendered."""
        (container,) = self.spec["containers"]
        return dict(container)

    def passes(self, probe: str) -> bool:
        """Ask what a probe of its container asks, as the kubelet does."""
        asked = self.container[probe]
        (port,) = [
            each["containerPort"]
            for each in self.container["ports"]
            if each["name"] == asked["httpGet"]["port"]
        ]
        url = f"http://{self.address}:{port}{asked['httpGet']['path']}"
        try:
            with urllib.request.urlopen(url, timeout=asked["timeoutSeconds"]) as answer:
                return bool(200 <= answer.status < 400)
        except (urllib.error.URLError, OSError):
            return False

    @property
    def main(self) -> psutil.Process:
        """The container's process, which is number 1 to itself."""
        return psutil.Process(self.process.pid).children()[0]

    def wait_until_ready(self) -> None:
        """Wait for startup and readiness within what the startup probe allows."""
        startup = self.container["startupProbe"]
        most_s = startup["periodSeconds"] * startup["failureThreshold"]
        self.process.wait_until(lambda: self.passes("startupProbe"), min(most_s, _READY_S))
        self.process.wait_until(lambda: self.passes("readinessProbe"), _READY_S)

    def terminate(self) -> float:
        """End it as the kubelet does: the preStop hook, SIGTERM, and no longer than the grace.

        Returns:
            How long it took, s.
        """
        start_s = time.monotonic()
        grace_s = self.spec["terminationGracePeriodSeconds"]
        pause_s = self.container["lifecycle"]["preStop"]["sleep"]["seconds"]
        time.sleep(pause_s)
        assert self.process.is_running(), f"{self.name} ended during preStop"
        self.main.send_signal(signal.SIGTERM)
        # Beyond the grace it would be killed, and what it does lost: `wait` fails.
        status = self.process.wait(grace_s - pause_s)
        assert status == 0, f"{self.name} ended with status {status}:\n{self.process.log[-4000:]}"
        return time.monotonic() - start_s


class Cluster:
    """A network of pods.

    Args:
        folder: For logs, volumes and Secrets.
        secrets: Each Secret's content, by its name.
    """

    def __init__(self, folder: Path, secrets: dict[str, Mapping[str, str]]) -> None:
        self.folder = folder
        self.secrets = secrets
        self.pods: list[Pod] = []
        self._services: dict[str, Mapping[str, str]] = {}
        # Names of links are short; several runs of the tests may share a machine.
        self._mark = f"pk{secrets_of.token_hex(4)}"
        self._subnet = f"10.213.{secrets_of.randbelow(250) + 1}"
        self._count = 0
        self._networks = 0
        self.hosts = folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")
        self.hosts.chmod(0o644)
        self._sandbox = Sandbox(folder, secrets, self.hosts, folder / "numba")
        _ip("link", "add", self._mark, "type", "bridge")
        _ip("address", "add", f"{self._subnet}.254/24", "dev", self._mark)
        _ip("link", "set", self._mark, "up")

    def serve(self, services: Mapping[str, Manifest]) -> None:
        """Know Services, by which pods are found."""
        self._services |= {name: each["spec"]["selector"] for name, each in services.items()}

    def start(self, name: str, template: Manifest) -> Pod:
        """Start a pod by a rendered template without waiting for it."""
        self._count += 1
        name = f"{name}-{self._count}"
        address, space = self._network()
        spec = template["spec"]
        (container,) = spec["containers"]
        command = self._sandbox.command(name, space, spec, container)
        process = start_server(name, command, self.folder / f"{name}.log")
        pod = Pod(name, template["metadata"]["labels"], spec, address, process)
        self.pods.append(pod)
        return pod

    def run(self, name: str, *command: str) -> ServerProcess:
        """Run a command as a host that is no pod, such as a caller."""
        _, space = self._network()
        return start_server(name, self._sandbox.plain(space, command), self.folder / f"{name}.log")

    def publish(self) -> None:
        """Write the addresses of the pods in service, as the cluster's DNS would have them."""
        lines = ["127.0.0.1 localhost"]
        for name, selector in self._services.items():
            lines += [
                f"{pod.address} {name}.{NAMESPACE}.svc"
                for pod in self.pods
                if selector.items() <= pod.labels.items()
            ]
        # In place, since the file itself is mounted; at once and no shorter than before, since a
        # process that reads an empty file finds no address.
        with self.hosts.open("r+b") as hosts:
            length = hosts.seek(0, os.SEEK_END)
            os.pwrite(hosts.fileno(), ("\n".join(lines) + "\n").encode().ljust(length, b"\n"), 0)

    def retire(self, pod: Pod) -> float:
        """Take a pod out of its Services, then end it; returns how long that took, s."""
        self.pods.remove(pod)
        self.publish()
        return pod.terminate()

    def close(self) -> None:
        """End all that is left."""
        for pod in self.pods:
            pod.process.kill()
        for index in range(self._networks):
            _ip("netns", "delete", f"{self._mark}-{index}")
        _ip("link", "delete", self._mark)

    def _network(self) -> tuple[str, str]:
        """Make a host's network; returns its address and its namespace's name."""
        index = self._networks
        self._networks += 1
        space, outer, address = (
            f"{self._mark}-{index}",
            f"{self._mark}v{index}",
            f"{self._subnet}.{index + 1}",
        )
        _ip("netns", "add", space)
        _ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", outer, "master", self._mark, "up")
        for words in (
            ("address", "add", f"{address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", space, *words)
        return address, space


@contextmanager
def cluster(
    folder: Path, secrets: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[Cluster]:
    """Run a cluster for the time of a block.

    Raises:
        NoPodsError: Not on this machine.
    """
    check_machine()
    folder.chmod(0o755)
    made = Cluster(folder, dict(secrets or {}))
    try:
        yield made
    finally:
        made.close()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)  # noqa: S607  wherever it is
