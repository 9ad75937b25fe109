"""The chart renders what Kubernetes and its operators accept, whatever its values are."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule
from pydantic import BaseModel

from gateway.config import GatewayConfig
from processes.settings import load
from serving.config import ServingConfig
from tests.support.chart import (
    CHART,
    NAMESPACE,
    RELEASE,
    ROOT,
    VALUE_SETS,
    ChartError,
    Manifest,
    helm,
    of_kind,
    pod_specs,
    render,
    rendered,
)
from tools.chart import SET_BY_THE_CHART
from web.config import WebConfig

RELEASES = ("1.33", "1.35")
OPERATORS: dict[str, type[BaseModel]] = {
    "ScaledObject": ScaledObject,
    "PodMonitor": PodMonitor,
    "PrometheusRule": PrometheusRule,
}
CONFIGS: dict[str, type[Any]] = {
    "gateway": GatewayConfig,
    "web": WebConfig,
    "triton": ServingConfig,
}
# KEDA has it since a later version than the models at hand are of.
NEWER = {".spec.fallback.behavior"}
# No schema of the Gateway API is at hand.
WITHOUT_SCHEMA = {"GRPCRoute"}
EACH_SET = pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)


def unknown(given: Any, known: Any, path: str = "") -> Iterator[str]:
    """Yield what a model did not keep of a manifest."""
    if isinstance(given, dict):
        for name, inner in given.items():
            if isinstance(known, dict) and name in known:
                yield from unknown(inner, known[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(given, list):
        for index, inner in enumerate(given):
            yield from unknown(inner, known[index], f"{path}[{index}]")
    elif given != known:
        yield f"{path}: {given!r} became {known!r}"


def assert_valid(manifests: list[Manifest], releases: tuple[str, ...] = RELEASES) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(set(names)) == len(names)
    for each in manifests:
        assert each["metadata"]["namespace"] == NAMESPACE
        if model := OPERATORS.get(each["kind"]):
            kept = model.model_validate(each).model_dump(
                mode="json", by_alias=True, exclude_unset=True
            )
            assert set(unknown(each, kept)) <= NEWER
        elif each["kind"] not in WITHOUT_SCHEMA:
            for release in releases:
                kubernetes_validate.validate(each, release, strict=True)


def environment(container: Manifest) -> dict[str, str]:
    """Return a container's environment; what comes from elsewhere has a stand-in."""
    stands_in = {"secretKeyRef": "postgresql://me:secret@db:5432/packshot", "resourceFieldRef": "2"}
    return {
        each["name"]: each.get("value") or stands_in[next(iter(each["valueFrom"]))]
        for each in container["env"]
    }


@EACH_SET
def test_each_value_set_is_linted_and_rendered_to_what_two_releases_accept(values: Path) -> None:
    helm("lint", CHART, "--strict", "--values", values)
    manifests = rendered(values)
    assert_valid(manifests)
    workloads = of_kind(manifests, "Deployment")
    assert {f"{RELEASE}-gateway", f"{RELEASE}-triton"} <= set(workloads)


def test_numbers_and_truth_values_in_values_stay_the_words_that_they_are() -> None:
    manifests = render(
        {
            "accounts": {"secretName": "0123", "secretKey": "1e3"},
            "allowAnonymous": True,
            "web": {"plaintextKey": True, "settings": {"PACKSHOT_WEB_FETCH_HOSTS": "no"}},
            "image": {"gateway": {"tag": "1.10"}, "pullSecrets": ["0123"]},
            "nameOverride": "0123",
            "fullnameOverride": "0123",
        }
    )
    assert_valid(manifests)


@EACH_SET
def test_the_processes_take_every_setting_that_the_chart_gives_them(values: Path) -> None:
    """Each name is a setting of that process, and all of them together are accepted."""
    for name, spec in pod_specs(rendered(values)).items():
        (container,) = spec["containers"]
        environ = environment(container)
        config = CONFIGS.get(container["name"])
        if config is None:
            assert name.endswith("-migrate")
            assert set(environ) == {"PACKSHOT_ACCOUNTS"}
            continue
        known = {field.metadata["env"] for field in config.__dataclass_fields__.values()}
        assert set(environ) <= known
        load(config, environ, [], "test")


@EACH_SET
def test_every_pod_keeps_to_the_restricted_pod_security_standard(values: Path) -> None:
    for spec in pod_specs(rendered(values)).values():
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert all(
            set(volume) - {"name"} <= {"emptyDir", "secret", "persistentVolumeClaim", "image"}
            for volume in spec["volumes"]
        )
        (container,) = spec["containers"]
        security = container["securityContext"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["runAsUser"] == 65532
        assert "hostPort" not in json.dumps(container)


@EACH_SET
def test_a_pod_is_given_longer_to_end_than_its_drain_takes(values: Path) -> None:
    for spec in pod_specs(rendered(values)).values():
        (container,) = spec["containers"]
        if container["name"] == "migrate":
            continue
        config = load(CONFIGS[container["name"]], environment(container), [], "test")
        drain_s = getattr(config, "drain_timeout_s", None) or getattr(config, "exit_timeout_s")  # noqa: B009
        pause_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        # `python -m serving` kills a Triton that outlives its exit timeout by 10 s.
        assert spec["terminationGracePeriodSeconds"] >= pause_s + drain_s + 10


@EACH_SET
def test_the_gateway_s_memory_limit_is_above_its_ceiling(values: Path) -> None:
    spec = pod_specs(rendered(values))[f"{RELEASE}-gateway"]
    (container,) = spec["containers"]
    config = load(GatewayConfig, environment(container), [], "test")
    limit = container["resources"]["limits"]["memory"]
    assert limit.endswith("Gi")
    assert int(limit[:-2]) * 2**30 > config.memory_ceiling_bytes * 1.2


@EACH_SET
def test_policies_services_and_budgets_find_the_pods_that_they_are_for(values: Path) -> None:
    manifests = rendered(values)
    pods = [
        each["spec"]["template"]["metadata"]["labels"]
        for each in manifests
        if each["kind"] in ("Deployment", "Job")
    ]
    for each in manifests:
        spec = each.get("spec", {})
        if each["kind"] == "Service":
            labels = spec["selector"]
        elif each["kind"] == "NetworkPolicy":
            labels = spec["podSelector"]["matchLabels"]
        elif each["kind"] in ("PodDisruptionBudget", "PodMonitor", "Deployment"):
            labels = spec["selector"]["matchLabels"]
        else:
            continue
        component = each["metadata"]["labels"]["app.kubernetes.io/component"]
        found = [pod for pod in pods if labels.items() <= pod.items()]
        assert found
        assert {pod["app.kubernetes.io/component"] for pod in found} == {component}


def test_a_canary_s_pods_are_behind_tritons_service_and_no_other_deployment_s() -> None:
    manifests = rendered(CHART / "ci/gpu-values.yaml")
    stable = of_kind(manifests, "Deployment")[f"{RELEASE}-triton"]["spec"]
    canary = of_kind(manifests, "Deployment")[f"{RELEASE}-triton-canary"]["spec"]
    behind = of_kind(manifests, "Service")[f"{RELEASE}-triton"]["spec"]["selector"]
    for one, other in ((stable, canary), (canary, stable)):
        labels = one["template"]["metadata"]["labels"]
        assert behind.items() <= labels.items()
        assert one["selector"]["matchLabels"].items() <= labels.items()
        assert not other["selector"]["matchLabels"].items() <= labels.items()


def test_the_rules_and_dashboards_are_monitoring_s_own(tmp_path: Path) -> None:
    manifests = rendered(CHART / "ci/cpu-values.yaml")
    rules = of_kind(manifests, "PrometheusRule")
    for source in (ROOT / "monitoring/prometheus/rules").glob("*.yml"):
        assert rules[f"{RELEASE}-{source.stem}"]["spec"] == yaml.safe_load(source.read_text())
    dashboards = [
        json.loads(text)
        for each in of_kind(manifests, "ConfigMap").values()
        for text in each["data"].values()
    ]
    for source in (ROOT / "monitoring/grafana/dashboards").glob("*.json"):
        assert json.loads(source.read_text()) in dashboards
    # A packed chart holds the files themselves, not links to where they are not.
    helm("package", CHART, "--destination", tmp_path)
    (packed,) = tmp_path.glob("*.tgz")
    with tarfile.open(packed) as archive:
        content = archive.extractfile("packshot/files/rules/alerts.yml")
        assert content is not None
        assert content.read() == (ROOT / "monitoring/prometheus/rules/alerts.yml").read_bytes()
        assert "packshot/ci/cpu-values.yaml" not in archive.getnames()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "nothing says who may call"),
        ({"allowAnonymous": True, "gateway": {"replicsa": 3}}, "replicsa"),
        ({"allowAnonymous": True, "gateway": {"replicas": -1}}, "replicas"),
        (
            {"allowAnonymous": True, "gateway": {"settings": {"PACKSHOT_MAX_INFLIGHT": "9"}}},
            "INFLIGHT",
        ),
        (
            {"allowAnonymous": True, "gateway": {"settings": {"PACKSHOT_PORT": "9"}}},
            "PACKSHOT_PORT",
        ),
        ({"accounts": {"secretName": "db"}}, "in the clear"),
        ({"allowAnonymous": True, "triton": {"models": {"source": "pvc"}}}, "claimName"),
        ({"allowAnonymous": True, "triton": {"autoscaling": {"enabled": True}}}, "prometheusUrl"),
        ({"allowAnonymous": True, "triton": {"load": ["isnet"]}}, "leaves out the default model"),
        (
            {"allowAnonymous": True, "web": {"rollout": {"maxSurge": 0}}},
            "no new pod could ever come",
        ),
    ],
)
def test_values_that_cannot_work_are_refused_with_the_value_at_fault(
    values: dict[str, Any], words: str
) -> None:
    with pytest.raises(ChartError) as refused:
        render(values)
    assert words in str(refused.value)


def test_what_the_chart_sets_itself_are_settings_that_exist() -> None:
    known = {
        field.metadata["env"]
        for config in CONFIGS.values()
        for field in config.__dataclass_fields__.values()
    }
    assert known >= SET_BY_THE_CHART


def test_the_kserve_example_is_a_pod_that_kubernetes_accepts() -> None:
    document = yaml.safe_load((ROOT / "deploy/examples/kserve/inferenceservice.yaml").read_text())
    assert document["apiVersion"] == "serving.kserve.io/v1beta1"
    predictor = dict(document["spec"]["predictor"])
    # Of a predictor, what KServe adds to a pod's spec.
    predictor.pop("minReplicas")
    predictor.pop("maxReplicas")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": document["metadata"], "spec": predictor}
    for release in RELEASES:
        kubernetes_validate.validate(pod, release, strict=True)
    load(ServingConfig, environment(predictor["containers"][0]), [], "test")
