"""What KEDA would find out: a Prometheus as the chart's PodMonitors have it, and load."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml
from tritonclient import grpc as triton_grpc

from monitoring.queries import query, targets
from packshot import Client, PackshotError
from processes.ready import answers, free_ports
from tests.integration.processes import start_server
from tests.support.chart import NAMESPACE, ROOT, Manifest, of_kind
from tests.support.installed import Installed
from tests.support.prometheus import need


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
    with start_server("prometheus", command, folder / "prometheus.log") as process:
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


def flood_gateway(address: str, over: threading.Event) -> None:
    """Render until it is over."""
    photo = (ROOT / "samples/mug.jpg").read_bytes()
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
