"""Metrics declared with typed labels: which series there are, and what is told of them."""

from enum import Enum, IntEnum, StrEnum
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from processes.metrics import Declaration, Kind, MetricSet
from tests.support.scrape import total


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Code(Enum):
    OK = (0, "ok")
    LOST = (1, "lost")


class Urgency(IntEnum):
    HIGH = 1

    @property
    def label(self) -> str:
        return self.name.lower()


class ByAll(NamedTuple):
    size: Size
    code: Code
    urgency: Urgency | None
    known: Literal["yes", "no"]


class ByName(NamedTuple):
    name: str
    size: Size


def series(registry: CollectorRegistry) -> list[tuple[str, ...]]:
    return [
        tuple(sample.labels.values()) for family in registry.collect() for sample in family.samples
    ]


def test_all_combinations_of_closed_labels_exist_from_the_start() -> None:
    registry = CollectorRegistry()
    metrics = MetricSet(registry)
    counter = metrics.counters("made_total", "Things made.", ByAll)
    assert len(series(registry)) == len(set(series(registry))) == 2 * 2 * 2 * 2
    counter.labels(Size.LARGE, Code.LOST, None, known="no").inc(3)
    counter.labels(Size.LARGE, Code.LOST, Urgency.HIGH, "no").inc()
    assert len(series(registry)) == 16
    labels = {"size": "large", "code": "LOST", "known": "no"}
    assert total(registry, "made_total", urgency="none", **labels) == 3
    assert total(registry, "made_total", urgency="high", **labels) == 1


def test_a_label_of_any_value_has_no_series_at_first_unless_they_are_named() -> None:
    registry = CollectorRegistry()
    metrics = MetricSet(registry)
    gauge = metrics.gauges("open", "Open ones.", ByName)
    assert series(registry) == []
    gauge.labels("a", Size.SMALL).set(1)
    assert series(registry) == [("a", "small")]
    metrics.counters("ends_total", "Ends.", ByName, [("b", Size.LARGE)])
    assert ("b", "large") in series(registry)


def test_what_is_declared_is_told_in_order() -> None:
    metrics = MetricSet(CollectorRegistry())
    metrics.histogram("wait_seconds", "Waiting.", (1.0, 2.0))
    held = metrics.collected(GaugeMetricFamily, "held", "Held.", ByName)
    metrics.counters("ends_total", "Ends.", ByName, [("b", Size.LARGE), ("c", Size.LARGE)])
    assert metrics.declared == [
        Declaration(
            "wait_seconds", Kind.HISTOGRAM, "Waiting.", {}, ((),), (1.0, 2.0), is_collected=False
        ),
        Declaration(
            "held",
            Kind.GAUGE,
            "Held.",
            {"name": (), "size": ("small", "large")},
            (),
            (),
            is_collected=True,
        ),
        Declaration(
            "ends_total",
            Kind.COUNTER,
            "Ends.",
            {"name": ("b", "c"), "size": ("small", "large")},
            (("b", "large"), ("c", "large")),
            (),
            is_collected=False,
        ),
    ]
    family = held.family()
    family.add_metric(held.labels("d", Size.SMALL), 2)
    [sample] = family.samples
    assert (sample.name, sample.labels, sample.value) == ("held", {"name": "d", "size": "small"}, 2)


def test_a_gauge_follows_a_function_at_each_scrape_or_each_time_it_is_published() -> None:
    for is_published in (False, True):
        registry, value = CollectorRegistry(), 1.0
        metrics = MetricSet(registry, is_published=is_published)
        metrics.follow(metrics.gauge("held", "Things held."), lambda: value)  # noqa: B023
        metrics.publish()
        assert total(registry, "held") == 1
        value = 2.0
        assert total(registry, "held") == (1 if is_published else 2)
        metrics.publish()
        assert total(registry, "held") == 2
