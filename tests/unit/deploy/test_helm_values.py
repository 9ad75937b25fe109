"""Whatever values the schema allows: the chart renders what Kubernetes accepts, or says why not."""

import json
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.chart import CHART, VALUE_SETS, ChartError, render

_SCHEMA = json.loads((CHART / "values.schema.json").read_text())
_BASES = [yaml.safe_load(path.read_text()) for path in VALUE_SETS]
# What has a form of its own, which the schema leaves to Kubernetes.
_SAMPLES: dict[str, st.SearchStrategy[Any]] = {
    "affinity": st.just(
        {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "a", "operator": "Exists"}]}
                    ]
                }
            }
        }
    ),
    "tolerations": st.just([{"key": "a", "operator": "Exists"}]),
    "parentRefs": st.just([{"name": "public"}]),
    "callers": st.just([{"podSelector": {}}]),
    "metrics": st.just([{"namespaceSelector": {}}]),
    "sourceRanges": st.just(["10.0.0.0/8"]),
    "hostnames": st.just(["a.example"]),
    "topologyKey": st.just("topology.kubernetes.io/zone"),
    "tag": st.sampled_from(["", "1.2", "2026-11-28", "0123"]),
    "repository": st.just("somewhere/else"),
    "registry": st.sampled_from(["", "registry.example:5000/a/"]),
    "reference": st.just("registry.example/models:1"),
    "subPath": st.sampled_from(["", "a/b", "0123"]),
    "secretKey": st.sampled_from(["url", "0123"]),
    "global": st.just({}),
}
_WORDS = st.sampled_from(
    ["yes", "no", "0123", "1e3", "null", "a: b", "#", "'", '"', "{{ x }}", "~"]
)


def leaves(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for name, each in schema["properties"].items():
        if "properties" in each:
            yield from leaves(each, (*path, name))
        else:
            yield (*path, name), each


def values_of(  # noqa: PLR0911  a kind of value each
    name: str, schema: dict[str, Any]
) -> st.SearchStrategy[Any]:
    """Return what a value may be, by its schema."""
    if name in _SAMPLES:
        return _SAMPLES[name]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    least, most = schema.get("minimum", 0), schema.get("maximum")
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(least, min(most or least + 5000, least + 5000))
        case "number":
            return st.floats(least, most or 1e6, allow_nan=False)
        case "array":
            return st.lists(values_of("", schema["items"]), max_size=2, unique=True)
        case "object":
            names = schema.get("propertyNames", {}).get("enum") or ["example.com/a", "b"]
            return st.dictionaries(st.sampled_from(names), _WORDS, max_size=3)
        case _ if "pattern" in schema:
            text = st.from_regex(
                schema["pattern"], fullmatch=True, alphabet=st.characters(codec="ascii")
            )
            return text.filter(lambda found: "\n" not in found and len(found) <= 40)
        case _:
            return st.sampled_from(["", "a", "0123", "no"])


_LEAVES = dict(leaves(_SCHEMA))


@st.composite
def chart_values(draw: st.DrawFn) -> dict[str, Any]:
    """Draw one of the value sets with some values changed."""
    values: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(_BASES))))
    for path in draw(
        st.lists(st.sampled_from(sorted(_LEAVES)), min_size=1, max_size=12, unique=True)
    ):
        inner = values
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = draw(values_of(path[-1], _LEAVES[path]))
    return values


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(chart_values())
def test_whatever_the_schema_allows_renders_valid_or_is_refused_with_a_reason(
    values: dict[str, Any],
) -> None:
    try:
        manifests = render(values)
    except ChartError as refused:
        # By the chart's own check, and by nothing else.
        assert "execution error at (packshot/templates/gateway.yaml:1:4)" in str(refused), refused
        return
    for each in manifests:
        if each["kind"] not in ("GRPCRoute", "PodMonitor", "PrometheusRule", "ScaledObject"):
            kubernetes_validate.validate(each, "1.35", strict=True)
