"""The example for KubeRay: its command is the command line's, and its pods are Kubernetes'."""

import shlex
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from catalogue.cli import run
from catalogue.job import Job

# Of `RayJobSpec` and `RayClusterSpec` in KubeRay's ray-operator/apis/ray/v1, what the example uses.
_SPEC = {
    *("entrypoint", "backoffLimit", "shutdownAfterJobFinishes", "runtimeEnvYAML"),
    "rayClusterSpec",
}
_HEAD = {"rayStartParams", "template"}
_WORKERS = {*_HEAD, "groupName", "replicas", "minReplicas", "maxReplicas"}


@pytest.fixture(scope="module")
def spec(root: Path) -> dict[str, Any]:
    manifest = yaml.safe_load((root / "deploy/examples/rayjob.yaml").read_text())
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayJob")
    return dict(manifest["spec"])


def test_the_command_is_one_that_the_command_line_takes(spec: dict[str, Any]) -> None:
    words = shlex.split(spec["entrypoint"])
    assert words[:4] == ["python", "-m", "catalogue", "run"]
    given = run.make_context("run", words[4:]).params
    assert given["source"] == "s3://shop-photos/manifest.parquet"
    assert len(given["target"].split(",")) == 2
    assert given["tls"]
    # Ray places each actor on a quarter of a processor.
    (group,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    processors = group["replicas"] * int(
        group["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"]
    )
    assert Job.__dataclass_fields__["workers"].default <= given["workers"] <= 4 * processors
    assert yaml.safe_load(spec["runtimeEnvYAML"]) == {
        "env_vars": {"PYTHONPATH": "/packshot:/packshot/client"}
    }


def test_it_has_fields_that_kuberay_knows_and_pods_that_kubernetes_takes(
    spec: dict[str, Any],
) -> None:
    head = spec["rayClusterSpec"]["headGroupSpec"]
    (workers,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    assert set(spec) == _SPEC
    assert set(head) == _HEAD
    assert set(workers) == _WORKERS
    for group in (head, workers):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "ray"},
            **group["template"],
        }
        kubernetes_validate.validate(pod, "1.34", strict=True)
