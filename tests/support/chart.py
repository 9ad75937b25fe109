"""The Helm chart as the real Helm renders it."""

import functools
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tools.helm import find_helm

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "deploy/helm/packshot"
RELEASE, NAMESPACE = "packshot", "shop"
VALUE_SETS: Final = sorted((CHART / "ci").glob("*-values.yaml"))

Manifest = dict[str, Any]


class ChartError(Exception):
    """Helm refused the values; the message is Helm's."""


def helm(*arguments: str | Path) -> str:
    """Run Helm and return what it writes to standard output.

    Raises:
        ChartError: It ended with another status than 0.
    """
    done = subprocess.run(
        [find_helm(), *map(str, arguments)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("level=INFO")]
        raise ChartError("\n".join([done.stdout, *lines]))
    return done.stdout


@functools.cache
def rendered(values: Path) -> list[Manifest]:
    """Render the chart by a file of values, once; nobody changes what it returns."""
    return render(values)


def render(values: Path | Mapping[str, Any], *, kube: str = "1.35.0") -> list[Manifest]:
    """Render the chart.

    Args:
        values: Over the chart's own: a file, or a mapping.
        kube: The version of Kubernetes that Helm is told.

    Returns:
        The manifests, hooks too.

    Raises:
        ChartError: Helm refused the values.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        if not isinstance(values, Path):
            # JSON, since there are words that are truth values to Helm's YAML and none to Python's.
            json.dump(dict(values), file)
            file.flush()
            values = Path(file.name)
        text = helm(
            *("template", RELEASE, CHART, "--namespace", NAMESPACE),
            *("--values", values, "--kube-version", kube),
        )
    # The C loader is quicker by far, and dashboards are long.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [each for each in yaml.load_all(text, loader) if each]


def pod_specs(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Return the pod specs of all workloads, by the workload's name."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests
        if each["kind"] in ("Deployment", "Job")
    }


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Return the manifests of one kind, by their names."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}
