"""What the chart says is what runs: its pods as processes, rolled and scaled by its words."""

import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tritonclient import grpc as triton_grpc

from deploy.local.stack import answers, free_ports
from monitoring.queries import query, targets
from packshot import Client, PackshotError
from tests.integration.processes import ServerProcess
from tests.support.accounts import Books
from tests.support.certificates import Authority, Pair
from tests.support.chart import NAMESPACE, RELEASE, Manifest, of_kind, render
from tests.support.pictures import encode, product_photo
from tests.support.pod_caller import post
from tests.support.pods import Cluster, NoPodsError, Pod, cluster
from tests.support.prometheus import need

pytestmark = [pytest.mark.integration, pytest.mark.alone, pytest.mark.timeout(600)]

VALUES = {
    "allowAnonymous": True,
    "gateway": {"replicas": 1, "preStopSeconds": 2, "autoscaling": {"enabled": True}},
    "web": {"replicas": 1, "preStopSeconds": 2},
    "triton": {
        "replicas": 1,
        "preStopSeconds": 2,
        "maxConnectionAgeSeconds": 5,
        "load": ["matte-int8"],
        "autoscaling": {"enabled": True},
    },
    "monitoring": {"enabled": True, "prometheusUrl": "http://prometheus.example:9090"},
}
# In the order in which one needs the other.
COMPONENTS = ("triton", "gateway", "web")
PHOTO = encode(product_photo(), "JPEG")


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
            if os.environ.get("PACKSHOT_TEST_STRICT"):
                raise
            pytest.skip(str(exc))
        # The Services' names, which the chart's own addresses are made of.
        made.serve(of_kind(manifests, "Service"))
        found = Installed(made, manifests, {component: [] for component in COMPONENTS})
        made.publish()
        for component in COMPONENTS:
            found.add(component)
        yield found


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with installed(tmp_path_factory.mktemp("chart"), VALUES) as chart:
        yield chart


@contextmanager
def calling(chart: Installed) -> Iterator[Any]:
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


def test_photos_are_rendered_by_pods_that_may_write_nothing_but_their_volumes(
    chart: Installed,
) -> None:
    (gateway,) = chart.pods["gateway"]
    with Client(f"{gateway.address}:50051", timeout_s=60) as client:
        assert client.render(PHOTO).width_px == 120
    assert answers(f"http://{chart.pods['web'][0].address}:8080/")
    for pods in chart.pods.values():
        for pod in pods:
            assert pod.passes("livenessProbe")
            status = Path(f"/proc/{pod.main.pid}/status").read_text()
            assert "Uid:\t65532\t65532\t65532\t65532" in status
            assert "CapEff:\t0000000000000000" in status
            assert "NoNewPrivs:\t1" in status
            mounts = Path(f"/proc/{pod.main.pid}/mountinfo").read_text().splitlines()
            root = next(line for line in mounts if line.split()[4] == "/")
            assert "ro" in root.split()[5].split(",")


def test_every_deployment_is_rolled_under_load_and_no_request_is_lost(chart: Installed) -> None:
    before = {component: list(pods) for component, pods in chart.pods.items()}
    with calling(chart) as found:
        for component in COMPONENTS:
            took_s = chart.roll(component)
            so_far = found()
            print(f"{component} rolled, the old pod ended within {took_s:.1f} s: {so_far}")
            # The new pods alone answer: a few more by each way.
            for way in ("grpc", "http"):
                wanted = so_far[way]["answered"] + 3
                until_s = time.monotonic() + 60
                while found()[way]["answered"] < wanted and not found()[way]["failed"]:
                    assert time.monotonic() < until_s, found()
                    time.sleep(0.1)
    at_last = found()
    assert not at_last["grpc"]["failed"]
    assert not at_last["http"]["failed"]
    for component, pods in before.items():
        assert not set(map(id, pods)) & set(map(id, chart.pods[component]))


def test_keys_and_certificates_are_read_from_the_secrets_that_values_name(
    chart: Installed,
) -> None:
    """A second release beside the first, before its Triton: mutual TLS, accounts, the face."""
    values = {
        "nameOverride": "secured",
        "fullnameOverride": "secured",
        "accounts": {"secretName": "database"},
        "tls": {"secretName": "served", "clientCaSecretName": "callers"},
        "web": {"clientCertSecretName": "face", "preStopSeconds": 1},
        "gateway": {"preStopSeconds": 1},
        "triton": {"load": ["matte-int8"]},
    }
    manifests = render(values)
    authority, callers = Authority(), Authority("Callers")
    served = authority.sign(hosts=[f"secured-gateway.{NAMESPACE}.svc"])
    face = callers.sign("the face")
    chart.cluster.secrets |= {
        "database": {"url": "sqlite:////tmp/accounts.db"},
        "served": {**pair(served), "ca.crt": authority.certificate.decode()},
        "callers": {"ca.crt": callers.certificate.decode()},
        "face": pair(face),
    }
    chart.cluster.serve(of_kind(manifests, "Service"))
    theirs = of_kind(chart.manifests, "Service")[f"{RELEASE}-triton"]
    chart.cluster.serve({"secured-triton": theirs})
    chart.cluster.publish()
    started = []
    for component in ("gateway", "web"):
        template = of_kind(manifests, "Deployment")[f"secured-{component}"]["spec"]["template"]
        pod = chart.cluster.start(f"secured-{component}", template)
        started.append(pod)
        # The face is ready once it has called the gateway, by its certificate.
        pod.wait_until_ready()
        chart.cluster.publish()
    gateway, web = started
    database = chart.cluster.folder / "volumes" / gateway.name / "tmp/accounts.db"
    key = Books(f"sqlite:///{database}").issue(5)
    address = f"{web.address}:8080"
    refused = post(address)
    assert refused is not None
    assert refused.startswith("403")
    assert post(address, key) is None
    assert Books(f"sqlite:///{database}").figures(key)[0] == 4
    plain = Client(f"{gateway.address}:50051", timeout_s=5, retries=False)
    with plain, pytest.raises(PackshotError):
        plain.render(PHOTO)
    for pod in reversed(started):
        chart.cluster.retire(pod)


def pair(signed: Pair) -> dict[str, str]:
    """Return a Secret's content of the type kubernetes.io/tls."""
    return {"tls.crt": signed.certificate.decode(), "tls.key": signed.key.decode()}


@contextmanager
def watching(chart: Installed, folder: Path) -> Iterator[str]:
    """Run Prometheus with the targets and labels that the chart's PodMonitors give; its address."""
    jobs = []
    for monitor in of_kind(chart.manifests, "PodMonitor").values():
        spec = monitor["spec"]
        (endpoint,) = spec["podMetricsEndpoints"]
        for pods in chart.pods.values():
            for pod in pods:
                if not spec["selector"]["matchLabels"].items() <= pod.labels.items():
                    continue
                (port,) = [
                    each["containerPort"]
                    for each in pod.container["ports"]
                    if each["name"] == endpoint["port"]
                ]
                # As the operator turns names of labels into Prometheus's.
                labels = {
                    name.replace(".", "_").replace("/", "_"): pod.labels[name]
                    for name in spec["podTargetLabels"]
                }
                jobs.append(
                    {
                        "job_name": pod.labels[spec["jobLabel"]],
                        "metrics_path": endpoint["path"],
                        "static_configs": [
                            {
                                "targets": [f"{pod.address}:{port}"],
                                "labels": {"namespace": NAMESPACE, **labels},
                            }
                        ],
                    }
                )
    configuration = folder / "prometheus.yml"
    every = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    configuration.write_text(yaml.safe_dump({"global": every, "scrape_configs": jobs}))
    address = f"127.0.0.1:{free_ports(1)[0]}"
    command = [
        need("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with ServerProcess("prometheus", command, folder / "prometheus.log", {}) as process:
        url = f"http://{address}"
        process.wait_until(lambda: answers(f"{url}/-/ready"))
        process.wait_until(lambda: list(targets(url).values()) == ["up"] * len(jobs))
        yield url


def wanted_pods(url: str, scaled: Manifest) -> dict[str, int]:
    """Return the pods that each trigger of a ScaledObject asks for, as the autoscaler counts."""
    found = {}
    for trigger in scaled["spec"]["triggers"]:
        assert trigger["metricType"] == "AverageValue"
        samples = query(url, trigger["metadata"]["query"])
        # A rate has no value before its second sample; KEDA would count that as a fault.
        until_s = time.monotonic() + 30
        while not samples:
            assert time.monotonic() < until_s, f"no answer to {trigger['metadata']['query']}"
            time.sleep(0.5)
            samples = query(url, trigger["metadata"]["query"])
        (sample,) = samples
        assert math.isfinite(sample.value)
        found[trigger["name"]] = math.ceil(sample.value / float(trigger["metadata"]["threshold"]))
    return found


def test_what_keda_would_ask_scales_up_under_load_and_not_when_idle(
    chart: Installed, tmp_path: Path
) -> None:
    scaled = of_kind(chart.manifests, "ScaledObject")
    with watching(chart, tmp_path) as url, ThreadPoolExecutor(96) as pool:
        for name, each in scaled.items():
            assert set(wanted_pods(url, each).values()) == {0}, name
        (gateway,), (triton,) = chart.pods["gateway"], chart.pods["triton"]
        # Each by what it is short of: a gateway's estimate of the wait comes from what it renders.
        for name, flood, address in (
            ("gateway", flood_gateway, gateway.address),
            ("triton", flood_triton, triton.address),
        ):
            over = threading.Event()
            asking = [pool.submit(flood, address, over) for _ in range(48)]
            most: dict[str, int] = {}
            try:
                until_s = time.monotonic() + 90
                while not most or min(most.values()) < 2:
                    assert time.monotonic() < until_s, most
                    now = wanted_pods(url, scaled[f"{RELEASE}-{name}"])
                    most = {each: max(pods, most.get(each, 0)) for each, pods in now.items()}
                    time.sleep(0.5)
            finally:
                over.set()
            for each in asking:
                each.result()
            print(f"pods wanted of {name} under load, one serving: {most}")


def flood_gateway(address: str, over: threading.Event) -> None:
    """Render until it is over."""
    photo = encode(product_photo(1200, 900), "JPEG")
    with Client(f"{address}:50051", timeout_s=30, retries=False) as client:
        while not over.is_set():
            try:
                client.render(photo)
            except PackshotError:
                over.wait(0.2)


def flood_triton(address: str, over: threading.Event) -> None:
    """Ask the model until it is over, as the gateways of many pods would."""
    tensor = triton_grpc.InferInput("photo", [1, 320, 320, 3], "UINT8")
    tensor.set_data_from_numpy(np.zeros((1, 320, 320, 3), np.uint8))
    with triton_grpc.InferenceServerClient(f"{address}:8001") as client:
        while not over.is_set():
            client.infer("matte-int8", [tensor])
