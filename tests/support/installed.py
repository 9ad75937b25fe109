"""The chart, installed on this machine: its Deployments rolled as they say, under calls."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import NAMESPACE, RELEASE, Manifest, of_kind, render
from tests.support.pods import Cluster, NoPodsError, NoToolError, Pod, cluster

# In the order in which one needs the other.
COMPONENTS = ("triton", "gateway", "web")


@dataclass
class Installed:
    """The chart, installed.

    Attributes:
        cluster: Where.
        manifests: As rendered.
        pods: The pods of each component.
    """

    cluster: Cluster
    manifests: list[Manifest]
    pods: dict[str, list[Pod]]

    def deployment(self, component: str) -> Manifest:
        """Return a component's Deployment."""
        return of_kind(self.manifests, "Deployment")[f"{RELEASE}-{component}"]

    def add(self, component: str) -> Pod:
        """Start one more pod of a component and wait until it is in service."""
        template = self.deployment(component)["spec"]["template"]
        pod = self.cluster.start(component, template)
        pod.wait_until_ready()
        self.pods[component].append(pod)
        self.cluster.publish()
        return pod

    def roll(self, component: str) -> float:
        """Replace a component's pods as its Deployment says; returns the longest end, s."""
        spec = self.deployment(component)["spec"]
        rolling = spec["strategy"]["rollingUpdate"]
        assert (rolling["maxSurge"], rolling["maxUnavailable"]) == (1, 0)
        longest_s = 0.0
        for old in list(self.pods[component]):
            self.add(component)
            time.sleep(spec["minReadySeconds"])
            self.pods[component].remove(old)
            longest_s = max(longest_s, self.cluster.retire(old))
        return longest_s


@contextmanager
def installed(folder: Path, values: dict[str, Any]) -> Iterator[Installed]:
    """Install the chart for the time of a block, a pod of each component."""
    manifests = render(values)
    with ExitStack() as stack:
        try:
            made = stack.enter_context(cluster(folder))
        except NoPodsError as exc:
            if isinstance(exc, NoToolError) and os.environ.get("PACKSHOT_TEST_STRICT"):
                raise
            pytest.skip(str(exc))
        # The Services' names, which the chart's own addresses are made of.
        made.serve(of_kind(manifests, "Service"))
        found = Installed(made, manifests, {component: [] for component in COMPONENTS})
        made.publish()
        for component in COMPONENTS:
            found.add(component)
        yield found


@contextmanager
def calling(chart: Installed) -> Iterator[Callable[[], dict[str, Any]]]:
    """Have a caller render on and on; gives what tells what it has found so far."""
    result = chart.cluster.folder / f"found-{time.monotonic_ns()}.json"
    target = f"dns:///{RELEASE}-gateway.{NAMESPACE}.svc:50051"
    address = f"{RELEASE}-web.{NAMESPACE}.svc:8080"
    caller = chart.cluster.run(
        "caller",
        *(sys.executable, "-m", "tests.support.pod_caller", target, address, str(result)),
    )

    def found() -> dict[str, Any]:
        return dict(json.loads(result.read_text())) if result.exists() else {}

    try:
        caller.wait_until(
            lambda: all(found().get(way, {}).get("answered", 0) > 2 for way in ("grpc", "http")),
            timeout_s=60,
        )
        yield found
        caller.send_signal(signal.SIGTERM)
        for child in caller.descendants():
            child.send_signal(signal.SIGTERM)
        assert caller.wait(60) in (0, -signal.SIGTERM, 128 + signal.SIGTERM), caller.log
    finally:
        caller.kill()
