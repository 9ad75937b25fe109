"""What the chart says is what runs: its pods as processes, rolled and scaled by its words."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from packshot import Client, PackshotError
from processes.ready import answers
from tests.support.accounts import Books
from tests.support.certificates import Authority, Pair
from tests.support.chart import NAMESPACE, RELEASE, of_kind, render
from tests.support.installed import COMPONENTS, Installed, calling, installed
from tests.support.pictures import encode, product_photo
from tests.support.pod_caller import post
from tests.support.scaling import flood_gateway, flood_triton, wanted_pods, watching

pytestmark = [pytest.mark.integration, pytest.mark.alone, pytest.mark.timeout(600)]

VALUES = {
    "allowAnonymous": True,
    "gateway": {
        "replicas": 1,
        "preStopSeconds": 2,
        "autoscaling": {"enabled": True},
        # So few that a flood fills them before the estimated wait refuses more, however fast the
        # machine is.
        "settings": {"PACKSHOT_MAX_IN_FLIGHT": "16"},
    },
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
PHOTO = encode(product_photo(), "JPEG")


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with installed(tmp_path_factory.mktemp("chart"), VALUES) as chart:
        yield chart


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


def test_what_keda_would_ask_scales_up_under_load_and_not_when_idle(
    chart: Installed, tmp_path: Path
) -> None:
    scaled = of_kind(chart.manifests, "ScaledObject")
    with watching(chart, tmp_path) as url, ThreadPoolExecutor(96) as pool:
        for name, each in scaled.items():
            # A probe of readiness may be waiting just now: one pod is enough for it.
            assert max(wanted_pods(url, each).values()) <= 1, name
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
            for flooding in asking:
                flooding.result()
            print(f"pods wanted of {name} under load, one serving: {most}")
