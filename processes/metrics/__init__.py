"""The metrics of a process as one typed object: an attribute for each, made with prometheus_client.

A process declares its metrics in the `__init__` of a subclass of `MetricSet`. A metric without
labels is prometheus_client's own. One with labels is a `Family`, whose `labels` takes the fields of
the NamedTuple that it was declared with, so that a type checker sees a wrong label or value:

    class ByStage(NamedTuple):
        stage: Stage  # a StrEnum

    class Metrics(MetricSet):
        def __init__(self, registry: CollectorRegistry) -> None:
            super().__init__(registry)
            self.images = self.counter("packshot_images_total", "Photos rendered.")
            self.stages = self.histograms("packshot_stage_seconds", "…", ByStage, buckets=…)

    metrics.images.inc()
    metrics.stages.labels(Stage.DECODE).observe(0.1)

All series of closed labels exist from the start, at zero. What is declared is listed in `declared`;
the tables in the documents are made from it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import Metric
from prometheus_client.metrics import MetricWrapperBase

from processes.metrics.across import Across
from processes.metrics.label_values import closed_values, text_of

P = ParamSpec("P")
M = TypeVar("M", bound=MetricWrapperBase)
F = TypeVar("F", bound=Metric)

# A second series per counter and histogram, with the time of its beginning: `rate` needs none.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Kind(StrEnum):
    """The kinds of metrics, by the names that Prometheus gives them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class NoLabels(NamedTuple):
    """The labels of a metric that has none."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a metric was declared as.

    Attributes:
        name: As queries name it, a counter's `_total` included, a histogram's suffixes not.
        kind: What it is.
        help: What it says, one sentence.
        labels: The values of each label; empty where any value may occur.
        series: The label values of each series that exists from the start, in the labels' order.
        buckets: Upper bounds of a histogram's buckets.
        is_collected: Whether a collector makes it at each scrape, rather than prometheus_client.
        across: What several processes that show one metric make of it.
    """

    name: str
    kind: Kind
    help: str
    labels: Mapping[str, tuple[str, ...]]
    series: tuple[tuple[str, ...], ...]
    buckets: tuple[float, ...]
    is_collected: bool
    across: Across = Across.SUM


class Family(Generic[P, M]):
    """A metric with labels.

    Args:
        metric: prometheus_client's metric.
        labels: Makes a tuple of label values, in the order of the metric's labels.
    """

    def __init__(self, metric: M, labels: Callable[P, tuple[Any, ...]]) -> None:
        self._metric = metric
        self._labels = labels

    def labels(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """Return the one series that has these label values."""
        return self._metric.labels(*map(text_of, self._labels(*args, **kwargs)))


class Collected(Generic[P, F]):
    """A metric that a collector makes at each scrape, from what a part of the process keeps anyway.

    Args:
        declaration: What it is.
        family: prometheus_client's class for its kind.
        labels: Makes a tuple of label values, in the order of the metric's labels.
    """

    def __init__(
        self, declaration: Declaration, family: type[F], labels: Callable[P, tuple[Any, ...]]
    ) -> None:
        self._family: Callable[..., F] = family
        self._labels = labels
        self.declaration = declaration

    def family(self) -> F:
        """Return a new family without samples."""
        declared = self.declaration
        return self._family(declared.name, declared.help, labels=tuple(declared.labels))

    def labels(self, *args: P.args, **kwargs: P.kwargs) -> tuple[str, ...]:
        """Return label values as `add_metric` of the family takes them."""
        return tuple(map(text_of, self._labels(*args, **kwargs)))


class MetricSet:
    """The metrics of one process; safe to use from any thread.

    Args:
        registry: Where they are registered; a fresh one for each set.
        is_published: Whether `publish` sets the gauges that follow a function, for another process
            to read; else each scrape calls the function.

    Attributes:
        declared: Every metric, in the order of declaration.
    """

    def __init__(self, registry: CollectorRegistry, *, is_published: bool = False) -> None:
        self._registry = registry
        self._is_published = is_published
        self._followed: list[tuple[Gauge, Callable[[], float]]] = []
        self.declared: list[Declaration] = []

    def follow(self, gauge: Gauge, function: Callable[[], float]) -> None:
        """Have a gauge show what a function returns, which any thread may call."""
        if self._is_published:
            self._followed.append((gauge, function))
        else:
            gauge.set_function(function)

    def publish(self) -> None:
        """Set the gauges that follow a function to what it returns now."""
        for gauge, function in self._followed:
            gauge.set(function())

    def counter(self, name: str, text: str) -> Counter:
        """Make a counter without labels; its name ends in `_total`."""
        return self._made(Counter, name, text, NoLabels)

    def counters(
        self,
        name: str,
        text: str,
        labels: Callable[P, tuple[Any, ...]],
        series: Iterable[tuple[Any, ...]] | None = None,
    ) -> Family[P, Counter]:
        """Make a counter with labels.

        Args:
            name: Its name, `_total` included.
            text: What it says, one sentence.
            labels: A NamedTuple whose fields are the labels.
            series: The label values that occur together; None: all combinations, or none at first
                where a label's values are not known.
        """
        return Family(self._made(Counter, name, text, labels, series), labels)

    def gauge(self, name: str, text: str, across: Across = Across.SUM) -> Gauge:
        """Make a gauge without labels; `across` is as in `Declaration`."""
        return self._made(Gauge, name, text, NoLabels, across=across)

    def gauges(
        self,
        name: str,
        text: str,
        labels: Callable[P, tuple[Any, ...]],
        across: Across = Across.SUM,
    ) -> Family[P, Gauge]:
        """Make a gauge with labels; the arguments are those of `counters` and `gauge`."""
        return Family(self._made(Gauge, name, text, labels, across=across), labels)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        """Make a histogram without labels, of buckets with these upper bounds."""
        return self._made(Histogram, name, text, NoLabels, buckets=buckets)

    def histograms(
        self,
        name: str,
        text: str,
        labels: Callable[P, tuple[Any, ...]],
        buckets: tuple[float, ...],
        series: Iterable[tuple[Any, ...]] | None = None,
    ) -> Family[P, Histogram]:
        """Make a histogram with labels; the arguments are those of `counters` and `histogram`."""
        return Family(self._made(Histogram, name, text, labels, series, buckets), labels)

    def collected(
        self,
        family: type[F],
        name: str,
        text: str,
        labels: Callable[P, tuple[Any, ...]],
        buckets: tuple[float, ...] = (),
        across: Across = Across.SUM,
    ) -> Collected[P, F]:
        """Declare a metric that a collector makes.

        `family` is prometheus_client's class for its kind; the other arguments are those of
        `histograms` and `gauge`.
        """
        kind = Kind(family.__name__.removesuffix("MetricFamily").lower())
        declared = self._declare(kind, name, text, labels, (), buckets, across, is_collected=True)
        return Collected(declared, family, labels)

    def _made(
        self,
        kind: type[M],
        name: str,
        text: str,
        labels: Callable[..., tuple[Any, ...]],
        series: Iterable[tuple[Any, ...]] | None = None,
        buckets: tuple[float, ...] = (),
        across: Across = Across.SUM,
    ) -> M:
        declared = self._declare(
            Kind(kind.__name__.lower()), name, text, labels, series, buckets, across
        )
        more: dict[str, Any] = {"buckets": buckets} if buckets else {}
        if declared.kind is Kind.GAUGE:
            more["multiprocess_mode"] = across.mode
        metric = kind(name, text, tuple(declared.labels), registry=self._registry, **more)
        if declared.labels:
            for values in declared.series:
                metric.labels(*values)
        return metric

    def _declare(
        self,
        kind: Kind,
        name: str,
        text: str,
        labels: Callable[..., tuple[Any, ...]],
        series: Iterable[tuple[Any, ...]] | None,
        buckets: tuple[float, ...],
        across: Across,
        *,
        is_collected: bool = False,
    ) -> Declaration:
        closed = closed_values(labels)
        # The product is empty if any value of a label may occur.
        series = product(*closed.values()) if series is None else series
        known = tuple(tuple(map(text_of, values)) for values in series)
        values = {
            label: told or tuple(dict.fromkeys(each[place] for each in known))
            for place, (label, told) in enumerate(closed.items())
        }
        declared = Declaration(name, kind, text, values, known, buckets, is_collected, across)
        self.declared.append(declared)
        return declared
