"""What a process shows Prometheus, read by Prometheus's own parser."""

from urllib.request import urlopen

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families


def families(address: str) -> list[Metric]:
    """Return the metrics that a `HOST:PORT` shows."""
    with urlopen(f"http://{address}/metrics", timeout=5) as reply:
        return list(text_string_to_metric_families(reply.read().decode()))


def total(shown: str | CollectorRegistry, name: str, **labels: str) -> float:
    """Return the sum of a metric's series that have these labels; fail if there is none.

    Args:
        shown: A `HOST:PORT`, or the registry itself.
        name: A histogram's with its suffix: `_count`, `_sum`, `_bucket`; a counter's with `_total`,
            which the parser adds where Triton leaves it out.
        labels: Some of the labels.
    """
    metrics = families(shown) if isinstance(shown, str) else shown.collect()
    found = [
        sample.value
        for family in metrics
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert found, f"{shown} shows no {name} with {labels}"
    return sum(found)
