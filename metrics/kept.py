"""Declared metrics, kept for Prometheus: four verbs, and every series there at once."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.metrics import MetricWrapperBase

from metrics import Kind, Metric

T = TypeVar("T", bound=MetricWrapperBase)

# A second series per counter and histogram, with the time of its beginning: `rate` needs none.
disable_created_metrics()  # type: ignore[no-untyped-call]


class KeptMetrics:
    """The metrics of one process; safe to use from any thread.

    Args:
        registry: Where they are registered; a fresh one for each set.
        declared: What they are.
    """

    def __init__(self, registry: CollectorRegistry, declared: Iterable[Metric]) -> None:
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in declared:
            name, text, labels = metric.name, metric.help, tuple(metric.labels)
            match metric.kind:
                case Kind.COUNTER:
                    counter = Counter(name.removesuffix("_total"), text, labels, registry=registry)
                    self._counters[name] = _with_series(counter, metric)
                case Kind.GAUGE:
                    gauge = Gauge(name, text, labels, registry=registry)
                    self._gauges[name] = _with_series(gauge, metric)
                case Kind.HISTOGRAM:
                    histogram = Histogram(
                        name, text, labels, registry=registry, buckets=metric.buckets
                    )
                    self._histograms[name] = _with_series(histogram, metric)

    def count(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        """Add to a counter."""
        _one(self._counters[metric.name], labels).inc(amount)

    def observe(
        self, metric: Metric, value: float, *labels: str, trace_id: str | None = None
    ) -> None:
        """Observe a value of a histogram; a trace's id becomes the exemplar of its bucket."""
        exemplar = {"trace_id": trace_id} if trace_id else None
        _one(self._histograms[metric.name], labels).observe(value, exemplar)

    def show(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        _one(self._gauges[metric.name], labels).set(value)

    def move(self, metric: Metric, amount: float, *labels: str) -> None:
        """Add to a gauge, or take from it if the amount is negative."""
        _one(self._gauges[metric.name], labels).inc(amount)

    def follow(self, metric: Metric, read: Callable[[], float], *labels: str) -> None:
        """Have a gauge read at each scrape."""
        _one(self._gauges[metric.name], labels).set_function(read)


def _with_series(family: T, metric: Metric) -> T:
    if metric.labels:
        for values in metric.series:
            family.labels(*values)
    return family


def _one(family: T, labels: tuple[str, ...]) -> T:
    return family.labels(*labels) if labels else family
